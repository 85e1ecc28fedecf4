"""Worker threads of sync endpoints and dependencies: what must be as with anyio's, at any number of calls at once."""

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from ferrapi import _threads
from ferrapi._threads import run_in_thread

MARK: contextvars.ContextVar[str] = contextvars.ContextVar("MARK", default="unset")


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def outer() -> Any:
        return await main()

    return asyncio.run(outer())


async def both(function: Callable[..., Any], /, **arguments: Any) -> list[Any]:
    """What the short way and anyio's give."""
    return [
        await run_in_thread(function, **arguments),
        await anyio.to_thread.run_sync(lambda: function(**arguments)),
    ]


def test_result_and_arguments() -> None:
    assert run(lambda: both(lambda function, n: (function, n), function="f", n=2)) == [("f", 2)] * 2


class Unusual(BaseException):
    """No `Exception`."""


@pytest.mark.parametrize("error", [ValueError("no"), Unusual("very"), StopIteration(1)])
def test_errors(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def kinds() -> list[Any]:
        found = []
        for call in (run_in_thread(fail), anyio.to_thread.run_sync(fail)):
            try:
                await call
            except BaseException as exc:
                found.append((type(exc), str(exc), type(exc.__cause__)))
        return found

    ours, theirs = run(kinds)
    assert ours == theirs


def test_context_is_copied() -> None:
    def look() -> str:
        seen = MARK.get()
        MARK.set("changed in the thread")
        return seen

    async def main() -> tuple[str, str]:
        MARK.set("from the task")
        return await run_in_thread(look), MARK.get()

    assert run(main) == ("from the task", "from the task")


def test_runs_in_another_thread_that_is_no_event_loops() -> None:
    def look() -> tuple[bool, Any]:
        return threading.current_thread() is threading.main_thread(), asyncio._get_running_loop()

    assert run(lambda: run_in_thread(look)) == (False, None)


def test_from_thread() -> None:
    async def double(n: int) -> int:
        await asyncio.sleep(0)
        return 2 * n

    def call(n: int) -> tuple[int, int]:
        anyio.from_thread.check_cancelled()
        return anyio.from_thread.run(double, n), anyio.from_thread.run_sync(abs, -n)

    assert run(lambda: both(call, n=4)) == [(8, 4)] * 2


def test_limiter_is_respected() -> None:
    running, most = 0, 0
    lock = threading.Lock()
    gate = threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 3:
                gate.set()
        gate.wait()
        with lock:
            running -= 1

    async def main() -> float:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 3
        await asyncio.gather(*(run_in_thread(work) for _ in range(30)))
        return limiter.borrowed_tokens

    assert run(main) == 0
    assert most == 3


def test_a_call_never_waits_for_one_that_blocks() -> None:
    """All but the last block until the last has run."""
    gate = threading.Event()

    def block() -> bool:
        return gate.wait()

    async def main() -> list[Any]:
        calls = [run_in_thread(block) for _ in range(12)]
        return await asyncio.gather(*calls, run_in_thread(gate.set))

    assert run(main) == [True] * 12 + [None]


def test_calls_that_block_in_turns() -> None:
    """Each call waits for the one that is made after it, in rounds, so that threads are woken, idle and new ones."""

    async def main() -> int:
        done = 0
        for size in [1, 2, 9, 3, 30, 1, 17]:
            events = [threading.Event() for _ in range(size + 1)]
            events[size].set()

            def step(mine: threading.Event, after: threading.Event) -> int:
                after.wait()
                mine.set()
                return 1

            calls = [run_in_thread(step, mine=events[n], after=events[n + 1]) for n in range(size)]
            done += sum(await asyncio.gather(*calls))
        return done

    assert run(main) == 63


def test_cancelled_task_gives_its_token_back() -> None:
    gate, begun = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        gate.wait()

    async def main() -> tuple[bool, float, int]:
        task = asyncio.create_task(run_in_thread(block))
        await anyio.to_thread.run_sync(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        tokens = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
        return task.cancelled(), tokens, await run_in_thread(lambda: 5)

    assert run(main) == (True, 0, 5)


def test_a_cancel_scope_waits_for_the_thread() -> None:
    """anyio shields a call in a thread from the scope around it; this needs its own way."""
    finished = []

    def work(begun: threading.Event, gate: threading.Event) -> None:
        begun.set()
        gate.wait()
        finished.append(True)

    async def main() -> bool:
        begun, gate = threading.Event(), threading.Event()
        with anyio.CancelScope() as scope:

            async def cancel() -> None:
                await anyio.to_thread.run_sync(begun.wait)
                scope.cancel()
                gate.set()

            task = asyncio.create_task(cancel())
            await run_in_thread(work, begun=begun, gate=gate)
        await task
        return scope.cancel_called

    assert run(main)
    assert finished == [True]


def test_works_under_trio() -> None:
    trio = pytest.importorskip("trio")

    async def main() -> int:
        return int(await run_in_thread(lambda n: n + 1, n=1))

    assert trio.run(main) == 2


def test_works_without_anyios_private_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "scopes_of_tasks", lambda: None)
    assert run(lambda: run_in_thread(lambda n: n + 1, n=1)) == 2


def test_threads_end_with_the_loop() -> None:
    before = set(threading.enumerate())
    gate = threading.Event()

    async def main() -> int:
        waiting = [run_in_thread(gate.wait) for _ in range(5)]
        return len(await asyncio.gather(*waiting, run_in_thread(gate.set)))

    assert run(main) == 6
    for thread in set(threading.enumerate()) - before:
        thread.join()


def test_idle_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "MAX_IDLE_TIME", 0.001)
    seen: set[threading.Thread] = set()

    async def main() -> None:
        for _ in range(30):
            seen.add(await run_in_thread(threading.current_thread))
            if len(seen) > 1:
                break
            for thread in seen:
                await anyio.to_thread.run_sync(thread.join)
        assert len(seen) > 1

    run(main)


def test_nothing_is_kept_of_a_call() -> None:
    class Thing:
        pass

    async def main() -> weakref.ref[Thing]:
        thing = Thing()
        known = weakref.ref(thing)
        await run_in_thread(lambda it: None, it=thing)
        with pytest.raises(ValueError, match="no"):
            await run_in_thread(_fail, it=thing)
        return known

    def _fail(it: Thing) -> None:
        raise ValueError("no")

    gc.disable()
    try:
        known = run(main)
    finally:
        gc.enable()
    for _ in range(200):  # the thread may be about to let go of it
        gc.collect()
        if known() is None:
            break
        time.sleep(0.01)
    assert known() is None


def test_many_loops() -> None:
    for n in range(20):
        assert run(lambda n=n: run_in_thread(lambda: n)) == n  # type: ignore[misc]
    gc.collect()
    assert len(_threads._workers) <= 1


def test_random_load() -> None:
    """Thousands of short calls from many tasks: each is made once, and each answer comes back to its caller."""
    made: list[tuple[int, int]] = []

    def work(task: int, n: int) -> tuple[int, int]:
        made.append((task, n))
        return task, n

    async def caller(task: int) -> None:
        for n in range(100):
            assert await run_in_thread(work, task=task, n=n) == (task, n)

    async def main() -> None:
        await asyncio.gather(*(caller(task) for task in range(100)))

    run(main)
    assert sorted(made) == [(task, n) for task in range(100) for n in range(100)]

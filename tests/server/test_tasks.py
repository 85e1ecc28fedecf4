"""The task of a request that the transport serves itself: a real one, wherever it begins."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest
from ferrapi import FastAPI
from support.wire import Wire, configured

SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def serving(endpoint: Callable[..., Any]) -> FastAPI:
    app = FastAPI()
    app.get("/")(endpoint)
    return app


def answer_of(endpoint: Callable[..., Any], times: int = 2) -> bytes:
    """The last of the answers to several requests on one connection: the first may be served otherwise."""

    async def main() -> bytes:
        wire = Wire(configured(serving(endpoint)))
        for _ in range(times):
            wire.protocol.data_received(get("/"))
            while wire.state.tasks:
                await asyncio.wait(wire.state.tasks)
        assert not wire.state.tasks
        return wire.written.rpartition(b"\r\n\r\n")[2]

    return asyncio.run(main())


def test_it_is_the_current_task_from_the_first_step_to_the_last() -> None:
    async def endpoint() -> list[bool]:
        task = asyncio.current_task()
        assert task is not None
        assert task.get_coro() is not None
        assert task in asyncio.all_tasks()
        seen = [task.done(), task is asyncio.current_task()]
        await asyncio.sleep(0)
        return [*seen, task is asyncio.current_task(), task in asyncio.all_tasks()]

    assert answer_of(endpoint) == b"[false,true,true,true]"


def test_it_has_a_name_of_its_own() -> None:
    async def main() -> None:
        names: list[str] = []

        async def endpoint() -> None:
            task = asyncio.current_task()
            assert task is not None
            names.append(task.get_name())

        wire = Wire(configured(serving(endpoint)))
        for _ in range(5):
            await wire.feed(get("/"))
            await wire.settle()
        assert len(set(names)) == 5

    asyncio.run(main())


async def _times_out() -> str:
    try:
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()
    except TimeoutError:
        return "timed out"
    return "went on"


async def _times_out_at_once() -> str:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(0)
            await asyncio.Event().wait()
    except TimeoutError:
        return "timed out"
    return "went on"


async def _waits_for() -> str:
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.001)
    except TimeoutError:
        return "timed out"
    return "went on"


async def _cancels_a_scope() -> str:
    with anyio.move_on_after(0.001) as scope:
        await anyio.sleep_forever()
    return "timed out" if scope.cancelled_caught else "went on"


async def _groups() -> str:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(work(number))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, 3)
    return "timed out" if sorted(done) == [0, 1, 2, 3] else "went on"


async def _group_that_fails() -> str:
    async def fail() -> None:
        raise LookupError

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.Event().wait()
    except ExceptionGroup:
        return "timed out"
    return "went on"


async def _in_a_thread() -> str:
    return await anyio.to_thread.run_sync(lambda: "timed out")


async def _cancels_itself() -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        task.uncancel()
        return "timed out"
    return "went on"


@pytest.mark.parametrize(
    "endpoint",
    [
        *(_times_out, _times_out_at_once, _waits_for, _cancels_a_scope, _groups, _group_that_fails, _in_a_thread),
        _cancels_itself,
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["in the first step", "later"])
def test_what_needs_a_task_finds_it(endpoint: Callable[[], Coroutine[Any, Any, str]], first: bool) -> None:
    async def around() -> str:
        if not first:
            await asyncio.sleep(0)
        return await endpoint()

    assert answer_of(around) == b'"timed out"'


@pytest.mark.parametrize("waits", [True, False])
def test_context_variables_stay_in_their_request(waits: bool) -> None:
    async def main() -> None:
        async def endpoint(name: str) -> str:
            before = SEEN.get()
            SEEN.set(name)
            if waits:
                await asyncio.sleep(0)
            return f"{before} {SEEN.get()}"

        wire = Wire(configured(serving(endpoint)))
        for name in "abc":
            await wire.feed(get(f"/?name={name}"))
            await wire.settle()
            assert wire.written.endswith(f'"nothing {name}"'.encode())
        assert SEEN.get() == "nothing"

    asyncio.run(main())


def test_it_is_among_the_servers_tasks_while_it_waits() -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def endpoint() -> str:
            await go.wait()
            return "went on"

        wire = Wire(configured(serving(endpoint)))
        for _ in range(2):
            go.clear()
            wire.protocol.data_received(get("/"))
            for _ in range(5):
                await asyncio.sleep(0)
            (task,) = wire.state.tasks
            assert not task.done()
            go.set()
            await wire.settle()
            assert not wire.state.tasks
            assert wire.written.endswith(b'"went on"')

    asyncio.run(main())


def test_one_that_is_cancelled_before_it_begins_is_forgotten() -> None:
    async def main() -> None:
        async def endpoint() -> None:
            await asyncio.sleep(0)

        wire = Wire(configured(serving(endpoint)))
        await wire.feed(get("/"))
        await wire.settle()
        wire.protocol.data_received(get("/"))
        (task,) = wire.state.tasks
        task.cancel()
        await asyncio.sleep(0)
        wire.protocol.connection_lost(None)
        await wire.settle()
        assert not wire.state.tasks

    asyncio.run(main())


def test_a_task_factory_makes_it() -> None:
    async def main() -> None:
        made: list[Any] = []

        def factory(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
            task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
            made.append(weakref.ref(task))
            return task

        async def endpoint() -> bool:
            return any(one() is asyncio.current_task() for one in made)

        asyncio.get_running_loop().set_task_factory(factory)
        wire = Wire(configured(serving(endpoint)))
        for _ in range(3):
            await wire.feed(get("/"))
            await wire.settle()
            assert wire.written.endswith(b"true")

    asyncio.run(main())


def test_pipelined_requests_do_not_run_inside_of_each_other() -> None:
    async def main() -> None:
        depth = deepest = 0

        async def endpoint(n: int) -> int:
            nonlocal depth, deepest
            depth += 1
            deepest = max(deepest, depth)
            if n % 3 == 0:
                await asyncio.sleep(0)
            depth -= 1
            return n

        wire = Wire(configured(serving(endpoint)))
        number = 1500
        wire.protocol.data_received(b"".join(get(f"/?n={n}") for n in range(number)))
        while wire.state.tasks or wire.protocol.is_resuming:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        bodies = [part.rpartition(b"\r\n\r\n")[2] for part in wire.written.split(b"HTTP/1.1 ")[1:]]
        assert bodies == [b"%d" % n for n in range(number)]
        assert deepest == 1

    asyncio.run(main())


@pytest.mark.parametrize("waits", [True, False])
def test_nothing_is_left_of_it(waits: bool) -> None:
    async def main() -> None:
        tasks: list[weakref.ref[asyncio.Task[Any]]] = []

        async def endpoint() -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(weakref.ref(task))
            if waits:
                await asyncio.sleep(0)

        wire = Wire(configured(serving(endpoint)))
        gc.disable()
        try:
            for _ in range(4):
                await wire.feed(get("/"))
                await wire.settle()
            await wire.feed(get("/nowhere"))  # the connection may keep its last request
            await wire.settle()
            assert [task() for task in tasks[1:]] == [None] * 3
        finally:
            gc.enable()

    asyncio.run(main())


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError, SystemExit, KeyboardInterrupt])
def test_no_exception_leaves_it(error: type[BaseException], waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def endpoint() -> None:
        if waits:
            await asyncio.sleep(0)
        raise error("no")

    async def main() -> None:
        wire = Wire(configured(serving(endpoint)))
        for _ in range(2):
            await wire.feed(get("/"))
            await wire.settle()
        assert wire.written.count(b"HTTP/1.1 500") == (1 if wire.closed else 2)

    asyncio.run(main())
    assert "Exception in ASGI application" in caplog.text

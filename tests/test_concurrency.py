"""Synchronous context managers run in threads, and what they acquired is always given back."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from _oracle import same
from ferrapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from support.naming import steady_name


class Manager:
    """Records what happens to it, and fails where it is told to."""

    def __init__(
        self, enter: BaseException | None = None, leave: Exception | None = None, swallow: bool = False
    ) -> None:
        self.enter_error, self.leave_error, self.swallow = enter, leave, swallow
        self.log: list[Any] = []

    def __enter__(self) -> int:
        self.log.append(("enter", threading.current_thread() is threading.main_thread()))
        if self.enter_error:
            raise self.enter_error
        return 5

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        in_main = threading.current_thread() is threading.main_thread()
        self.log.append(("exit", in_main, kind, repr(error), traceback is not None))
        if self.leave_error:
            raise self.leave_error
        return self.swallow


MANAGERS: list[Callable[[], Manager]] = [
    Manager,
    lambda: Manager(swallow=True),
    lambda: Manager(enter=ValueError("enter")),
    lambda: Manager(enter=StopIteration(1)),
    lambda: Manager(leave=KeyError("leave")),
]
BODIES: list[BaseException | None] = [
    None,
    ValueError("body"),
    asyncio.CancelledError(),
    StopIteration(3),
    StopAsyncIteration(),
]


@pytest.mark.parametrize("body", BODIES, ids=steady_name)
@pytest.mark.parametrize("make", MANAGERS)
def test_entering_and_leaving(make: Callable[[], Manager], body: BaseException | None) -> None:
    def question(framework: Any) -> Any:
        manager = make()

        async def run() -> Any:
            try:
                async with framework.concurrency.contextmanager_in_threadpool(manager) as value:
                    if body is not None:
                        raise body
            except BaseException as error:
                return repr(error), repr(error.__context__), repr(error.__cause__)
            return value

        return asyncio.run(run()), manager.log

    assert same(question)[0] == "value"


@pytest.mark.parametrize("swallow", [True, False])
@pytest.mark.parametrize("body", BODIES, ids=steady_name)
def test_generators_see_the_exception(body: BaseException | None, swallow: bool) -> None:
    def question(framework: Any) -> Any:
        log: list[Any] = []

        @contextlib.contextmanager
        def manager() -> Iterator[int]:
            try:
                yield 5
            except BaseException as error:
                log.append(repr(error))
                if not swallow:
                    raise
            finally:
                log.append("closed")

        async def run() -> Any:
            try:
                async with framework.concurrency.contextmanager_in_threadpool(manager()):
                    if body is not None:
                        raise body
            except BaseException as error:
                log.append(("out", repr(error)))

        asyncio.run(run())
        return log

    assert same(question)[0] == "value"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_leaving_is_not_cut_short_by_a_cancelled_scope(backend: str) -> None:
    manager = Manager()

    async def run() -> None:
        with anyio.CancelScope() as scope:
            async with contextmanager_in_threadpool(manager):
                scope.cancel()
                await anyio.sleep_forever()

    anyio.run(run, backend=backend)
    assert [entry[0] for entry in manager.log] == ["enter", "exit"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_leaving_needs_none_of_the_shared_threads(backend: str) -> None:
    """All threads wait for a connection that only the manager's exit gives back."""
    released = threading.Event()

    @contextlib.contextmanager
    def connection() -> Iterator[None]:
        yield
        released.set()

    async def run() -> None:
        threads = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
        async with anyio.create_task_group() as group:
            async with contextmanager_in_threadpool(connection()):
                for _ in range(threads):
                    group.start_soon(run_in_threadpool, released.wait)
                while anyio.to_thread.current_default_thread_limiter().available_tokens:
                    await anyio.lowlevel.checkpoint()

    anyio.run(run, backend=backend)
    assert released.is_set()


def test_a_task_cancelled_while_it_enters_leaves_in_the_thread() -> None:
    """Otherwise a generator would be closed whenever it is collected, in whatever thread that happens."""
    entering, go_on, left = threading.Event(), threading.Event(), threading.Event()
    log: list[Any] = []

    @contextlib.contextmanager
    def manager() -> Iterator[None]:
        entering.set()
        go_on.wait()
        try:
            yield
        except BaseException as error:
            log.append((type(error), threading.current_thread() is threading.main_thread()))
            raise
        finally:
            left.set()

    async def use() -> None:
        async with contextmanager_in_threadpool(manager()):
            log.append("never")

    async def run() -> None:
        task = asyncio.create_task(use())
        await asyncio.to_thread(entering.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await asyncio.to_thread(left.wait)

    asyncio.run(run())
    assert log == [(asyncio.CancelledError, False)]


@pytest.mark.parametrize("turns", range(12))
def test_a_manager_is_left_once_whenever_its_task_is_cancelled(turns: int) -> None:
    """Cancelled while it enters, in the block, while it leaves, before a thread has started, after it is done."""
    manager = Manager()

    async def use() -> None:
        async with contextmanager_in_threadpool(manager):
            await asyncio.sleep(0)

    async def run() -> None:
        task = asyncio.create_task(use())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    wait_for_threads()
    assert [entry[0] for entry in manager.log] in ([], ["enter", "exit"])


def wait_for_threads() -> None:
    """Let calls end whose task is gone; anyio's threads stop when the loop does."""
    for thread in threading.enumerate():
        if thread.name.startswith("AnyIO worker"):
            thread.join()


def test_a_cancellation_while_leaving_goes_on_when_the_manager_has_been_left() -> None:
    leaving, go_on = threading.Event(), threading.Event()
    log: list[str] = []

    @contextlib.contextmanager
    def manager() -> Iterator[None]:
        yield
        leaving.set()
        go_on.wait()
        log.append("left")

    async def use() -> None:
        async with contextmanager_in_threadpool(manager()):
            pass

    async def run() -> None:
        task = asyncio.create_task(use())
        await asyncio.to_thread(leaving.wait)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["left"]

    asyncio.run(run())

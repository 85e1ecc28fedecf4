"""Running synchronous code beside the event loop, and limits on how many calls run at once.

`run_in_threadpool`, `iterate_in_threadpool` and `run_until_first_complete` are Starlette's. What is added is the
asynchronous form of a synchronous context manager, and the per-loop semaphore behind `Depends(max_concurrency=...)`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import copy_context
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import anyio
from anyio.lowlevel import RunVar
from starlette.concurrency import iterate_in_threadpool as iterate_in_threadpool
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.concurrency import run_until_first_complete as run_until_first_complete

from ._entering import note_entered, note_left
from ._hooks import announce_assignments
from ._names import names_of
from ._scopes import on_asyncio
from ._threads import begin_call, enter_in_thread, run_beside

__all__ = [
    "contextmanager_in_threadpool",
    "iterate_in_threadpool",
    "run_in_threadpool",
    "run_until_first_complete",
]

T = TypeVar("T")

_TURNS = 2
"""Of the event loop that anyio takes before it begins a call in a thread. A generator that was dropped in the middle is
closed in these turns, before contexts around it are left."""


def opener_of(call: Callable[..., Any], *, is_asynchronous: bool) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """What makes the context that a generator function is.

    Args:
        call: The function.
        is_asynchronous: Whether its generators are; others run in worker threads.
    """
    if is_asynchronous:
        return asynccontextmanager(call)
    manager = contextmanager(call)
    return lambda **values: contextmanager_in_threadpool(manager(**values))


@asynccontextmanager
async def contextmanager_in_threadpool(cm: AbstractContextManager[T]) -> AsyncGenerator[T, None]:
    """Enter and leave the synchronous context manager `cm` in worker threads.

    Leaving does not wait for one of the shared threads: if all of them were held by requests that wait for what this
    manager is about to give back (a database connection, say), nobody would ever get one. For the same reason it is
    shielded from cancellation, so that what was acquired is released.

    A task that is cancelled while the manager is being entered does not lose it either: it is left as soon as it has
    been entered.

    Args:
        cm: The manager to drive. Its `__exit__` gets any exception of the block, and may swallow it.
    """
    entry = _Entry(cm)
    enter: Callable[..., Any] = enter_in_thread if run_in_threadpool is _RUN_IN_THREADPOOL else run_in_threadpool
    try:
        value = await enter(entry.enter)
    except BaseException as error:
        if entry.give_up(error):
            await _leave(cm, error)
        raise
    task = note_entered()
    try:
        try:
            yield value
        except BaseException as error:
            if not await _leave(cm, error):
                raise
        else:
            await _leave(cm, None)
    finally:
        note_left(task)


async def _leave(cm: AbstractContextManager[Any], error: BaseException | None) -> bool:
    """Call `cm.__exit__` in a thread, to its end; tell whether the exception was swallowed.

    A shielded scope holds off the cancellation of a scope around it, but not `Task.cancel()`, which goes on afterwards.
    """
    leaving = _Exit(cm, error)
    with anyio.CancelScope(shield=True):
        cancellation = await (leaving.run_beside() if on_asyncio() else leaving.run_beside_trio())
    try:
        if cancellation is not None:
            raise cancellation
        return leaving.result()
    finally:
        del error, cancellation


class _Beside:
    """Exit code that runs in a thread beside the shared ones, once and to its end, however often it is started."""

    def __init__(self) -> None:
        self.finished = False
        self.cancelled = False  # whether the task that waits for it was cancelled
        self._lock = Lock()

    async def run_beside(self, turns: int = _TURNS) -> asyncio.CancelledError | None:
        """Run it in a thread, and wait for its end; give what wanted to end that.

        If the system has no more threads, run it in this one: what was acquired has to be released.

        Args:
            turns: Of the event loop before that.
        """
        cancellation = None
        try:
            for _ in range(turns):
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError as error:
                    cancellation, self.cancelled = error, True
            for begin in (begin_call, lambda run: asyncio.ensure_future(run_beside(run))):
                while True:
                    try:
                        await begin(self.run)
                    except asyncio.CancelledError as error:
                        cancellation, self.cancelled = error, True  # and the wait has ended: another one is begun
                    except RuntimeError:
                        break
                    else:
                        return cancellation
            self.run()
            return cancellation
        finally:
            del cancellation  # whose traceback has this frame

    async def run_beside_trio(self) -> None:
        """The same under trio, where nothing gets past a shield."""
        try:
            await run_beside(self.run)
        except RuntimeError:
            self.run()

    def run(self) -> None:
        """Run it, or wait until the thread that does so is done."""
        with self._lock:
            if not self.finished:
                self._run()
                self.finished = True

    def _run(self) -> None:
        raise NotImplementedError


class _Exit(_Beside):
    """One call of a manager's `__exit__`.

    Args:
        cm: The manager.
        error: The exception to tell it of.
    """

    def __init__(self, cm: AbstractContextManager[Any], error: BaseException | None) -> None:
        super().__init__()
        self._cm = cm
        self._error = error
        self._swallowed = False
        self._failure: BaseException | None = None

    def _run(self) -> None:
        error, self._error = self._error, None
        told = (None, None, None) if error is None else (type(error), error, error.__traceback__)
        try:
            self._swallowed = bool(self._cm.__exit__(*told))
        except BaseException as failure:
            self._failure = failure
        finally:
            del error, told

    def result(self) -> bool:
        """Tell whether the exception was swallowed, or raise what the manager raised."""
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
            return self._swallowed
        finally:
            del failure


class _GeneratorExits(_Beside):
    """The ends of generators that were entered in threads, one after the other until one of them raises.

    Args:
        generators: The one that was entered last comes first.
    """

    def __init__(self, generators: list[Generator[Any]]) -> None:
        super().__init__()
        self.generators = generators
        self.failure: BaseException | None = None

    def _run(self) -> None:
        generators = self.generators
        alone = len(generators) == 1
        while generators and self.failure is None and not self.cancelled:
            generator = generators.pop(0)
            try:
                if alone:
                    _stop(generator)
                else:
                    copy_context().run(_stop, generator)
            except BaseException as failure:
                self.failure = of_async_generator(failure)


def of_async_generator(error: BaseException) -> BaseException:
    """What an asynchronous generator raises in place of `error`. FastAPI leaves synchronous contexts in one."""
    if not isinstance(error, StopAsyncIteration):
        return error
    told = RuntimeError("async generator raised StopAsyncIteration")
    told.__cause__ = told.__context__ = error
    return told


def _stop(generator: Generator[Any]) -> None:
    """Leave the context that a generator is, as `contextlib` does."""
    if next(generator, _STOPPED) is not _STOPPED:
        try:
            raise RuntimeError("generator didn't stop")
        finally:
            generator.close()


_STOPPED = object()


async def leave_generators(
    generators: list[Generator[Any]], after_others: bool
) -> tuple[list[Generator[Any]], BaseException | None]:
    """Leave contexts that were entered in threads, in a thread; outside of any cancel scope.

    Args:
        generators: The one that was entered last comes first.
        after_others: Whether asynchronous code has run meanwhile.

    Returns:
        The generators that are left to do, and what has kept them: what one of them raised, or a cancellation.
    """
    leaving = _GeneratorExits(generators)
    cancellation = await leaving.run_beside(_TURNS if after_others else 0)
    failure, leaving.failure = leaving.failure, None  # its traceback refers to `leaving`
    try:
        return leaving.generators, cancellation or failure
    finally:
        del cancellation, failure


class LeftInThread(AbstractAsyncContextManager[None]):
    """The context that a generator is which was entered in a thread already.

    Args:
        generator: The generator.
    """

    def __init__(self, generator: Generator[Any]) -> None:
        self._cm = contextmanager(lambda: generator)()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            return await _leave(self._cm, exc)
        except StopAsyncIteration as error:
            raise of_async_generator(error) from error


class _Entry(Generic[T]):
    """Entering a manager in a thread, for a task that may be cancelled and gone when it has been entered.

    Args:
        cm: The manager.
    """

    def __init__(self, cm: AbstractContextManager[T]) -> None:
        self._cm = cm
        self._lock = Lock()
        self._entered = False
        self._given_up: BaseException | None = None

    def enter(self) -> T:
        """Enter the manager; runs in the thread, which leaves it again if nobody waits any more."""
        value = self._cm.__enter__()
        with self._lock:
            reason = self._given_up
            self._entered = reason is None
        if reason is not None:
            self._cm.__exit__(type(reason), reason, reason.__traceback__)
        return value

    def give_up(self, error: BaseException) -> bool:
        """Stop waiting because of `error`. Tell whether the manager was entered, and so has to be left by the task."""
        with self._lock:
            self._given_up = error
            return self._entered


class _DependencyConcurrency:
    """At most `max_concurrency` calls of a dependency at a time, per event loop.

    A semaphore belongs to the loop in which it is used, while the declaration that holds this object is made at
    import time and may serve several loops, so each loop gets its own on first use.

    Args:
        max_concurrency: How many calls may run at once; at least 1.
    """

    def __init__(self, max_concurrency: int) -> None:
        self.max_concurrency = max_concurrency

    def get_semaphore(self) -> anyio.Semaphore:
        """The running event loop's semaphore.

        Raises:
            anyio.NoEventLoopError: There is no running event loop.
        """
        try:
            semaphores = _semaphores.get()
        except LookupError:
            semaphores = WeakKeyDictionary()
            _semaphores.set(semaphores)
        semaphore = semaphores.get(self)
        if semaphore is None:
            semaphore = semaphores[self] = anyio.Semaphore(self.max_concurrency)
        return semaphore


class LimitedContext(AbstractAsyncContextManager[Any]):
    """A context that counts as a call of a dependency until it is left.

    Args:
        concurrency: The limit.
        make: What makes the context, when its turn comes.
        arguments: The keyword arguments for that.
    """

    def __init__(
        self,
        concurrency: _DependencyConcurrency,
        make: Callable[..., AbstractAsyncContextManager[Any]],
        /,
        **arguments: Any,
    ) -> None:
        self._concurrency = concurrency
        self._make = make
        self._arguments = arguments
        self._semaphore: anyio.Semaphore | None = None
        self._context: AbstractAsyncContextManager[Any] | None = None

    async def __aenter__(self) -> Any:
        semaphore = self._semaphore = self._concurrency.get_semaphore()
        await semaphore.acquire()
        try:
            context = self._context = self._make(**self._arguments)
            return await context.__aenter__()
        except BaseException:
            semaphore.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        if self._context is None or self._semaphore is None:
            raise RuntimeError("A context was left that was not entered")
        try:
            return await self._context.__aexit__(kind, exc, traceback)
        finally:
            self._semaphore.release()


async def run_limited(concurrency: _DependencyConcurrency, call: Callable[..., Awaitable[T]], /, **arguments: Any) -> T:
    """Await a call of a dependency, when its turn comes."""
    async with concurrency.get_semaphore():
        return await call(**arguments)


_semaphores: RunVar[WeakKeyDictionary[_DependencyConcurrency, anyio.Semaphore]] = RunVar("ferrapi_dependency_limits")


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

_RUN_IN_THREADPOOL = announce_assignments(__name__, "run_in_threadpool")["run_in_threadpool"]

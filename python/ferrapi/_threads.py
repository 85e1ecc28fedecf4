"""Running sync endpoints and dependencies in worker threads, with less ado per call than `anyio.to_thread`.

What it keeps of anyio's: the default limiter (40 calls at once, unless the application changes its tokens), a copy of
the caller's context for each call, `anyio.from_thread` inside of it, and threads that end when they have been idle for
a while or the event loop's main task is done. What it saves: anyio wakes a thread per call and the event loop per
result. Under load many calls wait at once; here a thread that is running anyway takes the next one, and what is
finished meanwhile is reported together. No call waits for another that blocks: whoever takes a call while others wait
has somebody else woken before it runs its own.

A request inside of a synchronous context (a ``yield`` dependency) never waits for a token of the limiter: if there is
none, its call is made beyond the limit, for others may wait for what it holds (`_entering.py`).

anyio's own way is taken under trio, in a task that is inside of a cancel scope (which has to be shielded from it),
while somebody has replaced `anyio.to_thread.run_sync`, and with a version of anyio in which the few private names that
this needs are not there (`_compat/anyio.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.lowlevel import RunVar
from starlette.middleware import errors

from ._compat.anyio import Threads, task_states, threads
from ._entering import inside, is_inside, take_token
from ._hooks import announce_assignments, as_written
from ._scopes import calls_in_threads, on_asyncio, scope_here

if TYPE_CHECKING:
    from collections.abc import Mapping

_RUN_SYNC = announce_assignments("anyio.to_thread", "run_sync")["run_sync"]
_RUN_IN_THREADPOOL = as_written("starlette.concurrency", "run_in_threadpool")

MAX_IDLE_TIME = 10.0
"""Seconds after which an idle thread ends."""

Call = tuple[Context, Callable[..., Any], dict[str, Any], "asyncio.Future[Any]"]


def scopes_of_tasks() -> Mapping[asyncio.Task[Any], Any] | None:
    """What anyio knows of tasks and their cancel scopes; None if this anyio is not one for threads of our own."""
    return None if threads() is None else task_states()


class NoThreadError(RuntimeError):
    """A call that is not made because the system has no more threads.

    Parameters:
        future: what the call would have come to.
        reason: what the system says.
    """

    def __init__(self, future: asyncio.Future[Any], reason: Exception) -> None:
        super().__init__(str(reason))
        self.future = future


class _Worker(Thread):
    """A thread that takes calls until there are none, and then waits to be woken."""

    def __init__(self, workers: _Workers) -> None:
        super().__init__(name="ferrapi worker thread")
        self.workers = workers
        self.woken = Lock()
        self.woken.acquire()

    def run(self) -> None:
        """Take calls, waiting in between."""
        self.workers.known.locals.current_token = self.workers.token
        self.workers.known.locals.current_cancel_scope = None
        while True:
            call = self.workers.take(self)
            while call is not None:
                self._make(call)
                del call
                call = self.workers.next(self)
            if not self.woken.acquire(timeout=MAX_IDLE_TIME) and self.workers.leave(self):
                return
            if self.workers.stopped:
                return

    def _make(self, call: Call) -> None:
        context, function, arguments, future = call
        if future.cancelled():
            return
        result: Any = None
        error: BaseException | None = None
        try:
            result = context.run(function, **arguments)
        except StopIteration as exc:  # which no future can hold
            error = RuntimeError("coroutine raised StopIteration")
            error.__cause__ = exc
        except BaseException as exc:
            error = exc
        self.workers.report(future, result, error)
        del result, error, call, context, function, arguments, future  # the exception's traceback has this frame


class _Workers:
    """The worker threads of one event loop."""

    def __init__(self, known: Threads) -> None:
        from anyio.lowlevel import current_token
        from anyio.to_thread import current_default_thread_limiter

        self.token = current_token()
        self.limiter = current_default_thread_limiter()
        self.known = known
        self.stopped = False
        self._lock = Lock()
        self._calls: deque[Call] = deque()
        self._idle: list[_Worker] = []
        self._searching = 0  # threads that were woken and have not looked for a call yet
        self._finished: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._reporting = False
        known.find_main_task().add_done_callback(self._stop, context=Context())

    # In the event loop's thread

    async def call(self, task: asyncio.Task[Any], function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Wait in `task` for what a call comes to. If there is no thread for it, one of anyio's may be free."""
        future = calls_in_threads[task] = self.begin(function, arguments)
        try:
            return await future
        except NoThreadError as error:
            if error.future is not future:
                raise
        finally:
            del calls_in_threads[task], future  # which holds the exception, whose traceback has this frame
        return await run_beside(partial(function, **arguments))

    async def call_shielded(
        self, task: asyncio.Task[Any], function: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        """The same for a task inside of a cancel scope."""
        with anyio.CancelScope(shield=True):
            return await self.call(task, function, arguments)

    def begin(self, function: Callable[..., Any], arguments: dict[str, Any]) -> asyncio.Future[Any]:
        """What a call will have come to, in a copy of the context."""
        context = copy_context()
        context.run(self.known.set_library, None)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.submit((context, function, arguments, future))
        return future

    def submit(self, call: Call) -> None:
        """Have a call made. If the system has no thread for it, it ends with an error instead."""
        with self._lock:
            self._calls.append(call)
            worker = self._to_wake()
        self._wake(worker)

    def _deliver(self) -> None:
        """Tell who waits what the threads have finished."""
        self._reporting = False
        finished = self._finished
        while finished:
            future, result, error = finished.popleft()
            if future.cancelled():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _stop(self, main: asyncio.Future[Any]) -> None:
        """Let all threads end."""
        _workers.pop(main.get_loop(), None)
        with self._lock:
            self.stopped = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.woken.release()

    # In the threads

    def take(self, worker: _Worker) -> Call | None:
        """The first call of a thread that was just woken; None makes it an idle one."""
        with self._lock:
            self._searching -= 1
        return self.next(worker)

    def next(self, worker: _Worker) -> Call | None:
        """Another call; None makes the thread an idle one."""
        with self._lock:
            if not self._calls:
                if not self.stopped:
                    self._idle.append(worker)
                else:
                    worker.woken.release()
                return None
            call = self._calls.popleft()
            other = self._to_wake() if self._calls else None
        self._wake(other)
        return call

    def leave(self, worker: _Worker) -> bool:
        """Whether an idle thread may end; not if it is being woken."""
        with self._lock:
            if worker not in self._idle:
                worker.woken.acquire()
                return False
            self._idle.remove(worker)
            return True

    def report(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Hand on what a call has come to."""
        self._finished.append((future, result, error))
        if self._reporting:
            return
        self._reporting = True
        loop = future.get_loop()
        try:
            loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            if not loop.is_closed():
                raise

    # In either

    def _to_wake(self) -> _Worker | None:
        """A thread to look for calls, unless one is about to. With the lock held."""
        if self._searching:
            return None
        self._searching = 1
        return self._idle.pop() if self._idle else _Worker(self)

    def _wake(self, worker: _Worker | None) -> None:
        if worker is None:
            return
        if worker.ident is not None:
            worker.woken.release()
            return
        try:
            worker.start()
        except Exception as exc:  # the system has no more threads
            self._refuse(exc)

    def _refuse(self, reason: Exception) -> None:
        """End the calls for which there is no thread. They don't wait for one, which may wait for one of them."""
        with self._lock:
            self._searching = 0
            refused = list(self._calls)
            self._calls.clear()
        for _, _, _, future in refused:
            self.report(future, None, NoThreadError(future, reason))


_workers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Workers] = WeakKeyDictionary()
"""The workers of each loop that is running; they refer to it, so they are taken out when it ends."""


def _here(*, in_scopes: bool = False) -> tuple[asyncio.Task[Any], _Workers] | tuple[None, None]:
    """This task and its loop's workers; None if it is one for anyio's own way."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no asyncio loop: trio
        task = None
    scopes, known = scopes_of_tasks(), threads()
    if task is None or scopes is None or known is None or anyio.to_thread.run_sync is not _RUN_SYNC:
        return None, None
    if not in_scopes and (state := scopes.get(task)) is not None and state.cancel_scope is not None:
        return None, None
    loop = task.get_loop()
    workers = _workers.get(loop)
    if workers is None:
        workers = _workers[loop] = _Workers(known)
    return task, workers


async def run_beside(function: Callable[[], Any]) -> Any:
    """Call `function` in one of anyio's threads, beyond the limit."""
    return await anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1))


async def _run_as_anyio(function: Callable[[], Any]) -> Any:
    if not is_inside():
        return await anyio.to_thread.run_sync(function)
    limiter = anyio.to_thread.current_default_thread_limiter()
    borrower = object()
    try:
        limiter.acquire_on_behalf_of_nowait(borrower)
    except anyio.WouldBlock:
        return await run_beside(function)
    try:
        return await run_beside(function)
    finally:
        limiter.release_on_behalf_of(borrower)


async def run_in_thread(function: Callable[..., Any], /, **arguments: Any) -> Any:
    """Call `function` with `arguments` in a worker thread, as Starlette's `run_in_threadpool`.

    Raises:
        RuntimeError: the system has no more threads; the call is not made.
    """
    task, workers = _here()
    if task is None or workers is None:
        return await _run_as_anyio(partial(function, **arguments))
    return await _call_with_token(task, workers, workers.call, function, arguments)


async def _call_with_token(
    task: asyncio.Task[Any],
    workers: _Workers,
    call: Callable[[asyncio.Task[Any], Callable[..., Any], dict[str, Any]], Coroutine[Any, Any, Any]],
    function: Callable[..., Any],
    arguments: dict[str, Any],
) -> Any:
    limiter = workers.limiter
    try:
        limiter.acquire_on_behalf_of_nowait(task)
    except anyio.WouldBlock:
        if task in inside:
            return await call(task, function, arguments)
        await limiter.acquire_on_behalf_of(task)
    try:
        return await call(task, function, arguments)
    finally:
        limiter.release_on_behalf_of(task)


async def run_later_in_thread(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """The same for an exception handler, after two turns of the event loop, which anyio takes before a call.

    Exit code of asynchronous generators that an exception has left behind runs in them. The function that Starlette's
    middleware would call is asked if somebody has replaced it.
    """
    run_in_threadpool: Any = vars(errors)["run_in_threadpool"]
    if run_in_threadpool is not _RUN_IN_THREADPOOL:
        return await run_in_threadpool(function, *arguments)
    if scopes_of_tasks() is not None and on_asyncio():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return await run_in_thread(partial(function, *arguments))


async def run_shielded(function: Callable[[], Any]) -> Any:
    """The same, without anyio's own way for a task inside of a cancel scope, which is shielded from that meanwhile.

    Raises as `run_in_thread`.
    """
    task, workers = _here(in_scopes=True)
    scope = None if task is None or workers is None else scope_here()
    if task is None or workers is None or scope is None:
        return await run_in_thread(function)
    await anyio.lowlevel.checkpoint_if_cancelled()
    function = partial(_in_scope, workers.known.locals, scope, function)
    return await _call_with_token(task, workers, workers.call_shielded, function, {})


def _in_scope(of_thread: Any, scope: Any, function: Callable[[], Any]) -> Any:
    """Call a function in a worker thread, which may ask there whether the scope around its caller is cancelled."""
    of_thread.current_cancel_scope = scope
    try:
        return function()
    finally:
        of_thread.current_cancel_scope = None


async def run_endpoint_in_thread(function: Callable[..., Any], /, **arguments: Any) -> Any:
    """The same for an endpoint whose result is to be validated.

    FastAPI does that in a thread, too, and before it takes one, a cancellation of the scope around it ends the request.
    """
    result = await run_in_thread(function, **arguments)
    if _here()[1] is None:
        await anyio.lowlevel.checkpoint_if_cancelled()
    return result


async def enter_in_thread(enter: Callable[[], Any]) -> Any:
    """Call what enters a synchronous context in a worker thread. Raises as `run_in_thread`."""
    borrower = object()
    tokens = await take_token(borrower)
    try:
        task, workers = _here()
        if task is None or workers is None:
            return await run_beside(enter)
        return await workers.call(task, enter, {})
    finally:
        tokens.give_back(borrower)


def begin_call(function: Callable[[], Any]) -> asyncio.Future[Any]:
    """Have `function` called in a worker thread, beyond the limit, whatever becomes of this task; under asyncio."""
    _, workers = _here(in_scopes=True)
    return asyncio.ensure_future(run_beside(function)) if workers is None else workers.begin(function, {})


_computing: RunVar[anyio.CapacityLimiter] = RunVar("ferrapi computations")


async def compute_aside(function: Callable[[], Any]) -> Any:
    """Call what computes, and waits for nothing, in one of anyio's threads; one call at a time.

    More at once would take longer, and keep the event loop waiting for its turn. If the system has no more threads, it
    is called here.
    """
    try:
        limiter = _computing.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)
        _computing.set(limiter)
    called = False

    def call() -> Any:
        nonlocal called
        called = True
        return function()

    try:
        return await anyio.to_thread.run_sync(call, limiter=limiter)
    except RuntimeError:
        if called:
            raise
        return function()

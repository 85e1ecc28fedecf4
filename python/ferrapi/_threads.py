"""Running sync endpoints and dependencies in worker threads, with less ado per call than `anyio.to_thread`.

What it keeps of anyio's: the default limiter (40 calls at once, unless the application changes its tokens), a copy of
the caller's context for each call, `anyio.from_thread` inside of it, and threads that end when they have been idle for
a while or the event loop's main task is done. What it saves: anyio wakes a thread per call and the event loop per
result. Under load many calls wait at once; here a thread that is running anyway takes the next one, and what is
finished meanwhile is reported together. No call waits for another that blocks: whoever takes a call while others wait
has somebody else woken before it runs its own.

anyio's own way is taken under trio, in a task that is inside of a cancel scope (which has to be shielded from it), and
with a version of anyio in which the few private names that this needs are not there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anyio
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Container

MAX_IDLE_TIME = 10.0
"""Seconds after which an idle thread ends."""

Call = tuple[Context, Callable[..., Any], dict[str, Any], "asyncio.Future[Any]"]


@cache
def tasks_in_scopes() -> Container[asyncio.Task[Any]] | None:
    """The tasks that anyio knows, which have been inside of a cancel scope or a task group; None with another anyio.

    Imported when it is first needed: an application without sync functions goes without.
    """
    try:
        from anyio._backends._asyncio import _task_states, find_root_task
        from anyio._core._eventloop import set_current_async_library, threadlocals
    except ImportError:
        return None
    _Worker.threadlocals = threadlocals
    _Workers.find_main_task = staticmethod(find_root_task)
    _Workers.set_library = staticmethod(set_current_async_library)
    return _task_states


class _Worker(Thread):
    """A thread that takes calls until there are none, and then waits to be woken."""

    threadlocals: Any

    def __init__(self, workers: _Workers) -> None:
        super().__init__(name="ferrapi worker thread")
        self.workers = workers
        self.woken = Lock()
        self.woken.acquire()

    def run(self) -> None:
        """Take calls, waiting in between."""
        self.threadlocals.current_token = self.workers.token
        self.threadlocals.current_cancel_scope = None
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
        del result, error  # its traceback has this frame


class _Workers:
    """The worker threads of one event loop."""

    find_main_task: Callable[[], asyncio.Task[Any]]
    set_library: Callable[[str | None], Any]

    def __init__(self) -> None:
        from anyio.lowlevel import current_token
        from anyio.to_thread import current_default_thread_limiter

        self.token = current_token()
        self.limiter = current_default_thread_limiter()
        self.stopped = False
        self._lock = Lock()
        self._calls: deque[Call] = deque()
        self._idle: list[_Worker] = []
        self._searching = 0  # threads that were woken and have not looked for a call yet
        self._finished: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._reporting = False
        self.find_main_task().add_done_callback(self._stop, context=Context())

    # In the event loop's thread

    def submit(self, call: Call) -> None:
        """Have a call made."""
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
        except RuntimeError:  # the system has no more threads
            self._searching = 0
            raise


_workers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Workers] = WeakKeyDictionary()
"""The workers of each loop that is running; they refer to it, so they are taken out when it ends."""


async def run_in_thread(function: Callable[..., Any], /, **arguments: Any) -> Any:
    """Call `function` with `arguments` in a worker thread, as Starlette's `run_in_threadpool`."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no asyncio loop: trio
        task = None
    in_scopes = tasks_in_scopes()
    if task is None or in_scopes is None or task in in_scopes:
        return await run_in_threadpool(function, **arguments)
    loop = task.get_loop()
    workers = _workers.get(loop)
    if workers is None:
        workers = _workers[loop] = _Workers()
    limiter = workers.limiter
    try:
        limiter.acquire_on_behalf_of_nowait(task)
    except anyio.WouldBlock:
        await limiter.acquire_on_behalf_of(task)
    try:
        context = copy_context()
        context.run(workers.set_library, None)
        future: asyncio.Future[Any] = loop.create_future()
        workers.submit((context, function, arguments, future))
        return await future
    finally:
        limiter.release_on_behalf_of(task)

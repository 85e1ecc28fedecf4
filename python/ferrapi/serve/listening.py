"""Streams whose client may leave: what cancels them, and how they end.

Starlette sends a stream in a task of a group, in which another task waits for the client to leave, and cancels the
group then. The engine goes through the stream in the request's own task. Only when that has to wait for the first time
a cancel scope is put around it, which is cancelled when the client leaves: a stream that never waits needs none.

Servers that speak ASGI 2.4 raise `OSError` in ``send`` instead, and nobody waits.
"""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import AsyncGenerator, Callable, Iterable
from types import GeneratorType
from typing import Any

import anyio
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from .._scopes import enter_around, scope_here
from .._threads import run_in_thread, run_shielded

_END = object()


class Listening:
    """The cancel scope around the rest of a stream, for the task that goes through it.

    Parameters:
        outer: the scope in which that task was when the stream began, or None. The stream may have entered others
            since.

    Attributes:
        scope: the scope that is cancelled when the client leaves.
    """

    def __init__(self, outer: Any) -> None:
        self.scope = anyio.CancelScope()
        self._cancelling = _cancelling()
        self._listener: asyncio.Task[None] | None = None
        enter_around(self.scope, outer)

    def listen(self, receive: Receive) -> None:
        """Wait in a task for the client to leave, where the server says so by `receive` alone."""
        self._listener = asyncio.get_running_loop().create_task(self._listen(receive))

    async def _listen(self, receive: Receive) -> None:
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.scope.cancel()
            del self, receive  # which know the task, and it keeps this frame when it is cancelled

    def leave(self) -> None:
        """The stream is at its end, and nobody listens in a task."""
        self.scope.__exit__(None, None, None)

    async def end(self) -> None:
        """The stream is at its end. Raises what has been raised by `receive`."""
        try:
            await self._stop()
        finally:
            self.scope.__exit__(None, None, None)
        self._raise_failure()

    async def fail(self, exc: BaseException, stream: Any, source: GeneratorType[Any, Any, Any] | None) -> None:
        """The stream has ended with an exception, which is raised unless it is due to the client's leaving.

        Parameters:
            exc: the exception.
            stream: the iterator of the stream, which may not be at its end.
            source: the synchronous generator behind it, if there is one.
        """
        try:
            if scope_here() is not self.scope:  # the stream is in a scope of its own, which it leaves before
                await close_stream(stream, source)
            try:
                await self._stop()
            finally:
                swallowed = self.scope.__exit__(type(exc), exc, exc.__traceback__)
            await close_stream(stream, source)
            # A task that was cancelled without anybody's having cancelled this one is no error in Starlette's group.
            is_alone = isinstance(exc, asyncio.CancelledError) and _cancelling() <= self._cancelling
            if not swallowed and not is_alone:
                raise exc
        finally:
            del exc
        self._raise_failure()

    async def _stop(self) -> None:
        listener = self._listener
        if listener is not None and not listener.done():
            listener.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([listener])

    def _raise_failure(self) -> None:
        listener = self._listener
        failure = None if listener is None or listener.cancelled() else listener.exception()
        if failure is not None:
            try:
                raise failure
            finally:
                del failure


def _cancelling() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def fail(
    exc: BaseException, stream: Any, source: GeneratorType[Any, Any, Any] | None, tells_by_sending: bool
) -> None:
    """Close a stream that has ended with an exception while nobody listened, and raise that.

    Parameters:
        exc: the exception.
        stream: the iterator of the stream.
        source: the synchronous generator behind it, if there is one.
        tells_by_sending: whether an `OSError` means that the client has left.
    """
    await close_stream(stream, source)
    try:
        raise exc
    except OSError:
        if not tells_by_sending:
            raise
        raise ClientDisconnect() from None
    finally:
        del exc


def iterated_in_threads(stream: Any) -> Iterable[Any] | None:
    """What an asynchronous generator is to iterate in threads: Starlette's or `in_threads`, not begun."""
    code: Any = getattr(stream, "ag_code", None)
    name = _ITERATES.get(code)
    if name is None or stream.ag_frame is None:
        return None
    names: dict[str, Any] = stream.ag_frame.f_locals
    return None if "as_iterator" in names else names.get(name)


def source_of(stream: Any) -> GeneratorType[Any, Any, Any] | None:
    """The synchronous generator that Starlette iterates in threads, if a stream that hasn't begun is one."""
    if getattr(stream, "ag_code", None) is not iterate_in_threadpool.__code__:
        return None
    source = iterated_in_threads(stream)
    return source if isinstance(source, GeneratorType) else None


async def in_threads(items: Iterable[Any]) -> AsyncGenerator[Any]:
    """What is iterated in threads as an asynchronous generator, which also closes it if it is a generator."""
    try:
        async for item in iterate_in_threadpool(items):
            yield item
    finally:
        if isinstance(items, GeneratorType):
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(items.close)


_ITERATES = {iterate_in_threadpool.__code__: "iterator", in_threads.__code__: "items"}
"""What iterates in threads, by the code of the generator: the name that it has for what it iterates."""

_EMPTY: tuple[Iterable[Any], ...] = ([], (), b"", bytearray(), "", {}, {}.values(), {}.items(), set(), range(0))
_IN_MEMORY = {*(type(iter(empty)) for empty in _EMPTY), io.BytesIO, io.StringIO}


def is_in_memory(iterator: Any) -> bool:
    """Whether the next item of an iterator is there at once, without code of the user's: that needs no thread."""
    return type(iterator) in _IN_MEMORY


def _next(iterator: Any) -> Any:
    try:
        return next(iterator, _END)
    except StopAsyncIteration as exc:  # as in the asynchronous generator around it
        raise RuntimeError("async generator raised StopAsyncIteration") from exc


async def next_in_thread(iterator: Any) -> Any:
    """The next item of a synchronous iterator, which is asked for it in a worker thread.

    Raises:
        StopAsyncIteration: there is none.
    """
    item = await run_shielded(functools.partial(_next, iterator))
    if item is _END:
        raise StopAsyncIteration
    return item


async def close_stream(stream: Any, source: GeneratorType[Any, Any, Any] | None) -> None:
    """Close a stream that may not be at its end, because the client has left: before anything that it may be using."""
    close: Callable[[], Any] | None = getattr(stream, "aclose", None)
    if close is not None:
        await close()
    if source is not None and source.gi_frame is not None:
        with anyio.CancelScope(shield=True):
            await run_in_thread(source.close)

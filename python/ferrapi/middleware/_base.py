"""Starlette's `BaseHTTPMiddleware` at a fraction of its cost: functions of ``@app.middleware("http")`` and subclasses.

Starlette runs what is below the middleware in a task group and passes each message through a stream of anyio's. Under
asyncio one plain task and a few futures do the same: the application below runs in a task of its own, with a copy of
the context; it gets no further ahead than the message that the middleware has not taken yet; its background tasks wait
for the response to be sent; it is cancelled when the middleware fails. What the middleware leaves as it is goes to
the server without an asynchronous generator in between. A subclass with a ``__call__`` of its own, and all of them
under another event loop, are called as in Starlette.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from starlette.middleware.base import BaseHTTPMiddleware, _CachedRequest, _StreamingResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._edits import SETTINGS
from .._hooks import untouched, watch
from .._pickling import Regained
from .._scopes import begin_in_scope, end_tasks, leave_scope, on_asyncio, scope_here
from ._parked import Parked

_TURNS = 4
"""Of the event loop that Starlette's task group takes to pass on that the client has left. A stream that is at its end,
or fails, in these turns is not cut short."""

watch(BaseHTTPMiddleware)
watch(_CachedRequest)
watch(_StreamingResponse)


class Shortened(Regained):
    """Stands in the stack around a middleware, and does what its ``__call__`` does while that is Starlette's.

    Parameters:
        middleware: an instance of `BaseHTTPMiddleware` or of a subclass.
    """

    _made = frozenset({"_as_of", "_is_open"})
    _as_of = -1
    _is_open = False

    def __init__(self, middleware: ASGIApp) -> None:
        self.app = middleware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        middleware: Any = self.app
        if scope["type"] != "http" or not on_asyncio() or not self._is_starlettes(middleware):
            await middleware(scope, receive, send)
            return
        request = _CachedRequest(scope, receive, send)
        below = _Below(middleware, scope, request.wrapped_receive, send)
        try:
            response = await middleware.dispatch_func(request, below.call_next)
            if below.has_untouched(response):
                await below.pass_on(response)
            else:
                await response(scope, request.wrapped_receive, send)
            await below.finish()
        except BaseException:
            await below.cancel()
            raise

    def _is_starlettes(self, middleware: ASGIApp) -> bool:
        """Whether calling the middleware would do what Starlette's class does."""
        if self._as_of != SETTINGS.value:
            self._as_of = SETTINGS.value
            self._is_open = all(untouched(kind) for kind in (BaseHTTPMiddleware, _CachedRequest, _StreamingResponse))
        return self._is_open and type(middleware).__call__ is BaseHTTPMiddleware.__call__


class _Below:
    """The application below while one request passes through the middleware.

    Parameters:
        middleware: whose ``app`` that is.
        scope: the ASGI scope.
        receive: what it receives from.
        send: what the response goes to, and hints, past the middleware.
    """

    arrived: asyncio.Future[None] | None = None
    taken: asyncio.Future[None] | None = None
    is_sent = False
    running = 0
    error: Exception | None = None
    error_raised = False
    response: Response | None = None
    body: AsyncGenerator[bytes | MutableMapping[str, Any]] | None = None
    body_begun = False

    def __init__(self, middleware: Any, scope: Scope, receive: Receive, send: Send) -> None:
        self.middleware = middleware
        self.scope = scope
        self.receive = receive
        self.send = send
        self.loop = asyncio.get_running_loop()
        self.around = scope_here()
        self.may_enter = type(middleware) is not BaseHTTPMiddleware
        self.tasks: list[asyncio.Task[None]] = []
        self.messages: deque[Message] = deque()
        self.parked: list[Parked] = []
        self.receiving: set[anyio.CancelScope] = set()

    # The middleware's side

    async def call_next(self, request: Request) -> Response:
        """Run the application below until its response begins. Raises what it raises before that."""
        self.running += 1
        self.tasks.append(begin_in_scope(self._run(), self.around, may_enter=self.may_enter))
        if len(self.tasks) > 1:  # it begins, even if there are messages of the one before
            await asyncio.sleep(0)
        info = None
        while True:
            message = await self._next_message()
            if message is None:
                self._raise_error()
                raise RuntimeError("No response returned.")
            kind = message["type"]
            if kind == "http.response.start":
                return self._response(message, info)
            if kind == "http.response.debug":
                info = message["info"]
            elif kind == "http.response.early_hint":
                await self.send(message)
            else:
                raise AssertionError

    def _raise_error(self) -> None:
        error = self.error
        if error is not None:
            self.error_raised = True
            raise error from error.__cause__ or error.__context__

    def _response(self, message: Message, info: Any) -> Response:
        """The response that has begun, as its constructor makes it, without the headers that it would make."""
        response = _StreamingResponse.__new__(_StreamingResponse)
        response.info = info
        response.body_iterator = self.body = self._body()
        response.status_code = message["status"]
        response.media_type = None
        response.background = None
        response.raw_headers = message.get("headers", [])
        self.response = response
        return response

    def has_untouched(self, response: Response) -> bool:
        """Whether a response is the one from below, with the body from below of which nobody has taken anything."""
        body = self.body
        return (
            response is self.response
            and body is not None
            and type(response) is _StreamingResponse
            and response.body_iterator is body
            and not self.body_begun
            and body.ag_frame is not None  # type: ignore[attr-defined]  # then it was closed
        )

    async def pass_on(self, response: Any) -> None:
        """Send a response whose body is untouched, in the messages of its ``__call__``."""
        send = self.send
        if response.info is not None:
            await send({"type": "http.response.debug", "info": response.info})
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        is_whole = False
        while not is_whole and (message := await self._next_message()) is not None:
            if message["type"] == "http.response.pathsend":
                await send(message)
                break
            body, is_whole = _body_of(message)
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        if response.background:
            await response.background()

    async def _next_message(self) -> Message | None:
        """The next message from below; None when there will be none."""
        while not self.messages:
            if not self.running:
                return None
            await self._something()
        message = self.messages.popleft()
        if self.taken is not None and not self.messages and not self.taken.done():
            self.taken.set_result(None)
        return message

    async def _something(self) -> None:
        """Wait for a message from below, or the end of what is there.

        Waiting for its task would pass a cancellation on to that.
        """
        self.arrived = self.loop.create_future()
        await self.arrived

    async def _body(self) -> AsyncGenerator[bytes | MutableMapping[str, Any]]:
        self.body_begun = True
        is_whole = False
        while not is_whole:
            await asyncio.sleep(0)  # as a stream of anyio's does: it may be that the client has left
            message = await self._next_message()
            if message is None:
                return
            if message["type"] == "http.response.pathsend":
                yield message
                return
            body, is_whole = _body_of(message)
            if body:
                yield body

    async def finish(self) -> None:
        """Let the application below go on behind the response, and wait for its end. Raises what it raises."""
        self._release()
        while self.running:
            await self._something()
        if self.error is not None and not self.error_raised:
            raise self.error

    async def cancel(self) -> None:
        """Cancel the application below and wait for its end."""
        if self.running:
            await end_tasks(self.tasks, self.around)

    def _release(self) -> None:
        """From now on nobody takes messages."""
        self.is_sent = True
        if self.taken is not None and not self.taken.done():
            self.taken.set_result(None)
        for scope in self.receiving:
            scope.cancel()
        for parked in self.parked:
            parked.resume()

    # The side of the application below

    async def _run(self) -> None:
        try:
            await self.middleware.app(self.scope, self._receive, self._send)
        except Exception as exc:
            self.error = exc
        finally:
            self.running -= 1
            if self.may_enter:
                leave_scope()
            self._wake()

    def _wake(self) -> None:
        if self.arrived is not None and not self.arrived.done():
            self.arrived.set_result(None)

    async def _send(self, message: Message) -> None:
        if scope_here() is not None:
            await checkpoint_if_cancelled()
        if self.is_sent:
            return
        self.messages.append(message)
        self._wake()
        kind = message["type"]
        if kind == "http.response.body" and message.get("more_body", False):
            future = self.taken = self.loop.create_future()
        elif kind in ("http.response.body", "http.response.pathsend"):
            future = Parked(loop=self.loop)
            self.parked.append(future)
        else:
            return
        try:
            await future
        except BaseException:  # the message is taken back if the middleware has not taken it
            if message in self.messages:
                self.messages.remove(message)
            raise

    async def _receive(self) -> Message:
        message: Message | None = None
        if not self.is_sent:
            with anyio.CancelScope() as scope:
                self.receiving.add(scope)
                try:
                    message = await self.receive()
                except Exception as exc:  # out of the task group that Starlette has here
                    raise ExceptionGroup("unhandled errors in a TaskGroup", [exc]) from None
                finally:
                    self.receiving.discard(scope)
        if message is None or self.is_sent:
            return {"type": "http.disconnect"}
        if message["type"] == "http.disconnect":
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        return message


def _body_of(message: Message) -> tuple[bytes, bool]:
    """What a message adds to the body of a response, and whether it is the last one."""
    if message["type"] != "http.response.body":
        raise AssertionError(f"Unexpected message: {message}")
    return message.get("body", b""), not message.get("more_body", False)


def shortened(app: ASGIApp) -> ASGIApp:
    """A layer that was just made, inside of what does the same in a shorter way, if there is one for it."""
    is_one = isinstance(app, BaseHTTPMiddleware) and type(app).__call__ is BaseHTTPMiddleware.__call__
    return Shortened(app) if is_one else app

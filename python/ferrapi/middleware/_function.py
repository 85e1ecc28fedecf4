"""``@app.middleware("http")``: Starlette's `BaseHTTPMiddleware` for one function, at a fraction of its cost.

Starlette runs what is below the middleware in a task group and passes each message through a stream of anyio's. Under
asyncio one plain task and two futures do the same: the application below runs in a task of its own, with a copy of the
context; it gets no further ahead than the message that the middleware has not taken yet; its background tasks wait for
the response to be sent; it is cancelled when the middleware fails. Under another event loop Starlette's way is taken.
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

from .._hooks import untouched, watch
from .._scopes import begin_in_scope, end_tasks, on_asyncio, scope_here

_TURNS = 4
"""Of the event loop that Starlette's task group takes to pass on that the client has left. A stream that is at its end,
or fails, in these turns is not cut short."""

watch(BaseHTTPMiddleware)


class FunctionMiddleware(BaseHTTPMiddleware):
    """Calls a function of a request and ``call_next`` around the application below.

    Parameters:
        app: the application below.
        dispatch: the function.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not on_asyncio() or not untouched(BaseHTTPMiddleware):
            await super().__call__(scope, receive, send)
            return
        request = _CachedRequest(scope, receive, send)
        below = _Below(self.app, scope, request.wrapped_receive, send)
        try:
            response = await self.dispatch_func(request, below.call_next)
            await response(scope, request.wrapped_receive, send)
            await below.finish()
        except BaseException:
            await below.cancel()
            raise


class _Below:
    """The application below while one request passes through the middleware.

    Parameters:
        app: the application.
        scope: the ASGI scope.
        receive: what it receives from.
        send: what hints go to, past the middleware.
    """

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = app
        self.scope = scope
        self.receive = receive
        self.send = send
        self.loop = asyncio.get_running_loop()
        self.around = scope_here()
        self.tasks: list[asyncio.Task[None]] = []
        self.messages: deque[Message] = deque()
        self.arrived: asyncio.Future[None] | None = None
        self.taken: asyncio.Future[None] | None = None
        self.response_sent: asyncio.Future[None] = self.loop.create_future()
        self.receiving: set[anyio.CancelScope] = set()
        self.running = 0
        self.error: Exception | None = None
        self.error_raised = False

    # The middleware's side

    async def call_next(self, request: Request) -> Response:
        """Run the application below until its response begins. Raises what it raises before that."""
        self.running += 1
        self.tasks.append(begin_in_scope(self._run(), self.around))
        info = None
        while True:
            message = await self._next_message()
            if message is None:
                self._raise_error()
                raise RuntimeError("No response returned.")
            if message["type"] == "http.response.debug":
                info = message["info"]
            elif message["type"] == "http.response.early_hint":
                await self.send(message)
            else:
                break
        if message["type"] != "http.response.start":
            raise RuntimeError(f"Expected a response to start, but got {message['type']!r}.")
        response = _StreamingResponse(status_code=message["status"], content=self._body(), info=info)
        response.raw_headers = message.get("headers", [])
        return response

    def _raise_error(self) -> None:
        error = self.error
        if error is not None:
            self.error_raised = True
            raise error from error.__cause__ or error.__context__

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
        while True:
            message = await self._next_message()
            if message is None:
                return
            if message["type"] == "http.response.pathsend":
                yield message
                return
            body = message.get("body", b"")
            if body:
                yield body
            if not message.get("more_body", False):
                return

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
        if not self.response_sent.done():
            self.response_sent.set_result(None)
        if self.taken is not None and not self.taken.done():
            self.taken.set_result(None)
        for scope in self.receiving:
            scope.cancel()

    # The side of the application below

    async def _run(self) -> None:
        try:
            await self.app(self.scope, self._receive, self._send)
        except Exception as exc:
            self.error = exc
        finally:
            self.running -= 1
            self._wake()

    def _wake(self) -> None:
        if self.arrived is not None and not self.arrived.done():
            self.arrived.set_result(None)

    async def _send(self, message: Message) -> None:
        if scope_here() is not None:
            await checkpoint_if_cancelled()
        if self.response_sent.done():
            return
        self.messages.append(message)
        self._wake()
        kind = message["type"]
        if kind == "http.response.pathsend" or (kind == "http.response.body" and not message.get("more_body", False)):
            await asyncio.shield(self.response_sent)
        elif kind == "http.response.body":
            self.taken = self.loop.create_future()
            await self.taken

    async def _receive(self) -> Message:
        message: Message | None = None
        if not self.response_sent.done():
            with anyio.CancelScope() as scope:
                self.receiving.add(scope)
                try:
                    message = await self.receive()
                except Exception as exc:  # out of the task group that Starlette has here
                    raise ExceptionGroup("unhandled errors in a TaskGroup", [exc]) from None
                finally:
                    self.receiving.discard(scope)
        if message is None or self.response_sent.done():
            return {"type": "http.disconnect"}
        if message["type"] == "http.disconnect":
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        return message

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

from starlette.middleware.base import BaseHTTPMiddleware, _CachedRequest, _StreamingResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._hooks import untouched, watch

watch(BaseHTTPMiddleware)


class FunctionMiddleware(BaseHTTPMiddleware):
    """Calls a function of a request and ``call_next`` around the application below.

    Parameters:
        app: the application below.
        dispatch: the function.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _on_asyncio() or not untouched(BaseHTTPMiddleware):
            await super().__call__(scope, receive, send)
            return
        request = _CachedRequest(scope, receive, send)
        below = _Below(self.app, scope, request.wrapped_receive, send)
        try:
            response = await self.dispatch_func(request, below.call_next)
            await response(scope, request.wrapped_receive, send)
        except BaseException:
            await below.cancel()
            raise
        await below.finish()


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


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
        self.tasks: list[asyncio.Task[None]] = []
        self.messages: deque[Message] = deque()
        self.arrived: asyncio.Future[None] | None = None
        self.taken: asyncio.Future[None] | None = None
        self.response_sent: asyncio.Future[None] = self.loop.create_future()
        self.ended = False
        self.error: Exception | None = None
        self.error_raised = False

    # The middleware's side

    async def call_next(self, request: Request) -> Response:
        """Run the application below until its response begins. Raises what it raises before that."""
        self.ended = False
        self.tasks.append(self.loop.create_task(self._run()))
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
            if self.ended:
                return None
            self.arrived = self.loop.create_future()
            await self.arrived
        message = self.messages.popleft()
        if self.taken is not None and not self.taken.done():
            self.taken.set_result(None)
        return message

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
        """Let the application below go on behind the response, and wait for its end."""
        self._release()
        try:
            for task in self.tasks:
                await task
        except BaseException:
            await self.cancel()
            raise
        if self.error is not None and not self.error_raised:
            raise self.error

    async def cancel(self) -> None:
        """Cancel the application below and wait for its end."""
        for task in self.tasks:
            task.cancel()
        self._release()
        if self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def _release(self) -> None:
        """From now on nobody takes messages."""
        if not self.response_sent.done():
            self.response_sent.set_result(None)
        if self.taken is not None and not self.taken.done():
            self.taken.set_result(None)

    # The side of the application below

    async def _run(self) -> None:
        try:
            await self.app(self.scope, self._receive, self._send)
        except Exception as exc:
            self.error = exc
        finally:
            self.ended = True
            self._wake()

    def _wake(self) -> None:
        if self.arrived is not None and not self.arrived.done():
            self.arrived.set_result(None)

    async def _send(self, message: Message) -> None:
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
        if self.response_sent.done():
            return {"type": "http.disconnect"}
        receiving = self.loop.create_task(_as_coroutine(self.receive))
        try:
            await asyncio.wait((receiving, self.response_sent), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not receiving.done():
                receiving.cancel()
        if self.response_sent.done():
            return {"type": "http.disconnect"}
        return receiving.result()


async def _as_coroutine(receive: Receive) -> Message:
    return await receive()

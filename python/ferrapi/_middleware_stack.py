"""The two ends of the middleware stack, as Starlette has them, with a short way for applications without middleware.

Starlette wraps ``send`` once per layer to learn whether a response has begun. ferrapi's engine notes that itself, so
`ServerErrors` directly around `Exceptions` around the router needs no wrapper at all. With middleware in between, and
for WebSockets, these classes do what their Starlette parents do.
"""

from __future__ import annotations

from typing import Any

from starlette._utils import is_async_callable
from starlette.concurrency import run_in_threadpool
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from .routing import APIRouter
from .routing._exchange import Exchange
from .routing._handler import handle_exception


class Exceptions(ExceptionMiddleware):
    """The innermost layer: exception handlers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        router = self.app
        if scope["type"] != "http" or type(router).dispatch is not APIRouter.dispatch:  # type: ignore[attr-defined]
            await super().__call__(scope, receive, send)
        else:
            await self.serve(Exchange(scope, receive, send))

    async def serve(self, x: Exchange) -> None:
        """Route an HTTP request; an exception is answered by its handler, or raised."""
        x.scope["starlette.exception_handlers"] = (self._exception_handlers, self._status_handlers)
        try:
            await self.app.dispatch(x)  # type: ignore[attr-defined]  # the application's router
        except Exception as exc:
            await handle_exception(x, exc)


class ServerErrors(ServerErrorMiddleware):
    """The outermost layer: what nobody handled becomes a 500 and is raised to the server."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = self.app
        if scope["type"] != "http" or type(inner) is not Exceptions:
            await super().__call__(scope, receive, send)
            return
        x = Exchange(scope, receive, send)
        try:
            await inner.serve(x)
        except Exception as exc:
            await self._answer(x, exc)
            raise

    async def _answer(self, x: Exchange, exc: Exception) -> None:
        request = Request(x.scope)
        handler: Any = self.handler
        if self.debug:
            response = await run_in_threadpool(self.debug_response, request, exc)
        elif handler is None:
            response = self.error_response(request, exc)
        elif is_async_callable(handler):
            response = await handler(request, exc)
        else:
            response = await run_in_threadpool(handler, request, exc)
        if not x.started:
            await response(x.scope, x.receive, x.send)

"""The two ends of the middleware stack, as Starlette has them, with a short way for applications without middleware.

Starlette wraps ``send`` once per layer to learn whether a response has begun. ferrapi's engine notes that itself, so
`ServerErrors` directly around `Exceptions` around the router needs no wrapper at all. With middleware in between, and
for WebSockets, these classes do what their Starlette parents do.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from starlette._utils import is_async_callable
from starlette.concurrency import run_in_threadpool
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from .routing import APIRouter
from .routing._exchange import Exchange
from .routing._handler import handle_exception
from .routing._limits import body_limit_error, serve_limited


class Exceptions(ExceptionMiddleware):
    """The innermost layer: exception handlers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.routes_here():
            await super().__call__(scope, receive, send)
            return
        x = Exchange(scope, receive, send)
        limit: int | None = self.app.max_body_size  # type: ignore[attr-defined]  # `routes_here` has seen the router
        try:
            if limit is None:
                await self.dispatch(x)
            else:
                x.enter(self.app, self.handlers)
                await serve_limited(x, limit, self.dispatch)
        except Exception as exc:
            await handle_exception(x, body_limit_error(exc) or exc)

    def routes_here(self) -> bool:
        """Whether the router behind this layer is one whose requests need no wrapping."""
        kind = type(self.app)
        return issubclass(kind, APIRouter) and kind.app is APIRouter.app and kind.dispatch is APIRouter.dispatch

    @property
    def handlers(self) -> tuple[Any, Any]:
        """The exception handlers by class and by status code."""
        return self._exception_handlers, self._status_handlers

    def dispatch(self, x: Exchange) -> Coroutine[Any, Any, None]:
        """Route an HTTP request."""
        x.enter(self.app, self.handlers)
        return self.app.dispatch(x)  # type: ignore[attr-defined,no-any-return]  # the router that `routes_here` saw


class ServerErrors(ServerErrorMiddleware):
    """The outermost layer: what nobody handled becomes a 500 and is raised to the server."""

    def __init__(self, app: ASGIApp, handler: Any = None, debug: bool = False) -> None:
        super().__init__(app, handler=handler, debug=debug)
        self.whole = type(app) is Exceptions and app.routes_here()
        """Whether there is no middleware between this layer and the router."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if self.whole and scope["type"] == "http":
            return self.answer(Exchange(scope, receive, send))
        return super().__call__(scope, receive, send)

    async def answer(self, x: Exchange) -> None:
        """Both layers around the router in one: exception handlers, then the server error."""
        inner: Exceptions = self.app  # type: ignore[assignment]  # `whole` has seen it
        try:
            await inner.dispatch(x)
        except Exception as exc:
            await self.recover(x, exc)

    async def recover(self, x: Exchange, exc: Exception) -> None:
        """Answer to an exception that the route didn't handle; raise it, if no handler takes it here."""
        try:
            await handle_exception(x, body_limit_error(exc) or exc)
        except Exception as error:
            await self._answer(x, error)
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

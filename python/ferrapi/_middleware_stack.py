"""The two ends of the middleware stack, as Starlette has them, with a short way for applications without middleware.

Starlette wraps ``send`` once per layer to learn whether a response has begun. ferrapi's engine notes that itself, so
`ServerErrors` directly around `Exceptions` around the router needs no wrapper at all. With middleware in between, and
for WebSockets, these classes do what their Starlette parents do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import Any

from starlette._utils import is_async_callable
from starlette.concurrency import run_in_threadpool
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ._edits import EDITS
from ._native import Entrance
from .routing import APIRouter
from .routing._exchange import Exchange
from .routing._guard import Guard
from .routing._handler import handle_exception
from .routing._limits import body_limit_error, serve_limited


class Exceptions(ExceptionMiddleware, Guard):
    """The innermost layer: exception handlers."""

    exchange = staticmethod(Exchange)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] != "http" or not self.routes_here():
            return super().__call__(scope, receive, send)
        return self.entrance.serve(scope, receive, send)

    @cached_property
    def entrance(self) -> Entrance:
        """Where requests come to the router."""
        return Entrance(self, self.app, self.handlers, EDITS)

    async def guard(self, x: Exchange, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]) -> None:
        """Await ``function(x, *arguments)``; answer with the handler for what that raises."""
        try:
            await function(x, *arguments)
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
        """Route an HTTP request, within the router's limit for bodies."""
        x.enter(self.app, self.handlers)
        router: Any = self.app  # which `routes_here` has seen
        limit: int | None = router.max_body_size
        return router.dispatch(x) if limit is None else serve_limited(x, limit, router.dispatch)


class ServerErrors(ServerErrorMiddleware, Guard):
    """The outermost layer: what nobody handled becomes a 500 and is raised to the server."""

    exchange = staticmethod(Exchange)

    def __init__(self, app: ASGIApp, handler: Any = None, debug: bool = False) -> None:
        super().__init__(app, handler=handler, debug=debug)
        self.whole = type(app) is Exceptions and app.routes_here()
        """Whether there is no middleware between this layer and the router."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if self.whole and scope["type"] == "http":
            return self.entrance.serve(scope, receive, send)
        return super().__call__(scope, receive, send)

    @cached_property
    def entrance(self) -> Entrance:
        """Where requests come to the router if there is no middleware: both layers in one."""
        inner: Exceptions = self.app  # type: ignore[assignment]  # `whole` has seen it
        return Entrance(self, inner.app, inner.handlers, EDITS)

    def dispatch(self, x: Exchange) -> Coroutine[Any, Any, None]:
        """Route an HTTP request."""
        inner: Exceptions = self.app  # type: ignore[assignment]
        return inner.dispatch(x)

    async def guard(self, x: Exchange, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]) -> None:
        """Await ``function(x, *arguments)``; answer what that raises, by exception handlers or as a server error."""
        try:
            await function(x, *arguments)
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

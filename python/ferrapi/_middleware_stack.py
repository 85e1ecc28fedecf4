"""The layers that every application has, as Starlette and FastAPI have them, with a short way through them.

Starlette wraps ``send`` once per layer to learn whether a response has begun. ferrapi's engine notes that itself, so
`ServerErrors` directly around `Exceptions` around the router needs no wrapper at all. With middleware in between, and
for WebSockets, these classes do what their Starlette parents do; and so they do when somebody has replaced a method of
a parent (`_hooks.py`). They are made from the `Middleware` entries that FastAPI makes, so that whoever wraps these
entries, or the classes in them, finds what it finds there.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import cached_property
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ._disconnect import Request as LiveRequest
from ._hooks import is_own, untouched, watch
from ._native import End, Entrance, Outlet, Surroundings
from ._pickling import Regained
from ._threads import run_later_in_thread
from ._version_counter import ROUTES_VERSION, SETTINGS_VERSION
from .middleware.asyncexitstack import AsyncExitStackMiddleware
from .routing import APIRouter
from .serve.exchange import Exchange
from .serve.failing import ask_handler, handle_exception
from .serve.files import FileStack
from .serve.guard import Guard
from .serve.limits import BodyLimit, answer_outer_limit, body_limit_error, serve_limited


class AppBodyLimitMiddleware(BodyLimit):
    """The application's limit for bodies, under FastAPI's name for this layer. None is no limit.

    It also answers what the limit of an application around this one raises in the middleware here, before the layer for
    server errors sees it.
    """

    def __init__(self, app: ASGIApp, max_body_size: int | None = None) -> None:
        super().__init__(app, 0 if max_body_size is None else max_body_size)
        self.is_limited = max_body_size is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self.is_limited:
                await super().__call__(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        except Exception as exc:
            if not await answer_outer_limit(exc, scope, receive, send):
                raise


class ExceptionTelemetryMiddleware:
    """Nothing, under FastAPI's name for this layer. With telemetry there is another in its place."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


watch(ExceptionTelemetryMiddleware)
watch(AppBodyLimitMiddleware)
watch(AsyncExitStackMiddleware)


class _Layer(Regained, Guard):
    """What both ends have in common: whether the short way is open is looked up again when a setting was changed."""

    _made = frozenset({"_as_of", "_is_open", "entrance", "surroundings"})
    _as_of = -1
    _is_open = False

    def goes_short(self) -> bool:
        """Whether the router behind this layer can be entered directly."""
        if self._as_of != SETTINGS_VERSION.value:
            self._as_of = SETTINGS_VERSION.value
            self._is_open = self.leads_to_router()
            self.__dict__.pop("entrance", None)
            self.__dict__.pop("surroundings", None)
            self.look_again()
        return self._is_open

    def look_again(self) -> None:
        """A setting was changed."""

    @property
    def handlers(self) -> tuple[Any, Any]:
        """The exception handlers by class and by status code."""
        raise NotImplementedError

    def guard(
        self, x: Exchange, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]
    ) -> Coroutine[Any, Any, None]:
        """Await ``function(x, *arguments)``; answer what that raises as this layer does."""
        return _guarded(self, x, function, arguments)

    async def recover(self, x: Exchange, exc: Exception, handlers: Any = None) -> None:
        """Answer to an exception that the route didn't handle; raise it, if nothing here takes it."""
        raise NotImplementedError

    @staticmethod
    def enter_mounted(app: Any) -> tuple[Entrance, str] | None:
        """Where requests come to a mounted application, and its root path; None if it has to be called."""
        find = getattr(type(app), "_find_entrance", None)
        return None if find is None else find(app)

    def leads_to_router(self) -> bool:
        """Find out whether the router behind this layer can be entered directly."""
        raise NotImplementedError


class Exceptions(_Layer, End, ExceptionMiddleware):
    """The innermost layer: exception handlers."""

    settings_version = SETTINGS_VERSION
    exchange = staticmethod(Exchange)
    file_stack = FileStack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serving = self.enter(scope, receive, send)
        await (ExceptionMiddleware.__call__(self, scope, receive, send) if serving is None else serving)

    @cached_property
    def entrance(self) -> Entrance:
        """Where requests come to the router."""
        return Entrance(self, self.app, self.handlers, ROUTES_VERSION, SETTINGS_VERSION)

    async def recover(self, x: Exchange, exc: Exception, handlers: Any = None) -> None:
        """Answer to an exception that the route didn't handle; raise it, if no handler takes it."""
        try:
            await handle_exception(x, body_limit_error(exc) or exc, handlers)
        finally:
            del exc

    def leads_to_router(self) -> bool:
        """Whether the router behind this layer is one whose requests need no wrapping."""
        # This layer makes a request object, which somebody may be waiting for.
        return untouched(ExceptionMiddleware) and untouched(Request, "__init__") and _is_plain_router(self.app)

    @property
    def handlers(self) -> tuple[Any, Any]:
        """The exception handlers by class and by status code."""
        return self._exception_handlers, self._status_handlers

    def dispatch(self, x: Exchange) -> Coroutine[Any, Any, None]:
        """Route an HTTP request, within the router's limit for bodies."""
        x.enter(self.app, self.handlers)
        router: Any = self.app  # which `leads_to_router` has seen
        limit: int | None = router.max_body_size
        return router.dispatch(x) if limit is None else serve_limited(x, limit, router.dispatch)


class ServerErrors(_Layer, ServerErrorMiddleware):
    """The outermost layer: what nobody handled becomes a 500 and is raised to the server."""

    _made = _Layer._made | {"_is_as_written", "_skips_limit"}
    _is_as_written = False
    _skips_limit = False
    exchange = staticmethod(Exchange)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self.way() if scope["type"] == "http" else None
        if way is None:
            await ServerErrorMiddleware.__call__(self, scope, receive, send)
        else:
            await way(scope, receive, send)

    def way(self) -> ASGIApp | None:
        """What serves HTTP requests as of now; None if only the parent's ``__call__`` may."""
        if self.goes_short():
            return self.entrance.serve
        return self.surroundings.serve if self._is_as_written else None

    def look_again(self) -> None:
        """A setting was changed."""
        self._is_as_written = untouched(ServerErrorMiddleware)
        self._skips_limit = untouched(AppBodyLimitMiddleware)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What serves requests with middleware in between: the parent's ``__call__``, and that of no limit."""
        below: Any = self.app
        if self._skips_limit and type(below) is AppBodyLimitMiddleware:
            return Surroundings(self, below.app, below)
        return Surroundings(self, below, None)

    async def recover_around(
        self, scope: Scope, receive: Receive, send: Send, outlet: Outlet, skips_limit: bool, exc: Exception
    ) -> None:
        """Answer what the layers below have raised, and raise it again.

        Parameters:
            scope: the ASGI scope.
            receive: the ASGI receive callable.
            send: that of the server, or of what is around.
            outlet: that of the layers below, which knows whether the response has begun.
            skips_limit: whether the layer of no limit was left out; it answers for a limit further out.
            exc: what they have raised.
        """
        try:
            raise exc
        except Exception:
            if skips_limit and await answer_outer_limit(exc, scope, receive, outlet):
                return
            x = Exchange(scope, receive, send)
            x.started = outlet.started
            await self._answer(x, exc)
            raise
        finally:
            del exc

    def leads_to_router(self) -> bool:
        """Whether there is nothing between this layer and the router."""
        return untouched(ServerErrorMiddleware) and type(self.app) is Exceptions and self.app.goes_short()

    @cached_property
    def entrance(self) -> Entrance:
        """Where requests come to the router if there is no middleware: both layers in one."""
        inner: Exceptions = self.app  # type: ignore[assignment]  # `leads_to_router` has seen it
        return Entrance(self, inner.app, inner.handlers, ROUTES_VERSION, SETTINGS_VERSION)

    @property
    def handlers(self) -> tuple[Any, Any]:
        """The exception handlers of the innermost layer, if there is no middleware."""
        inner: Exceptions = self.app  # type: ignore[assignment]
        return inner.handlers

    def dispatch(self, x: Exchange) -> Coroutine[Any, Any, None]:
        """Route an HTTP request."""
        inner: Exceptions = self.app  # type: ignore[assignment]
        return inner.dispatch(x)

    async def recover(self, x: Exchange, exc: Exception, handlers: Any = None) -> None:
        """Answer to an exception that the route didn't handle; raise it, if no handler takes it here."""
        try:
            await handle_exception(x, body_limit_error(exc) or exc, handlers)
        except Exception as error:
            await self._answer(x, error)
            raise
        finally:
            del exc

    async def _answer(self, x: Exchange, exc: Exception) -> None:
        request = LiveRequest(x.scope)
        handler: Any = self.handler
        try:
            if self.debug:
                response = await run_later_in_thread(self.debug_response, request, exc)
            elif handler is None:
                response = self.error_response(request, exc)
            else:
                response = await ask_handler(handler, request, exc)
            if not x.has_left:
                await response(x.scope, x.receive, x.send)
                x.started = True
        finally:
            del exc


NO_HANDLERS: tuple[dict[Any, Any], dict[Any, Any]] = ({}, {})


async def _guarded(
    layer: _Layer, x: Exchange, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]
) -> None:
    """Await ``function(x, *arguments)``; let the layer answer what that raises, or those of the applications around."""
    try:
        await function(x, *arguments)
    except Exception as exc:
        await _recover(x, exc, [(layer, NO_HANDLERS if x.is_past_handlers else layer.handlers), *x.around])
    finally:
        del arguments  # an exception may be one of them


async def _recover(x: Exchange, exc: Exception, layers: Sequence[tuple[Any, Any]]) -> None:
    (layer, handlers), *around = layers
    try:
        await layer.recover(x, exc, handlers)
    except Exception as error:
        if not around:
            raise
        await _recover(x, error, around)
    finally:
        del exc


def _is_plain_router(router: ASGIApp) -> bool:
    """Whether calling `router` does what `APIRouter` does, and nothing else."""
    kind = type(router)
    if not issubclass(kind, APIRouter) or not is_own(kind, APIRouter, "__call__", "app", "dispatch"):
        return False
    own: dict[str, Any] = router.__dict__
    behind = own["middleware_stack"]
    if isinstance(behind, BodyLimit):
        behind = behind.app
    return own.keys().isdisjoint(("app", "dispatch")) and behind == router.app  # type: ignore[attr-defined]


def _nothing(app: ASGIApp) -> ASGIApp:
    """In the place of layers that do nothing, or nothing that anybody could use, before somebody wraps their class."""
    return app


def _body_limit(app: ASGIApp, max_body_size: int | None = None) -> ASGIApp:
    """In the place of a layer that does nothing where there is no middleware: the innermost layer knows of limits."""
    if max_body_size is None and isinstance(app, Exceptions):
        return app
    return AppBodyLimitMiddleware(app, max_body_size)


def _exit_stack(app: ASGIApp) -> ASGIApp:
    """In the place of the layer with the exit stack of a request, which code around the routes may look for."""
    kind = type(app)
    is_ours = kind is APIRouter or (issubclass(kind, APIRouter) and is_own(kind, APIRouter, "__call__", "app"))
    return app if is_ours else AsyncExitStackMiddleware(app)


_SHORT: dict[Any, Callable[..., ASGIApp]] = {
    ServerErrorMiddleware: ServerErrors,
    ExceptionTelemetryMiddleware: _nothing,
    AppBodyLimitMiddleware: _body_limit,
    ExceptionMiddleware: Exceptions,
    AsyncExitStackMiddleware: _exit_stack,
}
"""What is made in the place of a class while it is untouched."""


_REMEMBERED = frozenset(f"starlette.middleware.{name}" for name in ("cors", "gzip", "httpsredirect", "trustedhost"))
"""The modules of middleware of which the decisions are remembered."""


def build(
    router: ASGIApp, middleware: list[Middleware], others: Mapping[Any, Callable[..., ASGIApp]] | None = None
) -> ASGIApp:
    """`router` inside of all layers.

    Parameters:
        router: what is inside.
        middleware: the outermost first, those of every application included.
        others: classes, each with what is made in its place.
    """
    instead = others or {}
    app = router
    for cls, args, kwargs in reversed(middleware):
        app = _shortened((instead.get(cls) or _maker(cls))(app, *args, **kwargs))
    return app


def _maker(cls: Any) -> Callable[..., ASGIApp]:
    """What makes a layer: the class itself, or something shorter that does the same while the class is untouched."""
    is_known = isinstance(cls, type) and cls in _SHORT and untouched(cls)
    make: Callable[..., ASGIApp] = _SHORT[cls] if is_known else cls
    return make


def _shortened(layer: ASGIApp) -> ASGIApp:
    """A layer, inside of what does the same in a shorter way if it is one of Starlette's for which there is one."""
    if type(layer).__module__ in _REMEMBERED:
        from .middleware._remembered import REMEMBERING

        remembering = REMEMBERING.get(type(layer))
        return layer if remembering is None else remembering(layer)
    if "starlette.middleware.base" not in sys.modules:  # which not every application uses
        return layer
    from .middleware._base import shortened

    return shortened(layer)

"""What routers put around their requests: ``APIRouter(middleware=[...], exception_handlers={...})``.

A request to a route of an included router comes to the middleware of all routers on its way, the outermost first. Each
router's exception handlers are inside of its own middleware, as those of an application are. An exception is answered
where it was raised, by the innermost router that has a handler for it, then by the application, so that middleware sees
a response. What a router's middleware raises itself is for the routers outside of it.

A router has one instance of each of its middleware, whatever it is included in, and however many routes it has. So the
innermost application of it looks into the scope for the way that the request is on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from .._pickling import Regained
from ..exception_handlers import handler_for
from ..exceptions import RouteError
from .exchange import Exchange
from .failing import ask_handler, handle_exception

Handlers = tuple[Any, Any]
"""Exception handlers by class and by status code."""

_WAY = "ferrapi.router_way"
_HANDLERS = "starlette.exception_handlers"


class RouterLayer(Regained):
    """The middleware and the exception handlers of one router.

    Parameters:
        middleware: the outermost first.
        handlers: functions from a request and an exception to a response, by exception class or status code. Those of
            500 are for unhandled exceptions, too.

    Raises:
        RouteError: for what is no middleware, or for a handler of what is neither a class nor a status code.
    """

    _made = frozenset({"stack"})

    def __init__(self, middleware: Sequence[Middleware], handlers: Mapping[Any, Any]) -> None:
        for one in middleware:
            if not isinstance(one, Middleware):
                raise RouteError(f"The middleware of a router is a list of `Middleware(SomeClass, ...)`, not {one!r}")
        for key in handlers:
            if not isinstance(key, int) and not (isinstance(key, type) and issubclass(key, Exception)):
                raise RouteError(f"An exception handler is for a status code or a class of exceptions, not {key!r}")
        self.middleware = list(middleware)
        self.handlers = dict(handlers)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.middleware or self.handlers)

    @cached_property
    def stack(self) -> ASGIApp:
        """The layer as an application, made at its first request. Inside of it the request goes on its way."""
        app: ASGIApp = self._handling if self.handlers else self._inside
        for cls, args, kwargs in reversed(self.middleware):
            app = cls(app, *args, **kwargs)
        return app

    @property
    def level(self) -> Handlers:
        """The exception handlers by class and by status code."""
        by_class = {key: handler for key, handler in self.handlers.items() if not isinstance(key, int)}
        by_status = {key: handler for key, handler in self.handlers.items() if isinstance(key, int)}
        if 500 in by_status:
            by_class.setdefault(Exception, by_status[500])
        return by_class, by_status

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        way: Way = scope[_WAY]
        await way.behind(self)(scope, receive, send)

    async def _handling(self, scope: Scope, receive: Receive, send: Send) -> None:
        outer: Handlers = scope.get(_HANDLERS) or ({}, {})
        scope[_HANDLERS] = _chained(self.level, outer)
        try:
            await _answered(self._inside, scope, receive, send)
        finally:
            scope[_HANDLERS] = outer


class Way(NamedTuple):
    """What a request still has to come through: layers, the outermost first, and what answers."""

    layers: tuple[RouterLayer, ...]
    end: ASGIApp

    def behind(self, layer: RouterLayer) -> ASGIApp:
        """What is right inside of a layer."""
        at = next(index for index, one in enumerate(self.layers) if one is layer) + 1
        return self.layers[at].stack if at < len(self.layers) else self.end


def in_layers(layers: Sequence[RouterLayer], app: ASGIApp) -> ASGIApp:
    """`app` inside of layers, the outermost first."""

    async def end(scope: Scope, receive: Receive, send: Send) -> None:
        await _answered(app, scope, receive, send)

    way = Way(tuple(layers), end)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        outer = scope.get(_WAY)
        scope[_WAY] = way
        try:
            await way.layers[0].stack(scope, receive, send)
        finally:
            scope[_WAY] = outer  # a middleware outside may call what is inside of it again

    return serve


class StandingAlone(Regained):
    """A router as an application of its own, or mounted. A lifespan doesn't come to its layer.

    Parameters:
        layer: the router's.
        app: the router without it.
    """

    _made = frozenset({"inside"})

    def __init__(self, layer: RouterLayer, app: ASGIApp) -> None:
        self.layer = layer
        self.app = app

    @cached_property
    def inside(self) -> ASGIApp:
        """The router inside of its layer."""
        return in_layers([self.layer], self.app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.app if scope["type"] == "lifespan" else self.inside)(scope, receive, send)


async def _answered(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve; answer what is raised with the handler for it, if there is one."""
    x = Exchange(scope, receive, send)
    x.is_http = scope["type"] == "http"
    try:
        await app(scope, receive, x.send_noting)
    except Exception as exc:
        await handle_exception(x, exc)


class _Nearest(dict[Any, Any]):
    """Exception handlers of several levels, for those who look them up by the classes of an exception, nearest first.

    Whether a level has a handler depends on the exception, its status code perhaps: so what is found is a function
    that looks for it, the innermost level first.
    """

    def __init__(self, levels: Sequence[Handlers]) -> None:
        super().__init__()
        self.levels = levels

    def __contains__(self, cls: object) -> bool:
        if not isinstance(cls, type):
            return False
        is_http = issubclass(cls, HTTPException)
        return any(
            (is_http and by_status) or any(base in by_class for base in cls.__mro__)
            for by_class, by_status in self.levels
        )

    def __getitem__(self, cls: Any) -> Callable[..., Any]:
        return self.handle

    async def handle(self, connection: Any, exc: Exception) -> Any:
        """What the handler of an exception answers; raise it again if there is none."""
        try:
            for level in self.levels:
                handler = handler_for(level, exc)
                if handler is not None:
                    return await ask_handler(handler, connection, exc)
            raise exc
        finally:
            del exc


def _chained(own: Handlers, outer: Handlers) -> Handlers:
    """The handlers of a layer before those outside of it."""
    known = outer[0]
    levels = known.levels if isinstance(known, _Nearest) else [outer]
    return _Nearest([own, *levels]), {}

"""The route table of one router: the flattened routes, indexed natively, and what each answers with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal

from starlette import convertors
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute, compile_path
from starlette.types import ASGIApp

from .._facts import Facts, has_own_methods
from .._hooks import is_own, routing_class, untouched
from .._native import Program, RouteTable
from .._version_counter import ROUTES_VERSION
from ..compile.boundary import RoutePlan
from ..declare.foreign import refuse_routes
from ..declare.route import Watched
from ..exception_handlers import answer_now, handler_for, is_asked_natively
from ..serve.file_response import quick_directory
from ..serve.handler import RouteApp
from ..serve.layers import in_layers
from ..serve.programs import program_of, refusing
from ._contexts import IncludedRouter, Placed, matches, place
from ._effective import EffectiveRouteContext
from ._route import APIRoute, refusal, wrong_method
from ._websocket import APIWebSocketRoute

if TYPE_CHECKING:
    from ..serve.exchange import Exchange

_KNOWN_KINDS = (APIRoute, APIWebSocketRoute, Route, WebSocketRoute)
_KINDS = {
    convertors.StringConvertor: "str",
    convertors.PathConvertor: "path",
    convertors.IntegerConvertor: "int",
    convertors.FloatConvertor: "float",
    convertors.UUIDConvertor: "uuid",
}
_TEXT = frozenset({"str", "path"})


class Target:
    """What the table answers with: a route at its place.

    Attributes:
        route: the route as declared.
        answer: serves a request with a method of the route's own, once that is known.
        announced: what becomes ``scope["route"]``: API routes only, as in FastAPI.
        endpoint: for ``scope["endpoint"]``.
        placed: the route and its contexts.
        layers: what the routers above put around its requests, the outermost first.
        program: how it is run natively, if that is known; False if it isn't.
    """

    __slots__ = ("_app", "_refusal", "announced", "answer", "endpoint", "layers", "placed", "program", "route")

    def __init__(self, placed: Placed) -> None:
        self.placed = placed
        self.layers = placed.layers
        self.route = placed.original
        self.announced = self.route if isinstance(self.route, (APIRoute, APIWebSocketRoute)) else None
        self.endpoint = getattr(placed.original, "endpoint", None)
        self.answer: Callable[[Exchange], Coroutine[Any, Any, None]] | None = None
        self.program: Program | Literal[False] | None = None
        self._app: RouteApp | None = None
        self._refusal: Program | Literal[False] | None = None

    def find_program(self) -> Program | None:
        """How the route is run natively; None if somebody else has to be asked first."""
        app = self._engine()
        program = None if app is None else program_of(app, self.placed.place)
        self._app = app
        self.program = program or False
        return program

    def refusal(self, handlers: Any) -> Program | None:
        """How requests with another method are refused natively; None if somebody else has to be asked.

        Parameters:
            handlers: the exception handlers of the layer around, by class and by status code.
        """
        if self._refusal is None:
            self._refusal = False if self._engine() is None else refusing(self._other_method, self.placed.place)
        if not self._refusal or not is_asked_natively(handler_for(handlers, self._other_method())):
            return None
        return self._refusal

    def _other_method(self) -> HTTPException:
        """What is raised for a request with another method."""
        return wrong_method(self.placed.effective.methods)

    def matches(self, scope: Any) -> Any:
        """Ask the route itself."""
        return matches(self.placed, scope)

    def serve(self, x: Exchange, full: bool) -> Coroutine[Any, Any, None]:
        """Let the route answer. `full` says whether the method is one of its own."""
        if full and self.answer is not None:
            return self.answer(x)
        return self._serve(x, full)

    def _serve(self, x: Exchange, full: bool) -> Coroutine[Any, Any, None]:
        """The same for the first time, and for all that the engine doesn't serve."""
        place = self.placed.place
        app = self._app = self._engine()
        if place is not None:
            x.place(place)
        if not full and app is not None and x.is_http:
            return self._refuse_method(x)
        if not full or app is None:
            return x.run(self._within(_handler_of(self._answering(x))))
        serve = app.answer()
        self.answer = serve if place is None else _at_its_place(place, serve)
        return serve(x)

    async def _refuse_method(self, x: Exchange) -> None:
        """Answer a request with another method, as `Route.handle` does.

        Raises:
            HTTPException: with status 405, unless its handler is one that needs no request object.
        """
        exc = self._other_method()
        if "app" not in x.scope:
            await x.send_response(refusal(exc))
            return
        ready = answer_now(x.handlers, exc)
        if ready is None:
            try:
                raise exc
            finally:
                del exc
        pending = x.send_body(*ready)
        if pending is not None:
            await pending

    def _within(self, app: ASGIApp) -> ASGIApp:
        """`app` inside of what the routers above put around the requests to the route."""
        return in_layers(self.layers, app) if self.layers else app

    def _answering(self, x: Exchange) -> BaseRoute:
        """The route that is asked to answer."""
        effective = self.placed.effective
        if isinstance(effective, EffectiveRouteContext):
            return self.route
        if isinstance(effective, APIWebSocketRoute):
            x.scope["route"] = effective
        return effective  # type: ignore[no-any-return]  # it is a route

    def reads_body(self) -> bool:
        """Whether the body is read before any of the application's code runs; False if that isn't known yet."""
        return self._app is not None and self._app.reads_body()

    def _engine(self) -> RouteApp | None:
        """The route's application, if nothing of the user's stands between it and the request."""
        route = self.route
        if self.layers:
            return None
        if not isinstance(route, APIRoute) or not is_own(type(route), APIRoute, "handle") or "handle" in route.__dict__:
            return None
        if not untouched(Route, "handle"):
            return None
        app = self.placed.effective.app
        return app if type(app) is RouteApp else None


def _handler_of(route: BaseRoute) -> ASGIApp:
    """What lets a route answer that the engine doesn't serve."""
    if type(route) is Mount and untouched(Mount, "handle") and "handle" not in route.__dict__:
        return quick_directory(route.app)
    return route.handle


def _at_its_place(
    place: EffectiveRouteContext, serve: Callable[[Exchange], Coroutine[Any, Any, None]]
) -> Callable[[Exchange], Coroutine[Any, Any, None]]:
    """`serve` for requests to an included router."""

    def answer(x: Exchange) -> Coroutine[Any, Any, None]:
        x.place(place)
        return serve(x)

    return answer


def _protocol(route: BaseRoute) -> Any:
    if isinstance(route, Route):
        return "http"
    return "websocket" if isinstance(route, WebSocketRoute) else None


def _convertors(known: dict[str, Any]) -> list[tuple[str, str, Any]]:
    found = []
    for name, convertor in known.items():
        kind = _KINDS.get(type(convertor), "custom")
        found.append((name, kind, None if kind in _TEXT else convertor.convert))
    return found


def _is_plain(placed: Placed) -> bool:
    """Whether nobody but the class that the route is of says what it matches."""
    route = placed.original
    base = next((known for known in _KNOWN_KINDS if isinstance(route, known)), None)
    if base is None:
        return False
    if not untouched(WebSocketRoute if issubclass(base, WebSocketRoute) else Route, "matches"):  # which ours ask
        return False
    if base is APIWebSocketRoute and placed.context is not None:  # there is a copy below the prefix, of that very class
        return is_own(routing_class("APIWebSocketRoute"), base, "matches")
    return is_own(type(route), base, "matches") and "matches" not in route.__dict__


def _pattern(placed: Placed) -> tuple[str, dict[str, Any]] | None:
    """The template and the convertors that a route matches by; None if only the route itself knows.

    What an included route matches by is settled when its place is made, so that it may be read from the original until
    then.
    """
    if not _is_plain(placed):
        return None
    if placed.context is not None and "place" not in placed.__dict__:
        path = placed.path or ""
        return path, compile_path(path)[2]
    own = placed.effective
    if isinstance(own, Watched):
        path, compiled, known = own._compiled
        unchanged = own.path_regex is compiled and own.param_convertors == known
        return (path, known) if unchanged else None
    return _template(own)


def _template(route: Route | WebSocketRoute) -> tuple[str, dict[str, Any]] | None:
    """The template and the convertors of a route that doesn't tell whether it was edited."""
    regex = getattr(route, "path_regex", None)
    compiled, _, known = compile_path(route.path)
    if regex is None or regex.pattern != compiled.pattern or getattr(route, "param_convertors", known) != known:
        return None
    return route.path, known


def _is_as_its_path(placed: Placed) -> bool:
    """Whether a mount matches what its path says."""
    route: Any = placed.original
    if "matches" in route.__dict__ or not untouched(Mount, "matches"):
        return False
    return (
        placed.context is not None or route.path_regex.pattern == compile_path(f"{route.path}/{{path:path}}")[0].pattern
    )


def _mounted(placed: Placed) -> tuple[Any, Facts] | None:
    """The application of a mount that nobody has changed, in its own place, and what that stands on."""
    mount = placed.original
    if placed.context is not None or placed.layers or not untouched(Mount) or has_own_methods(mount):
        return None
    facts = Facts()
    facts.attributes(mount, "app", "param_convertors", "path", "path_regex")
    return mount.app, facts  # type: ignore[attr-defined]  # it is a mount


def _plan(placed: Placed) -> RoutePlan:
    route = placed.original
    path = placed.path
    opaque: RoutePlan = {
        "path": None,
        "prefix": False,
        "exact": False,
        "protocol": None,
        "methods": None,
        "convertors": [],
        "target": Target(placed),
        "mounted": None,
    }
    if type(route) is Mount and path is not None and _is_as_its_path(placed):
        return {
            **opaque,
            "path": path,
            "prefix": True,
            "convertors": _convertors(compile_path(path)[2]),
            "mounted": _mounted(placed),
        }
    pattern = _pattern(placed) if path is not None and isinstance(route, (Route, WebSocketRoute)) else None
    if pattern is None:
        return opaque
    path, known = pattern
    methods = getattr(placed.effective if "place" in placed.__dict__ else route, "methods", None)
    found = _convertors(known)
    return {
        **opaque,
        "path": path,
        "exact": all(kind != "custom" for _, kind, _ in found),
        "protocol": _protocol(route),
        "methods": None if not methods else sorted(methods),
        "convertors": found,
    }


class Table:
    """A router's routes, as of one moment.

    Parameters:
        routes: the router's list, or its routes at their places.
    """

    def __init__(self, routes: Sequence[BaseRoute | Placed]) -> None:
        self.as_of = ROUTES_VERSION.value
        found = list(place(routes, through=False))
        refuse_routes((placed.original for placed in found), "a router")
        self.native = RouteTable([_plan(placed) for placed in found])
        self.find = self.native.find


def table_below(included: IncludedRouter) -> Table:
    """The table of the routes of an included router and of all below, as of now."""
    placed = included.placed()
    table: Table | None = included._table
    if table is None or table.as_of != ROUTES_VERSION.value:
        table = included._table = Table(placed)
    return table

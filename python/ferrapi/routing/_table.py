"""The route table of one router: the flattened routes, indexed natively, and what each answers with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal

from starlette import convertors
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute, compile_path

from .._edits import EDITS
from .._foreign import refuse_routes
from .._hooks import is_own, untouched
from .._native import Program, RouteTable
from .._plan import RoutePlan
from ._contexts import IncludeContext, Placed, UnderPrefix, matches, place
from ._handler import RouteApp
from ._program import program_of
from ._route import APIRoute
from ._websocket import APIWebSocketRoute

if TYPE_CHECKING:
    from ._exchange import Exchange

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
        program: how it is run natively, if that is known; False if it isn't.
    """

    __slots__ = ("_app", "announced", "answer", "endpoint", "placed", "program", "route")

    def __init__(self, placed: Placed) -> None:
        self.placed = placed
        self.route = placed.original
        self.announced = self.route if isinstance(self.route, (APIRoute, APIWebSocketRoute)) else None
        self.endpoint = getattr(placed.original, "endpoint", None)
        self.answer: Callable[[Exchange], Coroutine[Any, Any, None]] | None = None
        self.program: Program | Literal[False] | None = None
        self._app: RouteApp | None = None

    def find_program(self) -> Program | None:
        """How the route is run natively; None if it is for the reference path."""
        effective = self.placed.effective
        app = self._engine(effective)
        program = None if app is None else program_of(app, None if effective is self.route else effective)
        self._app = app
        self.program = program or False
        return program

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
        effective = self.placed.effective
        app = self._app = self._engine(effective)
        if effective is not self.route:
            x.place(effective)
        if not full or app is None:
            answering = self.route if isinstance(effective, APIRoute) else effective
            return x.run(answering.handle)
        serve = app.answer()
        self.answer = serve if effective is self.route else _at_its_place(effective, serve)
        return serve(x)

    def reads_body(self) -> bool:
        """Whether the body is read before any of the application's code runs; False if that isn't known yet."""
        return self._app is not None and self._app.reads_body()

    @staticmethod
    def _engine(effective: BaseRoute) -> RouteApp | None:
        """The route's application, if nothing of the user's stands between it and the request."""
        if not isinstance(effective, APIRoute) or not is_own(type(effective), APIRoute, "handle"):
            return None
        if not untouched(Route, "handle"):
            return None
        if "handle" in effective.__dict__:
            return None
        app = effective.__dict__.get("app")
        return app if type(app) is RouteApp else None


def _at_its_place(
    effective: BaseRoute, serve: Callable[[Exchange], Coroutine[Any, Any, None]]
) -> Callable[[Exchange], Coroutine[Any, Any, None]]:
    """`serve` for requests to an included router."""

    def answer(x: Exchange) -> Coroutine[Any, Any, None]:
        x.place(effective)
        return serve(x)

    return answer


def _protocol(route: BaseRoute) -> Any:
    if isinstance(route, Route):
        return "http"
    return "websocket" if isinstance(route, WebSocketRoute) else None


def _sees_through(route: BaseRoute, path: str) -> bool:
    """Whether the route matches exactly what its template says."""
    base = next((known for known in _KNOWN_KINDS if isinstance(route, known)), None)
    if base is None or not is_own(type(route), base, "matches") or "matches" in route.__dict__:
        return False
    regex = route.__dict__.get("path_regex")
    compiled = route.__dict__.get("_compiled_regex")
    if compiled is not None:
        return regex is compiled
    return regex is not None and regex.pattern == compile_path(path)[0].pattern


def _convertors(placed: Placed) -> list[tuple[str, str, Any]]:
    context, route = placed.context, placed.original
    known = route.__dict__.get("param_convertors")
    if known is None or (context is not None and "{" in context.prefix) or isinstance(route, Mount):
        known = compile_path(placed.path or "")[2]
    found = []
    for name, convertor in known.items():
        kind = _KINDS.get(type(convertor), "custom")
        found.append((name, kind, None if kind in _TEXT else convertor.convert))
    return found


def _plan(placed: Placed) -> RoutePlan:
    route = placed.original
    target = Target(placed)
    path = placed.path
    opaque: RoutePlan = {
        "path": None,
        "prefix": False,
        "exact": False,
        "protocol": None,
        "methods": None,
        "convertors": [],
        "target": target,
    }
    if type(route) in (Mount, UnderPrefix) and path is not None and "matches" not in route.__dict__:
        return {**opaque, "path": path, "prefix": True, "convertors": _convertors(placed)}
    if path is None or not isinstance(route, (Route, WebSocketRoute)) or not _sees_through(route, route.path):
        return opaque
    methods = getattr(route, "methods", None)
    found = _convertors(placed)
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
        routes: the router's list.
        context: what includes above add to them.
    """

    def __init__(self, routes: Sequence[BaseRoute], context: IncludeContext | None = None) -> None:
        self.edits = EDITS.value
        found = list(place(routes, context, through=False))
        refuse_routes((placed.original for placed in found), "a router")
        self.native = RouteTable([_plan(placed) for placed in found])
        self.find = self.native.find

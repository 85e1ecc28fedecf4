"""Routes that no request reaches, because earlier ones take all of theirs.

Starlette's rule is followed exactly: the first route that matches path and method answers; a mount takes all paths
below it, whatever the method. A route is reported only if each of its paths is certainly taken; where a route decides
by code of the user's (a `matches`, a convertor, a `Host`), nothing is said that depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.routing import BaseRoute, Host, Mount, Route, WebSocketRoute

from .._draining import application_in
from ..routing import APIRoute, APIWebSocketRoute
from ..routing._contexts import IncludedRouter, Placed, place
from ._finding import Finding
from ._listing import shown_place
from ._paths import Paths, Unknown, are_covered, paths_of

RULE = "unreachable-route"
_SOCKET = "WebSocket"
_KINDS: tuple[type[Any], ...] = (APIRoute, APIWebSocketRoute, Route, WebSocketRoute, Mount)
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True)
class _Taker:
    """A route that takes requests.

    Attributes:
        name: for messages.
        endpoint: the function.
        methods: None for all.
        paths: those that it matches.
        takes_sockets: whether WebSockets are among "all".
    """

    name: str
    endpoint: Any
    methods: frozenset[str] | None
    paths: Paths
    takes_sockets: bool = False

    def takes(self, method: str | None) -> bool:
        """Whether it takes requests with a method; None for requests with any."""
        if self.methods is None:
            return method != _SOCKET or self.takes_sockets
        return method in self.methods


def unreachable(app: Any) -> Iterator[Finding]:
    """The routes of an application, and of those mounted in it, that are never asked."""
    yield from _look(app.routes, "", {}, [], {id(app)})


def _look(
    routes: list[BaseRoute], prefix: str, convertors: dict[str, Any], taken: list[_Taker], above: set[int]
) -> Iterator[Finding]:
    """Look at routes in their order; what they take is added to `taken`."""
    for placed in place(routes, through=False):
        route = placed.effective
        if isinstance(route, IncludedRouter) or not _is_plain(placed):
            continue
        path = f"{prefix}{route.path}"
        known = {**convertors, **route.param_convertors}
        if len(path) > _MOST_CHARACTERS:
            continue
        if isinstance(placed.original, Mount):
            yield from _look_into(placed.original, path, known, taken, above)
            continue
        methods = _methods(route)
        yield from _judge(placed, path, known, methods, taken)
        try:
            paths = paths_of(path, known)
        except Unknown:
            continue
        shown = " ".join(sorted(methods)) if methods else "every method"
        taken.append(_Taker(f"{shown} {path}", route.endpoint, methods, paths))


def _look_into(
    mount: Mount, path: str, convertors: dict[str, Any], taken: list[_Taker], above: set[int]
) -> Iterator[Finding]:
    """Look at the routes in a mount; behind it, it has taken everything below its path."""
    app = application_in(mount.app)
    inner: Any = mount.routes if app is None else app.routes
    key = id(mount.app if app is None else app)
    if inner and key not in above:
        # What the inside takes is a part of what the mount takes.
        yield from _look(inner, path, convertors, list(taken), above | {key})
    try:
        below = paths_of(f"{path}/{{path:path}}", convertors)
    except Unknown:
        return
    taken.append(_Taker(f"the mount at {path or '/'}", mount.app, None, below, takes_sockets=True))


def _is_plain(placed: Placed) -> bool:
    """Whether nobody but Starlette and ferrapi says what a route matches."""
    route = placed.original
    base = next((kind for kind in _KINDS if isinstance(route, kind)), None)
    if base is None or isinstance(route, Host):
        return False
    return type(route).matches is base.matches and "matches" not in vars(route)


def _methods(route: Any) -> frozenset[str] | None:
    if isinstance(route, WebSocketRoute):
        return frozenset({_SOCKET})
    return frozenset(route.methods) if route.methods else None


def _judge(
    placed: Placed, path: str, convertors: dict[str, Any], methods: frozenset[str] | None, taken: list[_Taker]
) -> Iterator[Finding]:
    """The methods of a route of which earlier routes take all paths."""
    paths = paths_of(path, convertors, at_most=True)
    hidden: dict[str | None, list[_Taker]] = {}
    for method in methods or (None,):
        rivals = [one for one in taken if one.takes(method)]
        if rivals and are_covered(paths, [one.paths for one in rivals]):
            hidden[method] = _fewest(paths, rivals)
    if not hidden:
        return
    rivals = list({id(one): one for found in hidden.values() for one in found}.values())
    first = ", ".join(f"{one.name} ({shown_place(one.endpoint) or 'a mount'})" for one in rivals)
    shown = " ".join(sorted(method or "any method" for method in hidden))
    message = f"{shown} {path} is never reached: {first} comes first and takes its paths"
    yield Finding.at(RULE, placed.effective.endpoint, message)


def _fewest(paths: Paths, rivals: list[_Taker]) -> list[_Taker]:
    """Those of the earlier routes without which the later one would be reached."""
    alone = next((one for one in rivals if are_covered(paths, [one.paths])), None)
    if alone is not None:
        return [alone]
    needed = list(rivals)
    for one in rivals:
        rest = [other for other in needed if other is not one]
        if are_covered(paths, [other.paths for other in rest]):
            needed = rest
    return needed

"""Routes that no request reaches, because earlier ones take all of theirs.

Starlette's rule is followed exactly: the first route that matches path and method answers; a mount takes all paths
below it, whatever the method. A route is reported only if each of its paths is certainly taken; where a route decides
by code of the user's (a `matches`, a convertor, a `Host`), nothing is said that depends on it. In an application with
versions, a route is reported if its paths are taken in each version that it is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.routing import Host, Mount, Route, WebSocketRoute

from .._draining import application_in
from ..routing import APIRoute, APIWebSocketRoute
from ..routing._contexts import IncludedRouter, Placed, place
from ..routing._versioned import versions_of
from ._finding import Finding
from ._listing import shown_place
from ._paths import Paths, Unknown, are_covered, paths_of

if TYPE_CHECKING:
    from ..versioning._routers import VersionedRoutes

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
        versions: the versions of the API that it is in; None for all.
    """

    name: str
    endpoint: Any
    methods: frozenset[str] | None
    paths: Paths
    takes_sockets: bool = False
    versions: frozenset[str] | None = None

    def takes(self, method: str | None, version: str | None) -> bool:
        """Whether it takes requests with a method and of a version; None for requests with any."""
        if self.versions is not None and version not in self.versions:
            return False
        if self.methods is None:
            return method != _SOCKET or self.takes_sockets
        return method in self.methods


def unreachable(app: Any) -> Iterator[Finding]:
    """The routes of an application, and of those mounted in it, that are never asked."""
    yield from _look(_routes(app), "", {}, [], {id(app)})


def _routes(app: Any) -> Iterator[tuple[Placed, frozenset[str] | None]]:
    """The routes of an application in matching order, each with the versions in which it has its path."""
    versioned: VersionedRoutes | None = getattr(app, "_versions", None)
    if versioned is not None and versioned.versioning.by == "path":
        yield from ((placed, None) for placed in place(versioned.by_path(), through=False))
        return
    for placed in place(app.routes, through=False):
        own = None if versioned is None else versions_of(placed)
        yield placed, None if versioned is None or own is None else frozenset(own.of_known(versioned.order))


def _look(
    routes: Iterable[tuple[Placed, frozenset[str] | None]],
    prefix: str,
    convertors: dict[str, Any],
    taken: list[_Taker],
    above: set[int],
) -> Iterator[Finding]:
    """Look at routes in their order; what they take is added to `taken`."""
    for placed, versions in routes:
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
        yield from _judge(
            placed, _Taker("", None, methods, paths_of(path, known, at_most=True), versions=versions), taken, path
        )
        try:
            paths = paths_of(path, known)
        except Unknown:
            continue
        shown = " ".join(sorted(methods)) if methods else "every method"
        taken.append(_Taker(f"{shown} {path}", route.endpoint, methods, paths, versions=versions))


def _look_into(
    mount: Mount, path: str, convertors: dict[str, Any], taken: list[_Taker], above: set[int]
) -> Iterator[Finding]:
    """Look at the routes in a mount; behind it, it has taken everything below its path."""
    app = application_in(mount.app)
    inner: Any = mount if app is None else app
    key = id(mount.app if app is None else app)
    if inner.routes and key not in above:
        # What the inside takes is a part of what the mount takes. Its versions are not those outside.
        outside = [one for one in taken if one.versions is None]
        yield from _look(_routes(inner), path, convertors, outside, above | {key})
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


def _judge(placed: Placed, asked: _Taker, taken: list[_Taker], path: str) -> Iterator[Finding]:
    """The methods of a route of which earlier routes take all paths, in each of its versions.

    Parameters:
        placed: the route.
        asked: what it would take, all in all.
        taken: what the earlier ones take.
        path: for the message.
    """
    hidden: dict[str | None, list[_Taker]] = {}
    for method in asked.methods or (None,):
        needed: list[_Taker] = []
        for version in asked.versions or (None,):
            rivals = [one for one in taken if one.takes(method, version)]
            if not rivals or not are_covered(asked.paths, [one.paths for one in rivals]):
                break
            needed += _fewest(asked.paths, rivals)
        else:
            hidden[method] = needed
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

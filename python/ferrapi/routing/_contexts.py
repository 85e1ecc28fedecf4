"""Included routers, and the routes as they look from the top.

Including is live: a router keeps its list of routes, and whoever includes it sees routes that are added later. So an
include is not a copy but a `BaseRoute` of its own that remembers the router and an `IncludeContext`. The routes at
their places (`Placed`) are made when they are first asked for and kept until the router is told of another route: not
when its list is edited by hand, and not when a route is.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Host, Match, Mount, NoMatchFound
from starlette.types import Receive, Scope, Send

from .._pickling import Regained
from .._version_counter import ROUTES_VERSION
from ..declare.include import Includable, IncludeContext
from ..declare.route import EFFECTIVE
from ..serve.layers import RouterLayer
from ._effective import EffectiveRouteContext, UnderPrefix


class Placed:
    """A route at its place: the original and all that the includes above add to it.

    Parameters:
        original: the route as it was declared.
        context: what the includes add; None for a route of the application itself.
        included: the innermost include.
    """

    def __init__(
        self, original: BaseRoute, context: IncludeContext | None, included: _IncludedRouter | None = None
    ) -> None:
        self.original = original
        self.context = context
        self.included = included

    @property
    def path(self) -> str | None:
        """The whole path template, or None for a route that has none."""
        made = self.__dict__.get("place")
        if made is not None:
            return getattr(made.route, "path", None)
        path: str | None = getattr(self.original, "path", None)
        return path if path is None or self.context is None else self.context.prefix + path

    @property
    def templates(self) -> tuple[str, str | None] | None:
        """The path template of the route, and of its prefix if it is a mount; None for a route without a template, and
        for one that only looks inside.
        """
        route: BaseRoute = self.effective
        template: str | None = getattr(route, "path_format", None)
        if template is None or isinstance(route, (UnderPrefix, Host)):
            return None
        return template, template.removesuffix("/{path}") if isinstance(route, Mount) else None

    @property
    def layers(self) -> list[RouterLayer]:
        """What the routers above put around the requests to the route, the outermost first."""
        return [] if self.context is None else [layer for layer in self.context.layers if layer]

    @cached_property
    def place(self) -> EffectiveRouteContext | None:
        """The place, made when it is first asked for; None for a route of the application itself."""
        if self.context is None:
            return None
        place = EffectiveRouteContext.of(self.original, self.context)
        place.included = self.included
        return place

    @property
    def effective(self) -> Any:
        """What matches and answers here: the route itself, its copy below a prefix, or the place of an API route."""
        place = self.place
        return self.original if place is None else place.route

    @cached_property
    def route_context(self) -> RouteContext:
        """The same for tools that list routes."""
        return RouteContext(self.original, self.place)


INCLUDED: contextvars.ContextVar[_IncludedRouter | None] = contextvars.ContextVar("ferrapi_included", default=None)
"""The include on whose behalf a router's own `matches` or `handle` is running."""


class _IncludedRouter(Regained, BaseRoute):
    """An included router, in the list of routes of the one that included it.

    The route table looks through it, unless the router's class overrides `matches` or `handle`: then it is asked.

    Parameters:
        original_router: the router.
        include_context: what the include adds to its routes.
    """

    _made = frozenset({"_placed", "_version", "_as_of", "_table", "_contexts"})
    _placed: list[Placed | _IncludedRouter] = []
    _version: int | None = None
    _as_of: int | None = None
    _table: Any = None
    """The table of the routes below (`_table.table_below`)."""
    _contexts: tuple[int, list[RouteContext]] | None = None

    def __init__(self, original_router: Includable, include_context: IncludeContext) -> None:
        self.original_router = original_router
        self.include_context = include_context

    def __repr__(self) -> str:
        return f"_IncludedRouter(original_router={self.original_router!r}, include_context={self.include_context!r})"

    @property
    def opaque(self) -> bool:
        """Whether the router wants to be asked."""
        return self.original_router.wants_to_be_asked

    def placed(self) -> list[Placed | _IncludedRouter]:
        """The routes at their places, and the included routers among them with all that is above them.

        They are made again when a route was added to the router, or to one that it includes.
        """
        as_of = ROUTES_VERSION.value
        if self._as_of != as_of:
            version = self.original_router._get_routes_version()
            if self._version != version:
                context = self.include_context
                self._placed = [
                    _IncludedRouter(route.original_router, route.include_context.below(context))
                    if isinstance(route, _IncludedRouter)
                    else Placed(route, context, self)
                    for route in list(self.original_router.routes)
                ]
                self._version = version
                self._table = None
            self._as_of = as_of
        return self._placed

    def effective_candidates(self) -> list[EffectiveRouteContext | _IncludedRouter]:
        """The places of the router's own routes, and what it includes."""
        found: list[EffectiveRouteContext | _IncludedRouter] = []
        for one in self.placed():
            if isinstance(one, _IncludedRouter):
                found.append(one)
            elif one.place is not None:
                found.append(one.place)
        return found

    def effective_route_contexts(self) -> Iterator[EffectiveRouteContext]:
        """The places of all routes below, at any depth."""
        for placed in place([self]):
            if placed.place is not None:
                yield placed.place

    def route_contexts(self) -> list[RouteContext]:
        """The same for tools that list routes, which may ask at each request: made once until something is edited."""
        as_of = ROUTES_VERSION.value
        if self._contexts is None or self._contexts[0] != as_of:
            found = [one.route_context for one in place([self]) if not isinstance(one.effective, UnderPrefix)]
            self._contexts = (as_of, found)
        return self._contexts[1]

    def effective_low_priority_routes(self) -> list[EffectiveRouteContext]:
        """The places of what answers after all other routes: the front ends of each router below, together."""
        return [EffectiveRouteContext.of_front_ends(*group) for group in self.original_router.front_ends_below(self)]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Ask the router."""
        token = INCLUDED.set(self)
        try:
            return self.original_router.matches(scope)
        finally:
            INCLUDED.reset(token)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the router answer."""
        token = INCLUDED.set(self)
        try:
            await self.original_router.handle(scope, receive, send)
        finally:
            INCLUDED.reset(token)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the first included route that has this name and these parameters."""
        for placed in place([self]):
            try:
                found: URLPath = placed.effective.url_path_for(name, **path_params)
                return found
            except NoMatchFound:
                continue
        raise NoMatchFound(name, path_params)


IncludedRouter = _IncludedRouter


def routers_below(router: Includable) -> Iterator[Includable]:
    """`router` and all that are included below it, each once."""
    seen, pending = {id(router)}, [router]
    while pending:
        current = pending.pop()
        yield current
        for route in current.routes:
            if isinstance(route, _IncludedRouter) and id(route.original_router) not in seen:
                seen.add(id(route.original_router))
                pending.append(route.original_router)


def place(routes: Sequence[BaseRoute | Placed], *, through: bool = True) -> Iterator[Placed]:
    """All routes below `routes` in matching order, includes opened at any depth.

    Parameters:
        routes: the routes.
        through: whether to open also includes of routers that want to be asked themselves.
    """
    stack: list[Iterator[BaseRoute | Placed]] = [iter(list(routes))]
    while stack:
        route = next(stack[-1], None)
        if route is None:
            stack.pop()
        elif isinstance(route, Placed):
            yield route
        elif isinstance(route, _IncludedRouter) and (through or not route.opaque):
            stack.append(iter(route.placed()))
        else:
            yield Placed(route, None)


def matches(placed: Placed, scope: Scope) -> tuple[Match, Scope]:
    """Ask a route whether it matches, in the place where it is."""
    found = placed.place
    if found is None:
        return placed.original.matches(scope)
    if found.starlette_route is not None:
        return found.starlette_route.matches(scope)
    token = EFFECTIVE.set(found)
    try:
        return placed.original.matches(scope)
    finally:
        EFFECTIVE.reset(token)


@dataclass(frozen=True)
class RouteContext:
    """A route at the place where an application has it, for tools that list routes.

    Attributes not listed here are those of the effective route (`tags`, `dependant`, `responses`, …).
    """

    route: BaseRoute
    _route_context: EffectiveRouteContext | None = None

    def __repr__(self) -> str:
        return f"RouteContext(route={self.route!r})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._effective_route, name)

    @property
    def _effective_route(self) -> Any:
        return self.route if self._route_context is None else self._route_context.route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the route at its place, and what a match adds to the scope."""
        found: tuple[Match, Scope] = self._effective_route.matches(scope)
        return found

    @property
    def original_route(self) -> BaseRoute:
        """The route as it was declared."""
        return self.route

    @property
    def path(self) -> str | None:
        """The whole path template, prefixes included; None for a route without one."""
        return getattr(self._effective_route, "path", None)

    @property
    def path_format(self) -> str | None:
        """The path template without convertors."""
        return getattr(self._effective_route, "path_format", None)

    @property
    def name(self) -> str | None:
        """The route's name."""
        return getattr(self._effective_route, "name", None)

    @property
    def methods(self) -> set[str] | None:
        """The HTTP methods; None for a route without any."""
        return getattr(self._effective_route, "methods", None)

    @property
    def endpoint(self) -> Callable[..., Any] | None:
        """The function or class that answers."""
        return getattr(self._effective_route, "endpoint", None)


def iter_route_contexts(routes: Sequence[BaseRoute | RouteContext]) -> Iterator[RouteContext]:
    """Each route below `routes`, included ones with what their includes add. Contexts among them stay as they are."""
    for route in list(routes):
        if isinstance(route, _IncludedRouter):
            yield from route.route_contexts()
        else:
            yield route if isinstance(route, RouteContext) else RouteContext(route)


def iter_routes_with_context(routes: Sequence[BaseRoute]) -> Iterator[tuple[BaseRoute, EffectiveRouteContext | None]]:
    """Each route below `routes` and its place; None for routes that are there themselves."""
    for placed in place(routes):
        yield placed.original, placed.place


def iter_effective_routes(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Each route below `routes` with its includes applied."""
    for placed in place(routes):
        yield placed.effective

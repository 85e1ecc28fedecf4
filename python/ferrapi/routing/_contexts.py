"""What an `include_router` adds to the routes below it, and the routes as they look from the top.

Including is live: a router keeps its list of routes, and whoever includes it sees routes that are added later. So an
include is not a copy but a `BaseRoute` of its own that remembers the router and an `IncludeContext`; the routes "as
included" (*effective* routes) are made when the route table is built.
"""

from __future__ import annotations

import contextvars
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.datastructures import URLPath
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match, Mount, NoMatchFound, Route, WebSocketRoute, compile_path
from starlette.types import Receive, Scope, Send

from .. import params
from .._edits import EDITS
from ..datastructures import Default
from ..utils import generate_unique_id, get_path_param_names, get_value_or_default
from ._limits import limit_body
from ._options import FormLimits

if TYPE_CHECKING:
    from ._route import APIRoute
    from ._router import APIRouter
    from ._table import Table

EFFECTIVE: contextvars.ContextVar[APIRoute | None] = contextvars.ContextVar("ferrapi_effective_route", default=None)
"""The effective route on whose behalf a method of the original route is running (`matches`, `get_route_handler`)."""


@dataclass(frozen=True)
class IncludeContext:
    """What one include, or a chain of them, adds to each route: the outer part always comes first."""

    prefix: str = ""
    tags: tuple[str | Enum, ...] = ()
    dependencies: tuple[params.Depends, ...] = ()
    default_response_class: Any = field(default_factory=lambda: Default(JSONResponse))
    responses: dict[int | str, dict[str, Any]] = field(default_factory=dict)
    callbacks: tuple[BaseRoute, ...] = ()
    deprecated: bool | None = None
    include_in_schema: bool = True
    generate_unique_id_function: Any = field(default_factory=lambda: Default(generate_unique_id))
    strict_content_type: Any = field(default_factory=lambda: Default(True))
    max_body_size: int | None = None
    form_limits: FormLimits = field(default_factory=FormLimits)
    dependency_overrides_provider: Any = None

    def below(self, outer: IncludeContext) -> IncludeContext:
        """This context inside `outer`."""
        return IncludeContext(
            prefix=outer.prefix + self.prefix,
            tags=outer.tags + self.tags,
            dependencies=outer.dependencies + self.dependencies,
            default_response_class=get_value_or_default(self.default_response_class, outer.default_response_class),
            responses={**outer.responses, **self.responses},
            callbacks=outer.callbacks + self.callbacks,
            deprecated=self.deprecated or outer.deprecated,
            include_in_schema=self.include_in_schema and outer.include_in_schema,
            generate_unique_id_function=get_value_or_default(
                self.generate_unique_id_function, outer.generate_unique_id_function
            ),
            strict_content_type=get_value_or_default(self.strict_content_type, outer.strict_content_type),
            max_body_size=outer.max_body_size if self.max_body_size is None else self.max_body_size,
            form_limits={**outer.form_limits, **self.form_limits},
            dependency_overrides_provider=outer.dependency_overrides_provider or self.dependency_overrides_provider,
        )


class Placed:
    """A route at its place: the original and all the contexts above it. The effective route is made when asked for."""

    def __init__(self, original: BaseRoute, context: IncludeContext | None) -> None:
        self.original = original
        self.context = context

    @property
    def path(self) -> str | None:
        """The whole path template, or None for a route that has none."""
        path: str | None = getattr(self.original, "path", None)
        if path is None or self.context is None:
            return path
        return self.context.prefix + path

    @cached_property
    def effective(self) -> BaseRoute:
        """The route with its contexts applied."""
        from ._route import APIRoute

        route, context = self.original, self.context
        if context is None:
            return route
        if isinstance(route, APIRoute):
            return route.included(context)
        return _place_plain(route, context)


def _place_plain(route: BaseRoute, context: IncludeContext) -> BaseRoute:
    from ._websocket import APIWebSocketRoute

    if isinstance(route, APIWebSocketRoute):
        return route.included(context)
    if isinstance(route, IncludedRouter):
        return IncludedRouter(route.original_router, route.include_context.below(context))
    placed = _under_prefix(route, context)
    app = getattr(placed, "app", None)
    if app is None or context.max_body_size is None:
        return placed
    limited: Any = copy.copy(placed)
    limited.app = limit_body(app, context.max_body_size)
    return limited  # type: ignore[no-any-return]  # a copy of `placed`


def _under_prefix(route: BaseRoute, context: IncludeContext) -> BaseRoute:
    if not context.prefix:
        return route
    if isinstance(route, (Route, WebSocketRoute)):
        placed = copy.copy(route)
        placed.path = context.prefix + route.path
        placed.path_regex, placed.path_format, placed.param_convertors = compile_path(placed.path)
        if isinstance(placed, Route):
            placed.include_in_schema = placed.include_in_schema and context.include_in_schema
        return placed
    if isinstance(route, Mount):
        mount = copy.copy(route)
        mount.path = context.prefix + route.path
        mount.path_regex, mount.path_format, mount.param_convertors = compile_path(mount.path + "/{path:path}")
        return mount
    return UnderPrefix(context.prefix, route)


class UnderPrefix(Mount):
    """Any other route below a prefix: it sees the path without the prefix, as below a `Mount`."""

    def __init__(self, prefix: str, route: BaseRoute) -> None:
        super().__init__(prefix, app=route.handle)
        self.inner = route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the prefix, then ask the route inside."""
        match, outer = super().matches(scope)
        if match is Match.NONE:
            return match, outer
        match, inner = self.inner.matches({**scope, **outer})
        return match, {**outer, **inner}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the route inside, after the prefix."""
        inner = self.inner.url_path_for(name, **path_params)
        return URLPath(path=self.path + str(inner), protocol=inner.protocol, host=inner.host)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route inside answer."""
        await self.inner.handle(scope, receive, send)


INCLUDED: contextvars.ContextVar[IncludedRouter | None] = contextvars.ContextVar("ferrapi_included", default=None)
"""The include on whose behalf a router's own `matches` or `handle` is running."""


class IncludedRouter(BaseRoute):
    """An included router, in the list of routes of the one that included it.

    The route table looks through it, unless the router's class overrides `matches` or `handle`: then it is asked.
    """

    def __init__(self, router: APIRouter, context: IncludeContext) -> None:
        self.original_router = router
        self.include_context = context
        self._table: Table | None = None

    def __repr__(self) -> str:
        return f"IncludedRouter(prefix={self.include_context.prefix!r}, router={self.original_router!r})"

    @property
    def opaque(self) -> bool:
        """Whether the router wants to be asked."""
        from ._router import APIRouter

        kind = type(self.original_router)
        return kind.matches is not APIRouter.matches or kind.handle is not APIRouter.handle

    @property
    def routes(self) -> list[BaseRoute]:
        """The effective routes, as of now."""
        return [placed.effective for placed in place(self.original_router.routes, self.include_context)]

    def table(self) -> Table:
        """The table of the routes below, as of now."""
        from ._table import Table

        table = self._table
        if table is None or table.edits != EDITS.value:
            table = self._table = Table(self.original_router.routes, self.include_context)
        return table

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
        for route in self.routes:
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                continue
        raise NoMatchFound(name, path_params)


def place(
    routes: Sequence[BaseRoute], context: IncludeContext | None = None, *, through: bool = True
) -> Iterator[Placed]:
    """All routes below `routes` in matching order, includes opened at any depth.

    Parameters:
        routes: the routes.
        context: what includes above add to them.
        through: whether to open also includes of routers that want to be asked themselves.
    """
    stack: list[tuple[Iterator[BaseRoute], IncludeContext | None]] = [(iter(list(routes)), context)]
    while stack:
        iterator, above = stack[-1]
        route = next(iterator, None)
        if route is None:
            stack.pop()
        elif isinstance(route, IncludedRouter) and (through or not route.opaque):
            inner = route.include_context if above is None else route.include_context.below(above)
            stack.append((iter(list(route.original_router.routes)), inner))
        else:
            yield Placed(route, above)


def matches(placed: Placed, scope: Scope) -> tuple[Match, Scope]:
    """Ask a route whether it matches, in the place where it is."""
    from ._route import APIRoute

    effective = placed.effective
    if isinstance(effective, APIRoute) and effective is not placed.original:
        token = EFFECTIVE.set(effective)
        try:
            return placed.original.matches(scope)
        finally:
            EFFECTIVE.reset(token)
    return effective.matches(scope)


class RouteContext:
    """A route at the place where an application has it, for tools that list routes.

    Attributes not listed here are those of the effective route (`tags`, `dependant`, `responses`, …).
    """

    def __init__(self, route: BaseRoute, _route_context: BaseRoute | None = None) -> None:
        self.route = route
        self._route_context = _route_context

    def __repr__(self) -> str:
        return f"RouteContext(route={self.route!r})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._effective_route, name)

    @property
    def _effective_route(self) -> Any:
        return self.route if self._route_context is None else self._route_context

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


def iter_route_contexts(routes: Sequence[BaseRoute]) -> Iterator[RouteContext]:
    """Each route below `routes`, included ones with what their includes add."""
    for placed in place(routes):
        effective = placed.effective
        unseen = effective is placed.original or isinstance(effective, UnderPrefix)
        yield RouteContext(placed.original, None if unseen else effective)


def iter_effective_routes(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Each route below `routes` with its includes applied."""
    for placed in place(routes):
        yield placed.effective


def new_path_parameters(context: IncludeContext) -> set[str]:
    """The path parameters that the prefix brings in."""
    return get_path_param_names(context.prefix) if "{" in context.prefix else set()

"""`EffectiveRouteContext`: a route at a place where its router is included.

An API route is declared again at each place, from what the route says when the place is first used: its endpoint's
signature, its dependencies, its options. The original's ``dependant`` and ``app`` have no part in it. Other routes are
copied below the prefix.
"""

from __future__ import annotations

import copy
from types import FunctionType
from typing import Any

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute, compile_path
from starlette.types import Receive, Scope, Send

from ..declare.defaults import SET_BY_DEFAULT, first_set
from ..declare.include import IncludeContext
from ..declare.route import Declared, Placeable
from ..declare.versions import both
from ..dependencies.models import Dependant
from ..serve.handler import app_of
from ..serve.limits import limit_body
from ..utils import get_value_or_default

_SAME = (
    "response_model",
    "stream_item_type",
    "status_code",
    "summary",
    "description",
    "response_description",
    "name",
    "methods",
    "operation_id",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "openapi_extra",
    "cancel_on_disconnect",
)
"""The options of a route that an include leaves as they are."""


_DEFAULTED = (
    "response_description",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "include_in_schema",
    "response_class",
    "generate_unique_id_function",
    "strict_content_type",
)
"""The options that a place has by default where its route has none."""


def _undeclared() -> dict[str, Any]:
    """The attributes of a place whose route has no options, for tools that look at all places the same way."""
    return {
        **dict.fromkeys(_SAME),
        **dict.fromkeys(("endpoint", "deprecated", "dependency_overrides_provider", "callbacks", "body_field")),
        **dict.fromkeys(("path_regex", "response_field", "stream_item_field", "dependant")),
        **dict.fromkeys(("path", "path_format", "name", "unique_id", "description"), ""),
        **dict.fromkeys(("is_json_stream", "is_sse_stream", "_embed_body_fields"), False),
        **{name: {} for name in ("responses", "response_fields", "param_convertors", "form_limits")},
        "tags": [],
        "dependencies": [],
        "methods": set(),
        **{name: SET_BY_DEFAULT[name] for name in _DEFAULTED},
    }


class _EffectiveRouteContext(Declared):
    """A route at a place.

    Parameters:
        original_route: the route as it was declared.
        starlette_route: its copy below the prefix, for a route that is no API route; else None, and all attributes of
            an API route are here.
    """

    __slots__ = ("included",)
    """The include isn't in ``vars``, which tools give to copies of the route, because it leads to all other routes."""

    app: Any = None
    included: Any
    version: str | None = None
    frontend_prefix = ""

    def __init__(self, original_route: BaseRoute, starlette_route: BaseRoute | None = None) -> None:
        if starlette_route is not None:
            self.__dict__.update(_undeclared())
        self.original_route = original_route
        self.starlette_route = starlette_route
        self.included = None

    def __repr__(self) -> str:
        return f"_EffectiveRouteContext(original_route={self.original_route!r}, path={self.path!r})"

    @classmethod
    def from_api_route(cls, *, original_route: Any, include_context: IncludeContext) -> _EffectiveRouteContext:
        """An API route with what its includes add to it.

        Parameters:
            original_route: the route.
            include_context: what all includes above it add.
        """
        effective = cls(original_route)
        route, context, router = original_route, include_context, include_context.included_router
        effective._declare(
            context.prefix + route.path,
            route.endpoint,
            **{name: getattr(route, name) for name in _SAME},
            tags=[*context.tags, *route.tags],
            dependencies=[*context.dependencies, *route.dependencies],
            callbacks=[*context.callbacks, *(route.callbacks or ())],
            responses={**context.responses, **route.responses},
            deprecated=route.deprecated or context.deprecated,
            include_in_schema=route.include_in_schema and context.include_in_schema,
            response_class=get_value_or_default(
                route.response_class, router.default_response_class, context.default_response_class
            ),
            generate_unique_id_function=get_value_or_default(
                route.generate_unique_id_function,
                router.generate_unique_id_function,
                context.generate_unique_id_function,
            ),
            strict_content_type=get_value_or_default(
                route.strict_content_type, router.strict_content_type, context.strict_content_type
            ),
            max_body_size=context.max_body_size if route.max_body_size is None else route.max_body_size,
            form_limits=None,
            dependencies_before_body=first_set(route.dependencies_before_body, context.dependencies_before_body),
            dependency_overrides_provider=context.dependency_overrides_provider or route.dependency_overrides_provider,
        )
        effective.form_limits = route.form_limits  # the very object, which may be edited
        effective._outer_form_limits = context.form_limits
        effective.app = app_of(effective)
        return effective

    @classmethod
    def of(cls, route: BaseRoute, context: IncludeContext) -> _EffectiveRouteContext:
        """Any route with what its includes add to it."""
        if isinstance(route, Declared):
            place = cls.from_api_route(original_route=route, include_context=context)
        else:
            place = cls(route, _below(route, context))
        # Not announced as an edit: this is how the place begins.
        place.__dict__["versions"] = both(context.versions, getattr(route, "versions", None))
        place.version = context.version
        return place

    @classmethod
    def of_front_ends(cls, front_ends: Any, dependant: Dependant, context: IncludeContext) -> _EffectiveRouteContext:
        """All front ends of one router.

        Parameters:
            front_ends: the front ends.
            dependant: what they ask of each request.
            context: what the includes above the router add.
        """
        found = cls(front_ends)
        found.__dict__.update(_undeclared())
        found.frontend_prefix, found.dependant = context.prefix, dependant
        found.dependencies = [*context.dependencies, *front_ends.dependencies]
        found.dependency_overrides_provider = context.dependency_overrides_provider
        return found

    def noted(self) -> dict[str, Any]:
        """What the scope of a request to this place says under ``fastapi``."""
        return {"included_router": self.included, "effective_route_context": self}

    @property
    def route(self) -> Any:
        """What matches and answers: the copy below the prefix, or this object for an API route."""
        return self if self.starlette_route is None else self.starlette_route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this place, and what a match adds to the scope. The original isn't asked."""
        if self.starlette_route is not None:
            return self.starlette_route.matches(scope)
        return Route.matches(self, scope)  # type: ignore[arg-type]  # has the attributes that this looks at

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of this place, for the name of its route.

        Raises:
            NoMatchFound: for another name or other parameters.
        """
        if self.starlette_route is not None:
            return self.starlette_route.url_path_for(name, **path_params)
        return Route.url_path_for(self, name, **path_params)  # type: ignore[arg-type]  # as above


EffectiveRouteContext = _EffectiveRouteContext


def effective_of(scope: Scope) -> _EffectiveRouteContext | None:
    """The place where a request has been matched, if it is one of an included router."""
    found: _EffectiveRouteContext | None = (scope.get("fastapi") or {}).get("effective_route_context")
    return found


def _below(route: BaseRoute, context: IncludeContext) -> BaseRoute:
    """A copy of `route` below the prefix of `context`."""
    if isinstance(route, Placeable):
        return route.included(context)
    placed: Any = _under_prefix(route, context)
    app = getattr(placed, "app", None)
    if app is not None and context.max_body_size is not None:
        placed = copy.copy(placed) if placed is route else placed
        placed.app = limit_body(app, context.max_body_size)
    return placed  # type: ignore[no-any-return]  # a route, as `route` is


def _under_prefix(route: BaseRoute, context: IncludeContext) -> BaseRoute:
    if isinstance(route, Host):
        host = copy.copy(route)
        if context.prefix:
            host.app = Router([Mount(context.prefix, app=route.app)])
        return host
    if not isinstance(route, (Route, WebSocketRoute, Mount)):
        return UnderPrefix(context.prefix, route) if context.prefix else route
    again = _made_again(route, context)
    if again is not None:
        return again
    placed = copy.copy(route)
    placed.path = context.prefix + route.path
    whole = placed.path + "/{path:path}" if isinstance(placed, Mount) else placed.path
    placed.path_regex, placed.path_format, placed.param_convertors = compile_path(whole)
    if isinstance(placed, Route):
        placed.methods = set(placed.methods or ())
        placed.include_in_schema = placed.include_in_schema and context.include_in_schema
    return placed


def _made_again(route: BaseRoute, context: IncludeContext) -> BaseRoute | None:
    """A plain route at its place, made from what it says now; None for one with middleware or a class of its own."""
    app = getattr(route, "app", None)
    if not isinstance(app, FunctionType) and app is not getattr(route, "endpoint", None):
        return None
    if type(route) is Route:
        return Route(
            context.prefix + route.path,
            route.endpoint,
            methods=list(route.methods or ()),
            name=route.name,
            include_in_schema=route.include_in_schema and context.include_in_schema,
        )
    if type(route) is WebSocketRoute:
        return WebSocketRoute(context.prefix + route.path, route.endpoint, name=route.name)
    return None


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

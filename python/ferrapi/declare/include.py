"""`IncludeContext`: what including a router adds to each of its routes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from .. import params
from ..datastructures import Default
from ..utils import generate_unique_id, get_value_or_default
from .defaults import first_set
from .limits import FormLimits
from .versions import VersionSet, both


class Includable(Protocol):
    """A router (`APIRouter`), as far as those look at it who include it, and who walk over what is included."""

    default_response_class: Any
    generate_unique_id_function: Any
    strict_content_type: Any
    dependency_overrides_provider: Any
    _frontends: Any
    _routes_version: int

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes in matching order."""

    @property
    def wants_to_be_asked(self) -> bool:
        """Whether its class has a `matches` or `handle` of its own."""

    def _get_routes_version(self) -> int:
        """A number that is another one when a route was added here, or to a router that is included."""

    def front_ends_below(self, included: Any) -> Iterator[tuple[Any, Any, Any]]:
        """The front ends of an include of it and of all below, with what they ask and what the includes add."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it answers a request as an included router."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an included router."""


@dataclass
class _RouterIncludeContext:
    """What one include, or a chain of them, adds to each route: the outer part always comes first."""

    included_router: Includable
    prefix: str = ""
    tags: list[str | Enum] = field(default_factory=list)
    dependencies: list[params.Depends] = field(default_factory=list)
    default_response_class: Any = field(default_factory=lambda: Default(JSONResponse))
    responses: dict[int | str, dict[str, Any]] = field(default_factory=dict)
    callbacks: list[BaseRoute] = field(default_factory=list)
    deprecated: bool | None = None
    include_in_schema: bool = True
    generate_unique_id_function: Any = field(default_factory=lambda: Default(generate_unique_id))
    strict_content_type: Any = field(default_factory=lambda: Default(True))
    max_body_size: int | None = None
    form_limits: FormLimits = field(default_factory=FormLimits)
    dependency_overrides_provider: Any = None
    layers: tuple[Any, ...] = ()  # each a `RouterLayer`, which is no matter of declarations
    versions: VersionSet | None = None
    version: str | None = None
    """The one version that this place is in, where paths name versions (see `ferrapi.versioning`)."""
    names_version: bool = False
    """Whether the prefix names it."""
    dependencies_before_body: bool | None = None

    def path_for(self, route: Any) -> str:
        """The whole path template of `route`."""
        return self.prefix + route.path  # type: ignore[no-any-return]  # a path is a text

    def combine(self, child_context: _RouterIncludeContext) -> _RouterIncludeContext:
        """`child_context` inside of this one."""
        return child_context.below(self)

    def below(self, outer: _RouterIncludeContext) -> _RouterIncludeContext:
        """This context inside `outer`."""
        return _RouterIncludeContext(
            included_router=self.included_router,
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
            layers=outer.layers + self.layers,
            versions=both(outer.versions, self.versions),
            version=outer.version or self.version,
            names_version=outer.names_version or self.names_version,
            dependencies_before_body=first_set(self.dependencies_before_body, outer.dependencies_before_body),
        )


IncludeContext = _RouterIncludeContext

"""`APIRoute`: an endpoint at a path, with everything that was declared about it.

Declaring is slow and complete: the signature is read, types get their schemas, mistakes are raised. Nothing of the
engine is built here; a route gets its plan at its first request (`ferrapi.routing._handler`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from enum import Enum, IntEnum
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route, compile_path, get_name
from starlette.types import Receive, Scope, Send

from .. import params
from .._edits import EDITS
from .._fields import ModelField, create_model_field
from .._foreign import own, refuse_routes
from .._hooks import watch
from ..datastructures import Default, DefaultPlaceholder
from ..dependencies import _body, _types
from ..dependencies._callables import Kind, kind_of
from ..dependencies._dependant import get_dependant, with_route_dependencies
from ..dependencies._signature import get_stream_item_type, get_typed_return_annotation
from ..exceptions import RouteError
from ..types import IncEx
from ..utils import generate_unique_id, get_value_or_default, is_body_allowed_for_status_code
from ._contexts import EFFECTIVE, IncludeContext, new_path_parameters
from ._handler import RouteApp, app_of, engine_handler
from ._limits import validate_form_limits, validate_max_body_size
from ._options import FormLimits
from ._respond import wants_events

_WATCHED = frozenset({"app", "dependant", "handle", "matches", "max_body_size", "methods", "path_regex"})


def shown_description(given: str | None, docstring: str | None) -> str:
    """What is shown of a given description, else of a docstring, which is dedented: all before the first form feed."""
    return (given or inspect.cleandoc(docstring or "")).split("\f")[0].strip()


class APIRoute(Route):
    """An endpoint at a path.

    Parameters are those of the verb decorators (`FastAPI.get`), given once and explicitly here.

    Raises:
        RouteError: for a declaration that contradicts itself.
        ParameterError: for a parameter of the endpoint that does.
        FastAPIError: for a type without a pydantic schema.
    """

    max_body_size: int | None = None

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = Default(None),
        status_code: int | None = None,
        tags: list[str | Enum] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        summary: str | None = None,
        description: str | None = None,
        response_description: str = "Successful Response",
        responses: dict[int | str, dict[str, Any]] | None = None,
        deprecated: bool | None = None,
        name: str | None = None,
        methods: set[str] | list[str] | None = None,
        operation_id: str | None = None,
        response_model_include: IncEx | None = None,
        response_model_exclude: IncEx | None = None,
        response_model_by_alias: bool = True,
        response_model_exclude_unset: bool = False,
        response_model_exclude_defaults: bool = False,
        response_model_exclude_none: bool = False,
        include_in_schema: bool = True,
        response_class: type[Response] | DefaultPlaceholder = Default(JSONResponse),
        dependency_overrides_provider: Any = None,
        callbacks: list[BaseRoute] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        generate_unique_id_function: Callable[[APIRoute], str] | DefaultPlaceholder = Default(generate_unique_id),
        strict_content_type: bool | DefaultPlaceholder = Default(True),
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
    ) -> None:
        if not callable(endpoint):
            raise RouteError("An endpoint must be a callable")
        refuse_routes(callbacks or (), "callbacks=")
        response_model = own(response_model)
        response_class = own(response_class)
        generate_unique_id_function = own(generate_unique_id_function)
        strict_content_type = own(strict_content_type)
        self.path = path
        self.endpoint = endpoint
        self.summary = summary
        self.response_description = response_description
        self.deprecated = deprecated
        self.operation_id = operation_id
        self.response_model_include = response_model_include
        self.response_model_exclude = response_model_exclude
        self.response_model_by_alias = response_model_by_alias
        self.response_model_exclude_unset = response_model_exclude_unset
        self.response_model_exclude_defaults = response_model_exclude_defaults
        self.response_model_exclude_none = response_model_exclude_none
        self.include_in_schema = include_in_schema
        self.response_class = response_class
        self.dependency_overrides_provider = dependency_overrides_provider
        self.callbacks = list(callbacks or [])
        self.openapi_extra = openapi_extra
        self.generate_unique_id_function = generate_unique_id_function
        self.strict_content_type = strict_content_type
        validate_max_body_size(max_body_size)
        self.max_body_size = max_body_size
        self.form_limits = validate_form_limits(form_limits)
        self.tags = list(tags or [])
        self.responses = responses or {}
        self.name = get_name(endpoint) if name is None else name
        self.methods = {method.upper() for method in methods or ["GET"]}
        self.status_code = int(status_code) if isinstance(status_code, IntEnum) else status_code
        self.dependencies = list(dependencies or [])
        self.description = shown_description(description, endpoint.__doc__)
        self._declare_output(response_model)
        self._declare_stream()
        self._place(path)
        self._declare_responses()
        self.dependant = with_route_dependencies(
            get_dependant(path=self.path_format, call=endpoint, scope="function"), self.dependencies, self.path_format
        )
        self._declare_success()
        self.app = app_of(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _WATCHED and "app" in self.__dict__:  # set last: before it, the route is being made
            EDITS.announce()
        super().__setattr__(name, value)

    def _place(self, path: str) -> None:
        """Set what depends on the path."""
        self.path = path
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._compiled_regex = self.path_regex
        make_id = self.generate_unique_id_function
        self.unique_id: str = self.operation_id or (
            make_id.value if isinstance(make_id, DefaultPlaceholder) else make_id
        )(self)

    def _declare_output(self, response_model: Any) -> None:
        """Settle what the endpoint yields or returns."""
        self.stream_item_type: Any = None
        streams = kind_of(self.endpoint) >= Kind.GENERATOR
        if isinstance(response_model, DefaultPlaceholder):
            annotation = get_typed_return_annotation(self.endpoint)
            if streams:
                self.stream_item_type = get_stream_item_type(annotation)
            is_response = _types.lenient_issubclass(annotation, Response)
            response_model = None if is_response or self.stream_item_type is not None else annotation
        self.response_model = response_model

    def _declare_stream(self) -> None:
        """Settle how the items of a generator are sent: the response class decides, JSON Lines being the default."""
        response_class = get_value_or_default(self.response_class)
        streams = kind_of(self.endpoint) >= Kind.GENERATOR
        self.is_json_stream = streams and isinstance(response_class, DefaultPlaceholder)
        self.is_sse_stream = streams and wants_events(response_class)

    def _declare_success(self) -> None:
        """Make the field of what the endpoint returns or yields."""
        self.response_field: ModelField | None = None
        self.stream_item_field: ModelField | None = None
        if self.response_model:
            self._require_body(self.status_code, f"Status code {self.status_code} must not have a response body")
            self.response_field = create_model_field(
                name="Response_" + self.unique_id, type_=self.response_model, mode="serialization"
            )
        if self.stream_item_type is not None and (self.is_json_stream or self.is_sse_stream):
            item_type = self.stream_item_type
            if item_type is not Any and not wants_events(item_type):
                self.stream_item_field = create_model_field(
                    name="StreamItem_" + self.unique_id, type_=item_type, mode="serialization"
                )

    def _declare_responses(self) -> None:
        """Make the fields of the additional responses."""
        self.response_fields: dict[int | str, ModelField] = {}
        for code, response in self.responses.items():
            if not isinstance(response, dict):
                raise RouteError("An additional response must be a dict")
            model = response.get("model")
            if model:
                self._require_body(code, f"Status code {code} must not have a response body")
                self.response_fields[code] = create_model_field(
                    name=f"Response_{code}_{self.unique_id}", type_=model, mode="serialization"
                )

    @staticmethod
    def _require_body(status_code: int | str | None, message: str) -> None:
        if not is_body_allowed_for_status_code(status_code):
            raise RouteError(message)

    @cached_property
    def _embed_body_fields(self) -> bool:
        return _body.should_embed_body_fields(_body.flat_body_params(self.dependant))

    @cached_property
    def body_field(self) -> ModelField | None:
        """The field that describes the whole body; None when there is no body parameter."""
        return _body.get_body_field(dependant=self.dependant, name=self.unique_id, embed=self._embed_body_fields)

    def included(self, context: IncludeContext) -> APIRoute:
        """This route with what an include adds to it. Types that were declared are shared, not declared again."""
        route: APIRoute = object.__new__(type(self))
        facts = dict(self.__dict__)
        for derived in ("_embed_body_fields", "_endpoint_context", "body_field", "app"):
            facts.pop(derived, None)
        route.__dict__.update(facts)
        route._original = self
        route.tags = [*context.tags, *self.tags]
        route.dependencies = [*context.dependencies, *self.dependencies]
        route.callbacks = [*context.callbacks, *self.callbacks]
        route.responses = {**context.responses, **self.responses}
        route.deprecated = self.deprecated or context.deprecated
        route.include_in_schema = self.include_in_schema and context.include_in_schema
        route.response_class = get_value_or_default(self.response_class, context.default_response_class)
        route.generate_unique_id_function = get_value_or_default(
            self.generate_unique_id_function, context.generate_unique_id_function
        )
        route.strict_content_type = get_value_or_default(self.strict_content_type, context.strict_content_type)
        route.max_body_size = context.max_body_size if self.max_body_size is None else self.max_body_size
        route.form_limits = {**context.form_limits, **self.form_limits}
        route.dependency_overrides_provider = (
            context.dependency_overrides_provider or self.dependency_overrides_provider
        )
        route._declare_stream()
        route._place(context.prefix + self.path)
        route._declare_again(self, context)
        route.__dict__["app"] = app_of(route) if isinstance(self.app, RouteApp) else self.app
        return route

    def _declare_again(self, original: APIRoute, context: IncludeContext) -> None:
        changed = original.unique_id != self.unique_id or len(original.responses) != len(self.responses)
        if changed or self.is_sse_stream != original.is_sse_stream:
            self._declare_responses()
            self._declare_success()
        new_names = new_path_parameters(context)
        if new_names:
            own = get_dependant(path=self.path_format, call=original.endpoint, scope="function")
            dependencies = self.dependencies
        else:
            own = replace(original.dependant, call=original.endpoint)
            dependencies = list(context.dependencies)
        self.__dict__["dependant"] = with_route_dependencies(own, dependencies, self.path_format)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this route answers `scope`, and what it adds to the scope (Starlette's contract)."""
        effective = EFFECTIVE.get()
        if effective is not None and effective is not self and effective.__dict__.get("_original") is self:
            match, child_scope = Route.matches(effective, scope)
        else:
            match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that matched. An original route answers for the place where it was matched."""
        placed = (scope.get("fastapi") or {}).get("effective_route_context")
        route = placed if placed is not None and original_of(placed) is self else self
        if route is self or scope["method"] not in (route.methods or ()):
            await Route.handle(route, scope, receive, send)
        else:
            await route.app(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that turns a request into a response. Override it to wrap what happens to this route's requests.

        Called once for each place where the route is included.
        """
        effective = EFFECTIVE.get()
        route = effective if effective is not None and effective.__dict__.get("_original") is self else self
        return engine_handler(route)


watch(APIRoute)


def original_of(route: BaseRoute) -> BaseRoute:
    """The route as it was declared, for an effective one."""
    original: BaseRoute = route.__dict__.get("_original", route)
    return original

"""`Declared`: what an endpoint and the options of its route come to.

`APIRoute` and `EffectiveRouteContext` share it: a route is declared when it is made, and again at each place where it
is included, from what the route says at that time. Declaring is slow and complete: the signature is read, types get
their schemas, mistakes are raised. Nothing of the engine is built here.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from enum import Enum, IntEnum
from functools import cached_property
from re import Pattern
from typing import Any, cast

from starlette.convertors import Convertor
from starlette.responses import Response
from starlette.routing import BaseRoute, compile_path, get_name

from .. import params
from .._version_counter import ROUTES_VERSION, TrackedDict, TrackedSet
from ..datastructures import DefaultPlaceholder
from ..dependencies.models import Dependant
from ..exceptions import RouteError
from ..sse import EventSourceResponse, ServerSentEvent
from ..types import IncEx
from ..utils import get_value_or_default, is_body_allowed_for_status_code
from .body import body_encoding, body_field_of, flat_body_params, has_to_be_made_now, should_embed_body_fields
from .callables import Kind, kind_of
from .dependant import get_dependant, with_route_dependencies
from .fields import ModelField, create_model_field
from .foreign_classes import is_foreign_event
from .limits import FormLimits, validate_form_limits, validate_max_body_size
from .signature import get_stream_item_type, get_typed_return_annotation
from .type_kinds import lenient_issubclass
from .versions import VersionSet

_WATCHED = frozenset(
    {"app", "endpoint", "handle", "matches", "methods", "param_convertors", "path", "path_regex", "versions"}
)

_TAKEN_AS_THEY_ARE = (
    "summary",
    "response_description",
    "deprecated",
    "operation_id",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "include_in_schema",
    "response_class",
    "dependency_overrides_provider",
    "openapi_extra",
    "generate_unique_id_function",
    "strict_content_type",
    "max_body_size",
    "dependencies_before_body",
    "cancel_on_disconnect",
)


def shown_description(given: str | None, docstring: str | None) -> str:
    """What is shown of a given description, else of a docstring, which is dedented: all before the first form feed."""
    return (given or inspect.cleandoc(docstring or "")).split("\f")[0].strip()


class Watched:
    """A route that announces the edits that decide which requests it answers, and what with."""

    path: str
    path_regex: Pattern[str]
    path_format: str
    param_convertors: dict[str, Convertor[Any]]
    versions: VersionSet | None = None
    """The versions of the API that have the route; None for a route that isn't versioned."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _WATCHED:
            if type(value) is set:
                value = TrackedSet(value)
            elif type(value) is dict:
                value = TrackedDict(value)
            if "app" in self.__dict__ and "_compiled" in self.__dict__:  # set last: before it, the route is being made
                ROUTES_VERSION.announce()
        super().__setattr__(name, value)

    def _place(self, path: str) -> None:
        """Set what depends on the path."""
        self.path = path
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        # What the route table has read, to be compared with what is there when it is made again.
        self._compiled = (path, self.path_regex, dict(self.param_convertors))


class Placeable(Watched, ABC):
    """A route that makes itself again at a place where its router is included."""

    @abstractmethod
    def included(self, context: Any) -> BaseRoute:
        """This route, as it is now, with what its includes add to it (an `IncludeContext`)."""


EFFECTIVE: ContextVar[Any] = ContextVar("ferrapi_effective_route", default=None)
"""The place (`EffectiveRouteContext`) for which a method of the original route is running: `matches`,
`get_route_handler`."""


class Declared(Watched):
    """The attributes of an API route, and how they come about."""

    endpoint: Callable[..., Any]
    response_model: Any
    stream_item_type: Any
    status_code: int | None
    tags: list[str | Enum]
    dependencies: list[params.Depends]
    summary: str | None
    description: str
    response_description: str
    responses: dict[int | str, dict[str, Any]]
    deprecated: bool | None
    name: str
    methods: set[str] | None
    operation_id: str | None
    unique_id: str
    response_field: ModelField | None
    response_fields: dict[int | str, ModelField]
    stream_item_field: ModelField | None
    response_model_include: IncEx | None
    response_model_exclude: IncEx | None
    response_model_by_alias: bool
    response_model_exclude_unset: bool
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    include_in_schema: bool
    response_class: type[Response] | DefaultPlaceholder
    dependency_overrides_provider: Any
    callbacks: list[BaseRoute] | None
    openapi_extra: dict[str, Any] | None
    generate_unique_id_function: Callable[[Any], str] | DefaultPlaceholder
    strict_content_type: bool | DefaultPlaceholder
    max_body_size: int | None = None
    dependencies_before_body: bool | None = None
    cancel_on_disconnect: bool | None = None
    form_limits: FormLimits
    _outer_form_limits: FormLimits = {}
    _embed_body_fields: bool
    _body_encoding: str | None
    dependant: Dependant
    is_json_stream: bool
    is_sse_stream: bool

    def _declare(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Set all attributes but ``app``.

        Parameters:
            path: the path template.
            endpoint: the function.
            options: all that `APIRoute` takes; and ``stream_item_type``, what an endpoint yields that was declared
                before, so that its response model is known.
        """
        if not callable(endpoint):
            raise RouteError("An endpoint must be a callable")
        self.endpoint = endpoint
        for name in _TAKEN_AS_THEY_ARE:
            self.__dict__[name] = options[name]
        self.callbacks = None if options["callbacks"] is None else list(options["callbacks"])
        validate_max_body_size(self.max_body_size)
        self.form_limits = cast(FormLimits, TrackedDict(validate_form_limits(options["form_limits"])))
        self.tags = list(options["tags"] or [])
        self.responses = options["responses"] or {}
        name = options["name"]
        self.name = get_name(endpoint) if name is None else name
        methods = options["methods"]
        self.methods = TrackedSet(method.upper() for method in (["GET"] if methods is None else methods))
        code = options["status_code"]
        self.status_code = int(code) if isinstance(code, IntEnum) else code
        self.dependencies = list(options["dependencies"] or [])
        self.description = shown_description(options["description"], endpoint.__doc__)
        if self.cancel_on_disconnect and kind_of(endpoint) not in (Kind.ASYNC, Kind.ASYNC_GENERATOR):
            raise RouteError(f"cancel_on_disconnect needs an asynchronous endpoint: {self.name} runs in a thread")
        self._declare_stream()
        self._declare_output(options["response_model"], options.get("stream_item_type"))
        self._place(path)
        make_id = self.generate_unique_id_function
        self.unique_id = self.operation_id or (make_id.value if isinstance(make_id, DefaultPlaceholder) else make_id)(
            self
        )
        self._declare_responses()
        self.dependant = declare_dependant(self.path_format, endpoint, self.dependencies)
        body_params = flat_body_params(self.dependant)
        self._embed_body_fields = should_embed_body_fields(body_params)
        self._body_facts = (body_params, self.unique_id, self._embed_body_fields)
        self._body_encoding = body_encoding(body_params, self._embed_body_fields)
        if has_to_be_made_now(body_params):
            self.body_field  # noqa: B018  # made by being looked at
        self._declare_success()

    def _declare_output(self, response_model: Any, stream_item_type: Any) -> None:
        """Settle what the endpoint yields or returns."""
        self.stream_item_type = stream_item_type
        streams = kind_of(self.endpoint) >= Kind.GENERATOR
        if isinstance(response_model, DefaultPlaceholder):
            annotation = get_typed_return_annotation(self.endpoint)
            item = get_stream_item_type(annotation) if streams else None
            if (self.is_json_stream or self.is_sse_stream) and not wants_events(item):
                self.stream_item_type = item
            is_response = lenient_issubclass(annotation, Response)
            response_model = None if is_response or item is not None else annotation
        self.response_model = response_model

    def _declare_stream(self) -> None:
        """Settle how the items of a generator are sent: the response class decides, JSON Lines being the default."""
        response_class = get_value_or_default(self.response_class)
        streams = kind_of(self.endpoint) >= Kind.GENERATOR
        self.is_json_stream = streams and isinstance(response_class, DefaultPlaceholder)
        self.is_sse_stream = streams and wants_events(response_class)

    def _declare_success(self) -> None:
        """Make the field of what the endpoint returns or yields."""
        self.response_field = None
        self.stream_item_field = None
        if self.response_model:
            self._require_body(self.status_code, f"Status code {self.status_code} must not have a response body")
            self.response_field = create_model_field(
                name="Response_" + self.unique_id, type_=self.response_model, mode="serialization"
            )
        if self.stream_item_type is not None:
            self.stream_item_field = create_model_field(
                name="StreamItem_" + self.unique_id, type_=self.stream_item_type, mode="serialization"
            )

    def _declare_responses(self) -> None:
        """Make the fields of the additional responses."""
        self.response_fields = {}
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
    def body_field(self) -> ModelField | None:
        """The field that describes the whole body; None when there is no body parameter."""
        fields, name, embed = self._body_facts
        return body_field_of(fields, name=name, embed=embed)


def declare_dependant(
    path_format: str, endpoint: Callable[..., Any], dependencies: Sequence[params.Depends]
) -> Dependant:
    """The tree of an endpoint with the dependencies of its route before its own.

    Parameters:
        path_format: the path template of the route, without convertors.
        endpoint: the function.
        dependencies: the route's, those of routers above it first.
    """
    own = get_dependant(path=path_format, call=endpoint, scope="function")
    return with_route_dependencies(own, dependencies, path_format)


def wants_events(annotation: Any) -> bool:
    """Whether a response class or item type is that of server-sent events."""
    if not isinstance(annotation, type):
        return False
    return issubclass(annotation, (EventSourceResponse, ServerSentEvent)) or is_foreign_event(annotation)

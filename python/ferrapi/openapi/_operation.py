"""One operation of the document: the rendering of an API route for one HTTP method.

A route answers in one of three ways: a body of the response class's media type, a stream of JSON lines, or
server-sent events. The latter two are described with `itemSchema`, as in OpenAPI 3.2.
"""

from __future__ import annotations

import http.client
import inspect
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from starlette.responses import JSONResponse, Response

from .._hooks import current
from ..datastructures import DefaultPlaceholder
from ..exceptions import RouteError
from ..utils import deep_dict_update, is_body_allowed_for_status_code
from ._parameters import Located, located_parameters, render_examples, render_parameters
from ._schemas import JsonObject, Schemas
from ._security import SecurityRequirements, security_requirements
from .constants import METHODS_WITH_BODY, REF_PREFIX

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from ..declare.fields import ModelField
    from ..routing import APIRoute, RouteContext

STATUS_CODE_RANGES = {
    "1XX": "Information",
    "2XX": "Success",
    "3XX": "Redirection",
    "4XX": "Client Error",
    "5XX": "Server Error",
    "DEFAULT": "Default Response",
}
"""Descriptions of the status codes that stand for several."""


class StatusCodeError(RouteError, ValueError):
    """A key of a route's `responses` is no status code."""


VALIDATION_ERROR = "ValidationError"
HTTP_VALIDATION_ERROR = "HTTPValidationError"
_EDITED = "ferrapi.openapi.utils"
"""The module whose functions and models users replace or edit; whoever makes a document has imported it."""


def validation_error_models() -> dict[str, JsonObject]:
    """The models of the response to a request that doesn't fit its declaration, as edited in `utils`."""
    return {
        VALIDATION_ERROR: current(_EDITED, "validation_error_definition"),
        HTTP_VALIDATION_ERROR: current(_EDITED, "validation_error_response_definition"),
    }


def usual_validation_error_models() -> dict[str, JsonObject]:
    """The same, as nobody has edited them."""
    location = {"title": "Location", "type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}
    error = {
        "title": VALIDATION_ERROR,
        "type": "object",
        "properties": {
            "loc": location,
            "msg": {"title": "Message", "type": "string"},
            "type": {"title": "Error Type", "type": "string"},
            "input": {"title": "Input"},
            "ctx": {"title": "Context", "type": "object"},
        },
        "required": ["loc", "msg", "type"],
    }
    errors = {"title": "Detail", "type": "array", "items": {"$ref": REF_PREFIX + VALIDATION_ERROR}}
    return {
        VALIDATION_ERROR: error,
        HTTP_VALIDATION_ERROR: {"title": HTTP_VALIDATION_ERROR, "type": "object", "properties": {"detail": errors}},
    }


@dataclass(frozen=True)
class Described:
    """An API route with what its operations have in common, whatever the method.

    Parameters:
        route: the route, its prefix, tags and dependencies merged with those of the routers that include it.
        callbacks: the routes the API calls on its user's side.
    """

    route: APIRoute
    callbacks: list[Described] = field(default_factory=list)

    @cached_property
    def parameters(self) -> list[Located]:
        """Path, query, header and cookie parameters, those of dependencies included."""
        return located_parameters(self.route.dependant)

    @cached_property
    def security(self) -> SecurityRequirements:
        """Security schemes, those of dependencies included."""
        return security_requirements(self.route.dependant)

    @cached_property
    def response_class(self) -> type[Response]:
        """The class of the route's responses. Raises `RouteError` if it has none."""
        declared: Any = self.route.response_class
        found: type[Response] | None = declared.value if isinstance(declared, DefaultPlaceholder) else declared
        if found is None:
            raise RouteError(f"A response class is needed to generate OpenAPI: {self.route.name!r} has None")
        return found


def declared_fields(routes: Iterable[Described]) -> list[ModelField]:
    """All declared values of `routes` that need a schema; none of those that are hidden.

    They are given in FastAPI's order, which pydantic's names of models may depend on: what callbacks declare, then
    all bodies, all responses, all parameters.
    """
    shown = [one for one in routes if one.route.include_in_schema]
    found = [declared for one in shown for declared in declared_fields(one.callbacks)]
    found += [one.route.body_field for one in shown if one.route.body_field is not None]
    for one in shown:
        single = one.route.response_field, *one.route.response_fields.values(), one.route.stream_item_field
        found += [declared for declared in single if declared is not None]
    found += [parameter.declared for one in shown for parameter in one.parameters]
    return found


def describe_routes(routes: Iterable[BaseRoute | RouteContext]) -> list[Described]:
    """Prepare the API routes of `routes`, those of included routers among them."""
    from ..routing._contexts import iter_effective_routes

    effective = iter_effective_routes(cast("list[BaseRoute]", list(routes)))
    return [describe(route) for route in effective if _is_api_route(route)]


def _is_api_route(route: object) -> TypeGuard[APIRoute]:
    """Whether `route` is an API route, or the context of one."""
    return hasattr(route, "response_fields")


def describe(route: APIRoute) -> Described:
    """Prepare `route` for rendering."""
    return Described(route, describe_routes(route.callbacks or ()))


@dataclass
class Rendered:
    """The operations of a route and what they refer to."""

    operations: dict[str, JsonObject] = field(default_factory=dict)
    security_schemes: dict[str, JsonObject] = field(default_factory=dict)
    definitions: dict[str, JsonObject] = field(default_factory=dict)


def render_route(one: Described, schemas: Schemas, operation_ids: set[str]) -> Rendered:
    """Render a route that is part of the document.

    Parameters:
        one: the route.
        schemas: the schemas of all fields of the document.
        operation_ids: the ids seen so far, which are added to; a repeated one is warned about.
    """
    rendered = Rendered()
    if not one.route.include_in_schema:
        return rendered
    for method in one.route.methods or ():
        rendered.operations[method.lower()] = _render_operation(one, method, schemas, operation_ids, rendered)
    return rendered


def _render_operation(
    one: Described, method: str, schemas: Schemas, operation_ids: set[str], rendered: Rendered
) -> JsonObject:
    route = one.route
    metadata = current(_EDITED, "get_openapi_operation_metadata")
    operation: JsonObject = metadata(route=route, method=method, operation_ids=operation_ids)
    rendered.security_schemes |= one.security.schemes
    if one.security.scopes:
        operation["security"] = one.security.listed()
    parameters = render_parameters(one.parameters, schemas)
    if parameters:
        operation["parameters"] = parameters
    if method in METHODS_WITH_BODY:
        body = render_request_body(route.body_field, schemas)
        if body:
            operation["requestBody"] = body
    if route.callbacks:
        operation["callbacks"] = _render_callbacks(one, schemas, operation_ids)
    responses = _render_responses(one, schemas)
    operation["responses"] = responses
    for code, refusal in one.security.responses().items():
        if not responses.keys() & {code, "4XX", "default"}:
            responses[code] = refusal
    if (one.parameters or route.body_field) and not responses.keys() & {"422", "4XX", "default"}:
        responses["422"] = {
            "description": "Validation Error",
            "content": {"application/json": {"schema": {"$ref": REF_PREFIX + HTTP_VALIDATION_ERROR}}},
        }
        rendered.definitions |= validation_error_models()
    if route.openapi_extra:
        deep_dict_update(operation, route.openapi_extra)
    return operation


def render_summary(route: APIRoute) -> str:
    """The route's summary, by default its name in words."""
    return route.summary or route.name.replace("_", " ").title()


def render_metadata(route: APIRoute, method: str, operation_ids: set[str]) -> JsonObject:
    """Tags, summary, description, operation id and deprecation of an operation.

    Warns about an operation id that is in `operation_ids`, and adds it.
    """
    operation: JsonObject = {}
    if route.tags:
        operation["tags"] = route.tags
    operation["summary"] = current(_EDITED, "generate_operation_summary")(route=route, method=method)
    if route.description:
        operation["description"] = route.description
    operation_id = route.operation_id or route.unique_id
    if operation_id in operation_ids:
        function = getattr(route.endpoint, "__name__", "<unnamed_endpoint>")
        where = getattr(route.endpoint, "__globals__", {}).get("__file__")
        message = f"Duplicate Operation ID {operation_id} for function {function}" + (f" at {where}" if where else "")
        warnings.warn(message, stacklevel=1)
    operation_ids.add(operation_id)
    operation["operationId"] = operation_id
    if route.deprecated:
        operation["deprecated"] = route.deprecated
    return operation


def render_request_body(body: ModelField | None, schemas: Schemas) -> JsonObject | None:
    """The `requestBody` of an operation, if it has one."""
    if body is None:
        return None
    info: Any = body.field_info
    rendered: JsonObject = {"required": True} if info.is_required() else {}
    rendered["content"] = {info.media_type: {"schema": schemas.of(body), **render_examples(info)}}
    return rendered


def _render_callbacks(one: Described, schemas: Schemas, operation_ids: set[str]) -> JsonObject:
    """The callbacks of an operation by name. Of routers that are included there, only the components have something.

    Their security schemes and error models are left to the user's side of the API, as FastAPI does: the
    components only hold them if an operation of the API itself has them.
    """
    by_name: JsonObject = {}
    own = {id(callback) for callback in one.route.callbacks or ()}
    for callback in one.callbacks:
        if id(callback.route) not in own:
            continue
        operations = render_route(callback, schemas, operation_ids).operations
        by_name[callback.route.name] = {callback.route.path: operations}
    return by_name


def _default_status_code(one: Described) -> Any:
    """The status code of a success: the route's, as it was given, or the default of the response class."""
    if one.route.status_code is not None:
        return one.route.status_code
    parameter = inspect.signature(one.response_class.__init__).parameters.get("status_code")
    return parameter.default if parameter is not None and isinstance(parameter.default, int) else 200


def _render_responses(one: Described, schemas: Schemas) -> JsonObject:
    status_code = _default_status_code(one)
    success: JsonObject = {"description": one.route.response_description}
    content = _render_success_content(one, schemas) if is_body_allowed_for_status_code(status_code) else {}
    if content:
        success["content"] = content
    responses = {str(status_code): success}
    for code, extra in one.route.responses.items():
        key = str(code).upper()
        key = "default" if key == "DEFAULT" else key
        _add_response(responses.setdefault(key, {}), one, code, extra, schemas)
    return responses


def _render_success_content(one: Described, schemas: Schemas) -> JsonObject:
    """The content of a success by media type."""
    route = one.route
    if route.is_json_stream:
        item = route.stream_item_field
        return {"application/jsonl": {"itemSchema": schemas.of(item) if item else {}}}
    if route.is_sse_stream:
        return {"text/event-stream": {"itemSchema": _event_schema(route.stream_item_field, schemas)}}
    media_type = one.response_class.media_type
    if not media_type:
        return {}
    if not issubclass(one.response_class, JSONResponse):
        return {media_type: {"schema": {"type": "string"}}}
    return {media_type: {"schema": schemas.of(route.response_field) if route.response_field else {}}}


def _event_schema(item: ModelField | None, schemas: Schemas) -> JsonObject:
    """The schema of a server-sent event whose data is an `item` as JSON, or any text."""
    data: JsonObject = {"type": "string"}
    event: JsonObject = {"type": "object"}
    event["properties"] = {
        "data": data,
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    }
    if item:
        data |= {"contentMediaType": "application/json", "contentSchema": schemas.of(item)}
        event["required"] = ["data"]
    return event


def _add_response(response: JsonObject, one: Described, code: int | str, extra: JsonObject, schemas: Schemas) -> None:
    """Merge `extra`, what the application says about the responses with `code`, into `response`."""
    usual_description = _describe_status(code)
    extra = {key: _copy(value) for key, value in extra.items() if key != "model"}
    declared = one.route.response_fields.get(code)
    if declared:
        media_type = one.response_class.media_type or "application/json"
        content = extra.setdefault("content", {}).setdefault(media_type, {})
        deep_dict_update(content.setdefault("schema", {}), schemas.of(declared))
    description = extra.get("description") or response.get("description") or usual_description
    deep_dict_update(response, extra)
    response["description"] = description


def _copy(value: Any) -> Any:
    """A copy of plain data; what the application passed may be shared between routes, and is not changed."""
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _describe_status(code: int | str) -> str:
    """The description of a status code or range, by RFC 9110."""
    name = str(code).upper()
    if name in STATUS_CODE_RANGES:
        return STATUS_CODE_RANGES[name]
    try:
        number = int(code)
    except ValueError as error:
        raise StatusCodeError(
            f"{error}. No key of `responses`: use a status code, `default`, or a range such as `4XX`."
        ) from None
    return http.client.responses.get(number) or "Additional Response"

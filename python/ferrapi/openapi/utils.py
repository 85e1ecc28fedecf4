"""Facade: the names of `fastapi.openapi.utils`, for code that renders a document step by step.

An application only needs `get_openapi`. The work is done in `_document`, `_operation`, `_parameters`, `_schemas`
and `_security`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from starlette.routing import BaseRoute

from .._names import names_of
from ..declare.fields import ModelField
from ..dependencies.models import Dependant
from ..exceptions import FastAPIDeprecationWarning
from ..routing import APIRoute, RouteContext
from ._document import get_openapi
from ._operation import (
    STATUS_CODE_RANGES,
    declared_fields,
    describe,
    describe_routes,
    render_metadata,
    render_request_body,
    render_route,
    render_summary,
    usual_validation_error_models,
)
from ._parameters import flat_parameters
from ._schemas import FieldSchemas, Schemas, generate_schemas

ModelNameMap = dict[type[BaseModel] | type[Enum], str]

__all__ = [
    "generate_operation_id",
    "generate_operation_summary",
    "get_definitions",
    "get_fields_from_routes",
    "get_flat_params",
    "get_openapi",
    "get_openapi_operation_metadata",
    "get_openapi_operation_request_body",
    "get_openapi_path",
    "get_schema_from_model_field",
    "status_code_ranges",
    "validation_error_definition",
    "validation_error_response_definition",
]

status_code_ranges: dict[str, str] = STATUS_CODE_RANGES
validation_error_definition, validation_error_response_definition = usual_validation_error_models().values()


def get_flat_params(dependant: Dependant) -> list[ModelField]:
    """The parameters of `dependant` and of its dependencies; models are replaced by their fields."""
    return flat_parameters(dependant)


def get_fields_from_routes(routes: Sequence[BaseRoute | RouteContext]) -> list[ModelField]:
    """All declared values of `routes` that need a schema."""
    return declared_fields(describe_routes(routes))


def get_definitions(
    *,
    fields: Sequence[ModelField],
    model_name_map: ModelNameMap | None = None,
    separate_input_output_schemas: bool = True,
) -> tuple[FieldSchemas, Mapping[str, dict[str, Any]]]:
    """The schema of each of `fields`, and the models they refer to; pydantic names the models."""
    schemas = generate_schemas(fields, separate=separate_input_output_schemas)
    return schemas.by_field, schemas.definitions


def get_schema_from_model_field(
    *,
    field: ModelField,
    model_name_map: ModelNameMap | None = None,
    field_mapping: FieldSchemas,
    separate_input_output_schemas: bool = True,
    field_alias: str | None = None,
) -> dict[str, Any]:
    """The schema of `field`, titled after `field_alias` (by default its alias) unless it is a reference."""
    return Schemas(field_mapping, separate=separate_input_output_schemas).of(field, name=field_alias)


def generate_operation_summary(*, route: APIRoute, method: str) -> str:
    """The route's summary, by default its name in words."""
    return render_summary(route)


def generate_operation_id(*, route: APIRoute, method: str) -> str:
    """The operation id of `route`. Deprecated: routes have a `unique_id`."""
    message = "generate_operation_id() is deprecated: use the route's operation_id or unique_id"
    warnings.warn(message, FastAPIDeprecationWarning, stacklevel=2)
    if route.operation_id:
        return route.operation_id
    from ..utils import generate_operation_id_for_path

    return generate_operation_id_for_path(name=route.name, path=route.path_format, method=method)


def get_openapi_operation_metadata(*, route: APIRoute, method: str, operation_ids: set[str]) -> dict[str, Any]:
    """Tags, summary, description, operation id and deprecation of an operation.

    Warns about an operation id that is in `operation_ids`, and adds it.
    """
    return render_metadata(route, method, operation_ids)


def get_openapi_operation_request_body(
    *,
    body_field: ModelField | None,
    model_name_map: ModelNameMap,
    field_mapping: FieldSchemas,
    separate_input_output_schemas: bool = True,
) -> dict[str, Any] | None:
    """The `requestBody` of an operation, or None without a body."""
    return render_request_body(body_field, Schemas(field_mapping, separate=separate_input_output_schemas))


def get_openapi_path(
    *,
    route: APIRoute,
    operation_ids: set[str],
    model_name_map: ModelNameMap,
    field_mapping: FieldSchemas,
    separate_input_output_schemas: bool = True,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The operations of `route` by method, the security schemes and the models they refer to."""
    schemas = Schemas(field_mapping, separate=separate_input_output_schemas)
    rendered = render_route(describe(route), schemas, operation_ids)
    return rendered.operations, rendered.security_schemes, rendered.definitions


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

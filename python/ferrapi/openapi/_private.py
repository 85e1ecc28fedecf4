"""Private names of `fastapi.openapi.utils` that libraries call to render an operation step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..dependencies.models import Dependant, each_call, oauth_scopes
from ._parameters import expand, render
from ._schemas import FieldSchemas, JsonObject, Schemas
from ._security import SecurityRequirements, scheme_of

if TYPE_CHECKING:
    from ..declare.fields import ModelField
    from ..types import ModelNameMap


@dataclass
class OpenAPIDependencyData:
    """What the document says of a dependant and everything below it.

    Parameters:
        path_params, query_params, header_params, cookie_params: the declared parameters by source, in the order of
            declaration; models are not replaced by their fields.
        security_dependencies: the uses of security schemes, each with the scopes that it asks for.
    """

    path_params: list[ModelField] = field(default_factory=list)
    query_params: list[ModelField] = field(default_factory=list)
    header_params: list[ModelField] = field(default_factory=list)
    cookie_params: list[ModelField] = field(default_factory=list)
    security_dependencies: list[tuple[Dependant, list[str]]] = field(default_factory=list)


def get_openapi_dependency_data(dependant: Dependant) -> OpenAPIDependencyData:
    """What the document says of `dependant` and of what it depends on; what is called once is in it once."""
    data = OpenAPIDependencyData()
    for one in each_call(dependant):
        data.path_params += one.path_params
        data.query_params += one.query_params
        data.header_params += one.header_params
        data.cookie_params += one.cookie_params
        if scheme_of(one.call) is not None:
            data.security_dependencies.append((one, oauth_scopes(one)))
    return data


def get_openapi_security_definitions(
    security_dependencies: list[tuple[Dependant, list[str]]],
) -> tuple[JsonObject, list[JsonObject]]:
    """The definitions of the schemes by name, and the scopes that an operation requires of each."""
    found = SecurityRequirements()
    for dependant, _ in security_dependencies:
        found.add(dependant)
    return found.schemes, [{name: scopes} for name, scopes in found.scopes.items()]


def get_openapi_operation_parameters(
    *,
    dependency_data: OpenAPIDependencyData,
    model_name_map: ModelNameMap,
    field_mapping: FieldSchemas,
    separate_input_output_schemas: bool = True,
) -> list[JsonObject]:
    """The `parameters` of an operation, repeated ones repeatedly. `model_name_map` is accepted and not needed."""
    schemas = Schemas(field_mapping, separate=separate_input_output_schemas)
    sources = {
        "path": dependency_data.path_params,
        "query": dependency_data.query_params,
        "header": dependency_data.header_params,
        "cookie": dependency_data.cookie_params,
    }
    located = [one for location, fields in sources.items() for declared in fields for one in expand(location, declared)]
    return [render(one, schemas) for one in located if one.shown]

"""The `parameters` of an operation: path, query, header and cookie values of an endpoint and its dependencies.

A parameter that is a pydantic model stands for its fields. The same model always yields the same `ModelField`
objects, as schemas are looked up by field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, BaseModel
from pydantic_core import PydanticUndefined

from ..datastructures import DefaultPlaceholder
from ..declare.annotation import is_union
from ..declare.fields import cached_model_fields
from ..declare.foreign import own
from ..declare.type_kinds import parameter_model
from ..dependencies.models import each_call
from ..encoders import jsonable_encoder
from ._schemas import JsonObject, Schemas

if TYPE_CHECKING:
    from ..declare.fields import ModelField
    from ..dependencies.models import Dependant

_GROUPS = (("path", "path_params"), ("query", "query_params"), ("header", "header_params"), ("cookie", "cookie_params"))


@dataclass(frozen=True)
class Located:
    """A parameter of the document.

    Parameters:
        location: `path`, `query`, `header` or `cookie`.
        name: the name under which it is sent.
        title: what its title is made from.
        declared: its declaration.
        required: whether a request has to carry it.
        shown: whether it is described.
    """

    location: str
    name: str
    title: str
    declared: ModelField
    required: bool
    shown: bool


def located_parameters(dependant: Dependant) -> list[Located]:
    """All parameters below `dependant`, by location and then as declared; those of a shared dependency once."""
    dependants = list(each_call(dependant))
    return [
        parameter
        for location, group in _GROUPS
        for one in dependants
        for declared in getattr(one, group)
        for parameter in expand(location, declared)
    ]


def flat_parameters(dependant: Dependant) -> list[ModelField]:
    """The declarations of all parameters below `dependant`, models replaced by their fields."""
    return [parameter.declared for parameter in located_parameters(dependant)]


def expand(location: str, declared: ModelField) -> Iterator[Located]:
    """Yield the parameters that `declared` stands for.

    The fields of an optional model are all optional, as the request may carry none of them.
    """
    info = declared.field_info
    hyphens = location == "header" and getattr(info, "convert_underscores", True)
    shown = getattr(info, "include_in_schema", True)
    model = parameter_model(info)
    optional = model is not None and is_union(info.annotation) and not info.is_required()
    for one in [declared] if model is None else cached_model_fields(model):
        title, convertible = _name_of(one, location, model)
        name = title.replace("_", "-") if hyphens and convertible else title
        required = one.field_info.is_required() and not optional
        yield Located(location, name, title, one, required, shown)  # a field of a model can't hide itself


def _name_of(declared: ModelField, location: str, model: type[BaseModel] | None) -> tuple[str, bool]:
    """The name under which a parameter or a field of `model` is sent, and whether it is its name in Python.

    Models may ignore aliases. The alias of a path parameter is chosen where it is declared, by what the path offers.
    """
    if model is not None and model.model_config.get("validate_by_alias") is False:
        return declared.name, True
    if model is not None or location != "path":
        choice = _first_choice(declared.field_info.validation_alias)
        if choice:
            return choice, False
    name = declared.validation_alias or declared.alias
    return name, name == declared.name


def _first_choice(alias: object) -> str | None:
    """The name that stands for several: the first one, if none of them is a path into the value."""
    if isinstance(alias, AliasChoices) and all(isinstance(choice, str) for choice in alias.choices):
        return next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return None


def render_parameters(parameters: Iterable[Located], schemas: Schemas) -> list[JsonObject]:
    """The `parameters` of an operation.

    Of several parameters with one name and location the last one is described, unless another one is required.
    """
    described: dict[tuple[str, str], JsonObject] = {}
    required: dict[tuple[str, str], JsonObject] = {}
    for parameter in parameters:
        if parameter.shown:
            key = parameter.location, parameter.name
            described[key] = render(parameter, schemas)
            if parameter.required:
                required[key] = described[key]
    return list((described | required).values())


def render(parameter: Located, schemas: Schemas) -> JsonObject:
    """One entry of an operation's `parameters`."""
    info = parameter.declared.field_info
    rendered: JsonObject = {
        "name": parameter.name,
        "in": parameter.location,
        "required": parameter.required,
        "schema": schemas.of(parameter.declared, name=parameter.title),
    }
    if info.description:
        rendered["description"] = info.description
    rendered |= render_examples(info)
    if info.deprecated:
        rendered["deprecated"] = True
    return rendered


def render_examples(info: Any) -> JsonObject:
    """The OpenAPI examples of a declaration: the named ones, else the single one of older applications."""
    named = getattr(info, "openapi_examples", None)
    if named:
        return {"examples": jsonable_encoder(named)}
    single = own(getattr(info, "example", PydanticUndefined))  # FastAPI's, perhaps, in a field of a parameter model
    unset = single is PydanticUndefined or isinstance(single, DefaultPlaceholder)
    return {} if unset else {"example": jsonable_encoder(single)}

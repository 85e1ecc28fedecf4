"""Fields and the models in them, under the names of `fastapi._compat.v2`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from .. import params
from .._names import names_of
from ..declare.body import create_body_model as _create_body_model
from ..declare.fields import Location, ModelField, prefix_locations
from ..declare.fields import cached_model_fields as get_cached_model_fields
from ..declare.fields import model_fields as get_model_fields
from ..declare.parameters import copy_field_info
from ..declare.signature import evaluate
from ..declare.type_kinds import field_annotation_is_scalar, kind_of_sequence
from ..exceptions import ParameterError
from ..openapi._schemas import NamedModel, _has_computed_fields, models_in
from ..openapi._schemas import _Generator as GenerateJsonSchema
from ..openapi.constants import REF_TEMPLATE
from ..openapi.utils import get_definitions, get_schema_from_model_field
from ..serve.values import get_missing_field_error
from ..types import IncEx, ModelNameMap

__all__ = [
    "REF_TEMPLATE",
    "GenerateJsonSchema",
    "IncEx",
    "ModelField",
    "ModelNameMap",
    "RequiredParam",
    "TypeModelOrEnum",
    "TypeModelSet",
    "Undefined",
    "_has_computed_fields",
    "asdict",
    "copy_field_info",
    "create_body_model",
    "evaluate_forwardref",
    "get_cached_model_fields",
    "get_definitions",
    "get_flat_models_from_annotation",
    "get_flat_models_from_field",
    "get_flat_models_from_fields",
    "get_flat_models_from_model",
    "get_missing_field_error",
    "get_model_fields",
    "get_model_name_map",
    "get_schema_from_model_field",
    "is_scalar_field",
    "normalize_name",
    "serialize_sequence_value",
]

RequiredParam = Undefined = PydanticUndefined
TypeModelOrEnum = NamedModel
TypeModelSet = set[NamedModel]

_NO_WORD = re.compile(r"[^a-zA-Z0-9.\-_]")


def create_body_model(
    *, fields: Sequence[ModelField], model_name: str, config: ConfigDict | None = None
) -> type[BaseModel]:
    """A model called `model_name` with these fields."""
    return _create_body_model(fields=fields, model_name=model_name, config=config)


def asdict(field_info: FieldInfo) -> dict[str, Any]:
    """The declaration in parts: ``annotation``, ``metadata`` and pydantic's other ``attributes``."""
    apart = ("annotation", "metadata")
    attributes = {
        name: getattr(field_info, name)
        for name in FieldInfo.__slots__
        if name not in apart and not name.startswith("_") and getattr(field_info, name, Undefined) is not Undefined
    }
    return {"annotation": field_info.annotation, "metadata": field_info.metadata, "attributes": attributes}


def evaluate_forwardref(
    value: Any, globalns: dict[str, Any] | None = None, localns: dict[str, Any] | None = None
) -> Any:
    """The type that `value` names, for None its class; a forward reference where a name is unknown."""
    evaluated = evaluate(value, {**(globalns or {}), **(localns or {})})
    return NoneType if evaluated is None else evaluated


def _add_models(found: set[NamedModel], annotations: Sequence[Any]) -> set[NamedModel]:
    """Add the models and enums in `annotations` to `found`, but for those in models that it has already."""
    found |= models_in(annotations, known=found)
    return found


def get_flat_models_from_model(model: type[BaseModel], known_models: set[NamedModel] | None = None) -> set[NamedModel]:
    """`known_models` with the models and enums that the fields of `model` consist of; not with `model` itself."""
    found = known_models if known_models is not None else set()
    return _add_models(found, [info.annotation for info in model.model_fields.values()])


def get_flat_models_from_annotation(annotation: Any, known_models: set[NamedModel]) -> set[NamedModel]:
    """`known_models` with the models and enums that are arguments of `annotation`; not with `annotation` itself."""
    return _add_models(known_models, get_args(annotation) if get_origin(annotation) is not None else ())


def get_flat_models_from_field(field: ModelField, known_models: set[NamedModel]) -> set[NamedModel]:
    """`known_models` with the models and enums that `field` consists of."""
    return _add_models(known_models, [field.field_info.annotation])


def get_flat_models_from_fields(fields: Sequence[ModelField], known_models: set[NamedModel]) -> set[NamedModel]:
    """`known_models` with the models and enums that `fields` consist of."""
    for field in fields:
        get_flat_models_from_field(field, known_models)
    return known_models


def normalize_name(name: str) -> str:
    """`name` with an underscore for each character that a component of OpenAPI can't have in its name."""
    return _NO_WORD.sub("_", name)


def get_model_name_map(unique_models: set[NamedModel]) -> ModelNameMap:
    """A name for each of the models; of several with one name, one keeps it and the others get none."""
    named = {normalize_name(model.__name__): model for model in unique_models}
    return {model: name for name, model in named.items()}


def is_scalar_field(field: ModelField) -> bool:
    """Whether one string can carry a value of `field`, and it doesn't stand in a body."""
    return field_annotation_is_scalar(field.field_info.annotation) and not isinstance(field.field_info, params.Body)


def serialize_sequence_value(*, field: ModelField, value: Any) -> Sequence[Any]:
    """The items of `value` in a sequence of the kind that `field` declares.

    Raises:
        ParameterError: if it declares no sequence.
    """
    annotation = field.field_info.annotation
    kind = kind_of_sequence(annotation)
    if kind is None:
        raise ParameterError(f"{field.name!r} is no sequence: {annotation!r}")
    sequence: Sequence[Any] = kind(value)
    return sequence


def _regenerate_error_with_loc(*, errors: Sequence[Any], loc_prefix: Location) -> list[dict[str, Any]]:
    return prefix_locations(errors, loc_prefix)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

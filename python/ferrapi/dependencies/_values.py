"""The reference path: validating declared parameters one by one, with FastAPI's errors.

The native reader (`ferrapi._native.Reader`) answers the common request in one call. Whatever it does not answer (an
error, a validator of the user's) comes here, where each field is looked up, validated and reported
on its own. What this module returns *is* the semantics; the native reader is only allowed to be faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined, PydanticUndefinedType

from .. import params
from .._fields import Location, ModelField, prefix_locations
from . import _types
from ._parameter_models import ModelReader, choices_of, get_value, wants_many

Source = Mapping[str, Any]
Errors = list[dict[str, Any]]
MISSING: PydanticUndefinedType = PydanticUndefined


def missing_error(loc: Location, received: Any = None) -> dict[str, Any]:
    """The error document of a required value that the request doesn't carry."""
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": received}


def get_missing_field_error(loc: Location) -> dict[str, Any]:
    """The error document of a required value that the request doesn't carry."""
    return missing_error(loc)


def get_validation_alias(field: ModelField) -> str:
    """The name under which a request carries `field`, as errors show it: the first of several choices."""
    return names_of(field)[0]


def names_of(field: ModelField) -> list[str]:
    """The names under which a request may carry `field`, the preferred one first."""
    return choices_of(field.field_info) or [field.source_name]


def look_up(field: ModelField, source: Source) -> tuple[str, Any]:
    """The name found and its value, or the preferred name and `MISSING`."""
    info = field.field_info
    many = wants_many(info)
    names = names_of(field)
    for name in names:
        value = get_value(source, name, many)
        if value is None:
            continue
        # An empty text is no sequence, and a field of a form that was left empty; even where it ought to be JSON.
        if value == "" and (isinstance(info, params.Form) or _types.field_annotation_is_sequence(info.annotation)):
            return name, MISSING
        return name, value
    return names[0], MISSING


def validate_found(field: ModelField, value: Any, loc: Location) -> tuple[Any, Errors]:
    """Validate `value`, or settle what a missing one means: the default, or an error at `loc`."""
    if value is MISSING:
        if field.field_info.is_required():
            return None, [missing_error(loc)]
        default = field.get_default()
        if not field.field_info.validate_default:
            return default, []
        value = default
    return field.validate(value, loc=loc)


def _allows_none(field: ModelField) -> bool:
    return any(member is type(None) for member in _types.members(field.field_info.annotation))


class _ParameterModel:
    """A field whose value is a whole source, with what reading it takes."""

    def __init__(self, field: ModelField, model: type[BaseModel]) -> None:
        self.optional = _allows_none(field)
        convert = bool(getattr(field.field_info, "convert_underscores", False))
        self.reader = ModelReader(model, convert)

    def value(self, field: ModelField, source: Source, loc: Location) -> tuple[Any, Errors]:
        """The validated model, or the errors. A model that may be None is missing if nothing of it was sent."""
        received, concerned = self.reader.read(source)
        if self.optional and not concerned:
            return validate_found(field, MISSING, loc)
        value, errors = field.validate(received)
        return value, prefix_locations(self.reader.as_sent(errors), loc)


def parameter_model(field: ModelField) -> _ParameterModel | None:
    """How to read `field` if it is a parameter model; remembered on the field."""
    known = field.__dict__.get("_parameter_model", MISSING)
    if known is MISSING:
        model = _types.parameter_model(field.field_info)
        known = field.__dict__["_parameter_model"] = None if model is None else _ParameterModel(field, model)
    found: _ParameterModel | None = known
    return found


def request_params_to_args(fields: Sequence[ModelField], received_params: Source) -> tuple[dict[str, Any], Errors]:
    """Validate the parameters of one source.

    Parameters:
        fields: the declared parameters, in order.
        received_params: the path parameters, query, headers or cookies.

    Returns:
        the keyword arguments of those that are valid, and the errors of the others.
    """
    values: dict[str, Any] = {}
    errors: Errors = []
    for field in fields:
        source_name = params.ParamTypes(getattr(field.field_info, "in_", params.ParamTypes.query)).value
        model = parameter_model(field)
        if model is not None:
            value, found = model.value(field, received_params, (source_name,))
        else:
            name, received = look_up(field, received_params)
            value, found = validate_found(field, received, (source_name, name))
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors

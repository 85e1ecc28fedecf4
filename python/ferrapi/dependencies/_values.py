"""The reference path: validating declared parameters one by one, with FastAPI's errors.

The native reader (`ferrapi._native.Reader`) answers the common request in one call. Whatever it does not answer (an
error, a validator of the user's) comes here, where each field is looked up, validated and reported
on its own. What this module returns *is* the semantics; the native reader is only allowed to be faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, PydanticUndefinedType

from .. import _annotations, params
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


def wants_bytes(info: FieldInfo) -> bool:
    """Whether files are handed over as their content: those declared with `File` as bytes."""
    annotation = info.annotation
    return isinstance(info, params.File) and (
        _types.is_bytes_or_nonable_bytes_annotation(annotation) or _types.is_bytes_sequence_annotation(annotation)
    )


class Sent:
    """How a parameter is sent, as far as its declaration says it.

    Attributes:
        names: under which it may be sent, the preferred one first.
        many: whether all values count.
        blank_is_missing: whether an empty text says nothing. It is no sequence, and a field of a form that was left
            empty; even where it ought to be JSON.
        as_bytes: whether files are handed over as their content.
    """

    __slots__ = ("as_bytes", "blank_is_missing", "many", "names")

    def __init__(self, field: ModelField) -> None:
        info = field.field_info
        self.names = names_of(field)
        self.many = wants_many(info)
        self.blank_is_missing = isinstance(info, params.Form) or _annotations.field_annotation_is_sequence(
            info.annotation
        )
        self.as_bytes = wants_bytes(info)


def sent_as(field: ModelField) -> Sent:
    """How `field` is sent; remembered on the field."""
    known: Sent | None = field.__dict__.get("_sent")
    if known is None:
        known = field.__dict__["_sent"] = Sent(field)
    return known


def look_up(field: ModelField, source: Source) -> tuple[str, Any]:
    """The name found and its value, or the preferred name and `MISSING`."""
    sent = sent_as(field)
    for name in sent.names:
        value = get_value(source, name, sent.many)
        if value is None:
            continue
        return name, MISSING if value == "" and sent.blank_is_missing else value
    return sent.names[0], MISSING


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


def allows_none(field: ModelField) -> bool:
    """Whether the declared type includes None."""
    return any(member is type(None) for member in _annotations.members(field.field_info.annotation))


class _ParameterModel:
    """A field whose value is a whole source, with what reading it takes."""

    def __init__(self, field: ModelField, model: type[BaseModel]) -> None:
        self.optional = allows_none(field)
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

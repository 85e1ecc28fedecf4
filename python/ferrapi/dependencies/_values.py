"""The reference path: validating declared parameters one by one, with FastAPI's errors.

The native reader (`ferrapi._native.Reader`) answers the common request in one call. Whatever it does not answer (an
error, a validator of the user's, a parameter model) comes here, where each field is looked up, validated and reported
on its own. What this module returns *is* the semantics; the native reader is only allowed to be faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, PydanticUndefinedType
from starlette.datastructures import Headers, ImmutableMultiDict

from .. import params
from .._fields import Location, ModelField
from . import _types

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
    alias = field.field_info.validation_alias
    if isinstance(alias, AliasChoices):
        names = [choice for choice in alias.choices if isinstance(choice, str)]
        if names:
            return names
    return [field.source_name]


def _get(source: Source, name: str, many: bool) -> Any:
    if many and isinstance(source, (ImmutableMultiDict, Headers)):
        return source.getlist(name) or MISSING
    return source.get(name, MISSING)


def look_up(field: ModelField, source: Source) -> tuple[str, Any]:
    """The name found and its value, or the preferred name and `MISSING`."""
    many = _types.field_annotation_is_sequence(field.field_info.annotation)
    names = names_of(field)
    for name in names:
        value = _get(source, name, many)
        if value is not MISSING and not (isinstance(field.field_info, params.Form) and value == ""):
            return name, value
    return names[0], MISSING


def validate_found(field: ModelField, value: Any, loc: Location) -> tuple[Any, Errors]:
    """Validate `value`, or settle what a missing one means: the default, or an error at `loc`."""
    if value is MISSING:
        if field.required:
            return None, [missing_error(loc)]
        default = field.get_default()
        if not field.field_info.validate_default:
            return default, []
        value = default
    return field.validate(value, loc=loc)


def model_field_names(name: str, info: FieldInfo, convert_underscores: bool) -> list[tuple[str, str]]:
    """Pairs of (name in the source, key for the model) under which a model's field may be sent."""
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        choices = [choice for choice in alias.choices if isinstance(choice, str)]
        if choices:
            return [(choice, choice) for choice in choices]
    if isinstance(alias, str):
        return [(alias, alias)]
    if info.alias:
        return [(info.alias, info.alias)]
    return [(name.replace("_", "-") if convert_underscores else name, name)]


def _model_values(model: type[BaseModel], source: Source, convert_underscores: bool) -> tuple[dict[str, Any], set[str]]:
    """The values of the fields of `model` and the names in the source that they came from."""
    values: dict[str, Any] = {}
    used: set[str] = set()
    for name, info in model.model_fields.items():
        many = _types.field_annotation_is_sequence(info.annotation)
        for sent, key in model_field_names(name, info, convert_underscores):
            value = _get(source, sent, many)
            if value is not MISSING:
                values[key] = value
                used.add(sent)
    return values, used


def _rest(source: Source, used: set[str]) -> Iterator[tuple[str, Any]]:
    for key in source:
        if key in used:
            continue
        if isinstance(source, (ImmutableMultiDict, Headers)):
            found = source.getlist(key)
            yield key, found[0] if len(found) == 1 else found
        else:
            yield key, source[key]


def read_model(field: ModelField, model: type[BaseModel], source: Source) -> Any:
    """The dictionary that a parameter model validates: its own fields, then everything else in the source.

    `MISSING` if the model may be left out and nothing of it was sent.
    """
    convert = bool(getattr(field.field_info, "convert_underscores", False))
    values, used = _model_values(model, source, convert)
    extras = dict(_rest(source, used))
    counts = bool(values) or (bool(extras) and model.model_config.get("extra") in ("forbid", "allow"))
    if not counts and not field.required and _allows_none(field):
        return MISSING
    for key, value in extras.items():
        values.setdefault(key, value)
    return values


def _allows_none(field: ModelField) -> bool:
    return any(member is type(None) for member in _types.members(field.field_info.annotation))


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
        models = _types.model_classes(field.field_info.annotation)
        if models:
            received = read_model(field, models[0], received_params)
            value, found = validate_found(field, received, (source_name,))
        else:
            name, received = look_up(field, received_params)
            value, found = validate_found(field, received, (source_name, name))
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors

"""Validating declared parameters one by one, with FastAPI's errors.

The native reader (`ferrapi._native.Reader`) answers the common request in one call. Whatever it does not answer (an
error, a validator of the user's) comes here, where each field is looked up, validated and reported
on its own. What this module returns *is* the semantics; the native reader is only allowed to be faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import params
from ..declare.fields import Location, ModelField, prefix_locations
from ..declare.parameter_models import get_value
from ..declare.sent import MISSING, ModelOfSource, model_of_source, sent_as

Source = Mapping[str, Any]
Errors = list[dict[str, Any]]


def missing_error(loc: Location, received: Any = None) -> dict[str, Any]:
    """The error document of a required value that the request doesn't carry."""
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": received}


def get_missing_field_error(loc: Location) -> dict[str, Any]:
    """The error document of a required value that the request doesn't carry."""
    return missing_error(tuple(loc))


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


def read_model(reading: ModelOfSource, field: ModelField, source: Source, loc: Location) -> tuple[Any, Errors]:
    """The validated parameter model, or the errors. One that may be None is missing if nothing of it was sent."""
    received, concerned = reading.reader.read(source)
    if reading.optional and not concerned:
        return validate_found(field, MISSING, loc)
    value, errors = field.validate(received)
    return value, prefix_locations(reading.reader.as_sent(errors), loc)


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
        model = model_of_source(field)
        if model is not None:
            value, found = read_model(model, field, received_params, (source_name,))
        else:
            name, received = look_up(field, received_params)
            value, found = validate_found(field, received, (source_name, name))
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors

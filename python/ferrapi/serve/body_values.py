"""Validating the parameters from a body: JSON values, raw bytes, or a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import FormData

from ..compile.form_reader import form_reader
from ..compile.large_values import Large
from ..declare.body import wants_key
from ..declare.fields import Location, ModelField
from ..declare.forms import whole_form
from ..declare.sent import MISSING, names_of
from .form_values import read_form_field
from .values import Errors, missing_error, validate_found


async def request_body_to_args(
    body_fields: Sequence[ModelField], received_body: Any, embed_body_fields: bool
) -> tuple[dict[str, Any], Errors]:
    """Validate the body parameters of one callable.

    Parameters:
        body_fields: the declared parameters.
        received_body: the parsed body: JSON values, raw bytes, a form, or `MISSING`.
        embed_body_fields: whether each parameter is a key of the body.

    Returns:
        the keyword arguments of those that are valid, and the errors of the others. What stands for the whole body is
        None if it is invalid, as FastAPI has it.
    """
    return await body_values(body_fields, received_body, embed_body_fields, None)


async def body_values(
    fields: Sequence[ModelField], body: Any, embed: bool, large: Large | None
) -> tuple[dict[str, Any], Errors]:
    """The same; `large` is what is to be known of a large body."""
    if isinstance(body, FormData):
        return await _form_to_args(fields, body, embed)
    is_whole = len(fields) == 1 and not embed and _takes_all(fields[0])
    values: dict[str, Any] = {}
    errors = []
    for field in fields:
        loc, received = (("body",), body) if is_whole else _found_in(body, field)
        if received is _NO_OBJECT:
            errors.append(missing_error(loc))  # JSON, but nothing that could have keys
            continue
        if large is None or received is MISSING:
            value, found = validate_found(field, received, loc)
        else:
            value, found = await large.validate(field, received, loc)
        errors.extend(found)
        if is_whole or not found:
            values[field.name] = value
    return values, errors


_NO_OBJECT: Any = object()


def _found_in(body: Any, field: ModelField) -> tuple[Location, Any]:
    """Where a parameter is in a body, and its value: `MISSING` without one, `_NO_OBJECT` where nothing could be."""
    names = names_of(field)
    look_up = getattr(body, "get", None)  # of a dictionary, or of whatever a caller has made of the body
    if look_up is None:
        nothing = body is MISSING or isinstance(body, bytes)
        return ("body", names[0]), MISSING if nothing else _NO_OBJECT
    for name in names:
        received = look_up(name, MISSING)
        if received is not MISSING:
            return ("body", name), received
    return ("body", names[0]), MISSING


def _takes_all(field: ModelField) -> bool:
    """Whether `field`, if it is alone, is the body, rather than a key of it: the values of a form all have names."""
    return not wants_key([field])


async def _form_to_args(fields: Sequence[ModelField], form: FormData, embed: bool) -> tuple[dict[str, Any], Errors]:
    reader = form_reader(fields)
    plain_values = None if reader is None else reader.read(form._list)
    if plain_values is not None:
        return plain_values, []
    values: dict[str, Any] = {}
    errors: Errors = []
    for field in fields:
        if len(fields) == 1 and not embed and _takes_all(field):
            # Where a lone model is sent as JSON text (`Json[Model]`), FastAPI offers it the form as a whole.
            value, found = validate_found(field, whole_form(field, form), ("body",))
        else:
            value, found = await read_form_field(field, form)
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors

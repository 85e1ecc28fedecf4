"""Validating the fields of a form one by one, with what is in files where that is asked for."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from starlette.datastructures import FormData, UploadFile

from ..declare.fields import Location, ModelField
from ..declare.forms import FormModels, as_field, form_models, raw_values
from ..declare.sent import MISSING, sent_as
from ..declare.type_kinds import is_bytes_sequence_annotation, kind_of_sequence
from .values import Errors, validate_found

BODY: Location = ("body",)


async def read_keeping_position(file: UploadFile) -> bytes:
    """The rest of `file`; the position stays where it was, because others may read the same file."""
    position = file.file.tell()
    try:
        return await file.read()
    finally:
        await file.seek(position)


async def contents(value: Any, info: FieldInfo) -> Any:
    """What is in files, several of them in the kind of sequence that the field is declared with; texts as they are.

    Several stay files where only one was declared as bytes.
    """
    if isinstance(value, list):
        if not is_bytes_sequence_annotation(info.annotation):
            return value
        items = [await _content(item) for item in value]
        return (kind_of_sequence(info.annotation) or list)(items)
    return await _content(value)


async def _content(value: Any) -> Any:
    return await read_keeping_position(value) if isinstance(value, UploadFile) else value


async def read_form_models(models: FormModels, field: ModelField, form: FormData) -> tuple[Any, Errors]:
    """The validated model, or the errors. A model that may be None is missing if nothing of it was sent."""
    raw = raw_values(form)
    if models.optional and not models.concerned(raw):
        return validate_found(field, MISSING, BODY)
    if models.single is None:
        return field.validate(raw, loc=BODY)
    values = models.single.read(raw)
    for name in models.single.bytes_fields.keys() & values.keys():
        values[name] = await contents(values[name], models.single.bytes_fields[name])
    return field.validate(values, loc=BODY)


async def read_form_field(field: ModelField, form: FormData) -> tuple[Any, Errors]:
    """Find and validate one declared parameter in a form.

    Parameters:
        field: the parameter.
        form: the parsed form.

    Returns:
        the value, or None and the errors.
    """
    models = form_models(field)
    if models is not None:
        return await read_form_models(models, field, form)
    sent = sent_as(field)
    for name in sent.names:
        found = form.getlist(name)
        value = as_field(found, sent.many) if found else MISSING
        if value is not MISSING:
            if sent.as_bytes:
                value = await contents(value, field.field_info)
            return validate_found(field, value, ("body", name))
    return validate_found(field, MISSING, ("body", sent.names[0]))

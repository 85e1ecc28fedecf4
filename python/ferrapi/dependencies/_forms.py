"""Forms: from the parts that arrived to the values that the declared fields validate.

A form has no types: a field of several values is a list only because it is declared so, an empty string counts as not
sent, and a file is either an `UploadFile` or, declared as bytes, its content.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile

from .. import params
from .._fields import ModelField
from . import _types
from ._models import ModelReader, get_value, rest, wants_many
from ._values import MISSING, look_up


async def _contents(value: Any) -> Any:
    """Files declared as bytes, read; anything else as it is."""
    if isinstance(value, UploadFile):
        return await value.read()
    if isinstance(value, (list, tuple)):
        return [await _contents(item) for item in value]
    return value


def _wants_bytes(annotation: Any) -> bool:
    return _types.is_bytes_or_nonable_bytes_annotation(annotation) or _types.is_bytes_sequence_annotation(annotation)


async def _field_value(annotation: Any, is_file: bool, value: Any) -> Any:
    if is_file and _wants_bytes(annotation):
        return await _contents(value)
    return value


async def _models_values(field: ModelField, models: Sequence[type[BaseModel]], form: FormData) -> Any:
    """The dictionary that a form model validates: the fields of all its members, then everything else."""
    values: dict[str, Any] = {}
    used: set[str] = set()
    for model in models:
        names = ModelReader(model, convert_underscores=False).names
        for name, info in model.model_fields.items():
            for sent in names[name]:
                value = None if sent in used else get_value(form, sent, wants_many(info))
                if value is None:
                    continue
                used.add(sent)
                if value not in ("", [""]):
                    values[sent] = await _field_value(info.annotation, True, value)
                break
    for key, value in rest(form, used):
        values.setdefault(key, value)
    if not values and not field.required:
        return MISSING
    return values


async def form_to_values(fields: Sequence[ModelField], form: FormData) -> Any:
    """What the declared fields find in `form`, as a dictionary by the names they were sent under."""
    first = fields[0]
    models = _types.parameter_models(first.field_info)
    if len(fields) == 1 and models:
        return await _models_values(first, models, form)
    values: dict[str, Any] = {}
    for field in fields:
        name, value = look_up(field, form)
        if value is MISSING:
            continue
        is_file = isinstance(field.field_info, params.File)
        values[name] = await _field_value(field.field_info.annotation, is_file, value)
    return values

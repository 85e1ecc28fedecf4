"""The native reader of the fields of a form."""

from __future__ import annotations

from collections.abc import Sequence

from .. import params
from .._native import FormReader
from ..declare.fields import ModelField
from ..declare.sent import wants_bytes
from ..declare.type_kinds import is_json, parameter_model
from .boundary import form_plan
from .plain import is_plain_field


def form_reader(fields: Sequence[ModelField]) -> FormReader | None:
    """The native reader of these fields, if all are plain; remembered on the first of them."""
    key = tuple(id(field) for field in fields)
    known = fields[0].__dict__.get("_form_reader")
    if known is None or known[0] != key:
        names = {field.name for field in fields}
        plain = len(names) == len(fields) and all(_is_plain_form_field(field) for field in fields)
        known = fields[0].__dict__["_form_reader"] = (key, FormReader(form_plan(fields)) if plain else None)
    reader: FormReader | None = known[1]
    return reader


def _is_plain_form_field(field: ModelField) -> bool:
    info = field.field_info
    if type(info) not in (params.Form, params.File) or is_json(info):
        return False
    model = parameter_model(info)
    read = [info] if model is None else model.model_fields.values()
    return is_plain_field(field) and not any(wants_bytes(one) for one in read)  # which takes waiting for the file

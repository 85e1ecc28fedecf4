"""Forms that consist of models, in OpenAPI: one schema that all of them, and the single fields, have to fit.

A model that may be None is absent when nothing of it was sent, which JSON Schema can only say by the names of its
fields. What is generated is FastAPI's, so that clients which were generated from its documents stay valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from .._fields import ModelField
from ._forms import FormModels, form_models

Schema = dict[str, Any]


class ComposedForm(BaseModel):
    form_fields: ClassVar[Sequence[ModelField]] = ()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema_of_model: core_schema.CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(schema_of_model)
        resolved = handler.resolve_ref_schema(schema)
        parts: list[Schema] = []
        for field in cls.form_fields:
            models = form_models(field)
            if models is not None:
                # As the items of a list, because only schemas inside of others are given as references.
                inner = handler(core_schema.list_schema(field._type_adapter.core_schema))["items"]
                parts += _parts(field, models, dict(inner))
        if not resolved.get("properties"):
            resolved.pop("properties", None)
        if "required" in resolved:  # two parameters may take the same part
            resolved["required"] = list(dict.fromkeys(resolved["required"]))
        resolved["allOf"] = parts
        return schema


def composed_form(fields: Sequence[ModelField]) -> type[BaseModel]:
    """A base class whose JSON Schema requires each of `fields`, in their order, of the form as a whole."""
    return type("ComposedForm", (ComposedForm,), {"form_fields": fields, "__module__": __name__})


def _parts(field: ModelField, models: FormModels, schema: Schema) -> list[Schema]:
    """What a form has to fit because of `field`, whose type has this `schema`."""
    schema.pop("default", None)
    title = field.field_info.title or field.name.title().replace("_", " ")
    if not models.optional:
        return [schema if "$ref" in schema else {**schema, "title": title}]
    members = [member for member in schema.get("anyOf", [schema]) if member != {"type": "null"}]
    present = {**schema, "anyOf": members, "title": title}
    absent: Schema = {"maxProperties": 0}
    if not models.keeps_extra:
        absent = {"not": {"anyOf": [{"required": [name]} for name in models.names]}}
    return [{"not": absent}, present] if field.required else [{"anyOf": [absent, present]}]

"""Forms that consist of models, in OpenAPI: one schema that all of them, and the single fields, have to fit.

A model that may be None is absent when nothing of it was sent, which JSON Schema can only say by the names of its
fields; so can it say that one of several names is required. What is generated is FastAPI's, so that clients which were
generated from its documents stay valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Annotated, Any, ClassVar, Union, get_args

from pydantic import BaseModel, GetJsonSchemaHandler, GetPydanticSchema, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from .._compat.pydantic import attributes_set, set_attributes
from .annotation import is_union
from .fields import ModelField, is_model
from .forms import FormModel, FormModels, form_models
from .sent import names_of

Schema = dict[str, Any]
_ALIASES = ("alias", "alias_priority", "validation_alias", "serialization_alias")


class ComposedForm(BaseModel):
    """The base of models that stand for a whole form. Their fields are numbered, because two may have one name."""

    form_fields: ClassVar[Sequence[ModelField]] = ()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema_of_model: core_schema.CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(schema_of_model)
        resolved = handler.resolve_ref_schema(schema)
        found = resolved.pop("properties", {})
        resolved.pop("required", None)
        composition = _Composition()
        for index, field in enumerate(cls.form_fields):
            part = found.get(_numbered(index))
            if part is not None:  # pydantic leaves out what no document can describe
                composition.add(field, part)
        resolved.update({name: value for name, value in vars(composition.whole).items() if value})
        return schema


def composed_form(fields: Sequence[ModelField], name: str, module: str) -> type[BaseModel]:
    """A model called `name`, of `module`, whose JSON Schema is that of a form with all these parameters."""
    base = type("ComposedForm", (ComposedForm,), {"form_fields": fields, "__module__": __name__})
    definitions: dict[str, Any] = {_numbered(index): _definition(field) for index, field in enumerate(fields)}
    return create_model(name, __base__=base, __module__=module, **definitions)


def _numbered(index: int) -> str:
    return f"field_{index}"


def _title(field: ModelField) -> str:
    return field.field_info.title or field.name.title().replace("_", " ")


def _definition(field: ModelField) -> tuple[Any, FieldInfo]:
    """The type and the declaration of `field` without its names; with its title, unless it is a reference."""
    titled = _without_names(field.field_info)
    titled.title = _title(field)
    set_attributes(titled, {**attributes_set(titled), "title": titled.title})
    ModelField(field_info=titled, name=field.name)  # what documents show of a recursive model: see there
    if form_models(field) is not None:
        return _as_read(field), _without_names(field.field_info)
    return field.field_info.annotation, titled


def _as_read(field: ModelField) -> Any:
    """The type of a field that stands for the form, each model in it described by the names that a form has for it.

    pydantic keeps a reference that is described by a function apart from the model, so what is said about the model
    where it is used (see `ModelField`) is noted in the same places as in FastAPI.
    """
    info, models = field.field_info, form_models(field)
    member = None if models is None else models.single
    if info.metadata and not is_model(info.annotation):
        member = None

    def described(schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """One with other names than pydantic's, if there are any."""
        found = handler(schema)
        if member is None or "$ref" not in found:
            return found
        resolved = handler.resolve_ref_schema(found)
        renamed = _with_names(resolved, member)
        return found if renamed == resolved else renamed

    def read(annotation: Any) -> Any:
        return annotation if annotation is type(None) else Annotated[annotation, GetPydanticSchema(None, described)]

    members = get_args(info.annotation) if is_union(info.annotation) else ()
    return Union[tuple(map(read, members))] if members else read(info.annotation)  # noqa: UP007  # a tuple


def _without_names(info: FieldInfo) -> FieldInfo:
    nameless = copy(info)
    told = {name: value for name, value in attributes_set(info).items() if name not in _ALIASES}
    set_attributes(nameless, told)
    for name in _ALIASES:
        setattr(nameless, name, None)
    return nameless


class _Whole:
    """The members of the schema of a form."""

    def __init__(self) -> None:
        self.allOf: list[Schema] = []
        self.properties: Schema = {}
        self.required: list[str] = []


class _Composition:
    """Puts the schema of a form together."""

    def __init__(self) -> None:
        self.whole = _Whole()

    def add(self, field: ModelField, schema: Schema) -> None:
        """Add what `field` requires of the form; its type has this `schema`."""
        models = form_models(field)
        if models is not None:
            self.whole.allOf += self._of_models(field, models, schema)
            return
        name = names_of(field)[0]
        if name in self.whole.properties:
            self.whole.allOf.append({"properties": {name: schema}})
        else:
            self.whole.properties[name] = schema
        if field.field_info.is_required() and name not in self.whole.required:
            self.whole.required.append(name)

    def _of_models(self, field: ModelField, models: FormModels, schema: Schema) -> list[Schema]:
        """What a form has to fit because of `field`, a model, several, or a model that may be absent."""
        schema.pop("default", None)
        if "$ref" not in schema and not is_model(field.field_info.annotation):
            schema["title"] = _title(field)
        if not models.optional:
            return [schema]
        members = [member for member in schema.get("anyOf", [schema]) if member != {"type": "null"}]
        present = {**schema, "anyOf": members}
        absent: Schema = {"maxProperties": 0}
        if not models.keeps_extra:
            required: list[Schema] = [{"required": [name]} for name in models.names]
            absent = {"not": {"anyOf": required}} if required else {}
        return [{"not": absent}, present] if field.field_info.is_required() else [{"anyOf": [absent, present]}]


def _with_names(schema: Schema, member: FormModel) -> Schema:
    """The schema of a model with the names that its fields have in a form; one of several is required.

    A schema with other names says what is required even if that is nothing, as FastAPI's does.
    """
    properties = schema.get("properties", {})
    names = member.described_names()
    required: list[str] = []
    groups: list[Schema] = []
    for described in schema.get("required", ()):
        sent = names.get(described, [described])
        if len(sent) > 1:
            groups.append({"anyOf": [{"required": [name]} for name in sent]})
        else:
            required += sent
    changed = {**schema, "properties": {names.get(name, [name])[0]: value for name, value in properties.items()}}
    if "required" in schema or changed["properties"].keys() != properties.keys():
        changed["required"] = required
    if groups:
        changed["allOf"] = [*schema.get("allOf", ()), *groups]
    return changed if properties else schema

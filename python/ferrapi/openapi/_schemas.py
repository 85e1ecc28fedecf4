"""JSON Schemas of the declared values, and the models they refer to.

pydantic generates all schemas of a document in one go, because a model's name depends on the other models: two
models of one name get the names of their modules, and a model whose input differs from its output gets the
suffixes `-Input` and `-Output`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import BytesSchema

from .constants import REF_TEMPLATE

if TYPE_CHECKING:
    from ..declare.fields import ModelField

Mode = Literal["validation", "serialization"]
JsonObject = dict[str, Any]
NamedModel = type[BaseModel] | type[Enum]
FieldSchemas = Mapping[tuple["ModelField", Mode], JsonObject]

FORM_FEED = "\f"
"""What follows a form feed in a docstring is for readers of the code, not for the document."""


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with bytes described by JSON Schema's own words for contents.

    OpenAPI 3.1 names the content and encoding of a string, section 4.8.14.3.
    """

    def bytes_schema(self, schema: BytesSchema) -> JsonSchemaValue:
        generated = {"type": "string", "contentMediaType": "application/octet-stream"}
        output = self.mode == "serialization"
        if (self._config.ser_json_bytes if output else self._config.val_json_bytes) == "base64":
            generated["contentEncoding"] = "base64"
        self.update_with_validations(generated, schema, self.ValidationsMapping.bytes)
        return generated


@dataclass(frozen=True)
class Schemas:
    """The schema of each field, and the models the schemas refer to.

    Parameters:
        by_field: schemas by field and mode.
        definitions: models by name.
        separate: whether input and output of a model are two models where they differ.
        modes: the mode in which each field was described; what is left out is looked at when it is asked for.
    """

    by_field: FieldSchemas
    definitions: Mapping[str, JsonObject] = field(default_factory=dict)
    separate: bool = True
    modes: Mapping[ModelField, Mode] = field(default_factory=dict)

    def of(self, declared: ModelField, *, name: str | None = None) -> JsonObject:
        """The schema of `declared`, titled after `name` (by default the name in requests) unless it is a reference."""
        mode = self.modes.get(declared) or schema_mode(declared, separate=self.separate)
        schema = dict(self.by_field[declared, mode])
        if "$ref" not in schema:
            schema["title"] = declared.field_info.title or (name or declared.source_name).title().replace("_", " ")
        return schema


TypesByModel = dict[type[BaseModel], list[Any]]
"""The types of the fields of each model that a document has looked into."""


def _types_of_fields(model: type[BaseModel], looked_into: TypesByModel) -> list[Any]:
    """The types of the fields of a model.

    The fields are made, once for a document: what they say about a recursive model is noted in that model's schema
    then, as in FastAPI. It builds their core schemas, in which code of the application may take part.
    """
    from ..declare.fields import model_fields

    found = looked_into.get(model)
    if found is None:
        found = looked_into[model] = [one.field_info.annotation for one in model_fields(model)]
    return found


def models_in(
    annotations: Iterable[Any], *, known: Container[NamedModel] = (), looked_into: TypesByModel | None = None
) -> set[NamedModel]:
    """The pydantic models and enums that `annotations` consist of, and those of the models' fields, however deep.

    Dataclasses, typed dicts and type aliases are not looked into, and neither are the `known` models. `looked_into` is
    what several calls share.
    """
    looked_into = {} if looked_into is None else looked_into
    found: set[NamedModel] = set()
    pending = list(annotations)
    while pending:
        annotation = pending.pop()
        if get_origin(annotation) is Annotated:
            pending.append(get_args(annotation)[0])
        elif not isinstance(annotation, type) or isinstance(annotation, GenericAlias):
            pending += get_args(annotation)
        elif annotation not in found and annotation not in known and issubclass(annotation, BaseModel | Enum):
            found.add(annotation)
            if issubclass(annotation, BaseModel):
                pending += _types_of_fields(annotation, looked_into)
    return found


def _has_computed_fields(declared: ModelField, looked_into: TypesByModel | None = None) -> bool:
    """Whether `declared` is a dataclass with computed fields or contains a model with some."""
    core_schema: Any = declared._type_adapter.core_schema
    if core_schema.get("schema", {}).get("computed_fields"):
        return True
    models = models_in([declared.field_info.annotation], looked_into=looked_into)
    return any(issubclass(model, BaseModel) and model.model_computed_fields for model in models)


def schema_mode(declared: ModelField, *, separate: bool, looked_into: TypesByModel | None = None) -> Mode:
    """The mode in which the schema of `declared` is generated.

    Without separate schemas everything is described as input, except for what has computed fields, which an
    input doesn't have. `looked_into` is what several calls share.
    """
    if separate or declared.mode == "validation" or _has_computed_fields(declared, looked_into):
        return declared.mode
    return "validation"


def generate_schemas(fields: Iterable[ModelField], *, separate: bool = True) -> Schemas:
    """Generate the schemas of all `fields` of a document.

    The models inside the fields are part of the document even if no schema refers to them, as is the case for
    those with a serializer of their own.

    Raises `pydantic.errors.PydanticInvalidForJsonSchema` for a type that JSON Schema can't describe.
    """
    declared = list(dict.fromkeys(fields))
    looked_into: TypesByModel = {}
    modes = {one: schema_mode(one, separate=separate, looked_into=looked_into) for one in declared}
    for one in list(_inner_fields(declared, looked_into)):
        modes[one] = schema_mode(one, separate=separate, looked_into=looked_into)
    inputs = [(one, mode, one._type_adapter.core_schema) for one, mode in modes.items()]
    by_field, definitions = _Generator(ref_template=REF_TEMPLATE).generate_definitions(inputs)
    for definition in definitions.values():
        description = definition.get("description")
        if isinstance(description, str):
            definition["description"] = description.partition(FORM_FEED)[0]
    return Schemas(by_field, {str(name): one for name, one in definitions.items()}, separate, modes)


def _inner_fields(fields: Sequence[ModelField], looked_into: TypesByModel) -> Iterator[ModelField]:
    """Yield a field for each model inside `fields` that none of them consists of."""
    from ..declare.fields import ModelField

    outer = {one.field_info.annotation for one in fields if isinstance(one.field_info.annotation, type)}
    modes: tuple[Mode, ...] = ("validation", "serialization")
    for mode in modes:
        annotations = [one.field_info.annotation for one in fields if one.mode == mode]
        models = models_in(annotations, looked_into=looked_into)
        for model in sorted(models - outer, key=lambda model: (model.__module__, model.__qualname__)):
            yield ModelField(FieldInfo(annotation=model), name=model.__name__, mode=mode)

"""Parameter models: a pydantic model that stands for a whole query, header section or set of cookies.

The model sees everything in its source: its own fields under the names by which pydantic would accept them, and the
rest, which matters if it forbids or keeps extra values. Header names have hyphens where Python names have underscores,
so a header model is validated by a schema of its own in which each field's alias is its header name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import SchemaValidator
from starlette.datastructures import Headers, ImmutableMultiDict

from .._fields import ModelField
from . import _types

Source = Mapping[str, Any]


def choices_of(info: FieldInfo) -> list[str] | None:
    """The names of an `AliasChoices` that consists of plain names; None for anything else."""
    alias = info.validation_alias
    if isinstance(alias, AliasChoices) and all(isinstance(choice, str) for choice in alias.choices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return None


def wants_many(info: FieldInfo) -> bool:
    """Whether all values sent under the name count: for sequences, unless the value is JSON text."""
    return not _types.is_json(info) and _types.field_annotation_is_sequence(info.annotation)


class ModelReader:
    """How one model is read from a source.

    Parameters:
        model: the model.
        convert_underscores: whether field names are header names.
    """

    def __init__(self, model: type[BaseModel], convert_underscores: bool) -> None:
        self.convert = convert_underscores
        self.ignored: set[str] = set()  # header names that would be mistaken for the field names that they look like
        self.keeps_extra = model.model_config.get("extra") in ("forbid", "allow")
        self.names = {name: self._names(name, info, model) for name, info in model.model_fields.items()}
        self.fields = [(self.names[name], wants_many(info)) for name, info in model.model_fields.items()]

    def _names(self, name: str, info: FieldInfo, model: type[BaseModel]) -> list[str]:
        config = model.model_config
        by_alias = config.get("validate_by_alias", True) is not False
        by_name = bool(config.get("validate_by_name") or config.get("populate_by_name")) or not by_alias
        aliases: list[str] = []
        if by_alias:
            aliases = choices_of(info) or []
            if not aliases and isinstance(info.validation_alias, str):
                aliases = [info.validation_alias]
            elif not aliases and info.validation_alias is None and info.alias:
                aliases = [info.alias]
        left_to_pydantic = by_alias and not aliases and info.validation_alias is not None  # an `AliasPath`
        if by_name or not (aliases or left_to_pydantic):
            aliases = [*aliases, name.replace("_", "-") if self.convert else name]
            if self.convert and len(aliases) == 1:
                self.ignored.add(name)
        return aliases

    def read(self, source: Source) -> tuple[dict[str, Any], bool]:
        """The dictionary for the model, and whether anything in it is the model's business."""
        values: dict[str, Any] = {}
        used = {name for name in self.ignored if "_" in name}
        for names, many in self.fields:
            for name in names:
                value = get_value(source, name, many)
                if value is not None and not (many and value == ""):
                    values[name] = value
                    used.add(name.lower() if isinstance(source, Headers) else name)
                    break
        extras = dict(rest(source, used))
        concerned = bool(values) or (bool(extras) and self.keeps_extra)
        for key, value in extras.items():
            values.setdefault(key, value)
        return values, concerned


def get_value(source: Source, name: str, many: bool) -> Any:
    """The value under `name`, all values as a list if `many`; None if there is none."""
    if many and isinstance(source, (ImmutableMultiDict, Headers)):
        return source.getlist(name) or None
    return source.get(name)


def rest(source: Source, used: set[str]) -> Iterator[tuple[str, Any]]:
    """What is in the source under other names; several values of one name are a list."""
    for key in source:
        if key in used:
            continue
        if isinstance(source, (ImmutableMultiDict, Headers)):
            found = source.getlist(key)
            yield key, found[0] if len(found) == 1 else found
        else:
            yield key, source[key]


def header_validator(field: ModelField, reader: ModelReader) -> SchemaValidator:
    """A validator of `field`'s model that knows its fields by header names."""
    schema: Any = field._type_adapter.core_schema
    # Not the validator that the class already has: that one knows the fields by their own names.
    return SchemaValidator(_with_aliases(schema, reader, {}), _use_prebuilt=False)


def _with_aliases(schema: Mapping[str, Any], reader: ModelReader, definitions: Mapping[str, Any]) -> Any:
    """`schema` with new aliases on the outermost model's fields; what it shares with other types stays as it is."""
    kind = schema["type"]
    if kind == "definitions":
        known = {definition["ref"]: definition for definition in schema["definitions"]}
        return {**schema, "schema": _with_aliases(schema["schema"], reader, known)}
    if kind == "definition-ref":
        target = {key: value for key, value in definitions[schema["schema_ref"]].items() if key != "ref"}
        return _with_aliases(target, reader, {})
    if kind == "model-fields":
        renamed = {
            name: {**item, "validation_alias": [[alias] for alias in reader.names[name]]}
            for name, item in schema["fields"].items()
            if reader.names.get(name)
        }
        return {**schema, "fields": {**schema["fields"], **renamed}}
    if "schema" in schema:
        changed = {key: value for key, value in schema.items() if key != "ref"}
        return {**changed, "schema": _with_aliases(schema["schema"], reader, definitions)}
    return schema

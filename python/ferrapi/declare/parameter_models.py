"""Parameter models: a pydantic model that stands for a whole query, header section or set of cookies.

The model sees everything in its source: its own fields under the names by which pydantic would accept them, and the
rest, which matters if it forbids or keeps extra values. Header names have hyphens where Python names have underscores:
a header model gets its fields under their own names, and errors name the headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers, ImmutableMultiDict

from .annotation import field_annotation_is_sequence
from .type_kinds import is_json

Source = Mapping[str, Any]


def choices_of(info: FieldInfo) -> list[str] | None:
    """The names of an `AliasChoices` that consists of plain names; None for anything else."""
    alias = info.validation_alias
    if isinstance(alias, AliasChoices) and all(isinstance(choice, str) for choice in alias.choices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return None


def wants_many(info: FieldInfo) -> bool:
    """Whether all values sent under the name count: for sequences, unless the value is JSON text."""
    return not is_json(info) and field_annotation_is_sequence(info.annotation)


class ModelReader:
    """How one model is read from a source.

    Parameters:
        model: the model.
        convert_underscores: whether field names are header names.
    """

    def __init__(self, model: type[BaseModel], convert_underscores: bool) -> None:
        self.convert = convert_underscores
        self.keeps_extra = model.model_config.get("extra") in ("forbid", "allow")
        self.header_names: dict[str, str] = {}
        self.keys = {name: self._keys(name, info, model) for name, info in model.model_fields.items()}
        self.fields = [(self.keys[name], wants_many(info)) for name, info in model.model_fields.items()]

    def _keys(self, name: str, info: FieldInfo, model: type[BaseModel]) -> list[tuple[str, str]]:
        """Pairs of the name that is sent and the key under which the model knows it, the preferred one first."""
        config = model.model_config
        by_alias = config.get("validate_by_alias", True) is not False
        by_name = bool(config.get("validate_by_name") or config.get("populate_by_name")) or not by_alias
        aliases: list[str] = []
        if by_alias:
            aliases = choices_of(info) or []
            if not aliases and isinstance(info.validation_alias, str):
                aliases = [info.validation_alias]
            elif not aliases and info.alias:
                if info.validation_alias is not None:  # a path, which nobody can send: the alias is read in its place
                    return [(info.alias, info.alias)]
                aliases = [info.alias]
        keys = [(alias, alias) for alias in aliases]
        if by_name or not aliases:
            sent = name.replace("_", "-") if self.convert else name
            keys.append((sent, name))
            if sent != name:
                self.header_names[name] = sent
        return keys

    def read(self, source: Source) -> tuple[dict[str, Any], bool]:
        """The dictionary for the model, and whether anything in it is the model's business."""
        values: dict[str, Any] = {}
        # A header that only looks like a field's own name is neither the field nor an extra.
        used = set(self.header_names)
        concerned = False
        for keys, many in self.fields:
            for name, key in keys:
                value = get_value(source, name, many)
                if value is None:
                    continue
                used.add(name.lower() if isinstance(source, Headers) else name)
                concerned = True
                if not many or value != "":  # an empty cookie is no sequence, and no other name is looked for
                    values[key] = value
                break
        extras = dict(rest(source, used))
        concerned = concerned or (bool(extras) and self.keeps_extra)
        for key, value in extras.items():
            values.setdefault(key, value)
        return values, concerned

    def as_sent(self, errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The errors of the model with header names in place of field names."""
        return [
            {**error, "loc": (self.header_names.get(error["loc"][0], error["loc"][0]), *error["loc"][1:])}
            if error["loc"]
            else error
            for error in errors
        ]


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

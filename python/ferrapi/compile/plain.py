"""Which declared types run no code of the user's, so that *when* they are validated can't be observed.

FastAPI validates a callable's parameters when its sub-dependencies are done. For a type whose validator is
pydantic-core alone, doing it earlier, in one native call for all parameters, gives the same answers. This module
decides that from the core schema: what it does not know is not plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from .. import params
from ..datastructures import UploadFile
from ..declare.annotation import field_annotation_is_sequence
from ..declare.fields import ModelField
from ..declare.parameter_models import wants_many
from ..declare.type_kinds import is_json, parameter_model
from ..dependencies.models import Dependant

_LEAVES = frozenset(
    {
        "any",
        "bool",
        "bytes",
        "date",
        "datetime",
        "decimal",
        "enum",
        "float",
        "int",
        "literal",
        "none",
        "str",
        "time",
        "timedelta",
        "url",
        "uuid",
    }
)
_WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "default": ("schema",),
    "dict": ("keys_schema", "values_schema"),
    "frozenset": ("items_schema",),
    "json-or-python": ("python_schema",),
    "lax-or-strict": ("lax_schema",),
    "list": ("items_schema",),
    "nullable": ("schema",),
    "set": ("items_schema",),
    "tuple": ("items_schema",),
    "union": ("choices",),
}
_ALL: Mapping[str, tuple[str, ...]] = {
    **_WRAPPERS,
    "dataclass": ("schema",),
    "dataclass-args": ("fields",),
    "dataclass-field": ("schema",),
    "definition-ref": (),
    "definitions": ("schema", "definitions"),
    "json": ("schema",),
    "model": ("schema",),
    "model-field": ("schema",),
    "model-fields": ("fields", "extras_schema"),
    "tagged-union": ("choices",),
    "typed-dict": ("fields", "extras_schema"),
    "typed-dict-field": ("schema",),
}
_USER_CODE = ("missing", "custom_error_type", "custom_init", "post_init")
_EMPTY_FACTORIES = (dict, frozenset, list, set, tuple)
_ANY_UPLOAD: Any = UploadFile._validate.__func__  # type: ignore[attr-defined]  # of a class method


def _inner(schema: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    for key in keys:
        value = schema.get(key)
        if isinstance(value, Mapping) and isinstance(value.get("type"), str):
            yield value
        elif isinstance(value, Mapping):  # by name
            yield from value.values()
        elif isinstance(value, list):
            for item in value:
                yield item[0] if isinstance(item, tuple) else item


def is_plain(schema: Mapping[str, Any]) -> bool:
    """Whether validating with `schema` runs pydantic-core only, and makes no objects with fields."""
    return _runs_no_code(schema, _WRAPPERS)


def runs_no_code(schema: Mapping[str, Any]) -> bool:
    """Whether validating with `schema` runs pydantic-core only: nobody can tell where, and how often, it is done."""
    return _runs_no_code(schema, _ALL)


def _runs_no_code(schema: Mapping[str, Any], wrappers: Mapping[str, tuple[str, ...]]) -> bool:
    pending: list[Mapping[str, Any]] = [schema]
    while pending:
        current = pending.pop()
        kind = current["type"]
        if any(current.get(key) for key in _USER_CODE) or callable(current.get("discriminator")):
            return False
        if current.get("default_factory") not in (None, *_EMPTY_FACTORIES):
            return False
        if kind in _LEAVES or (kind == "function-plain" and _takes_upload(current)):
            continue
        keys = wrappers.get(kind)
        if keys is None:
            return False
        pending.extend(_inner(current, keys))
    return True


def _takes_upload(schema: Mapping[str, Any]) -> bool:
    """Whether this is the schema of an uploaded file, which is taken as it is."""
    return getattr(schema["function"]["function"], "__func__", None) is _ANY_UPLOAD


_JSON_LEAVES = frozenset({"bool", "float", "int", "none", "str", "uuid"})
_JSON_WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "default": ("schema",),
    "definitions": ("schema", "definitions"),
    "list": ("items_schema",),
    "model": ("schema",),
    "model-field": ("schema",),
    "nullable": ("schema",),
}
_CHANGES_JSON = ("default_factory", "strict", "extras_schema", "computed_fields", *_USER_CODE)


def is_same_from_json(schema: Mapping[str, Any]) -> bool:
    """Whether validating JSON bytes with `schema` gives what parsing them first and validating the values would.

    True for models of plain scalars, lists and further models. Unions, decimals, dates and the like choose differently
    when they see JSON; so does anything strict.
    """
    pending: list[Mapping[str, Any]] = [schema]
    while pending:
        current = pending.pop()
        kind = current["type"]
        config = current.get("config") or {}
        if any(current.get(key) for key in _CHANGES_JSON) or config.get("strict"):
            return False
        if current.get("coerce_numbers_to_str") or config.get("coerce_numbers_to_str"):
            return False  # 1.0 in JSON becomes "1"
        if current.get("extra_behavior") == "allow" or config.get("extra_fields_behavior") == "allow":
            return False
        if kind == "model-fields":
            pending.extend(current["fields"].values())
        elif kind == "literal":
            if not all(type(value) is str for value in current["expected"]):
                return False
        elif kind == "definition-ref" or kind in _JSON_LEAVES:
            continue
        elif kind in _JSON_WRAPPERS:
            pending.extend(_inner(current, _JSON_WRAPPERS[kind]))
        else:
            return False
    return True


Shape = str | tuple[str, Any]
"""Plain data, for the native encoder: a word, or a word and the shape of what is inside."""

_DATA_LEAVES = frozenset({"any", "bool", "int", "none", "str"})
_DATA_WRAPPERS = {"dict": "values_schema", "list": "items_schema", "nullable": "schema"}
_MOST_SHAPES = 16


def shape_of(schema: Mapping[str, Any]) -> Shape | None:
    """The shape of what `schema` describes, if serializing it gives what it is in JSON and nothing else; else None."""
    wrappers: list[str] = []
    current = schema
    while current["type"] in _DATA_WRAPPERS and len(wrappers) < _MOST_SHAPES:
        kind = current["type"]
        if current.get("serialization") is not None or (kind == "dict" and not _has_text_keys(current)):
            return None
        wrappers.append(kind)
        current = current.get(_DATA_WRAPPERS[kind]) or {"type": "any"}
    if current["type"] not in _DATA_LEAVES or current.get("serialization") is not None:
        return None
    shape: Shape = current["type"]
    for wrapper in reversed(wrappers):
        shape = (wrapper, shape)
    return shape


def _has_text_keys(schema: Mapping[str, Any]) -> bool:
    keys = schema.get("keys_schema") or {"type": "any"}
    return keys["type"] in ("any", "str") and keys.get("serialization") is None


def bare_schema(field: ModelField) -> CoreSchema:
    """The core schema of a present value: without the default around it."""
    schema: Any = field._type_adapter.core_schema
    while schema["type"] == "default":
        schema = schema["schema"]
    return schema  # type: ignore[no-any-return]


def is_buildable(field: ModelField) -> bool:
    """Whether pydantic has built the schema; not yet, while the type refers to one that is defined later."""
    try:
        bare_schema(field)
    except (KeyError, TypeError, AttributeError, PydanticUserError):
        return False
    return True


def is_quiet_field(field: ModelField) -> bool:
    """Whether validating what is sent for a field runs no code of the user's."""
    return is_buildable(field) and runs_no_code(bare_schema(field))


def is_plain_field(field: ModelField) -> bool:
    """Whether a parameter can be read by the native reader."""
    info = field.field_info
    if info.default_factory is not None or info.validate_default:
        return False
    model = parameter_model(info)
    if model is not None:
        return is_buildable(field) and _is_plain_model(bare_schema(field), model, info)
    is_one_text = isinstance(info, params.Cookie) or is_json(info)
    if is_one_text and field_annotation_is_sequence(info.annotation):
        return False  # an empty text is no empty sequence but a missing one
    return is_buildable(field) and is_plain(bare_schema(field))


def _is_plain_model(schema: Any, model: type[BaseModel], info: FieldInfo) -> bool:
    """Whether a model that stands for its whole source can be read by the native reader.

    That knows the names of its fields, and what else there is only if this is forbidden, but not in headers, of which
    there are always others.
    """
    while schema["type"] in ("default", "nullable"):
        schema = schema["schema"]
    extra = model.model_config.get("extra") or "ignore"
    if schema["type"] != "model" or extra == "allow" or (extra == "forbid" and isinstance(info, params.Header)):
        return False
    if schema["cls"] is not model or any(schema.get(key) for key in ("custom_init", "post_init", "root_model")):
        return False
    fields = schema["schema"]
    if fields["type"] != "model-fields" or fields.get("extras_schema") is not None:
        return False
    is_one_text = isinstance(info, params.Cookie)
    return all(
        _has_names(field) and is_plain(field["schema"]) and not (is_one_text and wants_many(model.model_fields[name]))
        for name, field in fields["fields"].items()
    )


def _has_names(field: Mapping[str, Any]) -> bool:
    """Whether a field of a model is looked up by names alone: paths lead into what is sent under names of no field."""
    alias = field.get("validation_alias")
    paths = alias if isinstance(alias, list) else []
    return all(isinstance(path, list) and len(path) == 1 for path in paths)


def parameters(dependant: Dependant) -> Iterator[tuple[params.ParamTypes, ModelField]]:
    """The parameters of one callable with their sources, in the order of validation."""
    for source, fields in (
        (params.ParamTypes.path, dependant.path_params),
        (params.ParamTypes.query, dependant.query_params),
        (params.ParamTypes.header, dependant.header_params),
        (params.ParamTypes.cookie, dependant.cookie_params),
    ):
        for field in fields:
            yield source, field


def hoistable(dependant: Dependant) -> bool:
    """Whether all parameters of this callable, but for its body, can be read natively before anything runs."""
    names = [field.name for _, field in parameters(dependant)]
    return len(set(names)) == len(names) and all(is_plain_field(field) for _, field in parameters(dependant))

"""Which declared types run no code of the user's, so that *when* they are validated can't be observed.

FastAPI validates a callable's parameters when its sub-dependencies are done. For a type whose validator is
pydantic-core alone, doing it earlier, in one native call for all parameters, gives the same answers. This module
decides that from the core schema: what it does not know is not plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import CoreSchema

from .. import params
from .._fields import ModelField
from . import _types
from ._models import wants_many
from .models import Dependant

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
    "frozenset": ("items_schema",),
    "json-or-python": ("python_schema",),
    "lax-or-strict": ("lax_schema",),
    "list": ("items_schema",),
    "nullable": ("schema",),
    "set": ("items_schema",),
    "tuple": ("items_schema",),
    "union": ("choices",),
}
_USER_CODE = ("missing", "default_factory", "custom_error_type")


def _inner(schema: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    for key in keys:
        value = schema.get(key)
        if isinstance(value, Mapping):
            yield value
        elif isinstance(value, list):
            for item in value:
                yield item[0] if isinstance(item, tuple) else item


def is_plain(schema: Mapping[str, Any]) -> bool:
    """Whether validating with `schema` runs pydantic-core only."""
    pending: list[Mapping[str, Any]] = [schema]
    while pending:
        current = pending.pop()
        kind = current["type"]
        if any(current.get(key) is not None for key in _USER_CODE):
            return False
        if kind in _LEAVES:
            continue
        keys = _WRAPPERS.get(kind)
        if keys is None:
            return False
        pending.extend(_inner(current, keys))
    return True


def bare_schema(field: ModelField) -> CoreSchema:
    """The core schema of a present value: without the default around it."""
    schema: Any = field._type_adapter.core_schema
    while schema["type"] == "default":
        schema = schema["schema"]
    return schema  # type: ignore[no-any-return]


def is_plain_field(field: ModelField) -> bool:
    """Whether a parameter can be read by the native reader."""
    info = field.field_info
    if info.default_factory is not None or info.validate_default or _types.parameter_models(info):
        return False
    if isinstance(info, params.Cookie) and wants_many(info):
        return False  # an empty cookie is no empty sequence but a missing one
    try:
        return is_plain(bare_schema(field))
    except (KeyError, TypeError, AttributeError):
        return False  # a schema that pydantic could not build yet (a forward reference): the reference path says so


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
    """Whether all parameters of this callable can be read natively before anything runs."""
    if dependant.body_params:
        return False
    names = [field.name for _, field in parameters(dependant)]
    return len(set(names)) == len(names) and all(is_plain_field(field) for _, field in parameters(dependant))

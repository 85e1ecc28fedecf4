"""Turning any Python value into one that `json` can write.

`jsonable_encoder` is used where no response model says how to serialise: error bodies, responses without a model,
and application code that wants a `dict` for a document store. Its rules differ from pydantic's JSON mode in places
that clients can see: a `Decimal` becomes a number, a `timedelta` a number of seconds, a `set` a list, a NaN stays.

The order in which a value is looked at is part of the behaviour, because a type may fit several rules: the caller's
`custom_encoder`, pydantic models, dataclasses, enumerations, paths, plain scalars, mappings, collections, the table
`ENCODERS_BY_TYPE` by exact type and then by subclass, and at last anything that `dict()` or `vars()` understand.
"""

import dataclasses
import datetime
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PurePath
from re import Pattern
from types import GeneratorType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel
from pydantic.networks import AnyUrl, NameEmail
from pydantic.types import SecretBytes, SecretStr
from pydantic_core import PydanticUndefinedType, Url

from ._names import names_of
from ._native import to_jsonable
from .exceptions import PydanticV1NotSupportedError, UsageError
from .types import IncEx

__all__ = [
    "ENCODERS_BY_TYPE",
    "decimal_encoder",
    "encoders_by_class_tuples",
    "generate_encoders_by_class_tuples",
    "isoformat",
    "jsonable_encoder",
]

EncoderFunction = Callable[[Any], Any]


def isoformat(o: datetime.date | datetime.time) -> str:
    """Write a date, time or both in ISO 8601 form."""
    return o.isoformat()


def decimal_encoder(dec_value: Decimal) -> int | float:
    """Write a decimal as an `int` if it has no digits after the point by its own notation, else as a `float`.

    `Decimal("1")` and `Decimal("1E+2")` become integers, `Decimal("1.0")` and the infinities floats.
    """
    exponent = dec_value.as_tuple().exponent
    return int(dec_value) if isinstance(exponent, int) and exponent >= 0 else float(dec_value)


ENCODERS_BY_TYPE: dict[type[Any], EncoderFunction] = {
    bytes: lambda value: value.decode(),
    datetime.date: isoformat,
    datetime.datetime: isoformat,
    datetime.time: isoformat,
    datetime.timedelta: lambda value: value.total_seconds(),
    Decimal: decimal_encoder,
    Enum: lambda value: value.value,
    frozenset: list,
    deque: list,
    GeneratorType: list,
    IPv4Address: str,
    IPv4Interface: str,
    IPv4Network: str,
    IPv6Address: str,
    IPv6Interface: str,
    IPv6Network: str,
    NameEmail: str,
    Path: str,
    Pattern: lambda value: value.pattern,
    SecretBytes: str,
    SecretStr: str,
    set: list,
    UUID: str,
    Url: str,
    AnyUrl: str,
}
"""How values of other types are written. Applications may add to it; the types of modules that are not imported yet
(`Color`) are added when a value of theirs may first appear."""


def generate_encoders_by_class_tuples(
    type_encoder_map: dict[Any, EncoderFunction],
) -> dict[EncoderFunction, tuple[Any, ...]]:
    """Group the types of an encoder table by their encoder, for `isinstance`.

    Args:
        type_encoder_map: A table like `ENCODERS_BY_TYPE`.
    """
    grouped: dict[EncoderFunction, tuple[Any, ...]] = defaultdict(tuple)
    for type_, encoder in type_encoder_map.items():
        grouped[encoder] += (type_,)
    return grouped


encoders_by_class_tuples = generate_encoders_by_class_tuples(ENCODERS_BY_TYPE)
"""The table that subclasses are looked up in."""

_late_types = {"pydantic.color": "Color", "pydantic_extra_types.color": "Color"}
"""Types written with `str` whose modules are expensive to import: a value of theirs exists only if they are loaded."""


def _add_late_types() -> None:
    """Put those types into the tables whose modules have been imported since the last time."""
    for module_name in [name for name in _late_types if name in sys.modules]:
        type_ = getattr(sys.modules[module_name], _late_types[module_name], None)
        if isinstance(type_, type):
            del _late_types[module_name]
            ENCODERS_BY_TYPE.setdefault(type_, str)
            encoders_by_class_tuples[str] += (type_,)


_AS_THEY_ARE: frozenset[type] = frozenset({str, int, float, bool, type(None)})
_CONTAINERS: frozenset[type] = frozenset({dict, list})
_NONE: frozenset[type] = frozenset()
_COLLECTIONS = (dict, list, set, frozenset, GeneratorType, tuple, deque)


def jsonable_encoder(
    obj: Any,
    include: IncEx | None = None,
    exclude: IncEx | None = None,
    by_alias: bool = True,
    exclude_unset: bool = False,
    exclude_defaults: bool = False,
    exclude_none: bool = False,
    custom_encoder: dict[Any, EncoderFunction] | None = None,
    sqlalchemy_safe: bool = True,
) -> Any:
    """Convert a value to one that `json.dumps` accepts.

    Args:
        obj: The value.
        include: The only fields of a model or keys of a mapping to keep.
        exclude: Fields or keys to leave out.
        by_alias: Whether models use their fields' aliases.
        exclude_unset: Whether models leave out fields that were not set.
        exclude_defaults: Whether models leave out fields that equal their default.
        exclude_none: Whether members that are None are left out.
        custom_encoder: Encoders by type that come before every other rule.
        sqlalchemy_safe: Whether string keys that begin with `_sa` (SQLAlchemy's bookkeeping) are left out.

    Returns:
        Strings, numbers, booleans, None, lists, and dictionaries of these. Not checked: the result of a custom
        encoder, the value of an enumeration and `bytes` patterns are returned as they are.

    Raises:
        ValueError: There is no way to convert the value; the argument lists why `dict()` and `vars()` failed.
        UsageError: The value is a dataclass, not an instance of one.
        PydanticV1NotSupportedError: The value is a `pydantic.v1` model.
    """
    has_options = custom_encoder or exclude_defaults or exclude_none or exclude_unset
    if not has_options and by_alias and sqlalchemy_safe and include is None and exclude is None:
        return to_jsonable(obj, encode_other)
    options = _Options(by_alias, exclude_unset, exclude_defaults, exclude_none, custom_encoder or {}, sqlalchemy_safe)
    return options.encode(obj, _as_keys(include), _as_keys(exclude))


def _as_keys(keys: IncEx | None) -> Any:
    """`include` or `exclude` as a set or mapping, whatever iterable it came as."""
    return keys if keys is None or isinstance(keys, (set, dict)) else set(keys)


class _Options:
    """One set of options, and the encoding under it.

    `encode` uses one Python frame per level of nesting, so that whatever the JSON parser let in can be written out.
    """

    __slots__ = (
        "by_alias",
        "containers",
        "custom_encoder",
        "exclude_defaults",
        "exclude_none",
        "exclude_unset",
        "plain",
        "sqlalchemy_safe",
    )

    def __init__(
        self,
        by_alias: bool,
        exclude_unset: bool,
        exclude_defaults: bool,
        exclude_none: bool,
        custom_encoder: dict[Any, EncoderFunction],
        sqlalchemy_safe: bool,
    ) -> None:
        self.by_alias = by_alias
        self.exclude_unset = exclude_unset
        self.exclude_defaults = exclude_defaults
        self.exclude_none = exclude_none
        self.custom_encoder = custom_encoder
        self.sqlalchemy_safe = sqlalchemy_safe
        # A custom encoder may be for any type, so with one nothing can be told from the exact type alone.
        self.plain = _NONE if custom_encoder else _AS_THEY_ARE
        self.containers = _NONE if custom_encoder else _CONTAINERS

    def encode(self, obj: Any, include: Any = None, exclude: Any = None) -> Any:
        """Encode a value and what is in it. In a mapping, `include` and `exclude` choose among its own keys alone."""
        plain = self.plain
        if type(obj) not in self.containers:
            finished, obj = self._open(obj, include, exclude)
            if finished:
                return obj
        if not isinstance(obj, dict):
            items = []
            for item in obj:
                items.append(item if type(item) in plain else self.encode(item, include, exclude))
            return items
        encoded = {}
        for key, value in obj.items():
            if value is None and self.exclude_none:
                continue
            if self.sqlalchemy_safe and isinstance(key, str) and key.startswith("_sa"):
                continue
            if (include is not None and key not in include) or (exclude is not None and key in exclude):
                continue
            if type(key) not in plain:
                key = self.encode(key)
            encoded[key] = value if type(value) in plain else self.encode(value)
        return encoded

    def _open(self, obj: Any, include: Any, exclude: Any) -> tuple[bool, Any]:
        """Apply the first rule that fits, until nothing is left to do or what is left is a mapping or a collection.

        Returns:
            Whether the value is finished, and the value.
        """
        while True:
            if self.custom_encoder:
                encoder = self._custom_encoder_for(obj)
                if encoder is not None:
                    return True, encoder(obj)
            if isinstance(obj, BaseModel):
                return True, self._model(obj, include, exclude)
            if dataclasses.is_dataclass(obj):
                if isinstance(obj, type):
                    raise UsageError(f"{obj.__qualname__} is a dataclass: encode an instance of it, not the class")
                obj = dataclasses.asdict(obj)
                continue
            is_scalar, scalar = _scalar(obj)
            if is_scalar:
                return True, scalar
            if isinstance(obj, _COLLECTIONS):
                return False, obj
            encoder = _encoder_for(obj)
            if encoder is not None:
                return True, encoder(obj)
            obj = _as_mapping(obj)

    def _custom_encoder_for(self, obj: Any) -> EncoderFunction | None:
        """The caller's encoder for the value's type, or else for the first type that it is an instance of."""
        encoder = self.custom_encoder.get(type(obj))
        if encoder is not None:
            return encoder
        return next((encoder for type_, encoder in self.custom_encoder.items() if isinstance(obj, type_)), None)

    def _model(self, obj: BaseModel, include: Any, exclude: Any) -> Any:
        """A pydantic model: pydantic's JSON form, then once more for what custom serializers put into it."""
        data = obj.model_dump(
            mode="json",
            include=include,
            exclude=exclude,
            by_alias=self.by_alias,
            exclude_unset=self.exclude_unset,
            exclude_none=self.exclude_none,
            exclude_defaults=self.exclude_defaults,
        )
        return _Options(True, False, self.exclude_defaults, self.exclude_none, {}, self.sqlalchemy_safe).encode(data)


_USUAL = _Options(True, False, False, False, {}, True)
_IN_THE_TABLE = frozenset(
    {datetime.date, datetime.datetime, datetime.time, datetime.timedelta, Decimal, UUID, IPv4Address, IPv6Address}
)
"""Types for which no rule comes before that of `ENCODERS_BY_TYPE`."""


def encode_other(obj: Any) -> Any:
    """What `jsonable_encoder` makes of a value without options, if that is not plain, and no list or dictionary."""
    encoder = ENCODERS_BY_TYPE.get(type(obj)) if type(obj) in _IN_THE_TABLE else None
    return _USUAL.encode(obj) if encoder is None else encoder(obj)


def _scalar(obj: Any) -> tuple[bool, Any]:
    """Whether a value is one without parts, and what is written for it."""
    if isinstance(obj, Enum):
        return True, obj.value
    if isinstance(obj, PurePath):
        return True, str(obj)
    if obj is None or isinstance(obj, (str, int, float)):
        return True, obj
    return isinstance(obj, PydanticUndefinedType), None


def _as_mapping(obj: Any) -> Any:
    """A value that no rule is for, as a mapping: of its items if it has any, else of its attributes."""
    if _is_pydantic_v1_model(obj):
        raise PydanticV1NotSupportedError(
            f"pydantic.v1 models are no longer supported by FastAPI. Please update the model {obj!r}."
        )
    try:
        return dict(obj)
    except Exception as not_a_mapping:
        try:
            return vars(obj)
        except Exception as no_attributes:
            raise ValueError([not_a_mapping, no_attributes]) from no_attributes


def _encoder_for(obj: Any) -> EncoderFunction | None:
    """The encoder of the value's type by the tables, the exact type before its bases."""
    _add_late_types()
    encoder = ENCODERS_BY_TYPE.get(type(obj))
    if encoder is not None:
        return encoder
    return next((encoder for encoder, types in encoders_by_class_tuples.items() if isinstance(obj, types)), None)


def _is_pydantic_v1_model(obj: Any) -> bool:
    """Whether the value is a model of pydantic 1's interface, looked up only if that has been imported."""
    bases: Iterable[Any] = (
        getattr(sys.modules.get(name), "BaseModel", None) for name in ("pydantic.v1", "pydantic.v1.main")
    )
    return any(isinstance(base, type) and isinstance(obj, base) for base in bases)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

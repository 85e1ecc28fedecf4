"""Questions about annotations: is it a scalar, a sequence, a file, a model, a union?

`Annotated` and unions are looked through, type aliases (PEP 695) are not; where files are looked for, `Annotated` isn't
either.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

import typing_extensions
from pydantic import BaseModel, Json
from pydantic.fields import FieldInfo
from starlette.datastructures import UploadFile as StarletteUploadFile

from .. import params
from .annotation import SEQUENCE_TYPES, SEQUENCES, is_sequence_class, is_subclass, is_union, members

_ALIASES: tuple[Any, ...] = tuple(
    {typing_extensions.TypeAliasType, getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType)}
)


KINDS_OF_SEQUENCES: dict[Any, type] = {Sequence: list, **{kind: kind for kind in SEQUENCES}}
"""For each kind of sequence that an annotation may name, the class of its values."""


def is_typealiastype(annotation: Any) -> bool:
    """Whether `annotation` is a PEP 695 alias or an instantiation of one."""
    return isinstance(annotation, _ALIASES) or isinstance(get_origin(annotation), _ALIASES)


def unaliased(annotation: Any) -> Any:
    """What `annotation` is a name of, if it is a PEP 695 alias.

    Names of names, names inside of types and instantiations of generic names stay: for FastAPI they are scalars.
    """
    return annotation.__value__ if isinstance(annotation, _ALIASES) else annotation


def lenient_issubclass(cls: Any, class_or_tuple: Any) -> bool:
    """`issubclass` that answers False for things that are no classes, such as `list[int]`."""
    return isinstance(cls, type) and get_origin(cls) is None and issubclass(cls, class_or_tuple)


def kind_of_sequence(annotation: Any) -> type | None:
    """The class of the values of a sequence; of a union, that of the first member; None if that is no sequence."""
    first = get_args(annotation)[0] if is_union(annotation) else annotation
    return KINDS_OF_SEQUENCES.get(get_origin(first) or first)


def _is_complex(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return (
        is_subclass(annotation, (BaseModel, Mapping, StarletteUploadFile))
        or is_sequence_class(annotation)
        or dataclasses.is_dataclass(annotation)
        or typing_extensions.is_typeddict(annotation)
    ) or (
        origin is not None
        and (is_subclass(origin, (BaseModel, Mapping)) or is_sequence_class(origin) or dataclasses.is_dataclass(origin))
    )


def field_annotation_is_complex(annotation: Any) -> bool:
    """Whether any member needs structure: a model, mapping, sequence, dataclass, typed dictionary or file."""
    return any(_is_complex(member) for member in members(annotation))


def field_annotation_is_scalar(annotation: Any) -> bool:
    """Whether one string can carry a value of this type."""
    return annotation is Ellipsis or not field_annotation_is_complex(annotation)


def field_annotation_is_scalar_sequence(annotation: Any) -> bool:
    """Whether this is a sequence of scalars, or a union of such sequences and scalars with one sequence at least."""
    found = False
    for member in members(annotation):
        if is_sequence_class(member) or is_sequence_class(get_origin(member)):
            if not all(field_annotation_is_scalar(arg) for arg in get_args(member)):
                return False
            found = True
        elif not field_annotation_is_scalar(member):
            return False
    return found


def _union_members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if is_union(annotation) else (annotation,)


def is_bytes_or_nonable_bytes_annotation(annotation: Any) -> bool:
    """Whether `annotation` is `bytes` or a union with it."""
    return any(is_subclass(member, bytes) for member in _union_members(annotation))


def is_uploadfile_or_nonable_uploadfile_annotation(annotation: Any) -> bool:
    """Whether `annotation` is `UploadFile` or a union with it."""
    return any(is_subclass(member, StarletteUploadFile) for member in _union_members(annotation))


def _sequence_of(annotation: Any, wanted: Any) -> bool:
    """Whether a member is a sequence of nothing but what is `wanted`, or doesn't say of what."""
    for member in _union_members(annotation):
        if is_sequence_class(get_origin(member) or member) and all(wanted(arg) for arg in get_args(member)):
            return True
    return False


def is_bytes_sequence_annotation(annotation: Any) -> bool:
    """Whether `annotation` is a sequence of `bytes`."""
    return _sequence_of(annotation, is_bytes_or_nonable_bytes_annotation)


def is_uploadfile_sequence_annotation(annotation: Any) -> bool:
    """Whether `annotation` is a sequence of `UploadFile`."""
    return _sequence_of(annotation, is_uploadfile_or_nonable_uploadfile_annotation)


def value_is_sequence(value: Any) -> bool:
    """Whether `value` is a list, tuple, set or the like, and no text."""
    return isinstance(value, SEQUENCE_TYPES) and not isinstance(value, (str, bytes))


def is_json(info: FieldInfo) -> bool:
    """Whether the value is sent as JSON text (`pydantic.Json[...]`), so that it is one string whatever its type.

    The class itself as metadata says nothing about how the value is sent, only how pydantic validates it.
    """
    return any(type(item) is Json for item in info.metadata)


def parameter_model(info: FieldInfo) -> type[BaseModel] | None:
    """The model that a declared parameter stands for; None if it is a single value.

    JSON text is one value, and so is a path parameter that may be None.
    """
    if is_json(info) or (isinstance(info, params.Path) and is_union(info.annotation)):
        return None
    return sole_model(info.annotation)


def sole_model(annotation: Any) -> type[BaseModel] | None:
    """The model that `annotation` is, perhaps with None instead. ``Annotated`` in a union makes it something else."""
    found = annotation
    if is_union(annotation) and type(None) in get_args(annotation):
        others = [member for member in get_args(annotation) if member is not type(None)]
        found = others[0] if len(others) == 1 else None
    return found if lenient_issubclass(found, BaseModel) else None

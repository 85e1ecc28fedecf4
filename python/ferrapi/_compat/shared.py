"""Questions about annotations and values, under the names of `fastapi._compat.shared`.

The answers are `ferrapi.declare.type_kinds`'s, except for pydantic's old models.
"""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic.version import VERSION as PYDANTIC_VERSION

from .._names import names_of
from ..declare.annotation import SEQUENCE_TYPES as sequence_types
from ..declare.annotation import field_annotation_is_sequence, is_pydantic_v1
from ..declare.type_kinds import KINDS_OF_SEQUENCES as sequence_annotation_to_type
from ..declare.type_kinds import (
    field_annotation_is_complex,
    field_annotation_is_scalar,
    field_annotation_is_scalar_sequence,
    is_bytes_or_nonable_bytes_annotation,
    is_bytes_sequence_annotation,
    is_uploadfile_or_nonable_uploadfile_annotation,
    is_uploadfile_sequence_annotation,
    lenient_issubclass,
    value_is_sequence,
)

__all__ = [
    "PYDANTIC_VERSION",
    "PYDANTIC_VERSION_MINOR_TUPLE",
    "WithArgsTypes",
    "annotation_is_pydantic_v1",
    "field_annotation_is_complex",
    "field_annotation_is_scalar",
    "field_annotation_is_scalar_sequence",
    "field_annotation_is_sequence",
    "is_bytes_or_nonable_bytes_annotation",
    "is_bytes_sequence_annotation",
    "is_pydantic_v1_model_class",
    "is_pydantic_v1_model_instance",
    "is_uploadfile_or_nonable_uploadfile_annotation",
    "is_uploadfile_sequence_annotation",
    "lenient_issubclass",
    "sequence_annotation_to_type",
    "sequence_types",
    "value_is_sequence",
]

_T = TypeVar("_T")

PYDANTIC_VERSION_MINOR_TUPLE = tuple(int(part) for part in PYDANTIC_VERSION.split(".")[:2])
WithArgsTypes: tuple[Any, ...] = (getattr(typing, "_GenericAlias"), types.GenericAlias, types.UnionType)  # noqa: B009  # private to type checkers

annotation_is_pydantic_v1 = is_pydantic_v1


def is_pydantic_v1_model_class(cls: Any) -> bool:
    """Whether `cls` is a model class of pydantic's old ``pydantic.v1`` namespace."""
    return isinstance(cls, type) and is_pydantic_v1(cls)


def is_pydantic_v1_model_instance(obj: Any) -> bool:
    """Whether `obj` is an instance of such a class."""
    return is_pydantic_v1(type(obj))


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

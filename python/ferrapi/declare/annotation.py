"""What annotations are built of: `Annotated`, unions, sequences; and whether there are models of pydantic 1 in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

SEQUENCES: tuple[type, ...] = (list, tuple, set, frozenset, deque)
SEQUENCE_TYPES: tuple[type, ...] = (Sequence, *SEQUENCES)


def strip(annotation: Any) -> Any:
    """`annotation` without `Annotated`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def is_union(annotation: Any) -> bool:
    """Whether `annotation` is `A | B` or `Union[A, B]`."""
    return get_origin(annotation) in (Union, UnionType)


def members(annotation: Any) -> Iterator[Any]:
    """The stripped members of a union (of unions), or the stripped annotation itself."""
    annotation = strip(annotation)
    if is_union(annotation):
        for arg in get_args(annotation):
            yield from members(arg)
    else:
        yield annotation


def is_subclass(annotation: Any, bases: type | tuple[type, ...]) -> bool:
    """Whether `annotation` is a class that is one of these, or derived of one."""
    return isinstance(annotation, type) and issubclass(annotation, bases)


def is_sequence_class(annotation: Any) -> bool:
    """Whether `annotation` is a class of sequences, and no text."""
    if is_subclass(annotation, (str, bytes)):
        return False
    return is_subclass(annotation, SEQUENCE_TYPES)


def field_annotation_is_sequence(annotation: Any) -> bool:
    """Whether a value of this type is a list of values; true for a union if it is for one member."""
    return any(is_sequence_class(member) or is_sequence_class(get_origin(member)) for member in members(annotation))


def is_pydantic_v1(annotation: Any) -> bool:
    """Whether `annotation` is a model of the old ``pydantic.v1`` namespace, or a union or sequence with one.

    Mappings and iterables aren't looked into, nor is ``Annotated``, except for a sequence.
    """
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return any(
            base.__module__ == "pydantic.v1.main" and base.__name__ == "BaseModel" for base in annotation.__mro__
        )
    looked_into = is_union(annotation) or field_annotation_is_sequence(annotation)
    return looked_into and any(is_pydantic_v1(argument) for argument in get_args(annotation))

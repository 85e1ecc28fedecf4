"""Callables with annotations that are strings, some in strings, some of names that this module doesn't have."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Optional

from pydantic import BaseModel

if TYPE_CHECKING:
    from nowhere import Missing  # nobody has it at run time


class Parcel(BaseModel):
    weight: int


def plain(body: Parcel) -> None: ...
def missing(body: Missing, q: int = 3) -> None: ...
def mixed(body: Parcel, m: Missing = None) -> Parcel: ...  # never called
def mixed_quoted(body: "Parcel", m: Missing = None) -> None: ...  # noqa: UP037  # a string in a string
def mixed_nested(body: list["Parcel"], m: Missing = None) -> None: ...  # noqa: UP037  # a string in a string
def nested(body: list["Parcel"]) -> list["Parcel"]: ...  # noqa: UP037  # never called
def optional(body: Optional["Parcel"]) -> None: ...  # noqa: UP037, UP045  # a string in a string
def annotated(body: Annotated["Parcel", "note"]) -> None: ...  # noqa: UP037  # a string in a string
def quoted(body: "Parcel") -> "Parcel": ...  # noqa: UP037  # never called
async def coroutine(body: Parcel) -> None: ...


class Made:
    def __init__(self, body: Parcel) -> None: ...


class MadeOfMissing:
    def __init__(self, body: Parcel, m: Missing = None) -> None: ...


class Called:
    def __call__(self, body: Parcel) -> None: ...
    def method(self, body: Parcel, m: Missing = None) -> None: ...
    def quoted(self, body: "Parcel") -> None: ...  # noqa: UP037  # a string in a string


@dataclasses.dataclass
class Data:
    body: "Parcel"  # noqa: UP037  # a string in a string


class Meta(type):
    def __call__(cls, body: Parcel) -> Any: ...


class OfMeta(metaclass=Meta): ...

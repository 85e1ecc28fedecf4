"""pydantic: tested with 2.12 to 2.14.

A field notes what it was told. pydantic takes that over when it copies a field: who changes a copy changes the note.
"""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo

TESTED = ("2.12", "2.14")
"""The oldest and the newest release that the private names were tested with."""

__all__ = ["TESTED", "attributes_set", "set_attributes"]

_NOTE = "_attributes_set"


def attributes_set(info: FieldInfo) -> dict[str, Any]:
    """What a field was told. With a pydantic that doesn't note it: what differs from a field that was told nothing."""
    known = getattr(info, _NOTE, None)
    if isinstance(known, dict):
        return known
    plain = FieldInfo()
    names = [name for name in FieldInfo.__slots__ if not name.startswith("_")]
    return {name: getattr(info, name) for name in names if getattr(info, name) != getattr(plain, name)}


def set_attributes(info: FieldInfo, attributes: dict[str, Any]) -> None:
    """Note what a field was told, where pydantic does."""
    if hasattr(info, _NOTE):
        setattr(info, _NOTE, attributes)

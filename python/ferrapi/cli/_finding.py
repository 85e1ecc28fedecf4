"""What ``ferrapi check`` can find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._listing import shown_place

PROBLEM, NOTE = "problem", "note"


@dataclass(frozen=True)
class Finding:
    """Something that a check has found.

    Attributes:
        rule: its name, for ``--ignore``.
        place: file and line; empty if nobody knows.
        message: one sentence.
        kind: whether it is a problem, or a note that counts with ``--strict`` only.
    """

    rule: str
    place: str
    message: str
    kind: str = PROBLEM

    @classmethod
    def at(cls, rule: str, call: Any, message: str, kind: str = PROBLEM) -> Finding:
        """A finding where a function is defined."""
        return cls(rule, shown_place(call), message, kind)

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.kind} [{self.rule}] {self.message}"

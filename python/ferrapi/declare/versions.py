"""Which versions of an API a route is for: what ``versions=`` means.

Only the words are read here. Which versions there are, and which is newer, says the application's `Versioning`, when
the route has come to it: a router may be included in applications with different versions.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..exceptions import VersioningError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a version may be called: what can stand in a path, a header and a media type parameter without quotes."""
_CONDITION = re.compile(rf"(>=|<=|==|!=|>|<)?\s*({NAME.pattern})")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class _Condition:
    """One comparison with a version."""

    comparison: str
    version: str

    def holds(self, version: str, order: Mapping[str, int]) -> bool:
        return _COMPARE[self.comparison](order[version], order[self.version])

    def __str__(self) -> str:
        return f"{self.comparison}{self.version}"


def _conditions(text: str) -> tuple[_Condition, ...]:
    found = []
    for part in text.split(","):
        read = _CONDITION.fullmatch(part.strip())
        if read is None:
            raise VersioningError(
                f"versions={text!r}: {part.strip()!r} is no condition, as '>=2', '<3', '!=2' or '2' are"
            )
        found.append(_Condition(read[1] or "==", read[2]))
    return tuple(found)


@dataclass(frozen=True)
class VersionSet:
    """Some versions of an API, whichever there are.

    Parameters:
        parts: each a list of alternatives, of which one must hold; an alternative is a list of conditions, which must
            hold together.
    """

    parts: tuple[tuple[tuple[_Condition, ...], ...], ...]

    @classmethod
    def of(cls, versions: VersionSet | str | Sequence[str] | None) -> VersionSet | None:
        """The set that ``versions=`` says; None for a route that has no version.

        Raises:
            VersioningError: for what says no versions.
        """
        if versions is None or isinstance(versions, cls):
            return versions
        alternatives: Any = [versions] if isinstance(versions, str) else versions
        if not isinstance(alternatives, Sequence) or not all(isinstance(one, str) for one in alternatives):
            raise VersioningError(f"versions= takes a text, or a list of texts, not {versions!r}")
        if not alternatives:
            raise VersioningError("versions=[] is no version at all; leave it out for a route without versions")
        return cls((tuple(_conditions(one) for one in alternatives),))

    @cached_property
    def names(self) -> list[str]:
        """The versions that are named."""
        found = [one.version for part in self.parts for conditions in part for one in conditions]
        return list(dict.fromkeys(found))

    def of_known(self, order: Mapping[str, int]) -> list[str]:
        """Those of the known versions that are in this set, in their order.

        Parameters:
            order: the place of each known version. All that this set names are among them.
        """
        return [
            version
            for version in order
            if all(any(all(one.holds(version, order) for one in either) for either in part) for part in self.parts)
        ]

    def __str__(self) -> str:
        return " and ".join(" or ".join(",".join(map(str, either)) for either in part) for part in self.parts)


Versions = VersionSet | str | Sequence[str] | None
"""What ``versions=`` takes."""


def both(outer: VersionSet | None, inner: VersionSet | None) -> VersionSet | None:
    """The versions in both sets; no set says nothing."""
    if outer is None or inner is None or outer == inner:
        return inner if outer is None else outer
    return VersionSet((*outer.parts, *inner.parts))


def unchecked(routes: Sequence[object]) -> None:
    """Take the versions of routes as they are: which versions there are, isn't known yet."""

"""What has to be as it was, for something that was found out once to be true still.

The engine's own structures announce their edits (`_version_counter.py`). Other people's objects don't. What was found
out of those is kept with the facts that it stands on: the very objects in their attributes. The native `Facts` compares
them whenever it matters, at the cost of looking into some dictionaries.
"""

from __future__ import annotations

from typing import Any


def has_own_methods(owner: Any) -> bool:
    """Whether an object has attributes of its own in the place of methods of its class."""
    return any(callable(getattr(type(owner), name, None)) for name in vars(owner))


class Facts:
    """What was true of some objects.

    Attributes:
        items: dictionaries, each with a key and the very object that is there.
        firsts: lists, each with its first object.
        sizes: dictionaries, each with the number of its items.
        lengths: lists, each with its length.
    """

    def __init__(self) -> None:
        self.items: list[tuple[dict[Any, Any], Any, Any]] = []
        self.firsts: list[tuple[list[Any], Any]] = []
        self.sizes: list[tuple[dict[Any, Any], int]] = []
        self.lengths: list[tuple[list[Any], int]] = []

    def attributes(self, owner: Any, *names: str) -> None:
        """`owner` has these very objects as attributes of its own, and no attribute more or less than now.

        An attribute more may be a method in the place of its class's.
        """
        self.sizes.append((vars(owner), len(vars(owner))))
        self.item(vars(owner), *names)

    def item(self, holder: dict[Any, Any], *keys: Any) -> None:
        """These very objects are in the dictionary `holder`."""
        self.items += [(holder, key, holder[key]) for key in keys]

    def only(self, holder: list[Any]) -> None:
        """The list `holder` has what it has now: one object, or none."""
        self.lengths.append((holder, len(holder)))
        self.firsts += [(holder, first) for first in holder[:1]]

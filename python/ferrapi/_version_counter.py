"""Noticing live edits at no cost per request.

Users edit an application after it was built: ``app.router.routes.append(...)``, ``route.dependant.call = ...``.
Compiled plans must follow. Instead of comparing anything per request, each editable structure *announces* its edit by
raising one process-wide counter; whoever compiled something remembers the counter's value and compares one integer.
An edit costs its editor a rebuild at the next request, a request costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ._native import VersionCounter

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

ROUTES_VERSION = VersionCounter()

SETTINGS_VERSION = VersionCounter()
"""The same for what serves an application: its middleware stack, router and root path. Plans don't depend on them."""


class TrackedList(list[T]):
    """A list that announces each edit of itself."""

    __slots__ = ()


class TrackedSet(set[T]):
    """A set that announces each edit of itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(set(self))


class TrackedDict(dict[K, V]):
    """A dictionary that announces each edit of itself."""

    __slots__ = ()


def _announcing(base: type[Any], name: str, owner: str) -> Callable[..., Any]:
    method = getattr(base, name)

    def edit(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            ROUTES_VERSION.announce()

    edit.__name__ = name
    edit.__qualname__ = f"{owner}.{name}"
    edit.__doc__ = method.__doc__
    return edit


_ITEMS = "clear pop __delitem__ __setitem__ "
_EDITING: dict[type[Any], str] = {
    TrackedList: _ITEMS + "append extend insert remove sort reverse __iadd__ __imul__",
    TrackedDict: _ITEMS + "popitem setdefault update __ior__",
    TrackedSet: "add clear discard pop remove update difference_update intersection_update "
    "symmetric_difference_update __iand__ __ior__ __isub__ __ixor__",
}
"""The methods of each class that edit it."""

for _tracked, _names in _EDITING.items():
    for _name in _names.split():
        setattr(_tracked, _name, _announcing(_tracked.__mro__[1], _name, _tracked.__name__))

"""Noticing live edits at no cost per request.

Users edit an application after it was built: ``app.router.routes.append(...)``, ``route.dependant.call = ...``.
Compiled plans must follow. Instead of comparing anything per request, each editable structure *announces* its edit by
raising one process-wide counter; whoever compiled something remembers the counter's value and compares one integer.
An edit costs its editor a rebuild at the next request, a request costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex, TypeVar

from ._native import EditCounter

T = TypeVar("T")


EDITS = EditCounter()

SETTINGS = EditCounter()
"""The same for what serves an application: its middleware stack, router and root path. Plans don't depend on them."""


def _announcing(name: str) -> Callable[..., Any]:
    method = getattr(list, name)

    def edit(self: list[Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            EDITS.announce()

    edit.__name__ = name
    edit.__qualname__ = f"TrackedList.{name}"
    edit.__doc__ = method.__doc__
    return edit


class TrackedList(list[T]):
    """A list that announces each edit of itself."""

    __slots__ = ()

    append: Callable[[T], None] = _announcing("append")
    extend: Callable[[Iterable[T]], None] = _announcing("extend")
    insert: Callable[[SupportsIndex, T], None] = _announcing("insert")
    remove: Callable[[T], None] = _announcing("remove")
    pop: Callable[..., T] = _announcing("pop")
    clear: Callable[[], None] = _announcing("clear")
    sort: Callable[..., None] = _announcing("sort")
    reverse: Callable[[], None] = _announcing("reverse")
    __setitem__: Callable[..., None] = _announcing("__setitem__")
    __delitem__: Callable[..., None] = _announcing("__delitem__")
    __iadd__: Callable[..., Any] = _announcing("__iadd__")
    __imul__: Callable[..., Any] = _announcing("__imul__")

"""A quicker way into asyncio's registry of tasks.

asyncio notes each task in a `weakref.WeakSet`. It is written in Python, and being put into it and taken out of it again
is a tenth of what a short request costs. So the one set that asyncio uses is given an `add` of its own, which does
natively what that of its class does. The set stays what it is; who iterates over it, or discards a task, calls its
class.

Python 3.14 keeps tasks in another way and needs nothing of this.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

from .._native import Registry

_PARTS = {"data", "_pending_removals", "_iterating"}


def quicken(weak_set: Any) -> bool:
    """Give a weak set a native `add`; tell whether it has one now. Anything else is left alone."""
    if type(weak_set) is not WeakSet or not vars(weak_set).keys() >= _PARTS:
        return False
    if "add" not in vars(weak_set):
        weak_set.add = Registry(weak_set).add  # type: ignore[method-assign]
    return True


def quicken_tasks() -> bool:
    """Do so for asyncio's tasks; tell whether there is a set for them."""
    names = ("_all_tasks", "_scheduled_tasks")  # until Python 3.11, and since 3.12
    return any(quicken(getattr(asyncio.tasks, name, None)) for name in names)

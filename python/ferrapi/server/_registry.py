"""A quicker way into asyncio's registry of tasks.

asyncio notes each task in a `weakref.WeakSet`. It is written in Python, and being put into it and taken out of it again
is a tenth of what a short request costs. So the one set that asyncio uses is given an `add` of its own, which does
natively what that of its class does. And it leaves out the tasks of its requests, which the server knows while
they run: whoever goes through the set, or asks it for a task, finds them there.

Python 3.14 keeps tasks in another way and needs nothing of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

from uvicorn.server import ServerState

from .._compat.asyncio import task_registries
from .._native import Registry, Serving

_PARTS = {"data", "_pending_removals", "_iterating"}


class TaskSet(WeakSet[Any]):
    """A weak set to which the tasks of servers belong, too, for whoever asks for one task or for all.

    Attributes:
        servers: those whose tasks it finds. Sets that are made from it have none.
    """

    servers: Iterable[ServerState] = ()

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        yield from self._left_out()

    def __len__(self) -> int:
        return super().__len__() + len(self._left_out())

    def __contains__(self, item: Any) -> bool:
        return super().__contains__(item) or item in self._left_out()

    def _left_out(self) -> list[Any]:
        running = [task for server in list(self.servers) for task in list(server.tasks)]
        # As the native `add` decides. uvicorn's own tasks have been put in.
        return [task for task in running if type(task) is asyncio.Task and isinstance(task.get_coro(), Serving)]


def quicken(weak_set: Any) -> bool:
    """Make a weak set a `TaskSet` with a native `add`; tell whether it is one now. Anything else is left alone."""
    if _is_quick(weak_set):
        return True
    if type(weak_set) is not WeakSet or not vars(weak_set).keys() >= _PARTS:
        return False
    weak_set.add = Registry(weak_set, asyncio.Task).add  # type: ignore[method-assign]
    weak_set.__class__ = TaskSet
    weak_set.servers = WeakSet()  # type: ignore[attr-defined]  # it has that class now
    return True


def _is_quick(weak_set: Any) -> bool:
    """Whether that was done, even if by another import of this module."""
    return isinstance(weak_set, WeakSet) and "servers" in vars(weak_set)


def quicken_tasks() -> bool:
    """Do so for asyncio's tasks; tell whether there is a set for them."""
    return any(map(quicken, task_registries()))


def know(server: ServerState) -> None:
    """Let asyncio find the server's tasks, while the server exists."""
    for registry in task_registries():
        if _is_quick(registry):
            registry.servers.add(server)

"""anyio: tested with 4.11 to 4.16.

The insides of its asyncio backend: what it knows of tasks and their cancel scopes, and what `anyio.from_thread` needs
in a worker thread. Without them synchronous functions run by `anyio.to_thread`, and no task is put into a scope
(`_threads.py`, `_scopes.py`). Each is imported when it is first needed: an application without sync functions and
middleware goes without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from functools import cache
from typing import Any, NamedTuple

import anyio

TESTED = ("4.11", "4.16")
"""The oldest and the newest release that the private names were tested with."""

__all__ = [
    "TESTED",
    "Threads",
    "begin_around",
    "child_scopes",
    "new_task_state",
    "parent_scope",
    "set_parent_scope",
    "states_by_task",
    "task_states",
    "tasks_in",
    "threads",
]

_OF_A_SCOPE = ("_tasks", "_child_scopes", "_parent_scope")
"""What cancel scopes must have."""


@cache
def task_states() -> MutableMapping[asyncio.Task[Any], Any] | None:
    """What anyio knows of tasks that are or were inside of a cancel scope or a task group; None with another anyio."""
    try:
        from anyio._backends._asyncio import CancelScope, TaskState, _task_states
    except ImportError:
        return None
    scope: Any = CancelScope()
    if not all(hasattr(scope, name) for name in _OF_A_SCOPE) or not hasattr(TaskState(None, scope), "cancel_scope"):
        return None
    return _task_states


@cache
def states_by_task() -> Mapping[Any, Any]:
    """The same by weak references to the tasks, as a dictionary of the very class; empty with another anyio."""
    states = task_states()
    return {} if states is None else getattr(states, "data", states)


def new_task_state(scope: anyio.CancelScope) -> Any:
    """What to note of a task that is in `scope` and in no task group. Only where there are `task_states`."""
    from anyio._backends._asyncio import TaskState

    return TaskState(None, scope)  # type: ignore[arg-type]  # the backend's scope


def tasks_in(scope: Any) -> set[asyncio.Task[Any]]:
    """The tasks that are in a scope and in none inside of it. Only where there are `task_states`."""
    tasks: set[asyncio.Task[Any]] = scope._tasks
    return tasks


def child_scopes(scope: Any) -> set[Any]:
    """The scopes right inside of a scope. Only where there are `task_states`."""
    scopes: set[Any] = scope._child_scopes
    return scopes


def parent_scope(scope: Any) -> Any:
    """The scope right around a scope, or None. Only where there are `task_states`."""
    return scope._parent_scope


def set_parent_scope(scope: Any, parent: Any) -> None:
    """Say that. Only where there are `task_states`."""
    scope._parent_scope = parent


def begin_around(scope: Any, outermost: Any, task: asyncio.Task[Any]) -> None:
    """Begin a scope around `outermost`, in which a task is, and inside of what was around that.

    Only where there are `task_states`.
    """
    outer = outermost._parent_scope
    scope._host_task, scope._active, scope._parent_scope = task, True, outer
    if hasattr(scope, "_cancelling_at_enter"):
        scope._cancelling_at_enter = task.cancelling()
    if outer is not None:
        outer._child_scopes.discard(outermost)
        outer._child_scopes.add(scope)
    outermost._parent_scope = scope
    scope._child_scopes.add(outermost)


class Threads(NamedTuple):
    """What a worker thread of our own needs, so that `anyio.from_thread` and sniffio know where they are.

    Attributes:
        find_main_task: the task with whose end threads have to end.
        set_library: says in a context which library runs it.
        locals: what a thread knows of its caller.
    """

    find_main_task: Callable[[], asyncio.Task[Any]]
    set_library: Callable[[str | None], Any]
    locals: Any


@cache
def threads() -> Threads | None:
    """The same; None with another anyio."""
    try:
        from anyio._backends._asyncio import find_root_task
        from anyio._core import _eventloop
        from anyio._core._eventloop import threadlocals
    except ImportError:
        return None
    set_library = getattr(_eventloop, "set_current_async_library", None)
    if set_library is None:
        # anyio 4.11 always has sniffio, and writes its variable itself
        library = getattr(getattr(_eventloop, "sniffio", None), "current_async_library_cvar", None)
        set_library = getattr(library, "set", None)
    return None if set_library is None else Threads(find_root_task, set_library, threadlocals)

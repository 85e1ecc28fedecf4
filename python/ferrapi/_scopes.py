"""anyio's cancel scopes under asyncio, as far as they have to be known from outside.

anyio notes for each task in which scope it is, and passes a scope's cancellation on to the tasks in it again and again,
until they have left it; what is shielded inside of a task is spared. What is here does so for tasks that are in no task
group. It needs a few private names of anyio's (`_compat/anyio.py`). Without them, such tasks are in no scope.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine, Iterable, MutableMapping
from contextlib import suppress
from typing import Any

import anyio

from ._compat.anyio import (
    begin_around,
    child_scopes,
    new_task_state,
    parent_scope,
    set_parent_scope,
    states_by_task,
    task_states,
    tasks_in,
)
from ._compat.asyncio import get_running_loop


def on_asyncio() -> bool:
    """Whether this is a task of asyncio's."""
    return get_running_loop() is not None


def scope_here() -> Any:
    """The cancel scope in which this task is; None if it is in none."""
    if not states_by_task():  # no task is in any, as a rule
        return None
    states, task = task_states(), asyncio.current_task()
    state = None if states is None or task is None else states.get(task)
    return None if state is None else state.cancel_scope


def enter_around(scope: Any, outer: Any) -> None:
    """Enter a cancel scope, around those that this task has entered since it was in `outer` (None for no scope)."""
    innermost = outermost = scope_here()
    while outermost is not None and outermost is not outer and parent_scope(outermost) is not outer:
        outermost = parent_scope(outermost)
    task = asyncio.current_task()
    if innermost is outer or outermost is None or task is None:
        scope.__enter__()
    else:
        begin_around(scope, outermost, task)


_scopes_of: dict[asyncio.Task[Any], Any] = {}
"""The tasks that were begun in no scope, while they run, each with the scope that it was put into since, or None.

Whoever begins a task puts it in, if it is to be put into a scope of its own when that may make a difference
(`may_be_cancelled_here`), and takes it out at its end, if `end_tasks` hasn't.
"""


calls_in_threads: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}
"""The tasks that wait for a call in a worker thread of `_threads`, each with what the call will have come to."""


def scopes_of_tasks() -> dict[asyncio.Task[Any], Any] | None:
    """The dictionary for such tasks; None if tasks can't be put into scopes."""
    return None if task_states() is None else _scopes_of


def begin_in_scope(coroutine: Coroutine[Any, Any, Any], scope: Any, context: contextvars.Context) -> asyncio.Task[Any]:
    """A task that is inside of a cancel scope, as tasks of a task group are.

    Parameters:
        coroutine: what it runs.
        scope: the scope.
        context: the context in which it runs.
    """
    task = asyncio.get_running_loop().create_task(coroutine, context=context)
    states = task_states()
    if states is not None:
        _enter(states, task, scope)
    return task


def may_be_cancelled_here() -> bool:
    """Whether a cancel scope is, or may come to be, around what this task goes on with."""
    if scope_here() is not None:
        return True
    task, states = asyncio.current_task(), task_states()
    if task not in _scopes_of or states is None:
        return False
    scope = _scopes_of[task] = anyio.CancelScope()
    _enter(states, task, scope)
    return True


def _enter(states: MutableMapping[asyncio.Task[Any], Any], task: asyncio.Task[Any], scope: Any) -> None:
    states[task] = new_task_state(scope)
    tasks_in(scope).add(task)
    task.add_done_callback(_leave)


def _leave(task: asyncio.Task[Any]) -> None:
    """Forget a task that has ended: what is noted of it refers to its scope, and that to the task, which would stay."""
    states = task_states()
    state = None if states is None else states.pop(task, None)
    if state is not None and state.cancel_scope is not None:
        tasks_in(state.cancel_scope).discard(task)


async def end_tasks(tasks: Iterable[asyncio.Task[Any]], scope: Any) -> None:
    """Cancel tasks that were begun in a scope, and wait for their end, whatever happens to the task that waits.

    Inside of a scope it is what anyio does to the tasks of a group that is left with an error: they are cancelled again
    and again. In none they are cancelled once, so that exit code comes to its end.
    """
    running = [task for task in tasks if not task.done()]
    scopes = [_scopes_of.get(task) if scope is None else scope for task in running]
    states = task_states()
    if states is None or not any(scopes):
        for task in running:
            _cancel(task)
        await _end_of(running)
        return
    with anyio.CancelScope() as inner:
        for task, own in zip(running, scopes, strict=True):
            if own is None:
                _cancel(task)
            else:
                _move(states, task, own, inner)
        inner.cancel()
        with anyio.CancelScope(shield=True):
            await _end_of(running)


async def _end_of(tasks: list[asyncio.Task[Any]]) -> None:
    while not all(task.done() for task in tasks):
        with suppress(asyncio.CancelledError):  # they are being cancelled already
            await asyncio.wait(tasks)
    for task in tasks:
        _scopes_of.pop(task, None)


def _cancel(task: asyncio.Task[Any]) -> None:
    """Cancel a task, but for a call in a thread, which is shielded in anyio, too."""
    call = calls_in_threads.get(task)
    if call is None:
        task.cancel()
    else:
        call.add_done_callback(lambda _: task.cancel())


def _move(states: MutableMapping[asyncio.Task[Any], Any], task: asyncio.Task[Any], scope: Any, inner: Any) -> None:
    """Move a task from a scope to one inside of it, with the scopes that it has entered itself."""
    outermost = states[task].cancel_scope
    if outermost is scope:
        tasks_in(scope).discard(task)
        _enter(states, task, inner)
        return
    while (parent := parent_scope(outermost)) is not scope:
        outermost = parent
    child_scopes(scope).discard(outermost)
    set_parent_scope(outermost, inner)
    child_scopes(inner).add(outermost)

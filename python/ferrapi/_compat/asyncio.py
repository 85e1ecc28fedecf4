"""asyncio: tested with Python 3.11 to 3.14.

``_enter_task`` and ``_leave_task`` are documented for libraries that run tasks themselves. Without them no task is
woken in the middle of another one's step: it is woken in the event loop's next turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isfunction
from typing import Any

TESTED = ("3.11", "3.14")
"""The oldest and the newest Python that the private names were tested with."""

__all__ = ["CAN_SWITCH", "TESTED", "enter_task", "get_running_loop", "leave_task", "task_of", "task_registries"]

CAN_SWITCH = hasattr(asyncio, "_enter_task") and hasattr(asyncio, "_leave_task")
"""Whether a task can be run while another one is held."""


def _cannot(loop: asyncio.AbstractEventLoop, task: Any) -> None:
    raise RuntimeError("this Python does not let tasks be run while another one is held")


enter_task: Callable[[asyncio.AbstractEventLoop, Any], None] = getattr(asyncio, "_enter_task", _cannot)
leave_task: Callable[[asyncio.AbstractEventLoop, Any], None] = getattr(asyncio, "_leave_task", _cannot)


def _get_running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


get_running_loop: Callable[[], asyncio.AbstractEventLoop | None] = getattr(
    asyncio, "_get_running_loop", _get_running_loop
)
"""The event loop that runs in this thread, or None."""

_TASKS = getattr(asyncio.tasks, "_current_tasks", None)

task_of: Callable[[asyncio.AbstractEventLoop], asyncio.Task[Any] | None] = (
    _TASKS.get if isinstance(_TASKS, dict) and isfunction(asyncio.current_task) else asyncio.current_task
)
"""The task that runs in an event loop, or None: what asyncio's function does natively since Python 3.12."""

_REGISTRIES = ("_all_tasks", "_scheduled_tasks")
"""Until Python 3.11, and in 3.12 and 3.13."""


def task_registries() -> list[Any]:
    """Where asyncio notes its tasks; nothing if it does so in another way."""
    found = (getattr(asyncio.tasks, name, None) for name in _REGISTRIES)
    return [registry for registry in found if registry is not None]

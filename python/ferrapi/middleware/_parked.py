"""A future that wakes its task at once, in the middle of another task's step, not in a later turn of the loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

from .._compat.asyncio import CAN_SWITCH, enter_task, leave_task

_DEEPEST = 16
"""How many tasks may be woken inside of each other: each takes a part of the interpreter's stack."""


class _Depth(threading.local):
    now = 0


_depth = _Depth()


class Parked(asyncio.Future[None]):
    """What one task waits for until another one says `resume`.

    asyncio's contract with tasks of third parties (``asyncio._enter_task``, ``_leave_task``) lets a task be run while
    another one is held. Otherwise this is a future like any other: its task may be cancelled.
    """

    _wake: Callable[[Any], object] | None = None
    _context: contextvars.Context | None = None

    def add_done_callback(
        self, callback: Callable[[Any], object], /, *, context: contextvars.Context | None = None
    ) -> None:
        """Note how the task that begins to wait is woken."""
        if self.done():
            super().add_done_callback(callback, context=context)
            return
        self._wake = callback
        self._context = context

    def cancel(self, msg: Any = None) -> bool:
        """Cancel it; its task is woken in the next turn of the loop."""
        cancelled = super().cancel(msg)
        if cancelled:
            self._wake_later()
        return cancelled

    def resume(self) -> None:
        """Let the task that waits go on, up to where it waits again. Does nothing if it has been cancelled."""
        if self.done():
            return
        self.set_result(None)
        held = asyncio.current_task()
        is_possible = CAN_SWITCH and held is not None and _depth.now < _DEEPEST
        if self._wake is None or self._context is None or not is_possible:
            self._wake_later()
            return
        loop = self.get_loop()
        _depth.now += 1
        leave_task(loop, held)
        try:
            self._context.run(self._wake, self)
        finally:
            enter_task(loop, held)
            _depth.now -= 1

    def _wake_later(self) -> None:
        if self._wake is not None:
            self.get_loop().call_soon(self._wake, self, context=self._context)

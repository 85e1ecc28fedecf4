"""``cancel_on_disconnect=True``: the work for a client that has left is cancelled.

The task of the request sees an `asyncio.CancelledError` once, where it waits: clean-up code of the endpoint may wait
for something. A part that is shielded (exit code of a dependency, a worker thread) comes to its end before. With a
complete response it is over: background tasks run to their end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from starlette.types import Message

from .._compat.anyio import parent_scope, task_states
from .._disconnect import Inbox
from .._scopes import on_asyncio
from .exchange import Exchange

_CLIENT_LEFT = 499
"""The status that logs have for a client that has left, after nginx; no client sees it."""
_LOOK_AGAIN = 0.005
"""Seconds after which to look whether a task can be cancelled now. Nothing tells of the end of a shield."""


class _Work:
    """The work for one request, which somebody else may cancel.

    Parameters:
        x: the exchange.
    """

    def __init__(self, x: Exchange) -> None:
        self._send = x.send_noting
        self._task = asyncio.current_task() if on_asyncio() else None
        self._is_begun = False
        self._is_answered = False
        self._is_cancelled = False
        self.has_left = False
        self.scope = anyio.CancelScope()
        self.inbox = Inbox(x.receive)

    async def send(self, message: Message) -> None:
        """The ASGI send callable."""
        self._is_begun = True
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_answered = True
        await self._send(message)

    async def answer_nobody(self) -> None:
        """Send a response that nobody gets, to middleware that waits for one."""
        if not self._is_begun:
            head = {"type": "http.response.start", "status": _CLIENT_LEFT, "headers": [(b"content-length", b"0")]}
            await self.send(head)
            await self.send({"type": "http.response.body", "body": b""})

    async def watch(self) -> None:
        """Cancel the work when the client has left before the response is complete."""
        await self.inbox.disconnected()
        if self._is_answered:
            return
        self.has_left = True
        if self._task is None or task_states() is None:
            self.scope.cancel()
            return
        while self._is_shielded(self._task):  # noqa: ASYNC110  # there is no event to wait for
            await anyio.sleep(_LOOK_AGAIN)
        if not self._is_answered:
            self._is_cancelled = True
            self._task.cancel()

    def _is_shielded(self, task: asyncio.Task[Any]) -> bool:
        """Whether the task is where a cancellation from outside doesn't reach it."""
        state = (task_states() or {}).get(task)
        scope = None if state is None else state.cancel_scope
        while scope is not None and scope is not self.scope:
            if scope.shield:
                return True
            scope = parent_scope(scope)
        return False

    def take_back(self) -> bool:
        """Take the cancellation back, which is nobody's business outside; whether the task isn't cancelled then."""
        if not self._is_cancelled or self._task is None:
            return False
        self._is_cancelled = False
        return self._task.uncancel() == 0


async def serve_while_connected(x: Exchange, serve: Callable[[Exchange], Awaitable[None]]) -> None:
    """Serve an exchange until its client leaves."""
    work = _Work(x)
    x.scope.setdefault("starlette.exception_handlers", x.handlers)
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(work.watch)
        try:
            with work.scope:
                await serve(Exchange.of(x.scope, work.inbox.receive, work.send))
        except asyncio.CancelledError:
            if not work.take_back():
                raise
        except Exception as exc:
            failure = exc  # raised outside of the group, as it is
            work.take_back()
        else:
            work.take_back()
        group.cancel_scope.cancel()
    if work.has_left and failure is None:
        await work.answer_nobody()
    if failure is not None:
        try:
            raise failure
        finally:
            del failure

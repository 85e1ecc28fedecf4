"""Synchronous contexts of requests (``yield`` dependencies): entering them in threads, and who is inside of one.

A thread that enters a context may wait there for what another request holds, a connection of a pool, say. That request
needs threads to go on. If both kinds of call took their tokens from one limiter, the first could hold all of them, and
nobody would ever go on (with FastAPI that is so). So entering has limiters of its own: one for each number of contexts
that a request is inside of already, each with as many tokens as the default one. Where requests enter contexts in
different orders, even that can come to a halt; then there are more tokens. And a request inside of a context needs no
token at all for its other calls when there is none (`_threads.py`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

PATIENCE = 0.1
"""Seconds without any progress after which there are more tokens."""

inside: Counter[Any] = Counter()
"""How many synchronous contexts each task is inside of; those that are inside of any."""


def this_task() -> Any:
    """What tells the running task from others."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # no asyncio loop: trio
        return anyio.get_current_task().id


def is_inside() -> bool:
    """Whether this task is inside of a synchronous context."""
    return bool(inside) and this_task() in inside


def note_entered() -> Any:
    """Note that this task has entered a synchronous context. Give what `note_left` has to be told."""
    task = this_task()
    inside[task] += 1
    return task


def note_left(task: Any) -> None:
    """Note that a synchronous context was left."""
    inside[task] -= 1
    if not inside[task]:
        del inside[task]


class Inside:
    """That this task is inside of synchronous contexts, for as long as the object is kept.

    Parameters:
        number: of contexts.
    """

    __slots__ = ("_number", "_task")

    def __init__(self, number: int) -> None:
        self._task = this_task()
        self._number = number
        inside[self._task] += number

    def __del__(self) -> None:
        inside[self._task] -= self._number
        if not inside[self._task]:
            del inside[self._task]


async def take_token(borrower: object) -> Tokens:
    """Wait for a token to enter a context with, for `borrower`; it is given back to what this answers."""
    depth = inside[task] if inside and (task := this_task()) in inside else 0
    tokens = _tokens_at(depth)
    await tokens.take(borrower, is_waited_for=depth > 0)
    return tokens


class Tokens:
    """The tokens for entering contexts inside of a number of others."""

    def __init__(self) -> None:
        self.limiter = anyio.CapacityLimiter(1)
        self.default = anyio.to_thread.current_default_thread_limiter()
        self.more = 0  # than the default limiter has
        self.changes = 0

    async def take(self, borrower: object, *, is_waited_for: bool) -> None:
        """Wait for a token; if others may wait for this task, no longer than they give theirs back."""
        try:
            self.limiter.acquire_on_behalf_of_nowait(borrower)
            return
        except anyio.WouldBlock:
            pass
        if not is_waited_for:
            await self.limiter.acquire_on_behalf_of(borrower)
            return
        while True:
            changes = self.changes
            with anyio.move_on_after(PATIENCE):
                await self.limiter.acquire_on_behalf_of(borrower)
                return
            if changes == self.changes:
                self.more += int(self.limiter.total_tokens)
                self.changes += 1
                self.set_total()

    def give_back(self, borrower: object) -> None:
        """Give back a token."""
        self.changes += 1
        self.limiter.release_on_behalf_of(borrower)

    def set_total(self) -> None:
        """Have as many tokens as the default limiter, and those that were needed beyond."""
        total = self.default.total_tokens + self.more
        if total != self.limiter.total_tokens:
            self.limiter.total_tokens = total


_all_tokens: RunVar[list[Tokens]] = RunVar("ferrapi_entering_tokens")


def _tokens_at(depth: int) -> Tokens:
    try:
        tokens = _all_tokens.get()
    except LookupError:
        tokens = []
        _all_tokens.set(tokens)
    while len(tokens) <= depth:
        tokens.append(Tokens())
    found = tokens[depth]
    found.set_total()
    return found

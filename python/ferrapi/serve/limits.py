"""Counting the bytes of a body while it arrives. A ``Content-Length`` is believed only if it announces too much.

Counting is Starlette's (`starlette.middleware.body_limit`): an inner limit changes that of the outer counter, so the
bytes that a middleware has read already count too. This module says where it applies, and what a task group's
exception means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._compat.starlette import (
    BODY_LIMIT_RESPONDER,
    RequestBodyLimitResponder,
    RequestBodyLimitResponseSent,
    RequestBodyTooLarge,
)
from .exchange import Exchange

_TOO_LARGE = "ferrapi.body_too_large"


def body_limit_error(exc: BaseException) -> Exception | None:
    """What a limit has raised, for a group (of groups) of nothing else: a body is too large, or was answered so."""
    pending: list[BaseException] = [exc]
    found: Exception | None = None
    while pending:
        current = pending.pop()
        if isinstance(current, BaseExceptionGroup):
            pending.extend(current.exceptions)
        elif not isinstance(current, (RequestBodyTooLarge, RequestBodyLimitResponseSent)):
            return None
        elif not isinstance(found, RequestBodyLimitResponseSent):
            found = current
    return found


class _Counter(RequestBodyLimitResponder):
    """Counts the bytes of one body, and notes in the scope that there were too many."""

    async def receive_with_limit(self) -> Message:
        """The next message, if it is within the limit."""
        try:
            return await super().receive_with_limit()
        except RequestBodyTooLarge:
            if self.total_size > self.max_body_size:
                self.scope[_TOO_LARGE] = True
            raise

    receive_with_limit.__qualname__ = RequestBodyLimitResponder.receive_with_limit.__qualname__  # tracers show it


async def _refuse() -> Message:
    raise RequestBodyTooLarge


class BodyLimit:
    """An ASGI application with a limit.

    Parameters:
        app: what to serve HTTP requests with, within the limit.
        max_body_size: bytes.
    """

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope.get(_TOO_LARGE):  # to a middleware, which has not passed it on
                receive = _refuse
            await _Counter(self._ungrouped, self.max_body_size)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _ungrouped(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; let what the limit has raised out of task groups."""
        try:
            await self.app(scope, receive, send)
        except BaseExceptionGroup as group:
            error = body_limit_error(group)
            if error is None:
                raise
            raise error from group


async def answer_outer_limit(exc: Exception, scope: Scope, receive: Receive, send: Send) -> bool:
    """Answer what the limit of an application around this one has raised; tell whether it was that.

    Observed: a plain 413 that no exception handler sees, and nothing more if the response has begun with that.
    """
    active: RequestBodyLimitResponder | None = scope.get(BODY_LIMIT_RESPONDER)
    error = None if active is None else body_limit_error(exc)
    if active is None or error is None:
        return False
    if isinstance(error, RequestBodyTooLarge):
        if active.response_started:
            return False
        response = JSONResponse({"detail": error.detail}, status_code=error.status_code)
        await response(scope, receive, send)
    return True


def limit_body(app: ASGIApp, max_body_size: int | None) -> Any:
    """`app`, answering 413 to HTTP requests with more than `max_body_size` bytes; as it is for None."""
    return app if max_body_size is None else BodyLimit(app, max_body_size)


async def serve_limited(x: Exchange, max_body_size: int, serve: Callable[[Exchange], Awaitable[None]]) -> None:
    """Serve an exchange with at most `max_body_size` bytes of body."""
    active: RequestBodyLimitResponder | None = x.peek(BODY_LIMIT_RESPONDER)
    if active is not None and active.max_body_size == max_body_size and not x.peek(_TOO_LARGE):
        await serve(x)  # the limit is the outer one
        return

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await serve(Exchange.of(scope, receive, send))

    x.scope.setdefault("starlette.exception_handlers", x.handlers)
    await BodyLimit(app, max_body_size)(x.scope, x.receive, x.send_noting)

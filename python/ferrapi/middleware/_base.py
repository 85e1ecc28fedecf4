"""Starlette's `BaseHTTPMiddleware` at a fraction of its cost: functions of ``@app.middleware("http")`` and subclasses.

Starlette runs what is below the middleware in a task group and passes each message through a stream of anyio's. Under
asyncio a `Passage` (`rust/src/run/layers/passage`) does the same with one plain task: the application below runs
in a task of its own, with a copy of the context; it gets no further ahead than the message that the middleware has not
taken yet; its background tasks wait for the response to be sent; it is cancelled when the middleware fails. What the
middleware leaves as it is goes to the server without an asynchronous generator in between. What is rarer is here. A
subclass with a ``__call__`` of its own, and all of them under another event loop, are called as in Starlette.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, MutableMapping
from typing import Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._compat.asyncio import CAN_SWITCH, enter_task, get_running_loop, leave_task, task_of
from .._compat.starlette import CachedRequest, StreamingResponse
from .._hooks import untouched, watch, written
from .._native import Passage
from .._pickling import Regained
from .._plain_urls import WithPlainURL
from .._scopes import begin_in_scope, end_tasks, scope_here, scopes_of_tasks
from .._version_counter import SETTINGS_VERSION
from ..serve.guard import wait_for
from ._parked import Parked

_TURNS = 4
"""Of the event loop that Starlette's task group takes to pass on that the client has left. A stream that is at its end,
or fails, in these turns is not cut short."""

watch(BaseHTTPMiddleware)
for _part in (CachedRequest, StreamingResponse):
    if _part is not None:
        watch(_part)


_HAS_PARTS = CAN_SWITCH and CachedRequest is not None and StreamingResponse is not None
"""Whether the private names that a passage is made with are there."""


_RequestBelow: Any = CachedRequest and type("_RequestBelow", (WithPlainURL, CachedRequest), {})
"""The class of the requests that functions and `dispatch` get."""


class Shortened(Regained):
    """Stands in the stack around a middleware, and does what its ``__call__`` does while that is Starlette's.

    Parameters:
        middleware: an instance of `BaseHTTPMiddleware` or of a subclass.
    """

    _made = frozenset({"_as_of", "_is_open", "scopes"})
    _as_of = -1
    _is_open = False
    scopes: dict[asyncio.Task[Any], Any] | None = None

    def __init__(self, middleware: ASGIApp) -> None:
        self.app = middleware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        middleware: Any = self.app
        if self._as_of != SETTINGS_VERSION.value:
            self._look_again(middleware)
        is_own = not self._is_open or type(middleware).__call__ is not BaseHTTPMiddleware.__call__
        if is_own or scope["type"] != "http" or get_running_loop() is None:
            await middleware(scope, receive, send)
            return
        await Passage.serve(self, middleware, _RequestBelow(scope, receive, send), scope, send, scope_here())

    def _look_again(self, middleware: ASGIApp) -> None:
        """A setting was changed: find out whether calling the middleware would do what Starlette's class does."""
        self._as_of = SETTINGS_VERSION.value
        self._is_open = all(untouched(kind) for kind in (BaseHTTPMiddleware, CachedRequest, StreamingResponse))
        # What is below a function can't be cancelled by a scope that is entered later.
        self.scopes = None if type(middleware) is BaseHTTPMiddleware else scopes_of_tasks()

    # What a passage asks for

    response_class = StreamingResponse
    response_call = staticmethod(written(Response, "__call__"))
    running_loop = staticmethod(asyncio.get_running_loop)
    task_of = staticmethod(task_of)
    enter_task = staticmethod(enter_task)
    leave_task = staticmethod(leave_task)
    parked = Parked
    wait_for = staticmethod(wait_for)
    checkpoint = staticmethod(checkpoint_if_cancelled)
    begin_in_scope = staticmethod(begin_in_scope)
    end_tasks = staticmethod(end_tasks)

    scope_here = staticmethod(scope_here)

    @staticmethod
    async def body(passage: Passage) -> AsyncGenerator[bytes | MutableMapping[str, Any]]:
        """The body of a response from below, for whoever iterates over it."""
        passage.begin_body()
        is_whole = False
        while not is_whole:
            await asyncio.sleep(0)  # as a stream of anyio's does: it may be that the client has left
            message = await passage.next_message()
            if message is None:
                return
            if message["type"] == "http.response.pathsend":
                yield message
                return
            body, is_whole = _body_of(message)
            if body:
                yield body

    @staticmethod
    async def pass_on(passage: Passage, response: Any) -> None:
        """Send a response from below whose body is untouched, in the messages of its ``__call__``."""
        send = passage.send
        if response.info is not None:
            await send({"type": "http.response.debug", "info": response.info})
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        is_whole = False
        while not is_whole and (message := await passage.next_message()) is not None:
            if message["type"] == "http.response.pathsend":
                await send(message)
                break
            body, is_whole = _body_of(message)
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        if response.background:
            await response.background()

    @staticmethod
    async def then_background(sending: Awaitable[None], response: Response) -> None:
        """Wait for a response to be sent, and run what is to run behind it."""
        await sending
        if response.background:
            await response.background()

    @staticmethod
    async def receive(passage: Passage) -> Message:
        """What the application below receives: that the client has left as soon as the response is sent."""
        message: Message | None = None
        if not passage.is_sent:
            with anyio.CancelScope() as scope:
                passage.receiving.add(scope)
                try:
                    message = await passage.request.wrapped_receive()
                except Exception as exc:  # out of the task group that Starlette has here
                    raise ExceptionGroup("unhandled errors in a TaskGroup", [exc]) from None
                finally:
                    passage.receiving.discard(scope)
        if message is None or passage.is_sent:
            return {"type": "http.disconnect"}
        if message["type"] == "http.disconnect":
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        return message


def _body_of(message: Message) -> tuple[bytes, bool]:
    """What a message adds to the body of a response, and whether it is the last one."""
    if message["type"] != "http.response.body":
        raise AssertionError(f"Unexpected message: {message}")
    return message.get("body", b""), not message.get("more_body", False)


def shortened(app: ASGIApp) -> ASGIApp:
    """A layer that was just made, inside of what does the same in a shorter way, if there is one for it."""
    is_one = isinstance(app, BaseHTTPMiddleware) and type(app).__call__ is BaseHTTPMiddleware.__call__
    return Shortened(app) if is_one and _HAS_PARTS else app

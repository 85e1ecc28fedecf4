"""Starlette: tested with 1.10.

What ferrapi needs of its private names is small enough to be said here a second time, but for the pieces of
`BaseHTTPMiddleware` (without them such middleware is called as it is, `middleware/_base.py`).
"""

from __future__ import annotations

import inspect
from functools import partial
from types import FunctionType
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TESTED = ("1.10", "1.10")
"""The oldest and the newest release that the private names were tested with."""

__all__ = [
    "BODY_LIMIT_RESPONDER",
    "MAX_BODY_SIZE_SCOPE_KEY",
    "TESTED",
    "CachedRequest",
    "RequestBodyLimitResponder",
    "RequestBodyLimitResponseSent",
    "RequestBodyTooLarge",
    "StreamingResponse",
    "get_route_path",
    "gives_coroutine",
    "is_async_callable",
]


def _is_async_callable(obj: Any) -> bool:
    """Whether calling an object gives a coroutine."""
    while isinstance(obj, partial):
        obj = obj.func
    return inspect.iscoroutinefunction(obj) or (callable(obj) and inspect.iscoroutinefunction(obj.__call__))


def _get_route_path(scope: Scope) -> str:
    """The path of a request below where the application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    below = path[len(root) :]
    return below if not below or below.startswith("/") else path


class _RequestBodyTooLarge(HTTPException):
    """A body has more bytes than it may have."""

    def __init__(self) -> None:
        super().__init__(status_code=413, detail="Content Too Large")


class _RequestBodyLimitResponseSent(Exception):
    """That was answered already."""


class _RequestBodyLimitResponder:
    """Serves one request with a limit to its body, in the place of Starlette's.

    Parameters:
        app: what serves it.
        max_body_size: bytes.
    """

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size
        self.total_size = 0
        self.response_started = False
        self.scope: Scope = {}
        self._announced = 0
        self._receive: Receive | None = None
        self._send: Send | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outer: Any = scope.get(_BODY_LIMIT_RESPONDER)
        if outer is not None:  # which counts already
            outer.max_body_size = self.max_body_size
            await self.app(scope, receive, send)
            return
        self.scope, self._receive, self._send = scope, receive, send
        announced = Headers(scope=scope).get("content-length", "")
        self._announced = int(announced) if announced.isdecimal() else 0
        scope[_BODY_LIMIT_RESPONDER] = self
        try:
            await self.app(scope, self.receive_with_limit, self.send_with_limit)
        except _RequestBodyTooLarge as exc:
            if self.response_started:
                raise
            await _refuse(send, exc)
        except _RequestBodyLimitResponseSent:
            pass
        finally:
            scope.pop(_BODY_LIMIT_RESPONDER, None)

    async def receive_with_limit(self) -> Message:
        """The next message, if it is within the limit."""
        assert self._receive is not None  # it is being called
        if self._announced > self.max_body_size:
            raise _RequestBodyTooLarge
        message = await self._receive()
        self.total_size += len(message.get("body", b""))
        if self.total_size > self.max_body_size:
            raise _RequestBodyTooLarge
        return message

    async def send_with_limit(self, message: Message) -> None:
        """Pass a message on, unless the body is known to be too large; note that the response has begun."""
        assert self._send is not None
        if not self.response_started and self._announced > self.max_body_size:
            self.response_started = True
            await _refuse(self._send, _RequestBodyTooLarge())
            raise _RequestBodyLimitResponseSent
        self.response_started = True
        await self._send(message)


async def _refuse(send: Send, exc: HTTPException) -> None:
    body = exc.detail.encode()
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": exc.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_BODY_LIMIT_RESPONDER = "ferrapi.body_limit_responder"

is_async_callable: Any
get_route_path: Any
try:
    from starlette._utils import get_route_path, is_async_callable
except ImportError:
    get_route_path, is_async_callable = _get_route_path, _is_async_callable


def gives_coroutine(obj: Any) -> bool:
    """The same as `is_async_callable`, sooner for the usual function."""
    is_plain = type(obj) is FunctionType and bool(obj.__code__.co_flags & inspect.CO_COROUTINE)
    return is_plain or bool(is_async_callable(obj))


CachedRequest: Any
StreamingResponse: Any
try:
    from starlette.middleware.base import _CachedRequest as CachedRequest
    from starlette.middleware.base import _StreamingResponse as StreamingResponse
except ImportError:
    CachedRequest = StreamingResponse = None

try:
    from starlette.middleware.body_limit import (
        _BODY_LIMIT_RESPONDER_SCOPE_KEY as BODY_LIMIT_RESPONDER,
    )
    from starlette.middleware.body_limit import (
        MAX_BODY_SIZE_SCOPE_KEY,
        RequestBodyLimitResponder,
    )
    from starlette.middleware.body_limit import (
        _RequestBodyLimitResponseSent as RequestBodyLimitResponseSent,
    )
    from starlette.middleware.body_limit import (
        _RequestBodyTooLarge as RequestBodyTooLarge,
    )
except ImportError:
    MAX_BODY_SIZE_SCOPE_KEY = "starlette.max_body_size"
    BODY_LIMIT_RESPONDER = _BODY_LIMIT_RESPONDER
    RequestBodyLimitResponder = _RequestBodyLimitResponder  # type: ignore[misc, assignment]  # what is used of it is there
    RequestBodyLimitResponseSent = _RequestBodyLimitResponseSent  # type: ignore[misc, assignment]
    RequestBodyTooLarge = _RequestBodyTooLarge  # type: ignore[misc, assignment]

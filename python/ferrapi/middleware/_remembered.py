"""What Starlette's CORS, trusted hosts and GZip decide, remembered: by their own code, once per origin, host and so on.

They decide by a few headers of the request and by their settings alone, so what they have decided once they would
decide again. Nothing of it is decided here. What is remembered is bounded, since clients choose the headers, and is
forgotten when a setting of the middleware has changed, a list of origins that somebody edits included.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Generic, TypeVar

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._at_once import run_at_once
from .._hooks import untouched, watch
from .._native import Adding
from .._pickling import Regained
from .._version_counter import SETTINGS_VERSION
from ..serve.guard import wait_for
from ._compression import compress_in_thread, compression_of, in_thread, responding

MOST = 256
"""Answers that are remembered per middleware; when there are more, it begins anew."""
LONGEST = 1024
"""Bytes of what an answer depends on, if that is to be remembered."""

Pairs = list[tuple[bytes, bytes]]
Key = tuple[bytes | None, ...]
T = TypeVar("T")

for _kind in (CORSMiddleware, TrustedHostMiddleware, GZipMiddleware, GZipResponder, IdentityResponder):
    watch(_kind)

_SETTLED = (bool, int, str, type(None), re.Pattern, list, tuple, set, frozenset, dict)
"""The classes of settings of which a copy tells whether they have changed."""


class Memory(Generic[T]):
    """Answers of one middleware, each to what it depends on.

    Parameters:
        middleware: it.
        ask: has it answer.
    """

    def __init__(self, middleware: Any, ask: Callable[[Any, Key], T]) -> None:
        self._middleware = middleware
        self._ask = ask
        self._answers: dict[Key, T] = {}
        self._settings: dict[str, Any] = {}
        self._is_settled = False

    def of(self, *key: bytes | None) -> T:
        """The answer to what it depends on."""
        if vars(self._middleware) != self._settings:
            self._settings = {name: _copy(value) for name, value in vars(self._middleware).items()}
            settings = [value for name, value in self._settings.items() if name != "app"]
            self._is_settled = all(type(value) in _SETTLED for value in settings)
            self._answers.clear()
        answer = self._answers.get(key)
        if answer is None:
            answer = self._ask(self._middleware, key)
            if self._is_settled and sum(map(len, filter(None, key))) <= LONGEST:
                if len(self._answers) >= MOST:
                    self._answers.clear()
                self._answers[key] = answer
        return answer


def _copy(value: Any) -> Any:
    return copy.copy(value) if isinstance(value, (list, set, dict)) else value


def headers_of_cors(middleware: CORSMiddleware, key: Key) -> Pairs:
    """The headers of a response with those that CORS adds, for the request's ``Origin``, if it has one.

    The key is the origin, and then names and values of the response's headers.
    """
    origin, *parts = key
    headers = _headers(*zip(parts[::2], parts[1::2], strict=True)).raw  # type: ignore[arg-type]  # none of them is None
    message: Message = {"type": "http.response.start", "headers": headers}
    run_at_once(middleware.send(message, send=_swallow, request_headers=_headers((b"origin", origin))))
    added: Pairs = message["headers"]
    return added


_PREFLIGHT = (
    b"origin",
    b"access-control-request-method",
    b"access-control-request-headers",
    b"access-control-request-private-network",
)
"""The headers that a preflight's answer depends on."""


def preflight_of_cors(middleware: CORSMiddleware, key: Key) -> Response:
    """The answer to a preflight with these headers, in the order of `_PREFLIGHT`."""
    return middleware.preflight_response(request_headers=_headers(*zip(_PREFLIGHT, key, strict=True)))


def responder_of_gzip(middleware: GZipMiddleware, key: Key) -> tuple[type[IdentityResponder], dict[str, Any]]:
    """The class and the attributes of what sends a response, compressed for a key that isn't None."""
    responders: list[Any] = []

    async def note(scope: Scope, receive: Receive, send: Any) -> None:
        responders.append(send.__self__)

    _probe(middleware, note, (b"accept-encoding", key[0]))
    attributes = {name: value for name, value in vars(responders[0]).items() if name not in ("app", "send")}
    return type(responders[0]), attributes


def passes_host(middleware: TrustedHostMiddleware, key: Key) -> bool:
    """Whether requests with this ``Host``, if they have one, come to what is below the middleware."""
    called = False

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal called
        called = True

    _probe(middleware, note, (b"host", key[0]))
    return called


def _probe(middleware: Any, app: ASGIApp, header: tuple[bytes, bytes | None]) -> None:
    """Send a request through a middleware around `app`, both of which wait for nothing."""
    probe = copy.copy(middleware)
    probe.app = app
    scope: Scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/", "query_string": b""}
    scope["headers"] = _headers(header).raw
    run_at_once(probe(scope, None, _swallow))


def _headers(*pairs: tuple[bytes, bytes | None]) -> Headers:
    return Headers(raw=[(name, value) for name, value in pairs if value is not None])


async def _swallow(message: Message) -> None:
    return None


class _Layer(Regained):
    """Stands in the stack around a middleware, and does what it does while its class is untouched.

    Parameters:
        middleware: it.
    """

    _made = frozenset({"_as_of", "_known", "_is_open"})
    _as_of = -1
    _known: Any = None
    _is_open = False
    kinds: tuple[type, ...] = ()

    def __init__(self, middleware: ASGIApp) -> None:
        self.app = middleware

    def _is_as_written(self) -> bool:
        """Whether calling the middleware would do what Starlette's class does."""
        if self._as_of != SETTINGS_VERSION.value or self._known is not self.app:
            self._as_of, self._known = SETTINGS_VERSION.value, self.app
            self._is_open = type(self.app) is self.kinds[0] and all(untouched(kind) for kind in self.kinds)
            self.begin_anew(self.app)
        return self._is_open

    def begin_anew(self, middleware: Any) -> None:
        """Forget what is remembered."""
        raise NotImplementedError


class RememberingCORS(_Layer):
    """Starlette's `CORSMiddleware`, with what it adds remembered."""

    _made = _Layer._made | {"_added", "_preflights"}
    kinds = (CORSMiddleware, PlainTextResponse)

    def begin_anew(self, middleware: Any) -> None:
        """Forget what is remembered."""
        self._added = Memory(middleware, headers_of_cors)
        self._preflights = Memory(middleware, preflight_of_cors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        middleware: Any = self.app
        if scope["type"] != "http" or not self._is_as_written():
            await middleware(scope, receive, send)
            return
        headers: Pairs = list(scope["headers"])
        scope["headers"] = headers
        origin = next((value for name, value in headers if name == b"origin"), None)
        if origin is not None and scope["method"] == "OPTIONS":
            key = [next((value for own, value in headers if own == name), None) for name in _PREFLIGHT]
            if key[1] is not None:
                response = self._preflights.of(*key)
                message = {"type": "http.response.start", "status": response.status_code}
                await send({**message, "headers": list(response.raw_headers)})
                await send({"type": "http.response.body", "body": response.body})
                return

        await middleware.app(scope, receive, self.sending(origin, lambda: headers, send))

    def sending(self, origin: bytes | None, headers: Callable[[], Pairs], send: Send) -> Send:
        """What takes the messages of a response to a request that was let through.

        Parameters:
            origin: the request's ``Origin``, if it has one.
            headers: all of the request's headers, which are asked for rarely.
            send: where the messages go.
        """

        def send_plainly(message: Message) -> Awaitable[None]:
            middleware: Any = self.app
            answer: Awaitable[None] = middleware.send(message, send=send, request_headers=Headers(raw=headers()))
            return answer

        def merge(common: Pairs) -> Pairs:
            return self._added.of(origin, *(part for pair in common for part in pair))

        return Adding(send, self._added.of(origin), merge, send_plainly)


class RememberingHosts(_Layer):
    """Starlette's `TrustedHostMiddleware`, with its decisions remembered. What it refuses, it answers itself."""

    _made = _Layer._made | {"_passing"}
    kinds = (TrustedHostMiddleware,)

    def begin_anew(self, middleware: Any) -> None:
        """Forget what is remembered."""
        self._passing = Memory(middleware, passes_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        middleware: Any = self.app
        if scope["type"] == "http" and self._is_as_written() and not middleware.allow_any:
            headers: Pairs = list(scope["headers"])
            scope["headers"] = headers
            if self._passing.of(next((value for name, value in headers if name == b"host"), None)):
                await middleware.app(scope, receive, send)
                return
        await middleware(scope, receive, send)


class RememberingGZip(_Layer):
    """Starlette's `GZipMiddleware`; what sends its responses is native, or made by copying."""

    _made = _Layer._made | {"_sends"}
    kinds = (GZipMiddleware, GZipResponder, IdentityResponder)
    wait_for = staticmethod(wait_for)
    compress_in_thread = staticmethod(compress_in_thread)
    in_thread = staticmethod(in_thread)

    def begin_anew(self, middleware: Any) -> None:
        """Forget what is remembered."""
        self._sends = Memory(middleware, self._find_send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        middleware: Any = self.app
        if scope["type"] != "http" or not self._is_as_written():
            await middleware(scope, receive, send)
            return
        headers: Pairs = list(scope["headers"])
        scope["headers"] = headers
        accepted = next((value for name, value in headers if name == b"accept-encoding"), None)
        await middleware.app(scope, receive, self.sending(accepted, send))

    def sending(self, accepted: bytes | None, send: Send) -> Send:
        """What takes the messages of a response, in front of `send`, for the request's ``Accept-Encoding``."""
        return self._sends.of(b"gzip" if accepted is not None and b"gzip" in accepted else None)(send)

    def _find_send(self, middleware: GZipMiddleware, key: Key) -> Callable[[Send], Send]:
        """What makes the ``send`` of a request: its native form, or else that of a responder."""
        kind, attributes = responder_of_gzip(middleware, key)
        compression = compression_of(self, kind, attributes)
        return partial(responding, kind, attributes) if compression is None else compression.send


REMEMBERING: dict[type, Callable[[Any], ASGIApp]] = {
    CORSMiddleware: RememberingCORS,
    GZipMiddleware: RememberingGZip,
    TrustedHostMiddleware: RememberingHosts,
}

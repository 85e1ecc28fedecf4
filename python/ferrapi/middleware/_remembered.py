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
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._at_once import run_at_once
from .._hooks import untouched, watch
from .._native import Decisions, RequestHead, Short
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

_SETTLED = (bool, int, str, type(None), re.Pattern, list, tuple, set, frozenset, dict)
"""The classes of settings of which a copy tells whether they have changed."""


class Memory(Decisions):
    """Answers of one middleware, each to what it depends on: ``Memory(middleware, ask).of(*key)``."""

    def decide(self, key: Key) -> Any:
        """Have the middleware answer; forget what it has answered with other settings."""
        current, answers = vars(self.middleware), self.answers
        if current != self.settings:
            self.settings.clear()
            self.settings.update({name: _copy(value) for name, value in current.items()})
            answers.clear()
        answer = answers.get(key)
        if answer is None:
            answer = self.ask(self.middleware, key)
            settings = (value for name, value in self.settings.items() if name != "app")
            is_settled = all(type(value) in _SETTLED for value in settings)
            if is_settled and sum(map(len, filter(None, key))) <= LONGEST:
                if len(answers) >= MOST:
                    answers.clear()
                answers[key] = answer
        return answer


def _copy(value: Any) -> Any:
    return copy.copy(value) if isinstance(value, (list, set, dict)) else value


def headers_of_cors(middleware: CORSMiddleware, key: Key, add: Any = CORSMiddleware.send) -> Pairs:
    """The headers of a response with those that CORS adds, for the request's ``Origin``, if it has one.

    Parameters:
        middleware: it.
        key: the origin, and then names and values of the response's headers.
        add: the middleware's `send`, as a function.
    """
    origin, *parts = key
    headers = _headers(*zip(parts[::2], parts[1::2], strict=True)).raw  # type: ignore[arg-type]  # none of them is None
    message: Message = {"type": "http.response.start", "headers": headers}
    run_at_once(add(middleware, message, send=_swallow, request_headers=_headers((b"origin", origin))))
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


class _Layer(Regained, Short):
    """Stands in the stack around a middleware, and does what it does while its class is untouched.

    Which requests go past the middleware, and with which ``send``, is the native side's to say (`kind`).

    Parameters:
        middleware: it.
    """

    kind = ""
    settings_version = SETTINGS_VERSION
    kinds: tuple[type, ...] = ()
    """The class of the middleware, and those that it sends its responses by."""

    def __init__(self, middleware: ASGIApp) -> None:
        self.app = middleware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passed = self.pass_through(scope, send)
        if passed is None:
            await self.answer(scope, receive, send)
        else:
            app, send = passed
            await app(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that doesn't go past the middleware."""
        await self.app(scope, receive, send)

    def look_again(self, middleware: Any) -> Memory | None:
        """What remembers the middleware's decisions; None if calling it would not do what Starlette's class does."""
        is_open = type(middleware) is self.kinds[0] and all(untouched(kind) for kind in self.kinds)
        return self.begin_anew(middleware) if is_open else None

    def begin_anew(self, middleware: Any) -> Memory:
        """Forget what is remembered."""
        raise NotImplementedError


class RememberingCORS(_Layer):
    """Starlette's `CORSMiddleware`, with what it adds remembered."""

    _made = frozenset({"_add", "_preflights"})
    kind = "cors"
    kinds = (CORSMiddleware, PlainTextResponse)

    def begin_anew(self, middleware: Any) -> Memory:
        """Forget what is remembered."""
        self._preflights = Memory(middleware, preflight_of_cors)
        self._add: Any = CORSMiddleware.send  # which a request keeps that has come before it is replaced
        return Memory(middleware, partial(headers_of_cors, add=self._add))

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that doesn't go past the middleware: preflights, if nothing was replaced."""
        preflight = self._preflight(scope) if scope["type"] == "http" and self.is_open() else None
        if preflight is None:
            await self.app(scope, receive, send)
            return
        message = {"type": "http.response.start", "status": preflight.status_code}
        await send({**message, "headers": list(preflight.raw_headers)})
        await send({"type": "http.response.body", "body": preflight.body})

    def _preflight(self, scope: Scope) -> Response | None:
        """The answer to a preflight; None for other requests."""
        headers: Pairs = scope["headers"]
        key = tuple(next((value for own, value in headers if own == name), None) for name in _PREFLIGHT)
        if scope["method"] != "OPTIONS" or key[0] is None or key[1] is None:
            return None
        response: Response = self._preflights.of(*key)
        return response

    def send_plainly(self, message: Message, send: Send, request: Pairs | RequestHead) -> Awaitable[None]:
        """Let the middleware send a head for which nothing can be remembered.

        Parameters:
            message: the head.
            send: where it goes.
            request: the headers of the request, or its head.
        """
        headers = request.headers() if isinstance(request, RequestHead) else request
        answer: Awaitable[None] = self._add(self.app, message, send=send, request_headers=Headers(raw=headers))
        return answer


class RememberingHosts(_Layer):
    """Starlette's `TrustedHostMiddleware`, with its decisions remembered. What it refuses, it answers itself."""

    kind = "hosts"
    kinds = (TrustedHostMiddleware,)

    def begin_anew(self, middleware: Any) -> Memory:
        """Forget what is remembered."""
        return Memory(middleware, passes_host)


class PassingHTTPS(_Layer):
    """Starlette's `HTTPSRedirectMiddleware`, which lets requests by HTTPS through and answers the others itself."""

    kind = "https"
    kinds = (HTTPSRedirectMiddleware,)

    def begin_anew(self, middleware: Any) -> Memory:
        """There is nothing to remember."""
        return Memory(middleware, _nothing)


def _nothing(middleware: Any, key: Key) -> None:
    return None


class RememberingGZip(_Layer):
    """Starlette's `GZipMiddleware`; what sends its responses is native, or made by copying."""

    kind = "gzip"
    kinds = (GZipMiddleware, GZipResponder, IdentityResponder)
    wait_for = staticmethod(wait_for)
    compress_in_thread = staticmethod(compress_in_thread)
    in_thread = staticmethod(in_thread)

    def begin_anew(self, middleware: Any) -> Memory:
        """Forget what is remembered."""
        return Memory(middleware, self._find_send)

    def _find_send(self, middleware: GZipMiddleware, key: Key) -> Callable[[Send], Send]:
        """What makes the ``send`` of a request: its native form, or else that of a responder."""
        kind, attributes = responder_of_gzip(middleware, key)
        compression = compression_of(self, kind, attributes)
        return partial(responding, kind, attributes) if compression is None else compression.send


_LAYERS = (RememberingCORS, RememberingGZip, PassingHTTPS, RememberingHosts)
for _kind in (kind for layer in _LAYERS for kind in layer.kinds):
    watch(_kind)

REMEMBERING: dict[type, Callable[[Any], ASGIApp]] = {layer.kinds[0]: layer for layer in _LAYERS}
"""By the class of a middleware: what stands in the stack around it."""

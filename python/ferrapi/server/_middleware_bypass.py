"""Middleware that need not be called: what the transport knows of Starlette's common classes.

A bypass says two things of one middleware. Does it let a request through to the application, as it is? If not, the
request is handed over. What does it do to a response? If that is more than adding headers, the response goes through
the middleware's own code: through copies of the whole chain, with the response in the application's place. So nothing
that these classes decide is decided here a second time; the bypasses only know when there is nothing to decide.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from .._hooks import watch
from .._native import RequestHead
from ..middleware._remembered import Memory, headers_of_cors, passes_gzip, passes_host

Headers = list[tuple[bytes, bytes]]

_REPLY = "ferrapi.server.reply"


class Bypass:
    """What is known of one middleware.

    Parameters:
        middleware: it.
    """

    def __init__(self, middleware: Any) -> None:
        self.middleware = middleware

    def passes(self, head: RequestHead, scheme: str | None) -> bool:
        """Whether the middleware lets this request through as it is."""
        return True

    def adds(self, head: RequestHead, headers: Headers, size: int) -> Headers | None:
        """The headers that it adds to a whole response; None if it has to be asked.

        Parameters:
            head: the request's.
            headers: the response's.
            size: the length of the response's body in bytes.
        """
        return []

    def adds_to_stream(self, head: RequestHead, status: int, headers: Headers) -> Headers | None:
        """The same for a response in pieces, which it leaves as they are."""
        return self.adds(head, headers, 0)


class _TrustedHost(Bypass):
    def __init__(self, middleware: TrustedHostMiddleware) -> None:
        super().__init__(middleware)
        self._passing = Memory(middleware, passes_host)

    def passes(self, head: RequestHead, scheme: str | None) -> bool:
        return self._passing.of(head.header(b"host"))


class _HTTPSRedirect(Bypass):
    def passes(self, head: RequestHead, scheme: str | None) -> bool:
        # A proxy's word on the scheme is for uvicorn's middleware to believe or not.
        return scheme == "https" and head.header(b"x-forwarded-proto") is None


class _CORS(Bypass):
    def __init__(self, middleware: CORSMiddleware) -> None:
        super().__init__(middleware)
        self._added = Memory(middleware, headers_of_cors)

    def passes(self, head: RequestHead, scheme: str | None) -> bool:
        return head.method != "OPTIONS"

    def adds(self, head: RequestHead, headers: Headers, size: int) -> Headers | None:
        added = self._added.of(head.header(b"origin"))
        names = {name.lower() for name, _ in headers}
        return None if any(name in names for name, _ in added) else added


class _GZip(Bypass):
    def __init__(self, middleware: GZipMiddleware) -> None:
        super().__init__(middleware)
        self._passing = Memory(middleware, passes_gzip)

    def adds(self, head: RequestHead, headers: Headers, size: int) -> Headers | None:
        return [] if size < self.middleware.minimum_size else None

    def adds_to_stream(self, head: RequestHead, status: int, headers: Headers) -> Headers | None:
        known = dict(reversed(headers))  # by the first of each name
        names = (b"content-type", b"content-encoding")
        key = head.header(b"accept-encoding"), b"%d" % status, *(known.get(name) for name in names)
        return [] if self._passing.of(*key) else None


BYPASSES: dict[Any, Callable[[Any], Bypass]] = {
    CORSMiddleware: _CORS,
    GZipMiddleware: _GZip,
    HTTPSRedirectMiddleware: _HTTPSRedirect,
    TrustedHostMiddleware: _TrustedHost,
}
for _kind in BYPASSES:
    watch(_kind)


async def _reply(scope: Scope, receive: Receive, send: Send) -> None:
    """In the application's place: what is to answer, a response that is there already or a route."""
    await scope.pop(_REPLY)(scope, receive, send)


class Bypasses:
    """The middleware of an application, each with its bypass.

    Parameters:
        layers: the middleware, outermost first.
    """

    def __init__(self, layers: list[Any]) -> None:
        self._bypasses = [BYPASSES[type(layer)](layer) for layer in layers]
        self._chain: ASGIApp = _reply
        for layer in reversed(layers):
            outer = copy.copy(layer)
            outer.app = self._chain
            self._chain = outer

    def __bool__(self) -> bool:
        return bool(self._bypasses)

    def pass_through(self, head: RequestHead, scheme: str | None) -> bool:
        """Whether all of them let this request through as it is."""
        return all(bypass.passes(head, scheme) for bypass in self._bypasses)

    def extended(self, head: RequestHead, headers: Headers, size: int) -> Headers | None:
        """The headers of a whole response with what they add; None if one of them has to be asked."""
        for bypass in reversed(self._bypasses):
            added = bypass.adds(head, headers, size)
            if added is None:
                return None
            headers = headers + added
        return headers

    def extended_stream(self, head: RequestHead, status: int, headers: Headers) -> Headers | None:
        """The same for a response in pieces."""
        for bypass in reversed(self._bypasses):
            added = bypass.adds_to_stream(head, status, headers)
            if added is None:
                return None
            headers = headers + added
        return headers

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app` inside of their own code, which gets the scope when all of it has let the request through."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_REPLY] = app
            await self._chain(scope, receive, send)

        return run

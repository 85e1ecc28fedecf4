"""Middleware that need not be called: what the transport knows of Starlette's common classes.

A bypass says two things of one middleware. Does it let a request through to the application, as it is? If not, the
request is handed over. What stands between a response and the server? That is the ``send`` which the middleware has
where it is called, too (`ferrapi.middleware._remembered`). So nothing that these classes decide is decided here a
second time; the bypasses only know when there is nothing to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import Send

from .._hooks import watch
from .._native import RequestHead
from ..middleware._remembered import Memory, RememberingCORS, RememberingGZip, passes_host


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

    def sending(self, head: RequestHead, send: Send) -> Send:
        """What takes the messages of the response to a request that passes, in front of `send`."""
        return send


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
        self._layer = RememberingCORS(middleware)
        self._layer.begin_anew(middleware)

    def passes(self, head: RequestHead, scheme: str | None) -> bool:
        return head.method != "OPTIONS"

    def sending(self, head: RequestHead, send: Send) -> Send:
        return self._layer.sending(head.header(b"origin"), head.headers, send)


class _GZip(Bypass):
    def __init__(self, middleware: GZipMiddleware) -> None:
        super().__init__(middleware)
        self._layer = RememberingGZip(middleware)
        self._layer.begin_anew(middleware)

    def sending(self, head: RequestHead, send: Send) -> Send:
        return self._layer.sending(head.header(b"accept-encoding"), send)


BYPASSES: dict[Any, Callable[[Any], Bypass]] = {
    CORSMiddleware: _CORS,
    GZipMiddleware: _GZip,
    HTTPSRedirectMiddleware: _HTTPSRedirect,
    TrustedHostMiddleware: _TrustedHost,
}
for _kind in BYPASSES:
    watch(_kind)


class Bypasses:
    """The middleware of an application, each with its bypass.

    Parameters:
        layers: the middleware, outermost first.
    """

    def __init__(self, layers: list[Any]) -> None:
        self._bypasses = [BYPASSES[type(layer)](layer) for layer in layers]

    def pass_through(self, head: RequestHead, scheme: str | None) -> bool:
        """Whether all of them let this request through as it is."""
        return all(bypass.passes(head, scheme) for bypass in self._bypasses)

    def sending(self, head: RequestHead, send: Send) -> Send:
        """What takes the messages of the response to a request that passes, in front of the server's `send`."""
        for bypass in self._bypasses:
            send = bypass.sending(head, send)
        return send

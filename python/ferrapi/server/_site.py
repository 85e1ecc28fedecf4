"""What the transport serves: a ferrapi application that is what it seems, and uvicorn's proxy headers around it."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from .._at_once import run_at_once
from .._hooks import WATCH, is_own, untouched
from .._middleware_stack import AppBodyLimitMiddleware, Exceptions, ServerErrors
from .._native import NativeSite, RequestHead
from .._readiness import Readiness
from .._version_counter import ROUTES_VERSION, SETTINGS_VERSION
from ..applications import FastAPI
from ..middleware._remembered import REMEMBERING
from ..routing import APIRouter
from ..routing._table import Target
from ._middleware_bypass import BYPASSES, Bypasses


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    return None


class Site:
    """An application that is served natively.

    Parameters:
        app: the application.
        stack: its middleware stack.
        layers: the middleware in it, outermost first, all of classes with a bypass.
        inner: its innermost layer.
        proxy: uvicorn's proxy header middleware around it, if any.
    """

    def __init__(
        self,
        app: FastAPI,
        stack: ServerErrors,
        layers: list[Any],
        inner: Exceptions,
        proxy: ProxyHeadersMiddleware | None,
    ) -> None:
        self.app = app
        self.stack = stack
        self.proxy = proxy
        self.router: APIRouter = inner.app  # type: ignore[assignment]  # which `_are_ends` has seen
        self.bypasses = Bypasses(layers) if layers else None
        self.handlers = inner.handlers
        self.table = self.router.table().native
        self.native = NativeSite(
            self.table, self.handlers, self.router, bool(layers), ROUTES_VERSION, SETTINGS_VERSION, WATCH
        )
        self._proxy_headers: Any = None
        if proxy is not None:
            # The same middleware, around nothing: it changes the scope and that's it.
            self._proxy_headers = ProxyHeadersMiddleware(_nothing, trusted_hosts=[])  # type: ignore[arg-type]
            self._proxy_headers.trusted_hosts = proxy.trusted_hosts

    @classmethod
    def of(cls, loaded: Any) -> Site | None:
        """The site of an application as uvicorn loaded it; None for one that has to be called in the ASGI way."""
        proxy = None
        if type(loaded) is Readiness:  # its path has a route as well
            loaded = loaded.app
        if type(loaded) is ProxyHeadersMiddleware:
            proxy, loaded = loaded, loaded.app
        if not isinstance(loaded, FastAPI):
            return None
        kind = type(loaded)
        is_usual = is_own(kind, FastAPI, "__call__", "build_middleware_stack") and untouched(Starlette, "__call__")
        if not is_usual or kind.__mro__[kind.__mro__.index(FastAPI) :] != FastAPI.__mro__:
            return None
        if "build_middleware_stack" in loaded.__dict__:
            return None
        if loaded.root_path:
            return None
        if loaded.middleware_stack is None:
            loaded.middleware_stack = loaded.build_middleware_stack()
        stack: Any = loaded.middleware_stack
        layers: list[Any] = []
        inner: Any = stack.app if type(stack) is ServerErrors else stack
        inner = _behind_no_limit(inner)
        while type(known := _without_memory(inner)) in BYPASSES and untouched(type(known)) and "app" in known.__dict__:
            layers.append(known)
            inner = known.app
        if not _are_ends(stack, inner):
            return None
        return cls(loaded, stack, layers, inner, proxy)

    def stands(self) -> bool:
        """Whether the application is still as it was, and its route table too."""
        return self.native.stands()

    def find(self, head: RequestHead, scheme: str | None) -> tuple[Target, dict[str, Any]] | None:
        """The route of a request and its path parameters; None if that takes a scope, or a middleware."""
        if self.bypasses is not None and not self.bypasses.pass_through(head, scheme):
            return None
        return self.table.find_head(head)

    def client(self, head: RequestHead, peer: tuple[str, int] | None) -> tuple[str, int] | None:
        """The client as the application sees it: `peer`, or the one that a trusted proxy names."""
        if head.header(b"x-forwarded-for") is None:
            return peer
        scope: Scope = {"type": "http", "client": peer, "headers": head.headers()}
        self.apply_proxy_headers(head, scope)
        client: tuple[str, int] | None = scope["client"]
        return client

    def apply_proxy_headers(self, head: RequestHead, scope: Scope) -> None:
        """Put the client and scheme that a trusted proxy names into `scope`."""
        if self.proxy is None or all(head.header(name) is None for name in _OF_PROXIES):
            return
        run_at_once(self._proxy_headers(scope, None, None))  # it awaits nothing but `_nothing`


_OF_PROXIES = (b"x-forwarded-for", b"x-forwarded-proto")
"""The headers that uvicorn's middleware for proxies looks at; without them it changes nothing."""


def _behind_no_limit(layer: Any) -> Any:
    """What is behind the layer for the limit of bodies, if there is no limit: then it is for applications around it."""
    is_open = type(layer) is AppBodyLimitMiddleware and not layer.is_limited and untouched(AppBodyLimitMiddleware)
    return layer.app if is_open else layer


def _without_memory(layer: Any) -> Any:
    """The middleware itself, if `layer` is what remembers its decisions for requests that come by ASGI."""
    return layer.app if type(layer) in REMEMBERING.values() else layer


def _are_ends(outer: Any, inner: Any) -> bool:
    """Whether these are the outermost and the innermost layer of an application, and its router is a usual one."""
    if type(outer) is not ServerErrors or type(inner) is not Exceptions:
        return False
    return untouched(ServerErrorMiddleware) and inner.goes_short()

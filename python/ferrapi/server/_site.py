"""What the transport serves: a ferrapi application that is what it seems, and uvicorn's proxy headers around it."""

from __future__ import annotations

import contextlib
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from .._at_once import run_at_once
from .._facts import Facts
from .._hooks import WATCH, is_own, untouched
from .._middleware_stack import AppBodyLimitMiddleware, Exceptions, ServerErrors
from .._native import NativeSite, RequestHead, Short
from .._readiness import Readiness
from .._version_counter import ROUTES_VERSION, SETTINGS_VERSION
from ..applications import FastAPI
from ..declare.limits import inherit_form_limits
from ..routing import APIRouter
from ..routing._table import Target
from ..serve.exchange import Exchange


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    return None


class Site:
    """An application that is served natively.

    Parameters:
        app: the application.
        stack: its middleware stack.
        layers: those of middleware that requests pass, outermost first.
        inner: its innermost layer.
        outer: the site that it is mounted in, if any.
    """

    def __init__(
        self, app: FastAPI, stack: ServerErrors, layers: list[Short], inner: Exceptions, outer: Site | None = None
    ) -> None:
        self.app = app
        self.stack = stack
        self.outer = outer
        self.proxy: ProxyHeadersMiddleware | None = None
        self.router: APIRouter = inner.app  # type: ignore[assignment]  # which `_are_ends` has seen
        self.handlers = inner.handlers
        self.root_path = app.root_path
        self.native: NativeSite = NativeSite(
            self,
            self.app,
            self.router.table().native,
            self.handlers,
            self.router,
            self.root_path,
            None if outer is None else outer.native,
            layers,
            ROUTES_VERSION,
            SETTINGS_VERSION,
            WATCH,
        )
        self._proxy_headers: Any = None

    def behind(self, proxy: ProxyHeadersMiddleware | None) -> Site:
        """This site, with uvicorn's proxy header middleware around it, if there is one."""
        self.proxy = proxy
        if proxy is not None:
            # The same middleware, around nothing: it changes the scope and that's it.
            self._proxy_headers = ProxyHeadersMiddleware(_nothing, trusted_hosts=[])  # type: ignore[arg-type]
            self._proxy_headers.trusted_hosts = proxy.trusted_hosts
        return self

    @classmethod
    def of(cls, loaded: Any) -> Site | None:
        """The site of an application as uvicorn loaded it; None for one that has to be called in the ASGI way."""
        proxy = None
        if type(loaded) is Readiness:  # its path has a route as well
            loaded = loaded.app
        if type(loaded) is ProxyHeadersMiddleware:
            proxy, loaded = loaded, loaded.app
        site = cls._of_application(loaded, None)
        return None if site is None else site.behind(proxy)

    @classmethod
    def _of_application(cls, loaded: Any, outer: Site | None) -> Site | None:
        if not isinstance(loaded, FastAPI):
            return None
        kind = type(loaded)
        is_usual = is_own(kind, FastAPI, "__call__", "build_middleware_stack") and untouched(Starlette, "__call__")
        if not is_usual or kind.__mro__[kind.__mro__.index(FastAPI) :] != FastAPI.__mro__:
            return None
        if "build_middleware_stack" in loaded.__dict__:
            return None
        if loaded.middleware_stack is None:
            loaded.middleware_stack = loaded.build_middleware_stack()
        stack: Any = loaded.middleware_stack
        layers: list[Short] = []
        inner: Any = stack.app if type(stack) is ServerErrors else stack
        inner = _behind_no_limit(inner)
        while isinstance(inner, Short) and inner.is_open():
            layers.append(inner)
            inner = inner.app.app
        if not _are_ends(stack, inner) or (layers and outer is not None):
            return None
        return cls(loaded, stack, layers, inner, outer)

    def child(self, target: Target) -> NativeSite | None:
        """The site of the application that is mounted where `target` says; None if it has to be called.

        Its middleware stack is made with the first request to it, as ever.
        """
        # Later edits are noticed: this site doesn't stand then.
        with contextlib.suppress(Exception):  # of a middleware that can't be made: each request says so
            site = self._of_application(target.route.app, self)  # type: ignore[attr-defined]  # it is a mount's
            return None if site is None else site.native
        return None

    def unmatched(self) -> tuple[Facts, bool, tuple[int, Any, bytes] | None]:
        """What is answered where no route is for a request, and what that stands on.

        Returns:
            the facts; whether there may be a redirect to the path with another end; status, headers (pairs, or a
            content type alone) and body, or None if that is found out for each request.
        """
        facts = Facts()
        facts.attributes(self.router, "default", "redirect_slashes")
        for handlers in self.handlers:
            facts.sizes.append((handlers, len(handlers)))
            facts.item(handlers, *handlers)
        return facts, bool(self.router.redirect_slashes), self.router.usual_answer(self.handlers)

    def client(self, head: RequestHead, peer: tuple[str, int] | None) -> tuple[str, int] | None:
        """The client as the application sees it, of a request that names one: `peer`, unless the proxy is trusted."""
        scope: Scope = {"type": "http", "client": peer, "headers": head.headers()}
        self.apply_proxy_headers(scope)
        client: tuple[str, int] | None = scope["client"]
        return client

    limit_forms = staticmethod(inherit_form_limits)

    async def recover(self, x: Exchange, exc: Exception) -> None:
        """Answer to an exception that the route didn't handle; raise it, if no handler takes it in any application."""
        try:
            await self.stack.recover(x, exc, self.handlers)
        except Exception as error:
            if self.outer is None:
                raise
            await self.outer.recover(x, error)
        finally:
            del exc

    def apply_proxy_headers(self, scope: Scope) -> None:
        """Put the client and scheme that a trusted proxy names into `scope`. Asked only if the request names them."""
        if self.proxy is not None:
            run_at_once(self._proxy_headers(scope, None, None))  # it awaits nothing but `_nothing`


def _behind_no_limit(layer: Any) -> Any:
    """What is behind the layer for the limit of bodies, if there is no limit: then it is for applications around it."""
    is_open = type(layer) is AppBodyLimitMiddleware and not layer.is_limited and untouched(AppBodyLimitMiddleware)
    return layer.app if is_open else layer


def _are_ends(outer: Any, inner: Any) -> bool:
    """Whether these are the outermost and the innermost layer of an application, and its router is a usual one."""
    if type(outer) is not ServerErrors or type(inner) is not Exceptions:
        return False
    return untouched(ServerErrorMiddleware) and inner.goes_short()

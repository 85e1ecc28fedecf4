"""`HttpProtocol`: what of a connection is done in Python.

Its native half, `HttpConnection`, reads requests, decides who answers them and writes the responses. It calls what is
here: to look at the application, and for what the engine goes on with in Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from .._draining import drain
from .._native import HttpConnection
from ..applications import FRONT, OWN_CALL
from ..serve.guard import Guard
from ._http_exchange import HttpExchange
from ._server import LOGGER, server_of
from ._site import Site
from ._sizes import Limited

_TRACE = 5
"""uvicorn's level for what happens to connections."""


class HttpProtocol(HttpConnection, asyncio.Protocol, Guard, Limited):
    """HTTP/1.1 for uvicorn. A subclass may have other limits (`Limited`).

    Parameters:
        config: uvicorn's configuration.
        server_state: what the server's connections share.
        app_state: what the lifespan has left for each scope.
    """

    loop: asyncio.AbstractEventLoop
    layer_for_proxies = ProxyHeadersMiddleware

    def __new__(
        cls, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> HttpProtocol:
        if not config.loaded:
            config.load()
        loop = _loop or asyncio.get_event_loop()
        protocol = super().__new__(cls, server_of(cls, config, server_state, loop), app_state)
        protocol.loop = loop
        return protocol

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        self.config = config
        self.ws_protocol_class = config.ws_protocol_class
        self.server_state = server_state
        self.app_state = app_state

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve what comes by `transport`."""
        scheme = "https" if _is_secure(transport) else "http"
        self.open(transport, (_local(transport), _remote(transport), scheme))
        self._trace("HTTP connection made")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever has a request that the client is gone."""
        self._trace("HTTP connection lost")
        self.close_down()

    def shutdown(self) -> None:
        """Close the connection when nothing is in flight any more; the application is about to stop."""
        drain(self.config.loaded_app)
        super().shutdown()

    def _trace(self, what: str) -> None:
        if LOGGER.level <= _TRACE:
            client = self.client
            LOGGER.log(_TRACE, "%s%s", f"{client[0]}:{client[1]} - " if client else "", what)

    def warn_of_upgrade(self) -> None:
        """Say that a client asks for a protocol that is not spoken here."""
        LOGGER.warning("Unsupported upgrade request.")
        if self.ws_protocol_class is None:
            LOGGER.warning(
                "No supported WebSocket library detected. Please use \"pip install 'uvicorn[standard]'\", "
                "or install 'websockets' or 'wsproto' manually."
            )

    def upgrade(self, head: bytes, rest: bytes) -> None:
        """Let uvicorn's class for WebSockets have the connection.

        Parameters:
            head: the head of the upgrade request.
            rest: what has come behind it.
        """
        self._trace("Upgrading to WebSocket")
        transport: asyncio.Transport = self.transport
        protocol: Any = self.ws_protocol_class(  # type: ignore[call-arg, misc]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.connection_made(transport)
        protocol.data_received(head)
        if rest and not transport.is_closing():
            protocol.data_received(rest)
        transport.set_protocol(protocol)

    # Who answers

    def find_site(self) -> Site | None:
        """Look at the application, when the first request comes (tracing tools change it until then) or it changed."""
        with contextlib.suppress(Exception):  # of a middleware that can't be made: each request says so
            return Site.of(self.config.loaded_app)
        return None

    # What the engine goes on with in Python

    front = (OWN_CALL, FRONT)
    """A `__call__` of which it is known what it does, and what does that."""
    exchange = HttpExchange
    """The class of the exchanges of requests that are being served."""

    async def guard(
        self, x: HttpExchange, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]
    ) -> None:
        """Await ``function(x, *arguments)``; answer or log what that raises, and what has not been answered."""
        try:
            try:
                await function(x, *arguments)
            except Exception as exc:
                await x.site.recover(x, exc)
        except BaseException as error:  # what escapes the application is logged, as uvicorn does it
            x.flight.fail(error)
        else:
            x.flight.conclude()
        finally:
            del arguments  # an exception may be one of them


def _is_secure(transport: asyncio.BaseTransport) -> bool:
    context: ssl.SSLContext | None = transport.get_extra_info("sslcontext")
    return bool(context)


def _local(transport: asyncio.BaseTransport) -> tuple[str, int | None] | None:
    """Where the server listens: an address and a port, or the path of a Unix socket."""
    info = _address(transport, "getsockname", "sockname")
    if isinstance(info, (list, tuple)) and len(info) >= 2:
        return str(info[0]), int(info[1])
    return (info, None) if isinstance(info, str) and info else None


def _remote(transport: asyncio.BaseTransport) -> tuple[str, int] | None:
    """Where the client is; None on a Unix socket."""
    info = _address(transport, "getpeername", "peername")
    return (str(info[0]), int(info[1])) if isinstance(info, (list, tuple)) and len(info) >= 2 else None


def _address(transport: asyncio.BaseTransport, method: str, name: str) -> Any:
    socket = transport.get_extra_info("socket")
    if socket is not None:
        with contextlib.suppress(OSError):  # the client has gone already
            return getattr(socket, method)()
    return transport.get_extra_info(name)

"""The HTTP/1.1 door: a protocol for uvicorn that serves ferrapi applications without ASGI in between.

``uvicorn main:app --http ferrapi.server:HttpProtocol`` (``ferrapi run`` chooses it). The protocol *is* uvicorn's own
(`HttpToolsProtocol`), and everything unusual is left to it: upgrades, chunked or large bodies, ``Expect``, HTTP/1.0,
paths without a route, applications with middleware. What is left, the common request of an ordinary application, is
read natively and goes straight into the engine.

The invariant: uvicorn sees bytes only while no native request is in flight, and a native request begins only when
uvicorn has nothing in flight, nothing queued, and its parser stands between two messages. A request is handed over
before its handler starts or not at all; a response that only uvicorn can write (a stream, say) is written by uvicorn's
`RequestResponseCycle`, made for the purpose.
"""

from __future__ import annotations

import asyncio
import contextvars
import urllib.parse
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.logging import TRACE_LOG_LEVEL
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ._middleware_stack import Exceptions, ServerErrors
from ._native import Head, HeadReader, Reader, response_bytes
from .applications import FastAPI
from .routing import APIRouter
from .routing._exchange import Exchange
from .routing._table import Table, Target

MAX_HEAD = 65_536
"""Bytes of a request head; a longer one is answered with 431."""
MAX_BODY = HIGH_WATER_LIMIT
"""Bytes of a body that is collected here; uvicorn takes longer ones and holds the client back."""

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 31\r\nconnection: close\r\n\r\nRequest Header Fields Too Large"
)
_BODILESS = frozenset({204, 304})


class Site:
    """What a connection serves natively: an application, known through and through.

    Parameters:
        app: the application.
        stack: its middleware stack.
        proxy: uvicorn's proxy header middleware around it, if any.
    """

    def __init__(self, app: FastAPI, stack: ServerErrors, proxy: ProxyHeadersMiddleware | None) -> None:
        self.app = app
        self.stack = stack
        self.proxy = proxy
        self.router: APIRouter = app.router

    @classmethod
    def of(cls, loaded: Any) -> Site | None:
        """The site of an application as uvicorn loaded it, or None if it is not one to go around uvicorn for."""
        proxy = None
        if type(loaded) is ProxyHeadersMiddleware:
            proxy, loaded = loaded, loaded.app
        if not isinstance(loaded, FastAPI) or loaded.root_path:
            return None
        kind = type(loaded)
        if kind.__call__ is not FastAPI.__call__ or kind.build_middleware_stack is not FastAPI.build_middleware_stack:
            return None
        if "build_middleware_stack" in loaded.__dict__ or "__call__" in loaded.__dict__:
            return None
        if loaded.middleware_stack is None:
            loaded.middleware_stack = loaded.build_middleware_stack()
        stack = loaded.middleware_stack
        if type(stack) is not ServerErrors or not stack.whole:
            return None
        return cls(loaded, stack, proxy)

    def stands(self) -> bool:
        """Whether the application is still as it was."""
        app = self.app
        return app.middleware_stack is self.stack and app.router is self.router and not app.root_path

    def find(self, head: Head) -> tuple[Target, dict[str, Any]] | None:
        """The route of a request and its path parameters; None if that takes a scope."""
        router = self.router
        table = router.table()
        return table.find_head(head)


class HttpExchange(Exchange):
    """A request that the door serves itself. Its scope is made when something asks for it.

    To uvicorn, which looks at ``protocol.cycle``, it is the cycle in flight.
    """

    effective: Any = None
    content = b""
    taken = False
    disconnected = False
    response_complete = False
    _handlers: Any = None
    _scope: Scope | None = None
    _cycle: RequestResponseCycle | None = None
    _event: asyncio.Event | None = None

    def __init__(self, protocol: HttpProtocol, site: Site, head: Head, target: Target, params: dict[str, Any]) -> None:
        self.protocol = protocol
        self.site = site
        self.head = head
        self.target = target
        self.params = params
        self.keep_alive: bool = head.keep_alive

    @property
    def scope(self) -> Scope:
        """The ASGI scope, as uvicorn and the application would have made it by now."""
        scope = self._scope
        if scope is None:
            scope = self._scope = self._make_scope()
        return scope

    def _make_scope(self) -> Scope:
        head, protocol, target = self.head, self.protocol, self.target
        scope: Scope = {
            "type": "http",
            "asgi": {"version": protocol.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": protocol.server,
            "client": protocol.client,
            "scheme": protocol.scheme,
            "root_path": protocol.root_path,
            "headers": head.headers(),
            "state": protocol.app_state.copy(),
            "method": head.method,
            "path": head.path,
            "raw_path": head.raw_path,
            "query_string": head.query_string,
        }
        if self.site.proxy is not None:
            _apply_proxy_headers(self.site.proxy, scope)
        scope["app"] = self.site.app
        scope["router"] = self.site.router
        scope["starlette.exception_handlers"] = self._handlers
        if target.announced is not None:
            scope["route"] = target.announced
        scope["endpoint"] = target.endpoint
        scope["path_params"] = self.params
        if self.effective is not None:
            scope["fastapi"] = {"effective_route_context": self.effective}
        return scope

    # The engine's side

    def enter(self, router: Any, handlers: Any) -> None:
        self._handlers = handlers

    @property
    def handlers(self) -> Any:
        return self._handlers

    def find(self, table: Table) -> tuple[Target, bool]:
        return self.target, True

    def read(self, reader: Reader) -> list[dict[str, Any] | None] | None:
        if self._scope is not None:  # a dependency may have edited it
            return reader.read(self._scope)
        return reader.read_head(self.head, self.params)

    def peek(self, key: str) -> Any:
        return None if self._scope is None else self._scope.get(key)

    def header(self, name: bytes) -> bytes | None:
        return self.head.header(name)

    def place(self, route: Any) -> None:
        self.effective = route

    async def send_json(self, status: int, body: bytes) -> None:
        self.write(status, None, body)

    async def send_response(self, response: Response) -> None:
        cls = type(response)
        whole = cls.__call__ is Response.__call__ and isinstance(getattr(response, "body", None), bytes)
        if not whole or not self._fits(response):
            await response(self.scope, self.receive, self.send_noting)
            return
        self.write(response.status_code, response.raw_headers, response.body)
        if response.background is not None:
            await response.background()

    def _fits(self, response: Response) -> bool:
        """Whether the head of a response describes its body, so that nobody needs to watch the framing."""
        if response.status_code in _BODILESS or response.status_code < 200:
            return False
        length = None
        for name, value in response.raw_headers:
            lower = name.lower()
            if lower in (b"connection", b"transfer-encoding") or (lower == b"content-length" and length is not None):
                return False
            if lower == b"content-length":
                length = value
        return length == b"%d" % len(response.body)

    def write(self, status: int, headers: Any, body: bytes | memoryview) -> None:
        """Write a whole response and end the exchange."""
        self.started = True
        if self.disconnected:
            return
        protocol = self.protocol
        status_line = STATUS_LINE.get(status)
        if status_line is None:
            status_line = b"HTTP/1.1 %d \r\n" % status
        sent = b"" if self.head.method == "HEAD" else bytes(body)
        if protocol.access_log:
            protocol.log_access(self.scope, status)
        protocol.transport.write(
            response_bytes(status_line, protocol.default_head(), headers, sent, not self.keep_alive)
        )
        self.complete()

    def complete(self) -> None:
        """Note that the response is sent; the connection may go on."""
        self.response_complete = True
        if self._event is not None:
            self._event.set()
        if not self.keep_alive:
            self.protocol.transport.close()
        self.protocol.on_response_complete()

    # ASGI, for whatever asks for it

    async def receive(self) -> Message:
        """The ASGI receive callable: the body, then the disconnect."""
        if not self.taken and not self.disconnected:
            self.taken = True
            return {"type": "http.request", "body": self.content, "more_body": False}
        if not (self.disconnected or self.response_complete):
            await self.message_event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The ASGI send callable: from here on uvicorn writes the response."""
        cycle = self._cycle
        if cycle is None:
            cycle = self._cycle = self.protocol.take_over(self)
        await cycle.send(message)
        if cycle.response_complete:
            self.response_complete = True

    # uvicorn's side

    @property
    def message_event(self) -> asyncio.Event:
        """Set when the client is gone or the response is complete."""
        event = self._event
        if event is None:
            event = self._event = asyncio.Event()
        return event


def _apply_proxy_headers(proxy: ProxyHeadersMiddleware, scope: Scope) -> None:
    """Let uvicorn's middleware put the trusted client and scheme into `scope`."""

    async def stop(scope: Scope, receive: Receive, send: Send) -> None:
        return None

    copy = ProxyHeadersMiddleware.__new__(ProxyHeadersMiddleware)
    copy.app, copy.trusted_hosts = stop, proxy.trusted_hosts  # type: ignore[assignment]
    coroutine = copy(scope, None, None)  # type: ignore[arg-type]
    try:
        coroutine.send(None)  # it awaits nothing but `stop`
    except StopIteration:
        pass
    finally:
        coroutine.close()


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with a short way into ferrapi applications."""

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state=app_state, _loop=_loop)
        self._site: Site | None = None
        self._looked = False
        self._reader = HeadReader(MAX_HEAD)
        self._buffer = b""
        self._exchange: HttpExchange | None = None
        self._awaiting_body: HttpExchange | None = None
        self._handed_over = False
        self._between_messages = True
        self._touched = False
        self._defaults: Any = None
        self._default_head = b""

    # Reading

    def data_received(self, data: bytes) -> None:
        self._touched = True
        if self._handed_over and not self._may_return():
            super().data_received(data)
            return
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self._exchange is not None:
            self._hold(data)
            return
        self._take(data)

    def _may_return(self) -> bool:
        """Whether uvicorn is done with what it was handed."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            return False
        if self.pipeline or not self._between_messages or self.parser is None:
            return False
        self._handed_over = False
        return True

    def _hold(self, data: bytes) -> None:
        """Keep bytes that came while a request is in flight."""
        self._buffer = data
        if len(data) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def _hand_over(self, data: bytes) -> None:
        self._handed_over = True
        super().data_received(data)

    def _current_site(self) -> Site | None:
        """The site, looked at when the first request comes (tracing tools change applications until then)."""
        site = self._site
        if site is not None and site.stands():
            return site
        if self._looked and site is None:
            return None
        self._looked = True
        usable = not self.config.root_path and self.logger.level > TRACE_LOG_LEVEL
        self._site = Site.of(self.app) if usable else None
        return self._site

    def _take(self, data: bytes) -> None:
        """Begin with the requests in `data`."""
        body = self._awaiting_body
        if body is not None:
            self._awaiting_body = None
            self._start_with_body(body, data)
            return
        site = self._current_site()
        busy = self.flow.write_paused or self.transport.is_closing() or self.limit_concurrency is not None
        if site is None or busy:
            self._hand_over(data)
            return
        head = self._reader.read(data)
        if head is None:
            self._buffer = data
        elif head is True:
            self.logger.warning("Request head too large.")
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif head is False:
            self._reader = HeadReader(MAX_HEAD)
            self._hand_over(data)
        else:
            self._serve(site, head, data)

    def _serve(self, site: Site, head: Head, data: bytes) -> None:
        try:
            found = site.find(head) if head.content_length <= MAX_BODY else None
        except Exception:  # a convertor that raises: the application's own way will say so
            found = None
        if found is None:
            self._hand_over(data)
            return
        exchange = HttpExchange(self, site, head, *found)
        rest = data[head.length :] if len(data) > head.length else b""
        if head.content_length:
            self._start_with_body(exchange, rest)
        else:
            self._start(exchange, rest)

    def _start_with_body(self, exchange: HttpExchange, data: bytes) -> None:
        length = exchange.head.content_length
        if len(data) < length:
            self._awaiting_body = exchange
            self._buffer = data
            return
        exchange.content = data[:length]
        self._start(exchange, data[length:])

    def _start(self, exchange: HttpExchange, rest: bytes) -> None:
        """Run the handler in a task of its own."""
        self._exchange = exchange
        self.cycle = exchange  # type: ignore[assignment]  # has the attributes that uvicorn looks at
        if rest:
            self._hold(rest)
        coroutine = self._run(exchange)
        if self.config.reset_contextvars:
            task = self.loop.create_task(coroutine, context=contextvars.Context())
        else:
            task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, exchange: HttpExchange) -> None:
        """Serve one request; log what escapes, as uvicorn does."""
        try:
            await exchange.site.stack.answer(exchange)
        except BaseException as exc:
            self.logger.error("Exception in ASGI application\n", exc_info=exc)
            if not exchange.started:
                exchange.keep_alive = False
                headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21")]
                exchange.write(500, headers, b"Internal Server Error")
            elif not exchange.response_complete:
                self.transport.close()
        else:
            if not exchange.response_complete and not exchange.disconnected:
                self.logger.error("ASGI callable returned without completing response.")
                self.transport.close()

    # Writing

    def default_head(self) -> bytes:
        """The server's default headers, written once per list (uvicorn replaces the list each second)."""
        defaults = self.server_state.default_headers
        if defaults is not self._defaults:
            self._defaults = defaults
            self._default_head = b"".join([b"%b: %b\r\n" % (name.lower(), value) for name, value in defaults])
        return self._default_head

    def log_access(self, scope: Scope, status: int) -> None:
        """Write a line of the access log."""
        client = scope.get("client")
        path = urllib.parse.quote(scope["path"])
        if scope["query_string"]:
            path = f"{path}?{scope['query_string'].decode('ascii')}"
        self.access_logger.info(
            '%s - "%s %s HTTP/%s" %d',
            "%s:%d" % client if client else "",  # noqa: UP031  # the client is a tuple of two
            scope["method"],
            path,
            scope["http_version"],
            status,
        )

    def take_over(self, exchange: HttpExchange) -> RequestResponseCycle:
        """uvicorn's cycle for a response that is sent in ASGI messages."""
        cycle = RequestResponseCycle(
            scope=exchange.scope,  # type: ignore[arg-type]
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=exchange.message_event,
            expect_100_continue=False,
            keep_alive=exchange.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        cycle.disconnected = exchange.disconnected
        self.cycle = cycle
        return cycle

    def on_response_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            super().on_response_complete()
            return
        self._exchange = None
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        data = self._buffer
        if data:
            self._buffer = b""
            # Not from here: a deep pipeline would nest as deep.
            self.loop.call_soon(self._resume, data)
        else:
            self._arm_timer()

    def _resume(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._buffer:  # more has come in the meantime
            data += self._buffer
            self._buffer = b""
        if self._exchange is None:
            self._take(data)
        else:
            self._hold(data)

    # Time-outs: one timer per connection, not per request

    def _arm_timer(self) -> None:
        self._touched = False
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._touched or self._exchange is not None:
            if self._exchange is None and self._awaiting_body is None and not self._buffer and not self._handed_over:
                self._arm_timer()
            return
        super().timeout_keep_alive_handler()

    # uvicorn's parser, watched

    def on_message_begin(self) -> None:
        self._between_messages = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._between_messages = True

    def handle_websocket_upgrade(self) -> None:
        self._unset_keepalive_if_required()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.disconnected = True
            if exchange._event is not None:
                exchange._event.set()
        self._unset_keepalive_if_required()
        self._awaiting_body = None
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self._awaiting_body is not None or (self._buffer and self._exchange is None):
            self._awaiting_body = None
            self.transport.close()
            return
        if self._exchange is not None:
            self._exchange.keep_alive = False
        super().shutdown()

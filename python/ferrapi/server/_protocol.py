"""`HttpProtocol`: one connection, and who reads from it.

The invariant: uvicorn sees bytes only while no native request is in flight, and a native request begins only when
uvicorn has nothing in flight, nothing queued, and its parser stands between two messages. A request is handed over
before its handler starts or not at all.

One request is in flight at a time. Bytes that come meanwhile are held, and taken up on the event loop's next turn after
the response: not from the handler's task, whose context variables are its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from .._draining import drain
from .._native import Connection, Cycle, Head, HeadReader
from .._uvicorn import log_access
from ..routing._guard import Guard
from ..routing._table import Target
from ._call import AsgiCall
from ._exchange import HttpExchange
from ._handed_over import HandedOver
from ._limits import MAX_BODY, MAX_HEAD
from ._server import server_of
from ._site import Site


class _Incomplete(NamedTuple):
    """A request whose body may not have come yet; `end` is the number of bytes of head and body."""

    head: Head
    target: Target
    params: dict[str, Any]
    end: int


class _Flow(FlowControl):
    """uvicorn's flow control, where what is read later is read in the connection's context.

    A handler that asks for its body has reading resumed, and an event loop may remember the handler's context for that.
    """

    def __init__(self, transport: asyncio.Transport, context: contextvars.Context) -> None:
        super().__init__(transport)
        self._context = context

    def resume_reading(self) -> None:
        self._context.copy().run(super().resume_reading)


class HttpProtocol(HandedOver, HttpToolsProtocol, Guard):
    """uvicorn's HTTP/1.1 protocol with a short way into ferrapi applications."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state=app_state, _loop=_loop)
        self._site: Site | None = None
        self._served = True  # whether there may be a site: until a look at the application says otherwise
        self._reader = HeadReader(MAX_HEAD)
        self._held = b""  # bytes that came and were not taken up yet
        self._waiting: _Incomplete | None = None  # a request whose body isn't complete; `_held` begins with its head
        self._resuming = False  # whether `_resume` is on its way
        self._handed_over = False
        self._context = contextvars.copy_context()
        self.connection = Connection(server_of(self), self)
        self.data_received = self.connection.data_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self._context)
        self.connection.attach(transport)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.connection.pause(True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.connection.pause(False)

    # Reading. Bytes come to `receive_slowly` unless they are one whole request and nothing else is going on.

    def passes(self, head: Head) -> bool:
        """Whether the middleware lets a request through as it is."""
        twins = self._site.twins  # type: ignore[union-attr]  # there is a site when there is a native one
        return twins is None or twins.pass_through(head, self.scheme)

    def receive_slowly(self, data: bytes) -> None:
        """Take bytes of any kind."""
        self.connection.note_activity()
        if self._handed_over:
            if not self.is_between_requests():
                self.feed(data)
                return
            self._handed_over = False
            self._unset_keepalive_if_required()
        if self.connection.in_flight is not None or self._resuming:
            self._hold(data)
            return
        if self._held:
            data = self._held + data
            self._held = b""
        self._take(data)

    def _hold(self, data: bytes) -> None:
        """Keep bytes that came while a request is in flight.

        As in uvicorn, nothing more is read until they are taken up. So a client that has sent all its requests and
        closed its side is not taken for one that has gone, before it has its answers.
        """
        self.connection.await_completion()
        self._held = self._held + data if self._held else data
        self.flow.pause_reading()

    def _hand_over(self, data: bytes) -> None:
        """Let uvicorn have everything from here on, until it is done with it."""
        self._handed_over = True
        self._reader = HeadReader(MAX_HEAD)
        self.feed(data)

    def _take(self, data: bytes) -> None:
        """Begin with the first request in `data`."""
        if self._waiting is not None:
            self._go_on_waiting(data)
            return
        site = self._site
        if site is None or not site.stands():
            site = self._find_site()
        if self.flow.write_paused or self.transport.is_closing():
            self._hand_over(data)
            return
        head = self._reader.read(data)
        if head.__class__ is Head:
            self._serve(site, head, data)
        elif head is None:
            self._held = data
        elif head:
            self._reader = HeadReader(MAX_HEAD)
            self.send_431_response()
        else:
            self._hand_over(data)

    def _serve(self, site: Site | None, head: Head, data: bytes) -> None:
        """Serve the request whose head begins `data`, or hand it over."""
        body = head.content_length
        if body > MAX_BODY or self._is_at_limit():
            self._hand_over(data)
            return
        end = head.length + body
        try:
            found = None if site is None else site.find(head, self.scheme)
        except Exception:  # a convertor that raises: the application's own way will say so
            found = None
        if found is not None and (len(data) >= end or found[0].reads_body()):
            self._waiting = _Incomplete(head, *found, end)
            self._go_on_waiting(data)
        elif len(data) >= end:
            if len(data) > end:
                self._hold(data[end:])
            self.connection.start(head, None, {}, data[head.length : end])
        else:  # its handler starts now
            self._hand_over(data)

    def _go_on_waiting(self, data: bytes) -> None:
        """Serve the request whose head begins `data`, once its body is complete."""
        request: _Incomplete = self._waiting  # type: ignore[assignment]  # there is one
        if len(data) < request.end:
            self._held = data
            return
        self._waiting = None
        if len(data) > request.end:
            self._hold(data[request.end :])
        self.connection.start(request.head, request.target, request.params, data[request.head.length : request.end])

    def _is_at_limit(self) -> bool:
        """Whether uvicorn has to answer with 503."""
        limit = self.limit_concurrency
        return limit is not None and (len(self.connections) >= limit or len(self.tasks) >= limit)

    def _find_site(self) -> Site | None:
        """Look at the application, when the first request comes (tracing tools change it until then) or it changed."""
        if not self._served:
            return None
        self._site = None
        with contextlib.suppress(Exception):  # of a middleware that can't be made: each request says so
            self._site = None if self.config.root_path else Site.of(self.app)
        self._served = self._site is not None
        self.connection.use_site(None if self._site is None else self._site.native)
        return self._site

    # Running

    def call(self, flight: Cycle, head: Head, content: bytes) -> Coroutine[Any, Any, None]:
        """What answers a request by calling the application."""
        return AsgiCall(self, flight, head, content).run()

    def exchange(
        self, flight: Cycle, head: Head, target: Target, params: dict[str, Any], content: bytes | None
    ) -> HttpExchange:
        """The exchange of a request that is being served."""
        return HttpExchange(self, self._site, flight, head, target, params, content)  # type: ignore[arg-type]

    async def guard(
        self, x: HttpExchange, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]
    ) -> None:
        """Await ``function(x, *arguments)``; answer or log what that raises, and what has not been answered."""
        try:
            try:
                await function(x, *arguments)
            except Exception as exc:
                await x.site.stack.recover(x, exc)
        except BaseException as error:  # what escapes the application is logged, as uvicorn does it
            x.refuse("Exception in ASGI application\n", error)
        else:
            if not x.flight.response_complete and not x.flight.disconnected:
                x.complain()

    # Writing

    def log_access(self, head: Head, scope: Any, status: int) -> None:
        """Write a line of the access log, in uvicorn's format and with its arguments.

        Parameters:
            head: the request's.
            scope: its scope, if there is one.
            status: the response's.
        """
        if scope is None:
            client = self._site.client(head, self.client)  # type: ignore[union-attr]
            scope = {"client": client, "path": head.path, "query_string": head.query_string, "method": head.method}
            scope["http_version"] = "1.1"
        log_access(self.access_logger, scope, status)

    def resume_soon(self) -> None:
        """Take up the bytes that were held, on the event loop's next turn."""
        self._resuming = True
        self.loop.call_soon(self._resume, context=self._context)

    def _resume(self) -> None:
        """Take up the bytes that were held. If no request begins with them, the connection is idle."""
        self._resuming = False
        data, self._held = self._held, b""
        if self.transport.is_closing():
            return
        if data:
            self.flow.resume_reading()
            self._take(data)
        if self._is_idle():
            self.connection.rest()

    def _is_idle(self) -> bool:
        """Whether nobody has a request of this connection, or is going to have one."""
        if self not in self.connections:  # it is another protocol's now, WebSocket's
            return False
        if self._handed_over:
            return self.is_between_requests() and self.timeout_keep_alive_task is None
        return self.connection.in_flight is None and self._waiting is None and not self._resuming

    # The time-out of an idle connection: one timer that looks how long it has been idle, not one per request

    def start_timer(self) -> None:
        """Look at the connection when it may have been idle for too long."""
        self._look_after(self.timeout_keep_alive)

    def _look_after(self, delay: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        idle_since = self.connection.idle_since
        left = None if idle_since is None else idle_since + self.timeout_keep_alive - self.loop.time()
        if left is not None and left > 0:
            self._look_after(left)
            return
        self.timeout_keep_alive_task = None
        self.connection.end_timer()
        if left is not None:
            self.connection.shut()
            self.timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        super()._unset_keepalive_if_required()
        self.connection.end_timer()

    # The end

    def connection_lost(self, exc: Exception | None) -> None:
        waiting, self._waiting = self._waiting, None
        self._held = b""
        connection = self.connection
        connection.note_activity()
        if connection.in_flight is not None:
            connection.in_flight.disconnected = True
        self._unset_keepalive_if_required()
        self._show_flight()
        super().connection_lost(exc)
        if waiting is not None:  # the application may want to know that a client has left
            connection.start(waiting.head, waiting.target, waiting.params, None)
        self.cycle = None  # type: ignore[assignment]  # uvicorn begins with None as well
        del self.data_received, self.connection  # they refer back here

    def shutdown(self) -> None:
        drain(self.app)
        self.connection.shut()
        if self._waiting is not None:  # uvicorn's handlers run while their body is on its way
            self._waiting = None
            data, self._held = self._held, b""
            self._hand_over(data)
        self._show_flight()
        super().shutdown()

    def _show_flight(self) -> None:
        """Let uvicorn see the request in flight, unless its response has a cycle of uvicorn's."""
        flight = self.connection.in_flight
        if flight is not None and (self.cycle is None or self.cycle.response_complete):
            self.cycle = flight  # type: ignore[assignment]  # it has what uvicorn asks for

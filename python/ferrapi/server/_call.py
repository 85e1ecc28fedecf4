"""`AsgiCall`: a whole request that an application of any kind answers by way of ASGI.

The connection has read it, and writes a whole response at once: the head is held until the body comes, at most until
the event loop's next turn. Every other response (a stream, a head that doesn't describe its body, a mistake that
uvicorn has words for) is written by uvicorn's `RequestResponseCycle`, which is made for the purpose.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.types import Message, Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from .._native import Cycle, Head
from ._at_once import run_at_once
from ._exchange import InFlight, scope_of

if TYPE_CHECKING:
    from ._protocol import HttpProtocol


class AsgiCall(InFlight):
    """One request, and the `receive` and `send` of the application.

    Parameters:
        protocol: the connection.
        flight: the native side, which knows what has become of the request.
        head: the request's head.
        content: the body.
    """

    __slots__ = ("_headers", "_held", "_status", "content", "scope", "taken")

    def __init__(self, protocol: HttpProtocol, flight: Cycle, head: Head, content: bytes) -> None:
        super().__init__(protocol, flight)
        self.content = content
        self.taken = False
        self.scope: Scope = scope_of(protocol, head)
        flight.scope = self.scope
        self._held: asyncio.Handle | None = None
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []

    @property
    def is_paused(self) -> bool:
        """Whether the client reads too slowly for anything more to be written."""
        return self.protocol.flow.write_paused

    async def run(self) -> None:
        """Call the application; answer or log what it raises, and what it has not answered, as uvicorn does."""
        protocol, flight = self.protocol, self.flight
        try:
            result: Any = await protocol.app(self.scope, self.receive, self.send)
        except BaseException as error:
            self._flush()
            protocol.logger.error("Exception in ASGI application\n", exc_info=error)
            if not self.started:
                await self.cycle().send_500_response()
            else:
                protocol.transport.close()
        else:
            self._flush()
            if result is not None:
                protocol.logger.error("ASGI callable should return None, but returned '%s'.", result)
                protocol.transport.close()
            elif not flight.response_complete and not flight.disconnected:
                await self._complain()
        finally:
            self._let_go()
            flight.forget()

    async def _complain(self) -> None:
        """The application came to its end without a whole response."""
        if self.started:
            self.protocol.logger.error("ASGI callable returned without completing response.")
            self.protocol.transport.close()
        else:
            self.protocol.logger.error("ASGI callable returned without starting response.")
            await self.cycle().send_500_response()

    async def receive(self) -> Message:
        """The ASGI receive callable: the body, then the disconnect."""
        flight = self.flight
        if flight.disconnected or flight.response_complete:
            return {"type": "http.disconnect"}
        if not self.taken:
            self.taken = True
            return {"type": "http.request", "body": self.content, "more_body": False}
        await self.message_event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The ASGI send callable."""
        flight = self.flight
        if self._cycle is None and not flight.disconnected:
            if self._held is not None:
                if self._send_rest(message):
                    return
            elif not self.started and self._hold(message):
                return
        cycle = self.cycle()
        self._flush()
        if not self.started and message["type"] == "http.response.start":
            self.started = not flight.disconnected
        await cycle.send(message)  # type: ignore[arg-type]
        if cycle.response_complete:
            flight.response_complete = True

    def _hold(self, message: Message) -> bool:
        """Hold the head of a response back, if it is an ordinary one."""
        if message["type"] != "http.response.start" or self.is_paused:
            return False
        status, headers = message["status"], message.get("headers", ())
        if not self.flight.can_hold(status, headers):
            return False
        self._status, self._headers = status, list(headers)
        self.started = True
        self._held = self.protocol.loop.call_soon(self._flush)
        return True

    def _send_rest(self, message: Message) -> bool:
        """Send a whole response, if `message` has the rest of one whose head describes it."""
        if message["type"] != "http.response.body" or message.get("more_body", False):
            return False
        body = message.get("body", b"")
        if not self.flight.respond_whole(self._status, self._headers, body):
            return False
        self._held.cancel()  # type: ignore[union-attr]  # there is one
        self._held = None
        return True

    def _flush(self) -> None:
        """Write a head that is held back: more than that hasn't come at once."""
        held, self._held = self._held, None
        if held is None:
            return
        held.cancel()
        if not self.flight.disconnected:
            start: Any = {"type": "http.response.start", "status": self._status, "headers": self._headers}
            run_at_once(self.cycle().send(start))

    def _make_cycle(self) -> RequestResponseCycle:
        cycle = super()._make_cycle()
        if self.flight.response_complete:  # which it complains of
            cycle.response_started = cycle.response_complete = True
        return cycle

    def _let_go(self) -> None:
        """Let go of what refers back here, so that all of it is freed without the garbage collector."""
        if self._held is not None:
            self._held.cancel()
            self._held = None
        self.release()


SEND, RECEIVE = AsgiCall.send, AsgiCall.receive
"""The functions, by which the engine knows a call; whatever is put in their place is called."""

"""`AsgiCall`: a whole request that an application of any kind answers by way of ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from .._native import Cycle, Head
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

    __slots__ = ("scope",)

    def __init__(self, protocol: HttpProtocol, flight: Cycle, head: Head, content: bytes) -> None:
        super().__init__(protocol, flight, content)
        self.scope: Scope = scope_of(protocol, head)
        flight.scope = self.scope

    async def run(self) -> None:
        """Call the application; answer or log what it raises, and what it has not answered, as uvicorn does."""
        flight = self.flight
        try:
            result: Any = await self.protocol.app(self.scope, self.receive, self.send)
        except BaseException as error:
            self.refuse("Exception in ASGI application\n", error)
        else:
            if result is not None:
                flight.flush()
                self.protocol.logger.error("ASGI callable should return None, but returned '%s'.", result)
                self.protocol.transport.close()
            elif not flight.response_complete and not flight.disconnected:
                self.complain()
        finally:
            flight.forget()


SEND, RECEIVE = AsgiCall.send, AsgiCall.receive
"""The functions, by which the engine knows a call; whatever is put in their place is called."""

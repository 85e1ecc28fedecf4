"""Waiting for the client to leave, while others read the body.

ASGI tells of the end of a connection by a message, in the place of more of the body. So who waits for it may get a
piece of the body, which is another's. `Inbox` keeps one such piece until it is asked for, and doesn't go on before:
what a client sends is never collected here.
"""

from __future__ import annotations

import anyio
from starlette.requests import Request as StarletteRequest
from starlette.types import Message, Receive

from ._plain_urls import WithPlainURL

__all__ = ["Inbox", "Request"]


class Inbox:
    """The messages of one request, for several who wait for them.

    Parameters:
        receive: the ASGI receive callable.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._turn = anyio.Lock(fast_acquire=True)  # so that a look, which is cancelled at once, may see what is there
        self._held: Message | None = None
        self._taken = anyio.Event()
        self.is_gone = False

    async def receive(self) -> Message:
        """The ASGI receive callable for who reads the body."""
        if self._held is None:  # otherwise it is there, whoever is waiting for what comes after it
            async with self._turn:
                if self._held is None:
                    return await self._next()
        held, self._held = self._held, None
        self._taken.set()
        return held

    async def disconnected(self) -> None:
        """Wait until the client has left, or the response is complete."""
        while not self.is_gone:
            async with self._turn:
                is_last = self._held is not None and not self._held.get("more_body", False)
                if self.is_gone:
                    return
                if self._held is None or is_last:
                    message = await self._next()
                    if not self.is_gone:
                        self._held, self._taken = message, anyio.Event()
                    continue
                taken = self._taken
            await taken.wait()

    async def _next(self) -> Message:
        if self.is_gone:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self.is_gone = message["type"] == "http.disconnect"
        return message


class Request(WithPlainURL, StarletteRequest):
    """The request that endpoints and dependencies get, `ferrapi.requests.LiveRequest`. A parameter may be annotated
    with it, for type checkers that don't know of `disconnected` otherwise.
    """

    async def disconnected(self) -> None:
        """Wait until the client has left, or the response is complete.

        While nobody reads the body, no more than its next piece is received.
        """
        inbox = self._inbox
        if inbox is None:
            inbox = Inbox(self._receive)
            self._receive = inbox.receive
        await inbox.disconnected()

    async def is_disconnected(self) -> bool:
        """Whether the client has left, as far as that is known by now."""
        inbox = self._inbox
        return (inbox is not None and inbox.is_gone) or await super().is_disconnected()

    @property
    def _inbox(self) -> Inbox | None:
        owner = getattr(self._receive, "__self__", None)
        return owner if isinstance(owner, Inbox) else None

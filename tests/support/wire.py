"""A connection without a network: one of uvicorn's protocols on a transport that keeps what is written to it.

The protocol runs on the real event loop, so tasks, timers and contexts are what they are on a socket. There is no
waiting: `Wire.settle` turns the loop until nothing moves.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from typing import Any

from ferrapi.server import HttpProtocol
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

PROTOCOLS: dict[str, Any] = {"ferrapi": HttpProtocol, "httptools": HttpToolsProtocol, "h11": H11Protocol}
TURNS = 12
"""Turns of the event loop without anything written after which nothing more is expected."""


class Transport(asyncio.Transport):
    """Keeps what is written; closes at once, and tells the protocol on the next turn as a socket's would."""

    def __init__(self, protocol: Any, peer: Any = ("127.0.0.1", 40000)) -> None:
        self.protocol = protocol
        self.peer = peer
        self.written = bytearray()
        self.closed = False
        self.is_half_closed = False
        self.reading = True
        self.broken: Exception | None = None  # what `write` raises

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": self.peer, "sockname": ("127.0.0.1", 8000)}.get(name, default)

    def write(self, data: Any) -> None:
        if self.broken is not None:
            raise self.broken
        assert not self.is_half_closed
        if not self.closed:
            self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_half_closed = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


def configured(app: Any, **options: Any) -> Config:
    """A loaded configuration that leaves logging alone."""
    config = Config(app, **{"log_config": None, "lifespan": "off", "access_log": False, **options})
    config.load()
    return config


class Wire:
    """A connection to `config`'s application. Make it inside of a running event loop.

    Parameters:
        config: what `configured` made.
        kind: a key of `PROTOCOLS`.
        state: the server's state; a fresh one by default.
        peer: the client's address.
    """

    def __init__(
        self, config: Config, kind: str = "ferrapi", state: ServerState | None = None, peer: Any = ("127.0.0.1", 40000)
    ) -> None:
        self.state = ServerState() if state is None else state
        self.protocol = PROTOCOLS[kind](config=config, server_state=self.state, app_state={})
        self.transport = Transport(self.protocol, peer)
        self.protocol.connection_made(self.transport)

    @property
    def written(self) -> bytes:
        """All that the server wrote."""
        return bytes(self.transport.written)

    @property
    def closed(self) -> bool:
        """Whether the server closed the connection, or its side of it."""
        return self.transport.closed or self.transport.is_half_closed

    @property
    def _is_resuming(self) -> bool:
        return getattr(self.protocol, "is_resuming", False)

    async def feed(self, *pieces: bytes) -> None:
        """Let the client send `pieces`, the server having time to answer after each."""
        for piece in pieces:
            if self.transport.closed:
                return
            self.transport.protocol.data_received(piece)
            if self.state.tasks or self.transport.closed or self._is_resuming:
                await self.settle()

    async def settle(self) -> None:
        """Turn the event loop until nothing is written and no task ends any more."""
        still = 0
        seen = (-1, -1)
        while still < TURNS:
            await asyncio.sleep(0)
            now = (len(self.transport.written), len(self.state.tasks))
            still = 0 if now != seen else still + 1
            if not self.state.tasks and still >= 2 and not self._is_resuming:
                return
            seen = now

    async def lose(self) -> None:
        """Let the client go away; whatever runs comes to its end."""
        if not self.transport.closed:
            self.transport.closed = True
            self.transport.protocol.connection_lost(None)
        for task in list(self.state.tasks):
            await asyncio.wait([task])


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` in pieces, cut at the given places."""
    places = [0, *sorted(cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places) if start < end]


def each_byte(data: bytes) -> list[bytes]:
    """`data` byte by byte."""
    return [data[at : at + 1] for at in range(len(data))]

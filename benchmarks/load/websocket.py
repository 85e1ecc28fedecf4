"""A load generator for WebSockets: `python -m benchmarks.load.websocket URL FILE SECONDS CONNECTIONS`.

Each connection sends a text and waits for the answer before it sends the next. The file holds the path and pairs of
texts and right answers, as `write` writes them. It prints what wrk's script prints.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..cases import Exchange
from . import clients
from .wrk import Run

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_LONGEST = 125
"""Bytes of a text whose length fits into a frame's second byte."""


def write(exchanges: Sequence[Exchange], file: Path) -> None:
    """Write what the generator reads. All exchanges are of one path."""
    texts = [(exchange.body.decode(), exchange.answer.decode()) for exchange in exchanges]
    file.write_text(json.dumps({"path": exchanges[0].path, "texts": texts}))


def run(url: str, file: Path, seconds: int, core: int | None, connections: int) -> Run:
    """Run the generator to its end. Raises `LoadFailed` on any wrong answer."""
    return clients.run(__name__, url, file, seconds, core, connections)


def _frame(text: str, masked: bool) -> bytes:
    payload = text.encode()
    if len(payload) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} bytes: {text!r}")
    # With a mask of zeros the payload is sent as it is.
    return bytes([0x81, len(payload) | (0x80 if masked else 0)]) + (bytes(4) if masked else b"") + payload


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(
        self, handshake: bytes, frames: Sequence[tuple[bytes, bytes]], first: int, found: clients.Seen
    ) -> None:
        self._found = found
        self._handshake = handshake
        self._frames = frames
        self._turn = first
        self._heard = b""
        self._open = False
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a connection
        self._transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._open:
            head, end, _ = self._heard.partition(b"\r\n\r\n")
            if end:
                self._open = head.startswith(b"HTTP/1.1 101 ")
                self._found.failed += not self._open
                self._say()
            return
        _, right = self._frames[self._turn]
        if len(self._heard) < len(right):
            return
        self._found.wrong += self._heard != right
        self._found.latencies.append(time.perf_counter() - self._sent)
        self._say()

    def _say(self) -> None:
        self._heard = b""
        self._turn = (self._turn + 1) % len(self._frames)
        self._sent = time.perf_counter()
        self._transport.write(self._frames[self._turn][0])

    def connection_lost(self, error: Exception | None) -> None:
        self._found.failed += error is not None


async def _generate(url: str, asked: Any, seconds: int, connections: int) -> str:
    frames = [(_frame(text, masked=True), _frame(answer, masked=False)) for text, answer in asked["texts"]]
    where = urlsplit(url)
    handshake = _HANDSHAKE.format(path=asked["path"], host=where.netloc).encode()
    loop = asyncio.get_running_loop()
    found = clients.Seen()
    started = time.perf_counter()
    transports = []
    for number in range(connections):
        make = partial(_Talk, handshake, frames, number % len(frames), found)
        transport, _ = await loop.create_connection(make, where.hostname or "", where.port or 80)
        transports.append(transport)
    await asyncio.sleep(seconds)
    result = found.result(time.perf_counter() - started)
    for transport in transports:
        transport.abort()
    return result


if __name__ == "__main__":
    clients.main(_generate)

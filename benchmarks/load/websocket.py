"""A load generator for WebSockets: `python -m benchmarks.load.websocket URL FILE SECONDS CONNECTIONS`.

Each connection sends a text and waits for the answer before it sends the next. The file holds the path and pairs of
texts and right answers, as `write` writes them. It prints what wrk's script prints.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from ..cases import Exchange
from .wrk import Run, seen

_ROOT = Path(__file__).resolve().parents[2]
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
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    command = [*pinned, sys.executable, "-m", __name__, url, str(file), str(seconds), str(connections)]
    return seen(url, subprocess.run(command, capture_output=True, text=True, cwd=_ROOT))


def _frame(text: str, masked: bool) -> bytes:
    payload = text.encode()
    if len(payload) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} bytes: {text!r}")
    # With a mask of zeros the payload is sent as it is.
    return bytes([0x81, len(payload) | (0x80 if masked else 0)]) + (bytes(4) if masked else b"") + payload


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, handshake: bytes, frames: Sequence[tuple[bytes, bytes]], first: int) -> None:
        self.latencies: list[float] = []
        self.wrong = 0
        self.failed = 0
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
                self.failed += not self._open
                self._say()
            return
        _, right = self._frames[self._turn]
        if len(self._heard) < len(right):
            return
        self.wrong += self._heard != right
        self.latencies.append(time.perf_counter() - self._sent)
        self._say()

    def _say(self) -> None:
        self._heard = b""
        self._turn = (self._turn + 1) % len(self._frames)
        self._sent = time.perf_counter()
        self._transport.write(self._frames[self._turn][0])

    def connection_lost(self, error: Exception | None) -> None:
        self.failed += error is not None


async def _talk(url: str, asked: dict[str, Any], seconds: int, connections: int) -> str:
    frames = [(_frame(text, masked=True), _frame(answer, masked=False)) for text, answer in asked["texts"]]
    where = urlsplit(url)
    handshake = _HANDSHAKE.format(path=asked["path"], host=where.netloc).encode()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    pairs = [
        await loop.create_connection(
            lambda number=number: _Talk(handshake, frames, number % len(frames)), where.hostname, where.port
        )
        for number in range(connections)
    ]
    await asyncio.sleep(seconds)
    took = time.perf_counter() - started
    talks = [talk for _, talk in pairs]
    latencies = [latency * 1e6 for talk in talks for latency in talk.latencies]
    found = {
        "requests": len(latencies),
        "microseconds": int(took * 1e6),
        "wrong": sum(talk.wrong for talk in talks),
        "failed": sum(talk.failed for talk in talks),
        "p50": int(statistics.median(latencies)) if latencies else 0,
        "p99": int(sorted(latencies)[len(latencies) * 99 // 100]) if latencies else 0,
    }
    for transport, _ in pairs:
        transport.abort()
    return f"RESULT {json.dumps(found)}"


if __name__ == "__main__":
    address, name, duration, count = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(_talk(address, json.loads(Path(name).read_text()), int(duration), int(count))))

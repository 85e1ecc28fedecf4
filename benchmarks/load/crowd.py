"""A load generator for long answers to many clients: `python -m benchmarks.load.crowd URL FILE SECONDS CONNECTIONS`.

All clients ask at once, and when the last of them has its whole answer they ask again, until the seconds are over. So
no answer is left in the middle, and a server's work divides by the answers, however few they are.
"""

import asyncio
import base64
import http.client
import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..cases import Exchange
from . import clients
from .wrk import Run

_LAST_CHUNK = b"\r\n0\r\n\r\n"


def write(exchanges: Sequence[Exchange], file: Path) -> None:
    """Write what the generator reads. The answers are those that come in chunks."""
    pairs = [(exchange.encoded("127.0.0.1"), exchange.answer) for exchange in exchanges]
    file.write_text(json.dumps([[base64.b64encode(part).decode() for part in pair] for pair in pairs]))


def run(url: str, file: Path, seconds: int, core: int | None, connections: int) -> Run:
    """Run the generator to its end. Raises `LoadFailed` on any wrong answer."""
    return clients.run(__name__, url, file, seconds, core, connections)


class Written:
    """An answer that has come, as a socket from which `http.client` reads it."""

    def __init__(self, written: bytes) -> None:
        self._written = written

    def makefile(self, mode: str) -> io.BytesIO:
        """Open it."""
        return io.BytesIO(self._written)


def parsed(method: str, written: bytes) -> http.client.HTTPResponse:
    """The response in the bytes of a connection."""
    response = http.client.HTTPResponse(Written(written), method=method)  # type: ignore[arg-type]  # it is enough
    response.begin()
    return response


async def _ask(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], pair: tuple[bytes, bytes], found: clients.Seen
) -> None:
    reader, writer = streams
    asked, right = pair
    started = time.perf_counter()
    writer.write(asked)
    try:
        answer = await reader.readuntil(_LAST_CHUNK)
    except (OSError, asyncio.IncompleteReadError):
        found.failed += 1
        return
    found.latencies.append(time.perf_counter() - started)
    found.wrong += parsed("GET", answer).read() != right


async def _generate(url: str, asked: Any, seconds: int, connections: int) -> str:
    pairs = [(base64.b64decode(request), base64.b64decode(answer)) for request, answer in asked]
    where = urlsplit(url)
    limit = 2 * max(len(answer) for _, answer in pairs) + 65_536
    found = clients.Seen()
    started = time.perf_counter()
    crowd = [await asyncio.open_connection(where.hostname, where.port, limit=limit) for _ in range(connections)]
    while time.perf_counter() - started < seconds and not found.failed:
        asking = (_ask(one, pairs[number % len(pairs)], found) for number, one in enumerate(crowd))
        await asyncio.gather(*asking)
    took = time.perf_counter() - started
    for _, writer in crowd:
        writer.close()
    return found.result(took)


if __name__ == "__main__":
    clients.main(_generate)

"""A soak: full load for minutes, with clients that misbehave. `python -m benchmarks.soak --help`.

wrk sends requests of many cases and checks every answer; beside it, on the same core, clients of this process leave in
the middle of heads, of bodies and of answers, reset connections, send rubbish, dribble bytes and pipeline. It fails if

* an answer was wrong, or a request of a client that behaved was not answered;
* the server logged an error, or a session that was opened was not closed;
* the server's resident memory grew after the warm-up by more than a MiB.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from .cases import BY_NAME, Exchange
from .load import wrk
from .load.rounds import CLIENT_CORE, SERVER_CORE
from .load.server import HOST, Server

TRANSPORTS = {"http": "ferrapi", "asgi": "ferrapi-asgi"}
CASES = (
    "plain",
    "hello",
    "params",
    "order",
    "guarded",
    "no-token",
    "login",
    "bad-order",
    "thread",
    "pause",
    "products",
)
GROWTH_KIB = 1024
"""How much memory may grow after the warm-up."""
CLIENTS = 16
CLOSED_UNDER_UVICORN = re.compile(
    r"ERROR: +Exception in ASGI application\n(?:(?!ERROR: |WARNING: |INFO: )[^\n]*\n)*?"
    r"[^\n]*httptools_impl\.py\", line \d+, in send\n(?:(?!ERROR: |WARNING: |INFO: )[^\n]*\n)*?"
    r"RuntimeError: unable to perform operation on <TCPTransport closed=True[^\n]*\n"
)
"""What uvicorn's own protocol logs, whatever the application, when it writes to a client that has just gone: uvloop's
transport is closed a moment before uvicorn is told. Counted apart; ferrapi's protocol must not have it."""
TROUBLE = ("Traceback", "ERROR", "CRITICAL", "Task was destroyed", "never retrieved")
"""Words that no log of a healthy server has."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Behaviour = Callable[["Clients"], Awaitable[None]]


class Lost(Exception):
    """A request of a client that behaved was answered wrongly or not at all."""


def encoded(exchange: Exchange) -> bytes:
    """The bytes of a request."""
    return exchange.encoded(HOST)


async def expect(reader: asyncio.StreamReader, exchange: Exchange) -> None:
    """Read one answer. Raises `Lost` unless it is the right one."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers["content-length"]))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise Lost(f"{exchange.method} {exchange.path}: {error!r}") from error
    if (int(status.split()[1]), body) != (exchange.status, exchange.answer):
        raise Lost(f"{exchange.method} {exchange.path}: {status} {body!r}")


class Clients:
    """What the misbehaving clients share: where the server is, chance, and what they have seen."""

    def __init__(self, port: int, exchanges: Sequence[Exchange], seed: int) -> None:
        self.port = port
        self.exchanges = exchanges
        self.chance = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.lost: list[str] = []

    async def connect(self) -> Streams:
        """A new connection."""
        return await asyncio.open_connection(HOST, self.port)

    def some(self) -> Exchange:
        """One of the requests."""
        return self.chance.choice(self.exchanges)

    async def run(self, until: float) -> None:
        """Behave in one way after the other until it is time."""
        while time.monotonic() < until:
            behaviour = self.chance.choice(BEHAVIOURS)
            try:
                await behaviour(self)
            except Lost as error:
                self.lost.append(f"{behaviour.__name__}: {error}")
            except OSError:
                self.seen["connections that the server ended first"] += 1
            self.seen[behaviour.__name__.replace("_", " ")] += 1
            await asyncio.sleep(self.chance.random() / 50)


async def leave_in_the_head(clients: Clients) -> None:
    """Closes before the head is complete."""
    _, writer = await clients.connect()
    data = encoded(clients.some()).partition(b"\r\n\r\n")[0]
    writer.write(data[: clients.chance.randrange(len(data))])
    await writer.drain()
    writer.close()


async def leave_in_the_body(clients: Clients) -> None:
    """Closes before the body is complete."""
    _, writer = await clients.connect()
    data = encoded(clients.chance.choice([exchange for exchange in clients.exchanges if exchange.body]))
    writer.write(data[: -clients.chance.randrange(1, 20)])
    await writer.drain()
    writer.close()


async def leave_before_the_answer(clients: Clients) -> None:
    """Resets the connection as soon as the request is sent."""
    _, writer = await clients.connect()
    writer.write(encoded(clients.some()))
    await writer.drain()
    writer.transport.abort()


async def leave_in_the_answer(clients: Clients) -> None:
    """Reads a few bytes of several answers and resets the connection."""
    reader, writer = await clients.connect()
    writer.write(b"".join(encoded(clients.some()) for _ in range(5)))
    await writer.drain()
    await reader.read(clients.chance.randrange(1, 2000))
    writer.transport.abort()


async def pipeline(clients: Clients) -> None:
    """Sends many requests at once, and wants all answers in order."""
    reader, writer = await clients.connect()
    asked = [clients.some() for _ in range(clients.chance.randrange(2, 30))]
    writer.write(b"".join(map(encoded, asked)))
    for exchange in asked:
        await expect(reader, exchange)
    writer.close()


async def dribble(clients: Clients) -> None:
    """Sends a request in small pieces, and wants its answer; then another on the same connection."""
    reader, writer = await clients.connect()
    for exchange in (clients.some(), clients.some()):
        data = encoded(exchange)
        size = clients.chance.randrange(5, 100)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)
        await expect(reader, exchange)
    writer.close()


async def send_rubbish(clients: Clients) -> None:
    """Sends what is no request; the server ends the connection."""
    reader, writer = await clients.connect()
    writer.write(
        clients.chance.choice([b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nbad header\r\n\r\n"])
    )
    writer.write_eof()
    await reader.read()
    writer.close()


async def half_close(clients: Clients) -> None:
    """Says that nothing follows, and goes without waiting."""
    reader, writer = await clients.connect()
    writer.write(encoded(clients.some()))
    writer.write_eof()
    await reader.read(100)
    writer.close()


BEHAVIOURS: tuple[Behaviour, ...] = (
    leave_in_the_head,
    leave_in_the_body,
    leave_before_the_answer,
    leave_in_the_answer,
    pipeline,
    dribble,
    send_rubbish,
    half_close,
)


async def _watch(server: Server, until: float, warm: float) -> list[tuple[float, int]]:
    """The server's memory, each second: seconds since the end of the warm-up, and KiB."""
    samples = []
    while (now := time.monotonic()) < until:
        samples.append((round(now - warm, 1), server.resident_kib()))
        await asyncio.sleep(1)
    return samples


def growth_kib(samples: Sequence[tuple[float, int]]) -> int:
    """How much memory grew from the end of the warm-up to the end: medians of a tenth of the samples, at least 5."""
    after = [kib for seconds, kib in samples if seconds >= 0]
    size = max(5, len(after) // 10)
    return int(statistics.median(after[-size:]) - statistics.median(after[:size]))


def _load(url: str, file: Path, seconds: int) -> subprocess.Popen[str]:
    return subprocess.Popen(wrk.command(url, file, seconds, CLIENT_CORE), stdout=subprocess.PIPE, text=True)


async def _soak(server: Server, exchanges: Sequence[Exchange], file: Path, minutes: float, seed: int) -> dict[str, Any]:
    start = time.monotonic()
    seconds = max(10, round(minutes * 60))
    warm = start + max(10.0, seconds / 5)
    load = _load(server.url, file, seconds)
    clients = Clients(server.port, exchanges, seed)
    everybody = [clients.run(start + seconds) for _ in range(CLIENTS)]
    samples, *_ = await asyncio.gather(_watch(server, start + seconds, warm), *everybody)
    said = (await asyncio.to_thread(load.communicate))[0]
    found = json.loads(said.rpartition("RESULT ")[2] or "{}")
    return {"load": found, "clients": clients.seen, "lost": clients.lost, "samples": samples}


async def _settled(server: Server) -> dict[str, int]:
    """The counters once no request is in work any more."""
    calls = await asyncio.to_thread(server.calls)
    for _ in range(50):
        if calls.get("session opened", 0) == calls.get("session closed", 0):
            break
        await asyncio.sleep(0.1)
        calls = await asyncio.to_thread(server.calls)
    return calls


def faults(result: dict[str, Any], calls: dict[str, int], log: str) -> list[str]:
    """What was not as it should be, one sentence each."""
    load = result["load"]
    found = [f"lost: {what}" for what in result["lost"][:20]]
    if not load.get("requests"):
        found.append("wrk got no answers")
    found += [f"wrk: {load[kind]} {kind}" for kind in ("wrong", "failed") if load.get(kind)]
    if calls.get("session opened", 0) != calls.get("session closed", 0):
        found.append(f"{calls.get('session opened')} sessions opened, {calls.get('session closed')} closed")
    found += [f"the server's log has {word!r}" for word in TROUBLE if word in log]
    if (grown := growth_kib(result["samples"])) > GROWTH_KIB:
        found.append(f"memory grew by {grown} KiB after the warm-up")
    return found


def soak(door: str, minutes: float, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Soak one door: what was recorded, and what was wrong."""
    exchanges = [exchange for name in CASES for exchange in BY_NAME[name].exchanges]
    random.Random(seed).shuffle(exchanges)
    with tempfile.TemporaryDirectory() as folder, Server(TRANSPORTS[door], "app", {SERVER_CORE}) as server:
        file = Path(folder) / "cases.lua"
        wrk.write_exchanges(exchanges, file)

        async def everything() -> tuple[dict[str, Any], dict[str, int]]:
            result = await _soak(server, exchanges, file, minutes, seed)
            return result, await _settled(server)

        result, calls = asyncio.run(everything())
        log, closed = server.log(), 0
        if door == "asgi":
            log, closed = CLOSED_UNDER_UVICORN.subn("", log)
        found = faults(result, calls, log)
    result |= {
        "door": door,
        "growth_kib": growth_kib(result["samples"]),
        "faults": found,
        "closed_under_uvicorn": closed,
    }
    result["log"] = log[-4000:] if found else ""
    return result, found


def main() -> int:
    """Soak the chosen doors; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each door")
    parser.add_argument("--door", action="append", choices=list(TRANSPORTS), help="may be repeated; default: both")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--json", type=Path, help="write what was recorded, memory second by second, to this file")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {CLIENT_CORE})
    wrong, recorded = 0, []
    for door in arguments.door or TRANSPORTS:
        result, found = soak(door, arguments.minutes, arguments.seed)
        recorded.append(result)
        wrong += len(found)
        clients = sum(result["clients"].values())
        first, last = (result["samples"][place][1] for place in (0, -1))
        print(f"{door}: {result['load'].get('requests', 0):,} answers checked, {clients:,} clients that misbehave")
        print(
            f"  memory {first:,} KiB at the start, {last:,} at the end; after the warm-up {result['growth_kib']:+,} KiB"
        )
        if closed := result["closed_under_uvicorn"]:
            print(f"  uvicorn's protocol wrote {closed} times to a connection that had just been closed, and logged it")
        print("  nothing wrong" if not found else "\n".join(f"  {what}" for what in found))
        if result["log"]:
            print(result["log"], file=sys.stderr)
    if arguments.json:
        arguments.json.write_text(json.dumps({"seed": arguments.seed, "doors": recorded}, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())

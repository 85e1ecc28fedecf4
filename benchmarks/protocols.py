"""Protocols under uvicorn, beside each other: `python -m benchmarks.protocols --help`.

What is served is `benchmarks.apps.plain_app`, an ASGI application that does next to nothing, so that the protocols are
what differs. Two things are measured.

* *Load*: CPU time of the server per request, of a greeting and of an upload of 1 MiB in chunks. ferrapi's protocol is
  to be better than uvicorn's on httptools by the factors of `GOALS`.
* *Idle connections*: resident memory for each of thousands that have got an answer and stay open. The yardstick is a
  protocol that only answers, a class of a few lines on the same event loop. ferrapi's is to need at most `MOST_KIB`.
"""

import argparse
import asyncio
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .cases import Case, Exchange
from .load import wrk
from .load.rounds import CLIENT_CORE, SERVER_CORE, measure, rotating
from .load.server import HOST, Server

HELLO = b'{"message":"Hello, world"}'
SIZE = 1 << 20
GREETING = Case("hello", "a greeting", (Exchange("GET", "/hello", HELLO),), frozenset({"hello"}))
UPLOAD = Case(
    "upload",
    "an upload of 1 MiB in chunks of 64 KiB",
    (Exchange("POST", "/upload", b"%d" % SIZE, body=bytes(SIZE), chunk=1 << 16),),
    frozenset({"upload"}),
)
GOALS = {"hello": 1.6, "upload": 1.3}
"""uvicorn's CPU time per request on httptools as a multiple of that with ferrapi's protocol."""
MOST_KIB = 8.0
"""What an idle connection may need."""
PROTOCOLS = {
    "ferrapi": "ferrapi.server:HttpProtocol",
    "httptools": "httptools",
    "h11": "h11",
    "answering": "benchmarks.protocols:Answering",
}
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: application/json\r\n\r\n%b" % (len(HELLO), HELLO)
_CALLS = _ANSWER.replace(HELLO, b"{}").replace(b"%d" % len(HELLO), b"2")


class Answering(asyncio.Protocol):
    """Answers whatever comes, always in the same way."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self.connections = server_state.connections

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport = transport
        self.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(_CALLS if data.startswith(b"GET /calls ") else _ANSWER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.connections.discard(self)

    def shutdown(self) -> None:
        """Close the connection."""
        self.transport.close()


def serving(protocol: str) -> Server:
    """A server with a protocol, not started yet."""
    options = ("--http", PROTOCOLS[protocol], "--timeout-keep-alive", "600")
    server = Server("asgi", "app", {SERVER_CORE}, module="plain_app", extra=options)
    server.name = protocol
    return server


def cpu_per_request(case: Case, protocols: Sequence[str], rounds: int, seconds: int, folder: Path) -> dict[str, Any]:
    """Microseconds of CPU time per request of each protocol, one number for each round."""
    file = folder / f"{case.name}.lua"
    wrk.write_exchanges(case.exchanges, file)
    connections = 64 if case is GREETING else 8
    found: dict[str, Any] = {protocol: [] for protocol in protocols}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(protocol)) for protocol in protocols]
        for server in servers:
            server.check(case)
            wrk.run(server.url, file, 1, CLIENT_CORE, connections)
        for server in rotating(servers, rounds):
            found[server.name].append(measure(server, case, file, seconds, connections).cpu)
    return found


def _ask(port: int) -> socket.socket:
    """A connection that has got an answer."""
    until = time.monotonic() + 60
    while True:
        try:
            connection = socket.create_connection((HOST, port), timeout=60)
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    connection.sendall(GREETING.exchanges[0].encoded(HOST))
    received = b""
    while not received.endswith(HELLO):
        piece = connection.recv(4096)
        if not piece or len(received) > 4096:
            raise wrk.LoadFailed(f"This is no answer: {received!r}")
        received += piece
    return connection


def idle_kib(protocol: str, count: int) -> float:
    """KiB for each of `count` idle connections."""
    connections = []
    with serving(protocol) as server:
        try:
            for _ in range(200):  # what is made once
                _ask(server.port).close()
            time.sleep(0.5)
            before = server.resident_kib()
            connections += [_ask(server.port) for _ in range(count)]
            time.sleep(0.5)
            return (server.resident_kib() - before) / count
        finally:
            for connection in connections:
                connection.close()


def _load(rounds: int, seconds: int) -> bool:
    is_met = True
    with tempfile.TemporaryDirectory() as folder:
        for case in (GREETING, UPLOAD):
            found = cpu_per_request(case, ("ferrapi", "httptools"), rounds, seconds, Path(folder))
            ratios = [other / own for own, other in zip(found["ferrapi"], found["httptools"], strict=True)]
            own, other, ratio = map(statistics.median, (found["ferrapi"], found["httptools"], ratios))
            is_met &= ratio >= GOALS[case.name]
            goal = f"goal {GOALS[case.name]}"
            print(
                f"{case.title}: ferrapi {own:.1f} µs of CPU, httptools {other:.1f}, {ratio:.2f} times ({goal})",
                flush=True,
            )
    return is_met


def _idle(count: int) -> bool:
    kib = {protocol: idle_kib(protocol, count) for protocol in ("answering", "ferrapi", "httptools", "h11")}
    least = kib["answering"]
    print(f"KiB for each of {count:,} idle connections, and beside a protocol that only answers:")
    for protocol, size in kib.items():
        print(f"  {protocol:<10}{size:6.2f} {size - least:+6.2f}")
    return kib["ferrapi"] <= MOST_KIB


def main() -> int:
    """Measure; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.protocols", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--connections", type=int, default=10_000, help="that are idle")
    parser.add_argument("--only", choices=["load", "idle"])
    options = parser.parse_args()
    is_met = options.only == "idle" or _load(options.rounds, options.seconds)
    is_met &= options.only == "load" or _idle(options.connections)
    return int(not is_met)


if __name__ == "__main__":
    raise SystemExit(main())

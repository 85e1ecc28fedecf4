"""What an idle connection costs in memory: `python -m benchmarks.idle --help`.

For each protocol a server of its own is asked by many connections at once, each of which gets one answer and stays
open. Then the server's resident memory is compared with what it was before. The yardstick is a protocol that only
answers: a class of a few lines that knows neither requests nor applications, on the same event loop.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from typing import Any

import uvicorn

HELLO = b'{"message":"Hello, world"}'
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nUser-Agent: idle\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: application/json\r\n\r\n%b" % (len(HELLO), HELLO)


class Answering(asyncio.Protocol):
    """Answers whatever comes, always in the same way: the yardstick."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self.connections = server_state.connections

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport = transport
        self.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(ANSWER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.connections.discard(self)

    def shutdown(self) -> None:
        """Close the connection."""
        self.transport.close()


PROTOCOLS: dict[str, Any] = {
    "answering": Answering,
    "ferrapi": "ferrapi.server:HttpProtocol",
    "httptools": "httptools",
    "h11": "h11",
}


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """The application by hand."""
    headers = [(b"content-length", b"%d" % len(HELLO)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": HELLO})


def make(kind: str) -> Any:
    """The application: by hand, or of ferrapi."""
    if kind == "plain":
        return plain
    from ferrapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"message": "Hello, world"}

    return app


def serve(protocol: str, app: str, port: int) -> None:
    """Serve until told to stop."""
    kind: Any = PROTOCOLS[protocol]
    options: dict[str, Any] = {
        "access_log": False,
        "log_level": "warning",
        "timeout_keep_alive": 600,
        "lifespan": "off",
    }
    uvicorn.run(make(app), port=port, http=kind, loop="uvloop", backlog=4096, **options)


def resident_kib(process: int) -> int:
    """The memory that a process has in use."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def _connect(port: int) -> socket.socket:
    until = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _ask(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    received = b""
    while not received.endswith(HELLO):
        piece = connection.recv(4096)
        if not piece or len(received) > 4096:
            raise RuntimeError(f"This is no answer: {received!r}")
        received += piece


def measure(protocol: str, app: str, count: int) -> float:
    """KiB for each of `count` connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.idle", "--serve", protocol, "--app", app, "--port", str(port)]
    with subprocess.Popen(command) as server:
        connections = []
        try:
            for _ in range(200):  # what is made once
                with _connect(port) as connection:
                    _ask(connection)
            time.sleep(0.5)
            before = resident_kib(server.pid)
            for _ in range(count):
                connections.append(_connect(port))
                _ask(connections[-1])
            time.sleep(0.5)
            after = resident_kib(server.pid)
        finally:
            for connection in connections:
                connection.close()
            server.terminate()
    return (after - before) / count


def main() -> None:
    """Measure the protocols, or serve with one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--app", choices=["plain", "ferrapi"], help="default: both")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", choices=list(PROTOCOLS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.app, options.port)
        return
    least = measure("answering", "plain", options.connections)
    found = {"answering": {"plain": round(least, 2)}}
    for protocol in ("ferrapi", "httptools", "h11"):
        apps = [options.app] if options.app else ["plain", "ferrapi"]
        found[protocol] = {app: round(measure(protocol, app, options.connections), 2) for app in apps}
    if options.json:
        print(json.dumps(found))
        return
    print(f"KiB for each of {options.connections:,} idle connections: in all, and beside a protocol that only answers")
    for protocol, of in found.items():
        print(f"  {protocol:<10}", *(f"{app} {kib:6.2f} ({kib - least:+.2f})" for app, kib in of.items()))


if __name__ == "__main__":
    main()

"""The HTTP/1.1 transport on real sockets, inside of a real uvicorn, on its two event loops."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from ferrapi import FastAPI, Request, WebSocket
from ferrapi.responses import FileResponse, StreamingResponse
from ferrapi.server import HttpProtocol

from .application import make

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def application(directory: Path) -> FastAPI:
    """The usual application, with what needs a server around it."""
    app = make()
    app.state.release = threading.Event()
    (directory / "file").write_bytes(b"f" * 200_000)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        yield {"started": ["yes"]}

    app.router.lifespan_context = lifespan

    @app.get("/state")
    async def state(request: Request) -> Any:
        return {**request.scope["state"], "server": bool(request.scope["server"]), "client": request.scope["client"]}

    @app.get("/scheme")
    async def scheme(request: Request) -> str:
        return str(request.url)

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(directory / "file")

    @app.get("/blocked")
    def blocked() -> str:
        app.state.calls.append("blocked")
        app.state.release.wait()
        return "released"

    @app.get("/much")
    async def much() -> StreamingResponse:
        async def pieces() -> Any:
            for _ in range(500):
                app.state.sent = getattr(app.state, "sent", 0) + 1
                yield b"x" * 100_000

        return StreamingResponse(pieces())

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text * 2)

    return app


class Running:
    """A server in a thread of its own."""

    def __init__(self, app: Any, **options: Any) -> None:
        self.app = app
        # Older releases of uvicorn don't take the name of a class.
        config = uvicorn.Config(app, port=0, http=HttpProtocol, log_config=None, access_log=False, **options)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.tick = threading.Event()

    def __enter__(self) -> Running:
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            self.tick.wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.app.state.release.set()
        self.server.should_exit = True
        self.thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port))


@pytest.fixture(params=["asyncio", "uvloop"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """The application on each event loop. Who waits for its turn on a busy machine is not idle for too long."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    with Running(application(tmp_path), loop=request.param, timeout_keep_alive=300) as running:
        yield running


def answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """The next responses on a connection: statuses and bodies."""
    file = connection.makefile("rb")
    found = []
    for _ in range(count):
        status = int(file.readline().split()[1])
        headers = dict(line.split(": ", 1) for line in iter(lambda: file.readline().decode().rstrip("\r\n"), ""))
        if "transfer-encoding" in headers:
            body = b""
            while size := int(file.readline(), 16):
                body += file.read(size)
                file.readline()
            file.readline()
        else:
            body = file.read(int(headers.get("content-length", "0")))
        found.append((status, body))
    return found


def ask(running: Running, path: str) -> Any:
    """The JSON answer to one request on a connection of its own."""
    with running.connect() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return json.loads(answers(connection, 1)[0][1])


def test_1500_requests_at_once_are_answered_in_order(running: Running) -> None:
    data = b"".join(b"GET /items/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(1500))
    with running.connect() as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        found = answers(connection, 1500)
        sender.join()
    assert [json.loads(body)["item"] for _, body in found] == list(range(1500))


def test_all_that_an_application_has_on_one_connection(running: Running) -> None:
    paths = ["/", "/stream", "/mounted/x", "/file", "/nowhere", "/none", "/items/5", "/stream", "/docs", "/"]
    with running.connect() as connection:
        for path in paths:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        found = answers(connection, len(paths))
    assert [status for status, _ in found] == [200, 200, 200, 200, 404, 204, 200, 200, 200, 200]
    assert [found[1][1], len(found[3][1]), found[-1][1]] == [b"onetwo", 200_000, b'{"hello":"world"}']


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 5_000_000])
def test_bodies(running: Running, size: int) -> None:
    with running.connect() as connection:
        for _ in range(2):
            connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
            connection.sendall(b"x" * size)
            assert answers(connection, 1) == [(200, b"%d" % size)]
        connection.sendall(HELLO)
        assert answers(connection, 1)[0][0] == 200


def test_byte_by_byte(running: Running) -> None:
    with running.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in HELLO * 5:
            connection.sendall(bytes([byte]))
        assert answers(connection, 5) == [(200, b'{"hello":"world"}')] * 5


def test_a_client_that_has_sent_all_and_closed_its_side_gets_its_answer(running: Running) -> None:
    """The first one: whether the others come too is a matter of event loops, with uvicorn's own protocol as well."""
    with running.connect() as connection:
        connection.sendall(b"GET /blocked HTTP/1.1\r\nHost: x\r\n\r\n" + HELLO * 2)
        connection.shutdown(socket.SHUT_WR)
        running.app.state.release.set()
        assert answers(connection, 1)[0] == (200, b'"released"')


def test_many_connections(running: Running) -> None:
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(running.connect()) for _ in range(1000)]
        for _ in range(3):
            for connection in connections:
                connection.sendall(HELLO)
            for connection in connections:
                assert answers(connection, 1)[0][0] == 200
        assert len(running.server.server_state.connections) == 1000


def test_a_client_that_does_not_read_holds_the_stream_back(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        while not getattr(running.app.state, "sent", 0):
            running.tick.wait(0.01)
        seen = -1
        while seen != running.app.state.sent:
            seen = running.app.state.sent
            running.tick.wait(0.2)
        assert seen < 500
        assert len(answers(connection, 1)[0][1]) == 50_000_000


def test_the_lifespan_state_is_in_each_scope(running: Running) -> None:
    found = ask(running, "/state")
    assert (found["started"], found["server"], found["client"][0]) == (["yes"], True, "127.0.0.1")


def test_websockets(running: Running) -> None:
    websockets = pytest.importorskip("websockets.sync.client")
    with websockets.connect(f"ws://127.0.0.1:{running.port}/echo") as client:
        client.send("ab")
        assert client.recv() == "abab"


def test_shutdown_waits_for_what_is_in_flight(running: Running) -> None:
    with running.connect() as busy, running.connect() as idle:
        idle.sendall(HELLO)
        assert answers(idle, 1)[0][0] == 200
        busy.sendall(b"GET /blocked HTTP/1.1\r\nHost: x\r\n\r\n")
        while "blocked" not in running.app.state.calls:
            running.tick.wait(0.01)
        running.server.should_exit = True
        assert idle.recv(100) == b""
        running.app.state.release.set()
        assert answers(busy, 1) == [(200, b'"released"')]
        assert busy.recv(100) == b""
    running.thread.join()


def test_clients_that_leave_at_any_time_leave_nothing_behind(running: Running) -> None:
    data = b"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'
    for at in range(0, len(data), 3):
        with running.connect() as connection:
            connection.sendall(data[:at])
    with running.connect() as connection:
        connection.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(10)
    state = running.server.server_state
    while state.connections or state.tasks:
        running.tick.wait(0.01)
    assert ask(running, "/") == {"hello": "world"}


def test_limit_max_requests_counts_what_the_protocol_serves(tmp_path: Path) -> None:
    with Running(application(tmp_path), limit_max_requests=3) as running:
        for _ in range(3):
            with running.connect() as connection:
                connection.sendall(HELLO)
                answers(connection, 1)
        running.thread.join()


def test_an_idle_connection_is_closed(tmp_path: Path) -> None:
    with Running(application(tmp_path), timeout_keep_alive=1) as running, running.connect() as connection:
        connection.sendall(HELLO)
        assert answers(connection, 1)[0][0] == 200
        assert connection.recv(100) == b""


def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with Running(application(tmp_path), uds=path), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b"GET /state HTTP/1.1\r\nHost: x\r\n\r\n")
        assert json.loads(answers(connection, 1)[0][1])["client"] is None


def test_tls(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    with authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.tempfile() as pem:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        with Running(application(tmp_path), ssl_certfile=pem) as running:
            with context.wrap_socket(running.connect(), server_hostname="127.0.0.1") as connection:
                connection.sendall(b"GET /scheme HTTP/1.1\r\nHost: x\r\n\r\n")
                assert answers(connection, 1) == [(200, b'"https://x/scheme"')]


def test_a_proxy_is_believed_only_if_it_is_trusted(tmp_path: Path) -> None:
    forwarded = b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n"
    for trusted, client in (("127.0.0.1", "9.9.9.9"), ("10.0.0.1", "127.0.0.1")):
        with Running(application(tmp_path), forwarded_allow_ips=trusted) as running, running.connect() as connection:
            connection.sendall(b"GET /state HTTP/1.1\r\nHost: x\r\n" + forwarded)
            assert json.loads(answers(connection, 1)[0][1])["client"][0] == client


def test_a_root_path_is_uvicorns_business(tmp_path: Path) -> None:
    with Running(application(tmp_path), root_path="/api") as running, running.connect() as connection:
        connection.sendall(b"GET /scheme HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answers(connection, 1) == [(200, b'"http://x/api/scheme"')]


def test_two_servers_in_one_process(tmp_path: Path) -> None:
    """Two servers in one process know nothing of each other."""
    with Running(application(tmp_path)) as one, Running(application(tmp_path)) as other:
        assert ask(one, "/") == ask(other, "/") == {"hello": "world"}
        assert one.app.state.calls == other.app.state.calls == ["root"]

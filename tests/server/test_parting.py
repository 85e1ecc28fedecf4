"""The end of a connection whose client may still be sending: it is listened to, and not for ever."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ferrapi.server import HttpProtocol
from support.wire import PROTOCOLS, Wire, configured

from .application import make
from .bench import statuses
from .connections import HELLO, Clock, request, run
from .test_limits import chunked
from .test_sockets import Running

TOO_LARGE = request("POST", "/raw", b"y" * 101)[:-50]
MUCH = b"y" * 65_536


class Limited(HttpProtocol):
    limit_body: ClassVar[int | None] = 100
    timeout_head = 100


async def early(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers without a look at the body."""
    headers = [(b"content-length", b"2"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"no"})


async def early_and_open(scope: Any, receive: Any, send: Any) -> None:
    """The same, but the connection stays open."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


def connect(monkeypatch: pytest.MonkeyPatch, app: Any = None, **options: Any) -> Wire:
    """A connection with a limit."""
    monkeypatch.setitem(PROTOCOLS, "limited", Limited)
    return Wire(configured(app or make(), **options), "limited")


CUT_SHORT: list[Any] = [
    pytest.param(None, TOO_LARGE, 413, id="too large"),
    pytest.param(None, chunked(101), 413, id="too large, in chunks"),
    pytest.param(None, b"GET / HTTP/1.1\r\n\r\n", 400, id="malformed"),
    pytest.param(None, chunked(5) + b"x", 400, id="malformed body"),
    pytest.param(None, b"GET /" + b"y" * 70_000, 431, id="endless head"),
    pytest.param(early, request("POST", "/", b"12345")[:-1], 401, id="answered early"),
    pytest.param(early, chunked(5), 401, id="answered early, in chunks"),
    pytest.param(early, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /", 401, id="pipelined"),
]


@pytest.mark.parametrize(("app", "data", "status"), CUT_SHORT)
def test_what_comes_behind_an_early_end_is_dropped_until_the_client_leaves(
    monkeypatch: pytest.MonkeyPatch, app: Any, data: bytes, status: int
) -> None:
    async def main() -> None:
        wire = connect(monkeypatch, app)
        await wire.feed(data)
        await wire.settle()
        assert statuses(wire.written) == [status]
        assert (wire.transport.is_half_closed, wire.transport.closed) == (True, False)
        answer = wire.written
        for piece in (b"y" * 100_000, b"\x00", HELLO, TOO_LARGE):
            await wire.feed(piece)
        assert (wire.written, wire.transport.closed, wire.transport.reading) == (answer, False, True)
        assert not wire.protocol.eof_received()
        await wire.lose()
        assert not wire.state.tasks | wire.state.connections

    run(main)


@pytest.mark.parametrize(
    ("app", "data"),
    [
        (early, request("POST", "/", b"12345")),
        (early, HELLO),
        (early, chunked(5, 0)),
        (early, chunked(5) + b"0\r\ntrailer: t\r\n\r\n"),
        (None, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        (None, b"GET / HTTP/1.0\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("limit", [None, 1])
def test_who_has_sent_all_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, app: Any, data: bytes, limit: int | None
) -> None:
    """Where there is room for no request, the answer is known when the head has been read."""

    async def main() -> None:
        wire = connect(monkeypatch, app, limit_concurrency=limit)
        await wire.feed(data)
        await wire.settle()
        assert (wire.transport.is_half_closed, wire.transport.closed) == (False, True)

    run(main)


@pytest.mark.parametrize(("app", "data", "status"), CUT_SHORT)
def test_a_client_that_is_silent_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch, app: Any, data: bytes, status: int
) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch, app)
        await wire.feed(data)
        for _ in range(3):
            clock.ahead += 4
            await wire.settle()
            await wire.feed(b"y")
            assert not wire.transport.closed
        clock.ahead += 6
        await wire.settle()
        assert wire.transport.closed

    run(main)


def test_a_client_that_goes_on_and_on_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch)
        await wire.feed(TOO_LARGE)
        rounds = 0
        while not wire.transport.closed:
            clock.ahead += 1
            await wire.settle()
            await wire.feed(MUCH)
            rounds += 1
        assert 28 <= rounds <= 31

    run(main)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_server_that_stops_waits_two_seconds(monkeypatch: pytest.MonkeyPatch, is_first: bool) -> None:
    """Whether it stops while it waits, or the answer is the last thing that it does."""
    go = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await early(scope, receive, send)

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch, waiting)
        await wire.feed(request("POST", "/", b"12345")[:-1])
        if is_first:
            wire.protocol.shutdown()
        go.set()
        await wire.settle()
        if not is_first:
            wire.protocol.shutdown()
        assert (wire.transport.is_half_closed, wire.transport.closed) == (True, False)
        for _ in range(2):
            clock.ahead += 0.9
            await wire.settle()
            await wire.feed(b"y")
        assert not wire.transport.closed
        clock.ahead += 0.9
        await wire.settle()
        assert wire.transport.closed

    run(main)


def test_a_body_that_is_dropped_when_the_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        wire = connect(monkeypatch, early_and_open)
        await wire.feed(request("POST", "/", b"12345")[:-1])
        assert (statuses(wire.written), wire.closed) == ([401], False)
        wire.protocol.shutdown()
        assert (wire.transport.is_half_closed, wire.transport.closed) == (True, False)
        await wire.lose()

    run(main)


def test_a_response_that_ends_with_the_connection_needs_that_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the own side can't be closed alone."""

    async def main() -> None:
        for version, is_closed in (("1.1", False), ("1.0", True)):
            wire = connect(monkeypatch, unframed)
            monkeypatch.setattr(wire.transport, "can_write_eof", lambda: False)
            head = f"POST / HTTP/{version}\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n1234"
            await wire.feed(head.encode())
            await wire.settle()
            assert (wire.transport.is_half_closed, wire.transport.closed) == (False, is_closed)
            await wire.lose()

    async def unframed(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"no"})

    run(main)


def test_a_client_that_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio says so when the own side is closed."""

    def gone() -> None:
        raise OSError(107, "Transport endpoint is not connected")

    async def main() -> None:
        wire = connect(monkeypatch)
        monkeypatch.setattr(wire.transport, "write_eof", gone)
        await wire.feed(TOO_LARGE)
        assert wire.transport.closed

    run(main)


def test_a_refused_body_ends_the_request_that_it_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for more of the body, or until the client reads, goes on at once."""
    ends: list[str] = []

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        ends.append((await receive())["type"])

    async def writing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        wires[-1].protocol.pause_writing()
        await send({"type": "http.response.body", "body": b"y", "more_body": True})
        ends.append("sent")

    async def main() -> None:
        for app in (reading, writing):
            wires.append(wire := connect(monkeypatch, app))
            await wire.feed(chunked(5))
            await asyncio.sleep(0)
            assert wire.state.tasks
            await wire.feed(b"wrong\r\n")
            await wire.settle()
            assert wire.transport.is_half_closed
            assert not wire.state.tasks
            await wire.lose()
        assert ends == ["http.disconnect", "sent"]

    wires: list[Wire] = []
    run(main)


# On sockets


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    """The name of an event loop."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return str(request.param)


@contextlib.contextmanager
def serving(app: Any, loop: str, **options: Any) -> Iterator[Running]:
    """The application on sockets, with limits."""
    running = Running(app, loop=loop, lifespan="off", **options)
    running.server.config.http = Limited
    with running:
        yield running


def upload(connection: Any, head: bytes) -> bytes:
    """Send a head and 30 MB, whatever is answered; then what was answered."""
    connection.sendall(head)
    for _ in range(500):
        connection.sendall(MUCH)
    return b"".join(iter(lambda: connection.recv(65_536), b""))


HEADS = [
    b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n",
    b"POST /raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000000000\r\n",
]


@pytest.mark.parametrize("head", HEADS)
def test_a_client_that_sends_on_gets_its_answer(loop: str, head: bytes) -> None:
    app = make()
    app.state.release = threading.Event()
    with serving(app, loop) as running, running.connect() as connection:
        answer = upload(connection, head)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.endswith(b"\r\n\r\nRequest body too large.")
        connection.close()
        while running.server.server_state.connections:
            running.tick.wait(0.01)


def test_a_client_that_sends_on_by_tls_gets_its_answer(loop: str, tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    app = make()
    app.state.release = threading.Event()
    with (
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.tempfile() as pem,
        serving(app, loop, ssl_certfile=pem) as running,
        context.wrap_socket(running.connect(), server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(HEADS[0])
        for _ in range(500):
            connection.sendall(MUCH)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_server_stops_although_a_client_sends_on(loop: str) -> None:
    app = make()
    app.state.release = threading.Event()
    with serving(app, loop) as running, running.connect() as connection:
        connection.sendall(HEADS[0])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")
        running.server.should_exit = True
        with contextlib.suppress(OSError):
            while running.thread.is_alive():
                connection.sendall(MUCH)
    assert isinstance(connection, socket.socket)

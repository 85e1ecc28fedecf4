"""When nothing happens on a connection any more: the time-out of an idle one, and a client that has gone."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from ferrapi import WebSocket
from ferrapi.server import HttpProtocol
from support.wire import PROTOCOLS, Wire, configured

from .application import make
from .connections import HELLO, OK, Clock, Paused, json_request, run


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_idle_connection_is_closed_after_the_time_out_and_not_before(handed_over: bool) -> None:
    path = b"/mounted/x" if handed_over else b"/"
    data = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = Wire(configured(make(), timeout_keep_alive=50))
        await wire.feed(HELLO)
        for _ in range(4):
            clock.ahead += 40
            await wire.settle()
            await wire.feed(data)
            assert not wire.closed
        clock.ahead += 40
        await wire.settle()
        assert not wire.closed
        clock.ahead += 11
        await wire.settle()
        await asyncio.sleep(0)
        assert wire.closed

    run(main)


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
@pytest.mark.parametrize("rest", [b"GET / HT", b"\r\n", b"GET /mounted/x HT"])
def test_half_of_a_pipelined_request_does_not_stop_the_clock(rest: bytes, kind: str) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        paused = Paused()
        wire = Wire(configured(paused.app, timeout_keep_alive=50), kind)
        await wire.feed(HELLO + rest)
        clock.ahead += 500  # for the handler
        paused.go.set()
        await wire.settle()
        assert (wire.written.endswith(OK), wire.closed) == (True, False)
        clock.ahead += 40
        await wire.settle()
        assert not wire.closed
        clock.ahead += 11
        await wire.settle()
        await asyncio.sleep(0)
        assert wire.closed

    run(main)


def test_a_pipelined_upgrade_stops_the_clock() -> None:
    """The connection is the WebSocket's from there on. (uvicorn's own protocol answers the upgrade first.)"""
    upgrade = (
        b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        paused = Paused()

        @paused.app.websocket("/socket")
        async def socket(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.receive_text()

        wire = Wire(configured(paused.app, timeout_keep_alive=50, ws="websockets-sansio", ws_ping_interval=None))
        await wire.feed(HELLO + upgrade)
        paused.go.set()
        await wire.settle()
        assert wire.written.startswith(OK + b"HTTP/1.1 101")
        assert wire.transport.protocol is not wire.protocol
        clock.ahead += 500
        await wire.settle()
        assert not wire.closed
        await wire.lose()

    run(main)


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
@pytest.mark.parametrize("later", [False, True])
def test_who_reads_slowly_does_not_lose_the_next_request(later: bool, kind: str) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        paused = Paused()
        wire = Wire(configured(paused.app, timeout_keep_alive=50), kind)
        await wire.feed(HELLO if later else HELLO * 2)
        wire.protocol.pause_writing()
        paused.go.set()
        await wire.settle()
        if later:
            clock.ahead += 40
            await wire.feed(HELLO)
        clock.ahead += 500
        await wire.settle()
        await asyncio.sleep(0)
        assert not wire.closed
        wire.protocol.resume_writing()
        await wire.settle()
        assert wire.written.endswith(OK * 2)
        assert not wire.closed
        clock.ahead += 51
        await wire.settle()
        await asyncio.sleep(0)
        assert wire.closed
        await wire.lose()

    run(main)


def test_what_completes_a_held_request_does_not_stop_the_clock() -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        paused = Paused()
        wire = Wire(configured(paused.app, timeout_keep_alive=50))
        await wire.feed(HELLO + HELLO[:6])
        paused.go.set()
        while not wire.protocol.is_resuming:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        wire.protocol.data_received(HELLO[6:])  # before the event loop's next turn
        await wire.settle()
        assert wire.written == OK * 2
        clock.ahead += 49
        await wire.feed(HELLO)
        assert wire.written == OK * 3
        clock.ahead += 51
        await wire.settle()
        await asyncio.sleep(0)
        assert wire.closed

    run(main)


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_a_body_that_a_pipeline_still_owes_stops_the_clock(kind: str) -> None:
    """uvicorn's handler is running then."""
    data = json_request(b'{"a":1}')

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = Wire(configured(make(), timeout_keep_alive=50), kind)
        await wire.feed(HELLO + data[:-3])
        clock.ahead += 500
        await wire.settle()
        assert not wire.closed
        await wire.feed(data[-3:])
        assert wire.written.count(b"HTTP/1.1 200 OK") == 2

    run(main)


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_a_transport_that_is_closed_already_is_a_client_that_has_gone(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """uvloop closes a transport when the client has gone, and says so to the protocol on its next turn."""

    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app), kind)
        await wire.feed(HELLO)
        wire.transport.closed = True
        wire.transport.broken = RuntimeError("the handler is closed")
        paused.go.set()
        while wire.state.tasks:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        wire.protocol.connection_lost(None)
        assert (paused.calls, paused.ends) == (1, ["done"])
        assert wire.state.total_requests == 1

    with caplog.at_level(logging.INFO):
        run(main)
    assert not caplog.records


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_a_transport_that_does_not_write_is_reported(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The control: only of a closed one nothing is said."""

    async def main() -> None:
        wire = Wire(configured(make()), kind)
        wire.transport.broken = RuntimeError("no")
        wire.protocol.data_received(HELLO)
        await wire.settle()

    run(main)
    assert [record.message.strip() for record in caplog.records] == ["Exception in ASGI application"]


@pytest.mark.parametrize("before", [HELLO, b""])
def test_a_partial_head_stops_the_clock(before: bytes) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = Wire(configured(make(), timeout_keep_alive=50))
        await wire.feed(before)
        await wire.feed(HELLO[:6])
        clock.ahead += 500
        await wire.settle()
        assert not wire.closed
        await wire.feed(HELLO[6:])
        assert wire.written.endswith(OK)
        clock.ahead += 51
        await wire.settle()
        assert wire.closed

    run(main)


@pytest.mark.parametrize("with_limits", [False, True])
def test_blank_lines_behind_an_answer_do_not_stop_the_clock(monkeypatch: pytest.MonkeyPatch, with_limits: bool) -> None:
    """Some clients send one behind each body."""

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        if with_limits:
            monkeypatch.setitem(PROTOCOLS, "ferrapi", Patient)
        wire = Wire(configured(make(), timeout_keep_alive=50))
        await wire.feed(HELLO)
        clock.ahead += 40
        await wire.feed(b"\r\n", b"\r")
        await wire.settle()
        assert not wire.closed
        clock.ahead += 11
        await wire.settle()
        assert wire.closed

    run(main)


@pytest.mark.parametrize("with_limits", [False, True])
@pytest.mark.parametrize("ends", [False, True])
def test_the_rest_of_a_body_that_is_answered_keeps_a_connection_open_while_it_comes(
    monkeypatch: pytest.MonkeyPatch, ends: bool, with_limits: bool
) -> None:
    async def early(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        if with_limits:
            monkeypatch.setitem(PROTOCOLS, "ferrapi", Patient)
        wire = Wire(configured(early, timeout_keep_alive=50))
        body = json_request(b"y" * 5)
        await wire.feed(body[:-4])
        for at in (-4, -3, -2):
            clock.ahead += 40
            await wire.settle()
            assert not wire.closed
            await wire.feed(body[at : at + 1])
        if ends:
            await wire.feed(body[-1:])
        clock.ahead += 40
        await wire.settle()
        assert not wire.closed
        clock.ahead += 11
        await wire.settle()
        assert wire.closed

    run(main)


class Patient(HttpProtocol):
    timeout_head = 1000
    timeout_body = 50

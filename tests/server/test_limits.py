"""The limits of the protocol: 408 for what does not come in time, 413 and 431 for what is too large."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

import pytest
from ferrapi.exceptions import FastAPIError
from ferrapi.server import HttpProtocol
from support.wire import PROTOCOLS, Wire, configured, each_byte

from .application import make
from .bench import statuses
from .connections import HELLO, OK, Clock, Paused, json_request, request, run


class Limited(HttpProtocol):
    limit_head = 500
    limit_body: ClassVar[int | None] = 100
    timeout_head = 10
    timeout_body = 20


def connect(monkeypatch: pytest.MonkeyPatch, app: Any = None, **options: Any) -> Wire:
    """A connection with these limits."""
    monkeypatch.setitem(PROTOCOLS, "limited", Limited)
    return Wire(configured(app or make(), **options), "limited")


def chunked(*sizes: int) -> bytes:
    """A request with chunks of these sizes, and no end."""
    head = b"POST /raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (size, b"y" * size) for size in sizes)


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """An application of another make, that answers with the number of bytes it got."""
    received = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        received += len(message["body"])
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % received})


@pytest.mark.parametrize("app", [None, plain], ids=["ferrapi", "plain"])
@pytest.mark.parametrize("pieces", [lambda data: [data], each_byte], ids=["whole", "bytes"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (request("POST", "/raw", b"y" * 100), [200]),
        (request("POST", "/raw", b"y" * 101), [413]),
        (request("POST", "/nowhere", b"y" * 101), [413]),
        (chunked(50, 50) + b"0\r\n\r\n", [200]),
        (chunked(50, 51), [413]),
        (chunked(101), [413]),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 500 + b"\r\n\r\n", [431]),
        (HELLO + request("POST", "/raw", b"y" * 101), [200, 413]),
    ],
)
def test_what_is_too_large(
    monkeypatch: pytest.MonkeyPatch, app: Any, pieces: Any, data: bytes, expected: list[int]
) -> None:
    async def main() -> None:
        wire = connect(monkeypatch, app)
        await wire.feed(*pieces(data))
        await wire.settle()
        assert statuses(wire.written) == expected
        assert wire.closed == (expected[-1] != 200)
        await wire.lose()
        assert not wire.state.tasks

    run(main)


def test_a_client_that_asks_first_sends_no_body_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        wire = connect(monkeypatch)
        await wire.feed(b"POST /raw HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n")
        await wire.settle()
        assert wire.written.startswith(b"HTTP/1.1 413 ")
        assert wire.closed

    run(main)


@pytest.mark.parametrize("before", [b"", HELLO])
@pytest.mark.parametrize("part", [b"G", HELLO[:-1], HELLO[:20]])
def test_a_head_that_is_not_complete_in_time(monkeypatch: pytest.MonkeyPatch, before: bytes, part: bytes) -> None:
    """However often something of it comes."""

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch, timeout_keep_alive=50)
        await wire.feed(before)
        answer = wire.written
        for piece in each_byte(part):
            await wire.feed(piece)
            clock.ahead += 9 / len(part)
        await wire.settle()
        assert not wire.closed
        clock.ahead += 2
        await wire.settle()
        assert statuses(wire.written[len(answer) :]) == [408]
        assert wire.closed

    run(main)


@pytest.mark.parametrize("before", [b"", b"\r\n"])
def test_a_connection_by_which_nothing_comes_is_closed(monkeypatch: pytest.MonkeyPatch, before: bytes) -> None:
    """Without a word: nobody has asked."""

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch)
        await wire.feed(before)
        clock.ahead += 9
        await wire.settle()
        assert not wire.closed
        clock.ahead += 2
        await wire.settle()
        assert (wire.closed, wire.written) == (True, b"")

    run(main)


def test_what_comes_in_time_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also slowly, and with another request and a long rest in between."""
    data = json_request(b'{"a":1}')

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch, timeout_keep_alive=50)
        clock.ahead += 9
        await wire.feed(HELLO[:5])
        await wire.feed(HELLO[5:])
        clock.ahead += 45
        await wire.settle()
        await wire.feed(data[:10])
        clock.ahead += 9
        await wire.settle()
        await wire.feed(data[10:-3])
        for at in (-3, -2, -1):
            clock.ahead += 19
            await wire.settle()
            await wire.feed(data[at : at + 1 or None])
        await wire.settle()
        assert statuses(wire.written) == [200, 200]
        assert not wire.closed
        clock.ahead += 51
        await wire.settle()
        assert wire.closed

    run(main)


@pytest.mark.parametrize("app", [None, plain], ids=["ferrapi", "plain"])
@pytest.mark.parametrize("data", [json_request(b'{"a":1}')[:-3], chunked(50)])
def test_a_body_that_stops(monkeypatch: pytest.MonkeyPatch, app: Any, data: bytes) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch, app)
        await wire.feed(data)
        clock.ahead += 19
        await wire.settle()
        assert not wire.closed
        clock.ahead += 2
        await wire.settle()
        assert statuses(wire.written) == [408]
        assert wire.closed
        await wire.lose()
        assert not wire.state.tasks

    run(main)


def test_nobody_waits_for_a_body_that_was_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is to be told to send it, and is told late."""
    told = asyncio.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await told.wait()
        await plain(scope, receive, send)

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch, late)
        await wire.feed(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        clock.ahead += 100
        await wire.settle()
        told.set()
        await wire.settle()
        assert (statuses(wire.written), wire.closed) == ([100], False)
        clock.ahead += 21
        await wire.settle()
        assert (statuses(wire.written), wire.closed) == ([100, 408], True)
        await wire.lose()

    run(main)


def test_a_handler_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is limited is the client's time."""

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        paused = Paused()
        wire = connect(monkeypatch, paused.app)
        await wire.feed(HELLO + HELLO[:10])
        clock.ahead += 500
        await wire.settle()
        assert not wire.closed
        paused.go.set()
        await wire.settle()
        assert (wire.written, wire.closed) == (OK, False)
        await wire.lose()

    run(main)


def test_a_client_that_is_held_back_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    go = asyncio.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await plain(scope, receive, send)

    class Large(Limited):
        limit_body = None

    monkeypatch.setitem(PROTOCOLS, "large", Large)

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = Wire(configured(late), "large")
        await wire.feed(request("POST", "/", b"y" * 100_000)[:-10])
        assert not wire.transport.reading
        clock.ahead += 500
        await wire.settle()
        assert not wire.closed
        go.set()
        await wire.settle()
        assert wire.transport.reading
        clock.ahead += 21
        await wire.settle()
        assert statuses(wire.written) == [408]
        await wire.lose()

    run(main)


def test_without_limits_nobody_is_hurried() -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        for data in (b"", HELLO[:9], json_request(b'{"a":1}')[:-3]):
            wire = Wire(configured(make()))
            await wire.feed(data)
            clock.ahead += 10**6
            await wire.settle()
            assert (wire.written, wire.closed) == (b"", False)
            await wire.lose()

    run(main)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit_body", 0), ("limit_body", "1"), ("limit_head", None), ("timeout_head", -1), ("timeout_body", True)],
)
def test_a_limit_that_is_none_is_refused_at_once(name: str, value: Any) -> None:
    with pytest.raises(FastAPIError, match=f"Wrong.{name} is .*: give a positive number"):
        type("Wrong", (HttpProtocol,), {name: value})


def test_what_is_refused_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        clock = Clock(asyncio.get_running_loop())
        wire = connect(monkeypatch)
        await wire.feed(HELLO[:5])
        clock.ahead += 11
        await wire.settle()

    with caplog.at_level(logging.INFO):
        run(main)
    assert [record.message for record in caplog.records] == ["Request took too long to arrive."]

"""Bodies of any size, both ways: in pieces, in order, and held back where nobody takes them."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from ferrapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from support.compare import run
from support.wire import Wire, configured, split

from .connections import HELLO

App = Callable[[Any, Any, Any], Awaitable[None]]
HIGH = 65_536
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(*pieces: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Sum: 1\r\n\r\n"


async def reply(send: Any, body: bytes = b"ok") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def count(scope: Any, receive: Any, send: Any) -> None:
    """Says how long the body is."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await reply(send, b"%d" % size)


def wire_of(app: App, **options: Any) -> Wire:
    return Wire(configured(app, proxy_headers=False, **options))


@given(
    st.lists(st.binary(min_size=1, max_size=60), max_size=5),
    st.lists(st.integers(0, 600), max_size=6),
    st.booleans(),
)
def test_a_chunked_body_arrives_as_it_was_sent_however_it_is_cut(
    pieces: list[bytes], cuts: list[int], early: bool
) -> None:
    received: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if early:
            await reply(send)
            return
        more = True
        while more:
            message = await receive()
            received.append(message["body"])
            more = message["more_body"]
        await reply(send)

    async def main() -> None:
        received.clear()
        wire = wire_of(app)
        data = (CHUNKED + chunks(*pieces)) * 2
        await wire.feed(*split(data, {min(cut, len(data)) for cut in cuts}))
        assert wire.written.count(b"HTTP/1.1 200 OK") == 2
        assert b"".join(received) == (b"" if early else b"".join(pieces) * 2)
        assert not wire.closed
        await wire.lose()

    run(main)


@pytest.mark.parametrize("announced", [True, False])
def test_the_client_is_held_back_until_somebody_takes_the_body(announced: bool) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await go.wait()
            await count(scope, receive, send)

        wire = wire_of(app)
        piece = b"x" * 50_000
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" if announced else CHUNKED
        body = [piece] * 4 if announced else [b"c350\r\n" + piece + b"\r\n"] * 4 + [b"0\r\n\r\n"]
        await wire.feed(head, body[0])
        assert wire.transport.reading
        await wire.feed(body[1])
        assert not wire.transport.reading
        go.set()
        await wire.settle()
        assert wire.transport.reading
        await wire.feed(*body[2:])
        assert wire.written.endswith(b"\r\n\r\n200000")
        await wire.feed(HELLO)
        assert wire.written.endswith(b"\r\n\r\n0")

    run(main)


def test_what_comes_behind_a_request_in_flight_is_held_back_at_once() -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await go.wait()
            await reply(send)

        wire = wire_of(app)
        await wire.feed(HELLO)
        assert wire.transport.reading
        await wire.feed(HELLO[:1])
        assert not wire.transport.reading
        go.set()
        await wire.settle()
        assert wire.transport.reading
        await wire.feed(HELLO[1:])
        assert wire.written.count(b"200 OK") == 2

    run(main)


@pytest.mark.parametrize("size", [1, HIGH - 1, HIGH, HIGH + 1, 3 * HIGH])
@pytest.mark.parametrize("framing", ["length", "chunked", "close", "head"])
def test_pieces_of_a_response_of_any_size_are_framed(size: int, framing: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % (2 * size))] if framing == "length" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * size, "more_body": True})
        await send({"type": "http.response.body", "body": bytearray(b"b" * size)})

    async def main() -> None:
        wire = wire_of(app)
        await wire.feed(
            {"close": HELLO.replace(b"1.1", b"1.0"), "head": HELLO.replace(b"GET", b"HEAD")}.get(framing, HELLO)
        )
        head, _, body = wire.written.partition(b"\r\n\r\n")
        whole = b"a" * size + b"b" * size
        if framing == "chunked":
            assert body == b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, b"a" * size, size, b"b" * size)
        else:
            assert body == (b"" if framing == "head" else whole)
        assert (b"transfer-encoding: chunked" in head) is (framing == "chunked")
        assert wire.closed is (framing == "close")

    run(main)


@pytest.mark.parametrize("leaves", [False, True])
def test_send_waits_while_the_client_does_not_read_and_goes_on_when_it_has_gone(leaves: bool) -> None:
    async def main() -> None:
        sent: list[int] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200})
            for number in range(5):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                sent.append(number)
                if number == 1:
                    wire.protocol.pause_writing()
            await send({"type": "http.response.body"})

        wire = wire_of(app)
        await wire.feed(HELLO)
        assert sent == [0, 1]
        if leaves:
            await wire.lose()
        else:
            wire.protocol.resume_writing()
            await wire.settle()
            assert wire.written.endswith(b"0\r\n\r\n")
        assert sent == [0, 1, 2, 3, 4]
        assert not wire.state.tasks

    run(main)


def test_behind_a_large_body_the_client_is_listened_to_unless_there_is_another_request() -> None:
    """A client that isn't listened to can't be seen to leave."""

    async def main() -> None:
        for rest, is_read in ((b"", True), (HELLO, False)):
            go, taken = asyncio.Event(), list[int]()

            async def app(
                scope: Any, receive: Any, send: Any, go: asyncio.Event = go, taken: list[int] = taken
            ) -> None:
                await go.wait()
                taken.append(len((await receive())["body"]))
                await receive()

            wire = wire_of(app)
            await wire.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000 + rest)
            assert (taken, wire.transport.reading) == ([], is_read)
            go.set()
            await wire.settle()
            assert (taken, wire.transport.reading) == ([100_000], is_read)
            await wire.lose()

    run(main)


@pytest.mark.parametrize("how", ["lost", "ended"])
def test_who_waits_for_the_client_to_leave_is_told_at_once(how: str) -> None:
    async def main() -> None:
        received: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            for _ in range(3):
                received.append((await receive())["type"])
            await reply(send)

        wire = wire_of(app)
        await wire.feed(HELLO)
        assert received == ["http.request"]
        if how == "lost":
            await wire.lose()
            assert wire.written == b""
        else:
            assert wire.protocol.eof_received()  # it may be reading still
            await wire.settle()
            assert wire.written.endswith(b"ok")
            assert wire.closed
        assert received == ["http.request", "http.disconnect", "http.disconnect"]

    run(main)


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("knows", [True, False])
def test_who_was_told_that_the_client_has_left_need_not_answer(
    started: bool, knows: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As a stream does that is cut off then. Who was not told has to."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        while (await receive())["type"] != "http.disconnect" and knows:
            pass

    async def main() -> None:
        wire = wire_of(app)
        wire.protocol.data_received(HELLO)
        wire.protocol.eof_received()
        await wire.settle()
        assert wire.closed
        assert wire.written.endswith(b"1\r\na\r\n" if started else b"" if knows else b"Internal Server Error")
        await wire.lose()
        assert not wire.state.tasks

    with caplog.at_level(logging.ERROR):
        run(main)
    what = "completing" if started else "starting"
    expected = [] if knows else [f"ASGI callable returned without {what} response."]
    assert [record.message for record in caplog.records] == expected


@pytest.mark.parametrize("data", [b"", HELLO[:5], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc"])
def test_a_client_that_ends_within_a_request_has_gone(data: bytes) -> None:
    async def main() -> None:
        received: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            while not received or received[-1] != "http.disconnect":
                received.append((await receive())["type"])

        wire = wire_of(app)
        await wire.feed(data)
        assert not wire.protocol.eof_received()  # so the transport closes
        await wire.lose()
        assert received == (["http.request", "http.disconnect"] if b"POST" in data else [])

    run(main)


@pytest.mark.parametrize("started", [True, False])
def test_a_body_that_goes_wrong_is_refused_unless_the_answer_has_begun(started: bool) -> None:
    async def main() -> None:
        received: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if started:
                await send({"type": "http.response.start", "status": 200})
                await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            while not received or received[-1] != "http.disconnect":
                received.append((await receive())["type"])
            await send({"type": "http.response.body", "body": b"late"})

        wire = wire_of(app)
        await wire.feed(CHUNKED + b"3\r\nabc\r\n", b"zz\r\n", HELLO)
        await wire.lose()
        assert received == ["http.request", "http.disconnect"]
        assert wire.closed
        assert wire.written.count(b"HTTP/1.1 ") == 1
        assert (b"400 Bad Request" in wire.written) is not started
        assert b"late" not in wire.written

    run(main)


def test_expect_is_answered_when_somebody_wants_the_body() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    told = b"HTTP/1.1 100 Continue\r\n\r\n"

    async def main() -> None:
        wire = wire_of(count)
        await wire.feed(head)
        assert wire.written == told
        await wire.feed(b"hello")
        assert wire.written.startswith(told + b"HTTP/1.1 200 OK")

        async def early(scope: Any, receive: Any, send: Any) -> None:
            await reply(send)

        wire = wire_of(early)
        await wire.feed(head, b"hello", HELLO)
        assert wire.written.count(b"200 OK") == 2
        assert told not in wire.written

    run(main)


def test_receive_and_send_return_coroutines() -> None:
    async def main() -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            call = receive()
            seen.append((asyncio.iscoroutine(call), inspect.isawaitable(call)))
            message = await asyncio.create_task(call)
            with pytest.raises(RuntimeError, match="already awaited"):
                await call
            waiting = asyncio.create_task(receive())
            other = asyncio.create_task(receive())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            seen.append((message["type"], waiting.cancelled(), other.done()))
            receive().close()
            await asyncio.gather(reply(send))
            seen.append((await other)["type"])
            with pytest.raises(RuntimeError, match="after response already completed"):
                await send({"type": "http.response.body"})

        wire = wire_of(app)
        await wire.feed(HELLO)
        assert seen == [(True, True), ("http.request", True, False), "http.disconnect"]

    run(main)


def test_nothing_is_sent_before_it_is_awaited() -> None:
    async def main() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            send({"type": "http.response.start", "status": 500}).close()
            await reply(send)

        wire = wire_of(app)
        await wire.feed(HELLO)
        assert wire.written.startswith(b"HTTP/1.1 200 OK")

    run(main)


def test_an_upgraded_connection_is_another_protocols_with_what_has_come() -> None:
    upgrade = b"GET /x?y HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nX-A: B\r\n\r\n"

    class Other(asyncio.Protocol):
        received = b""

        def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
            self.state = server_state

        def connection_made(self, transport: Any) -> None:
            self.state.connections.add(self)

        def data_received(self, data: bytes) -> None:
            self.received += data

    async def main() -> None:
        wire = wire_of(count, ws=Other)
        await wire.feed(HELLO + upgrade + b"more")
        other: Any = wire.transport.protocol
        assert isinstance(other, Other)
        lower = upgrade.replace(b"Host", b"host").replace(b"Connection", b"connection").replace(b"X-A", b"x-a")
        assert other.received == lower.replace(b"Upgrade: W", b"upgrade: W") + b"more"
        assert wire.state.connections == {other}  # type: ignore[comparison-overlap]  # no class that it knows
        await wire.feed(b" and more")
        assert other.received.endswith(b"more and more")

    run(main)


def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    """As `Request.is_disconnected` gives up each time that it is asked."""
    counts: list[int] = []

    def count() -> None:
        kind = type(asyncio.get_running_loop().create_future())
        gc.collect()  # of other tests' too
        counts.append(sum(type(each) is kind for each in gc.get_objects()))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        count()
        for _ in range(100):
            with anyio.CancelScope() as patience:
                patience.cancel()
                await receive()
        count()
        await reply(send)

    async def main() -> None:
        wire = wire_of(app)
        wire.protocol.data_received(HELLO)
        await asyncio.wait(wire.state.tasks)
        await wire.lose()

    run(main)
    assert counts[1] - counts[0] < 50


def test_who_sends_too_much_to_a_client_that_did_not_read_and_left_is_told() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply(send)
        wires[0].protocol.pause_writing()
        with pytest.raises(RuntimeError, match="after response already completed"):
            await send({"type": "http.response.body", "body": b"more"})
        ends.append("refused")

    async def main() -> None:
        wires.append(wire := wire_of(app))
        await wire.feed(HELLO)
        assert wire.state.tasks
        await asyncio.wait_for(wire.lose(), 5)

    wires: list[Wire] = []
    ends: list[str] = []
    run(main)
    assert ends == ["refused"]


def test_a_client_is_told_once_to_send_its_body() -> None:
    """Even if that turns out to be too long to be collected for its route."""
    app = FastAPI()
    head = CHUNKED[:-2] + b"Content-Type: application/json\r\n"

    @app.post("/")
    async def length(numbers: list[int]) -> int:
        return len(numbers)

    async def main() -> None:
        wire = wire_of(app)
        await wire.feed(head + b"\r\n" + chunks(b"[1]"))  # from its first request on, a route is known to read the body
        body = chunks(b" " * HIGH, b" [1, 2]")
        await wire.feed(head + b"Expect: 100-continue\r\n\r\n", *split(body, [HIGH, HIGH + 10]))
        assert wire.written.count(b"100 Continue") == 1
        assert wire.written.endswith(b"\r\n\r\n2")
        await wire.lose()

    run(main)

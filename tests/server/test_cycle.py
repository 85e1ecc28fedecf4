"""Through uvicorn's own protocol a response goes out in one write, if the cycle is as uvicorn makes it.

The answer is the same as in messages, whatever state the connection is in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from ferrapi import FastAPI, HTTPException, Request
from ferrapi.middleware.gzip import GZipMiddleware
from support.wire import Wire, configured, split
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from .application import make

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSING = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
NOWHERE = b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b'HTTP/1.1 200 OK\r\ncontent-length: 17\r\ncontent-type: application/json\r\n\r\n{"hello":"world"}'
JSON = b"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'


class Writes(Wire):
    """A connection through uvicorn's own protocol that counts the writes."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(configured(app, **options), "httptools")
        self.writes: list[bytes] = []
        write = self.transport.write

        def counted(data: Any) -> None:
            self.writes.append(bytes(data))
            write(data)

        self.transport.write = counted  # type: ignore[method-assign]


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run on a loop of its own."""
    asyncio.run(main())


@pytest.fixture
def by_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a tracing tool: the cycle has another `send`, so everything goes out in messages."""
    send = RequestResponseCycle.send

    async def traced(self: Any, message: Any) -> None:
        await send(self, message)

    monkeypatch.setattr(RequestResponseCycle, "send", traced)


def test_a_response_is_one_write() -> None:
    async def main() -> None:
        wire = Writes(make())
        await wire.feed(HELLO, HELLO)
        assert wire.writes == [OK, OK]
        assert wire.state.total_requests == 2

    run(main)


def test_it_is_two_if_somebody_has_replaced_send(by_messages: None) -> None:
    async def main() -> None:
        wire = Writes(make())
        await wire.feed(HELLO)
        assert len(wire.writes) == 2
        assert wire.written == OK

    run(main)


def test_it_is_one_behind_a_middleware_as_well() -> None:
    async def main() -> None:
        app = make()
        app.add_middleware(GZipMiddleware)
        wire = Writes(app)
        await wire.feed(HELLO)
        assert len(wire.writes) == 1
        assert wire.written.endswith(b'{"hello":"world"}')

    run(main)


PIECES: dict[str, tuple[bytes, ...]] = {
    "one after the other": (HELLO, HELLO),
    "at once": (HELLO * 3,),
    "head": (HELLO.replace(b"GET", b"HEAD"), HELLO),
    "closing": (CLOSING, HELLO),
    "closing in the middle": (HELLO + CLOSING + HELLO,),
    "old": (HELLO.replace(b"1.1", b"1.0"),),
    "no body": (NOWHERE, HELLO),
    "a missing route": (HELLO.replace(b"/ ", b"/nowhere "), HELLO),
    "another method": (HELLO.replace(b"GET", b"POST"), HELLO),
    "json": (JSON, HELLO),
    "json in two pieces": (JSON[:-3], JSON[-3:] + HELLO),
    "json byte by byte": tuple(split(JSON, range(1, len(JSON)))),
    "json and more": (JSON + JSON, HELLO),
    "broken json": (JSON.replace(b"1}", b"1]"), HELLO),
    "wrong json": (JSON.replace(b'{"a":1}', b"[1,2,3]"), HELLO),
    "expected": (JSON.replace(b"Host", b"Expect: 100-continue\r\nHost"), HELLO),
    "chunked": (
        JSON.replace(b"Content-Length: 7\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n7\r\n") + b"\r\n0\r\n\r\n",
        HELLO,
    ),
    "stream": (HELLO.replace(b"/ ", b"/stream "), HELLO),
}


@pytest.mark.parametrize("access_log", [False, True])
@pytest.mark.parametrize("name", PIECES)
def test_the_bytes_are_the_same(
    name: str, access_log: bool, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    """As in messages, to the byte, and in the log."""
    logger = logging.getLogger("uvicorn.access")
    logger.propagate = True
    seen: list[Any] = []

    async def main() -> None:
        app = make()
        wire = Writes(app, access_log=access_log)
        await wire.feed(*PIECES[name])
        await wire.settle()
        seen.append((wire.written, wire.closed, wire.state.total_requests, app.state.calls))

    with caplog.at_level(logging.INFO, "uvicorn.access"):
        for _ in range(2):
            caplog.clear()
            run(main)
            seen.append([(record.message, record.args) for record in caplog.records])
            if len(seen) == 2:
                request.getfixturevalue("by_messages")
    assert seen[:2] == seen[2:]
    assert bool(seen[1]) is access_log


def test_nothing_is_written_to_a_client_that_has_left() -> None:
    async def main() -> None:
        app = FastAPI()
        go = asyncio.Event()
        ends: list[str] = []

        @app.get("/")
        async def wait() -> str:
            await go.wait()
            ends.append("done")
            return "x"

        wire = Writes(app)
        await wire.feed(HELLO)
        wire.transport.closed = True
        wire.protocol.connection_lost(None)
        go.set()
        await wire.settle()
        assert (ends, wire.writes) == (["done"], [])

    run(main)


def test_a_client_that_reads_slowly_is_waited_for() -> None:
    async def main() -> None:
        wire = Writes(make())
        wire.protocol.pause_writing()
        await wire.feed(HELLO)
        assert wire.writes == []
        wire.protocol.resume_writing()
        await wire.settle()
        assert wire.written == OK

    run(main)


def test_a_body_that_the_handler_asks_for_too_is_there() -> None:
    async def main() -> None:
        app = FastAPI()

        @app.post("/json")
        async def both(request: Request, content: dict[str, int]) -> list[Any]:
            return [content, (await request.body()).decode()]

        wire = Writes(app)
        await wire.feed(JSON)
        assert wire.written.endswith(b'[{"a":1},"{\\"a\\":1}"]')

    run(main)


def test_an_exception_after_the_response_is_logged_and_closes_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        app = FastAPI()

        async def fails() -> Any:
            yield 1
            raise HTTPException(409)

        from ferrapi import Depends

        @app.get("/")
        async def root(value: int = Depends(fails)) -> int:
            return value

        wire = Writes(app)
        await wire.feed(HELLO)
        assert [write.partition(b"\r\n\r\n")[2] for write in wire.writes] == [b"1"]
        assert wire.closed

    run(main)
    assert "response already started" in caplog.text

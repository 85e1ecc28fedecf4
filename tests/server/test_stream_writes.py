"""Streams on the wire: how many writes they take, when their pieces leave, and that none are collected."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio.lowlevel
import pytest
from ferrapi import FastAPI
from ferrapi.middleware.cors import CORSMiddleware
from ferrapi.responses import StreamingResponse
from support import wire as wires
from support.compare import run
from support.wire import Wire, configured

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n"
PROTOCOLS = ("ferrapi", "httptools")
Chunks = Callable[[], AsyncIterator[Any]]


class Passing:
    """A middleware that is an ASGI application, and passes everything on as it is."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def returned(chunks: Chunks) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks())

    return app


def yielded(chunks: Chunks) -> FastAPI:
    app = FastAPI()

    @app.get("/", response_class=StreamingResponse)
    async def stream() -> AsyncIterator[Any]:
        async for chunk in chunks():
            yield chunk

    return app


def passed_on(chunks: Chunks) -> FastAPI:
    app = returned(chunks)
    app.add_middleware(Passing)
    return app


def below_cors(chunks: Chunks) -> FastAPI:
    app = returned(chunks)
    app.add_middleware(CORSMiddleware, allow_origins=["http://y"])
    return app


APPLICATIONS = [returned, yielded, passed_on, below_cors]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is written, one entry for each write."""
    written: list[bytes] = []
    write = wires.Transport.write

    def noting(self: Any, data: Any) -> None:
        written.append(bytes(data))
        write(self, data)

    monkeypatch.setattr(wires.Transport, "write", noting)
    return written


def body_of(written: bytes) -> bytes:
    """The body of a chunked response, without its framing."""
    head, framed = written.split(b"\r\n\r\n", 1)
    assert b"transfer-encoding: chunked" in head.lower()
    pieces = []
    while True:
        size, framed = framed.split(b"\r\n", 1)
        length = int(size, 16)
        pieces.append(framed[:length])
        framed = framed[length + 2 :]
        if not length:
            return b"".join(pieces)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("application", APPLICATIONS)
def test_pieces_that_are_ready_leave_in_one_write(writes: list[bytes], application: Any, protocol: str) -> None:
    async def chunks() -> AsyncIterator[Any]:
        for number in range(20):
            yield b"%d," % number
        await asyncio.sleep(0)
        yield "ü"
        yield b""
        yield b"end"

    async def main() -> None:
        wire = Wire(configured(application(chunks)), protocol)
        await wire.feed(REQUEST)
        assert body_of(wire.written) == b"".join(b"%d," % number for number in range(20)) + "üend".encode()

    run(main)
    assert len(writes) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_piece_is_on_the_wire_before_the_stream_waits(application: Any, protocol: str) -> None:
    async def main() -> None:
        goes_on = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"<%d>" % number
                goes_on.clear()
                await goes_on.wait()

        wire = Wire(configured(application(chunks)), protocol)
        wire.transport.protocol.data_received(REQUEST)
        for number in range(3):
            await wire.settle()
            assert re.findall(rb"<\d>", wire.written) == [b"<%d>" % before for before in range(number + 1)]
            goes_on.set()
        await wire.settle()
        assert wire.written.endswith(b"0\r\n\r\n")

    run(main)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("application", APPLICATIONS)
def test_nothing_is_made_that_the_client_does_not_read(application: Any, protocol: str) -> None:
    """A client that stops reading makes the server collect a response."""

    async def main() -> None:
        made = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal made
            for _ in range(100):
                made += 1
                yield b"x" * 100_000

        wire = Wire(configured(application(chunks)), protocol)
        write = wire.transport.written

        class Slow(bytearray):
            def __iadd__(self, data: Any) -> Any:  # type: ignore[misc]
                if len(self) < 150_000 <= len(self) + len(data):
                    wire.protocol.pause_writing()
                return super().__iadd__(data)

        wire.transport.written = Slow(write)
        wire.transport.protocol.data_received(REQUEST)
        await wire.settle()
        assert made <= 4
        wire.protocol.resume_writing()
        await wire.settle()
        assert made == 100
        assert body_of(wire.written) == b"x" * 10_000_000

    run(main)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("application", [returned, yielded, passed_on])
def test_a_stream_that_never_waits_ends_when_the_client_leaves(application: Any, protocol: str) -> None:
    async def main() -> None:
        closed = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x"
            finally:
                closed.set()

        wire = Wire(configured(application(chunks)), protocol)
        wire.transport.protocol.data_received(REQUEST)
        while b"x" not in wire.written:  # there is nothing to wait for but bytes
            await anyio.lowlevel.checkpoint()
        await wire.lose()
        await closed.wait()

    run(main)

"""How far a stream below middleware functions gets before its pieces are taken: no further than somebody could see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from ferrapi import FastAPI
from ferrapi.middleware.cors import CORSMiddleware
from ferrapi.responses import StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware
from support.asgi import Ask, run
from support.compare import USUAL, answers
from support.frameworks import FERRAPI, Framework
from support.wire import Wire, configured


async def pass_on(request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    response.headers["x-passed"] = "1"
    return response


class Base(BaseHTTPMiddleware):
    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


LAYERS: dict[str, Callable[[Any], Any]] = {
    "function": lambda app: app.middleware("http")(pass_on),
    "class": lambda app: app.add_middleware(Base),
    "two": lambda app: (app.add_middleware(Base), app.middleware("http")(pass_on)),
    "cors outside": lambda app: (
        app.middleware("http")(pass_on),
        app.add_middleware(CORSMiddleware, allow_origins=["*"]),
    ),
}


def streaming(layers: str, made: list[int], size: int, count: int, waits: int = 0) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def stream() -> StreamingResponse:
        async def pieces() -> Any:
            for number in range(count):
                made.append(number)
                yield b"%04d" % number + b"x" * (size - 4)
                if waits and number % waits == waits - 1:
                    await asyncio.sleep(0.001)

        return StreamingResponse(pieces())

    LAYERS[layers](app)
    return app


def pieces_of(written: bytes) -> list[int]:
    at = written.index(b"\r\n\r\n") + 4
    numbers = []
    while size := int(written[at : (line := written.index(b"\r\n", at))], 16):
        numbers.append(int(written[line + 2 : line + 6]))
        at = line + 2 + size + 2
    return numbers


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("waits", [0, 1, 7])
def test_all_pieces_come_in_order(layers: str, kind: str, waits: int) -> None:
    made: list[int] = []

    async def main() -> bytes:
        wire = Wire(configured(streaming(layers, made, 10, 100, waits)), kind)
        wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n")
        await asyncio.wait(list(wire.state.tasks))
        return wire.written

    assert pieces_of(run(main)) == made == list(range(100))


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize(("size", "most"), [(100_000, 8), (1000, 40)])
def test_a_client_that_does_not_read_holds_the_stream_back(layers: str, kind: str, size: int, most: int) -> None:
    made: list[int] = []

    async def main() -> None:
        wire = Wire(configured(streaming(layers, made, size, 80)), kind)
        protocol: Any = wire.transport.protocol
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n")
        protocol.pause_writing()
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(made) <= most
        protocol.resume_writing()
        await asyncio.wait(list(wire.state.tasks))
        assert pieces_of(wire.written) == made == list(range(80))

    run(main)


@pytest.mark.parametrize("layers", ["function", "class", "two"])
@pytest.mark.parametrize("looks", ["send", "body"])
def test_who_looks_sees_each_piece_before_the_next_is_made(quiet: None, layers: str, looks: str) -> None:
    """Code of the user's in `send` below the server, or a function that goes through the body."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/")
        async def stream() -> Any:
            async def pieces() -> Any:
                for number in range(40):
                    log.append(("made", number))
                    yield b"%d," % number

            return fw.responses.StreamingResponse(pieces())

        async def look(request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            body = response.body_iterator

            async def looked_at() -> Any:
                async for piece in body:
                    log.append(("seen", piece))
                    yield piece

            response.body_iterator = looked_at()
            return response

        LAYERS[layers](app)
        if looks == "body":
            app.middleware("http")(look)
            return app

        async def around(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                log.append(("sent", message.get("body")))
                await send(message)

            await app(scope, receive, sending)

        return around

    def distance(log: list[Any]) -> int:
        """How far the making is ahead, at most."""
        ahead = most = 0
        for kind, _ in log:
            ahead += 1 if kind == "made" else -1
            most = max(most, ahead)
        return most

    for transport in ("asgi",) if looks == "send" else USUAL:
        (answer,) = answers(FERRAPI, make, [Ask()], transport)
        assert len(answer.log) >= 80
        assert distance(answer.log) <= 2

"""Where uvicorn and the transport take a connection over from each other: nothing of the one stays with the other."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from ferrapi import Depends, FastAPI, Request
from ferrapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask
from starlette.types import Receive, Scope, Send
from support.wire import Wire, configured

from .connections import HELLO, run

SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


async def _pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


RESPONSES: dict[str, Callable[[BackgroundTask], Response]] = {
    "file": lambda task: FileResponse(__file__, background=task),
    "stream": lambda task: StreamingResponse(_pieces(), background=task),
    "closing": lambda task: Response(b"x", headers={"connection": "close"}, background=task),
}


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
@pytest.mark.parametrize("make", RESPONSES.values(), ids=list(RESPONSES))
def test_a_response_of_uvicorns_comes_to_its_end_after_the_client_has_gone(
    make: Callable[[BackgroundTask], Response], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[str] = []

    async def work() -> None:
        events.append("background task")

    async def resource() -> AsyncIterator[None]:
        try:
            yield
        except BaseException as error:
            events.append(repr(error))
            raise
        events.append("resource closed")

    async def main() -> None:
        app, go = FastAPI(), asyncio.Event()

        @app.get("/", dependencies=[Depends(resource)])
        async def endpoint() -> Response:
            await go.wait()
            return make(BackgroundTask(work))

        wire = Wire(configured(app), kind)
        await wire.feed(HELLO)
        asyncio.get_running_loop().call_soon(go.set)
        await wire.lose()

    with caplog.at_level(logging.INFO):
        run(main)
    assert events == ["background task", "resource closed"]
    assert not caplog.records


class _BodyFirst(Response):
    """Sends its body before its head, which uvicorn does not stand."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"x"})


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_an_answer_in_place_of_a_response_of_uvicorns_ends_that(kind: str) -> None:
    async def main() -> None:
        app = FastAPI()

        @app.get("/")
        async def endpoint() -> Response:
            return _BodyFirst()

        @app.exception_handler(RuntimeError)
        async def answer(request: Request, error: RuntimeError) -> Response:
            return JSONResponse("told so", 418)

        wire = Wire(configured(app), kind)
        await wire.feed(HELLO)
        assert wire.written.startswith(b"HTTP/1.1 418")
        assert wire.written.endswith(b'"told so"')
        await wire.feed(b"GET /unknown HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.written.endswith(b'{"detail":"Not Found"}')
        wire.protocol.shutdown()
        assert wire.closed

    run(main)


@pytest.mark.parametrize("length", [10, 200_000])
def test_reading_is_resumed_in_the_context_of_the_connection(length: int) -> None:
    """asyncio's transports read on in the context in which they are told to."""
    contexts: list[str] = []

    async def main() -> None:
        app, go = FastAPI(), asyncio.Event()

        @app.post("/")
        async def endpoint(request: Request) -> int:
            SEEN.set("by the handler")
            await go.wait()
            return len(await request.body())

        wire = Wire(configured(app))
        wire.transport.resume_reading = lambda: contexts.append(SEEN.get())  # type: ignore[method-assign]
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
        await wire.feed(head + b"x" * (length - 1), b"x")
        go.set()
        await wire.settle()
        assert wire.written.endswith(b"\r\n\r\n%d" % length)

    run(main)
    assert set(contexts) <= {"nothing"}
    assert bool(contexts) is (length > 65_536)


def test_connections_share_what_they_know_of_their_server_and_servers_do_not() -> None:
    async def main() -> list[Any]:
        config = configured(FastAPI())
        wires = [Wire(config) for _ in range(2)]
        one = vars(wires[0].state)["_ferrapi"]
        again = Wire(config, state=wires[0].state)
        assert vars(again.state)["_ferrapi"] is one
        return [vars(wire.state)["_ferrapi"][1] for wire in wires]

    first, second = run(main)
    assert first is not second

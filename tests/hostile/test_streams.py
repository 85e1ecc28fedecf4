"""Clients that leave in the middle of a stream, and streams that contain what would break their framing.

A client may leave in three ways: the server says so when it is asked (ASGI before 2.4), sending fails (ASGI 2.4), or
the connection is lost under the HTTP/1.1 transport.
"""

import contextlib
import gc
from collections.abc import AsyncIterable, Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from ferrapi.serve import streams as _streams
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from support.asgi import Answer, Ask, run
from support.compare import USUAL, answers
from support.frameworks import BOTH, FERRAPI, Framework
from support.wire import Wire, configured

LEAVING = ["told", "refused", "connection lost"]
ENDPOINTS = ["/raw", "/lines", "/events", "/response", "/sync", "/sync lines", "/sync response"]


@pytest.fixture(autouse=True)
def _without_collector(quiet: None) -> Iterator[None]:
    """What is closed at once is not closed by the garbage collector."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def endless(fw: Framework, log: list[str]) -> Any:
    """Endpoints that stream for ever, below a dependency that notes its end."""
    streaming = fw.responses.StreamingResponse

    async def opened() -> Any:
        try:
            yield
        finally:
            await anyio.lowlevel.checkpoint()
            log.append("dependency closed")

    async def items(item: Any) -> Any:
        try:
            while True:
                yield item
                await anyio.lowlevel.checkpoint()
        finally:
            log.append("generator closed")

    def in_threads(item: Any) -> Any:
        try:
            while True:
                yield item
        finally:
            log.append("generator closed")

    app = fw.FastAPI(dependencies=[fw.Depends(opened)])

    @app.get("/raw", response_class=streaming)
    async def raw() -> Any:
        try:
            while True:
                yield b"x"
                await anyio.lowlevel.checkpoint()
        finally:
            log.append("generator closed")

    @app.get("/lines")
    async def lines() -> Any:
        try:
            while True:
                yield {"a": 1}
                await anyio.lowlevel.checkpoint()
        finally:
            log.append("generator closed")

    @app.get("/events", response_class=fw.sse.EventSourceResponse)
    async def events() -> Any:
        try:
            while True:
                yield {"a": 1}
                await anyio.lowlevel.checkpoint()
        finally:
            log.append("generator closed")

    @app.get("/response")
    async def response() -> Any:
        return streaming(items(b"x"))

    @app.get("/sync", response_class=streaming)
    def sync() -> Any:
        yield from in_threads(b"x")

    @app.get("/sync lines")
    def sync_lines() -> Any:
        yield from in_threads({"a": 1})

    @app.get("/sync response")
    async def sync_response() -> Any:
        return streaming(in_threads(b"x"))

    return app


async def leave(app: Any, path: str, way: str) -> None:
    """Ask for a stream and leave after its second piece."""
    if way == "connection lost":
        wire = Wire(configured(app))
        target = path.replace(" ", "%20")
        wire.transport.protocol.data_received(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while wire.written.count(b"\r\n") < 12:  # there is nothing to wait for but bytes
            await anyio.lowlevel.checkpoint()
        await wire.lose()
        return
    gone = anyio.Event()
    pieces = 0

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal pieces
        await anyio.lowlevel.checkpoint()
        pieces += message["type"] == "http.response.body"
        if pieces < 2:
            return
        gone.set()
        if way == "refused":
            raise OSError("the client has gone")

    version = {"version": "3.0", "spec_version": "2.4" if way == "refused" else "2.3"}
    with contextlib.suppress(ClientDisconnect, ExceptionGroup):  # a group in the case of events, as with FastAPI
        await app(Ask(path=path, extra={"asgi": version}).scope(), receive, send)


@pytest.mark.parametrize("way", LEAVING)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_stream_ends_before_its_dependencies(path: str, way: str) -> None:
    log: list[str] = []

    async def main() -> list[str]:
        await leave(endless(FERRAPI, log), path, way)
        return list(log)

    assert run(main) == ["generator closed", "dependency closed"]


class Item(BaseModel):
    """What a stream declares."""

    a: float


def finite(fw: Framework, log: list[Any]) -> Any:
    """Streams with an end, and odd things before it."""
    streaming, events, event = fw.responses.StreamingResponse, fw.sse.EventSourceResponse, fw.sse.ServerSentEvent
    app = fw.FastAPI()

    @app.get("/numbers")
    async def numbers() -> Any:
        for number in (1.5, float("nan"), float("inf"), [float("-inf"), {"a": float("nan")}]):
            yield number

    @app.get("/models")
    async def models() -> AsyncIterable[Item]:
        for number in (1.5, float("nan"), float("inf")):
            yield Item(a=number)

    @app.get("/invalid")
    async def invalid() -> AsyncIterable[Item]:
        yield Item(a=1)
        log.append("next")
        yield {"a": "x"}  # type: ignore[misc]
        log.append("not reached")

    @app.get("/invalid events", response_class=events)
    async def invalid_events() -> AsyncIterable[Item]:
        yield Item(a=1)
        yield {"b": 1}  # type: ignore[misc]

    @app.get("/raises")
    async def raises() -> Any:
        yield 1
        raise RuntimeError("in the middle")

    @app.get("/raises at once")
    async def raises_at_once() -> Any:
        raise fw.HTTPException(418)
        yield

    @app.get("/events raise at once", response_class=events)
    async def events_raise_at_once() -> Any:
        raise fw.HTTPException(418)
        yield

    @app.get("/bytes", response_class=streaming)
    async def raw() -> Any:
        yield b"a"
        yield "é"
        yield b""
        yield b"c"

    @app.get("/memory", response_class=streaming)
    async def memory() -> Any:
        yield memoryview(b"abcd").cast("H")

    @app.get("/events", response_class=events)
    async def from_events(last_event_id: Annotated[int, fw.Header()] = 0) -> Any:
        for number in range(last_event_id + 1, 5):
            yield event(data={"n": number}, id=str(number))

    @app.get("/breaks", response_class=events)
    async def breaks() -> Any:
        for text in ("a\nb", "a\rb", "a\r\nb", "a\u2028b", "a\x85b", "\n\n", "data: x\n\nid: 1", "\0"):
            yield text
            yield event(raw_data=text)
            yield event(comment=text, data="d")

    @app.get("/event name", response_class=events)
    async def event_name(name: str) -> Any:
        yield 1
        yield event(data=2, event=name)

    @app.get("/event id", response_class=events)
    async def event_id(name: str) -> Any:
        yield 1
        yield event(data=2, id=name)

    return app


def alike(ask: Ask) -> Answer:
    """Assert that both frameworks answer the same, through each transport; give FastAPI's answer through the last.

    The order of the headers is not compared. Where a stream of events fails, FastAPI may lose the last one before.
    """
    for transport in USUAL:
        theirs, ours = (answers(fw, finite, [ask], transport)[0] for fw in BOTH)
        for answer in (theirs, ours):
            answer.headers.sort()
        if theirs.error and ours.body.startswith(theirs.body):
            ours.body, ours.messages = theirs.body, theirs.messages
        assert ours == theirs, f"{transport}: {ask}"
    return theirs


PATHS = [
    "/numbers",
    "/models",
    "/invalid",
    "/invalid events",
    "/raises",
    "/raises at once",
    "/events raise at once",
    "/bytes",
    "/events",
    "/breaks",
]


@pytest.mark.parametrize("path", PATHS)
def test_what_a_stream_contains_is_written_alike(path: str) -> None:
    alike(Ask(path=path))
    alike(Ask("HEAD", path))


@pytest.mark.parametrize("transport", USUAL)
def test_a_view_of_memory_is_as_long_as_its_bytes(transport: str) -> None:
    """uvicorn counts its items, and frames a chunk of two-byte items wrongly."""
    theirs, ours = (answers(fw, finite, [Ask(path="/memory")], transport)[0] for fw in BOTH)
    assert ours.body == b"abcd"
    assert (ours == theirs) is (transport != "uvicorn")


@pytest.mark.parametrize("last", [b"0", b"3", b"4", b"x", b"", b"9" * 5000])
def test_a_stream_of_events_goes_on_after_the_last_that_was_seen(last: bytes) -> None:
    answer = alike(Ask(path="/events", headers=[(b"last-event-id", last)]))
    if last == b"3":
        assert answer.body == b'data: {"n": 4}\nid: 4\n\n'


@pytest.mark.parametrize("name", ["a", "a%0Ab", "a%0Db", "a%0D%0Adata: x", "a%00b", "a%E2%80%A8b", ""])
@pytest.mark.parametrize("path", ["/event name", "/event id"])
def test_nobody_adds_a_field_to_an_event(path: str, name: str) -> None:
    answer = alike(Ask(path=path, query=f"name={name}".replace(" ", "+").encode()))
    assert answer.body.count(b"\n\n") <= 2
    assert answer.body.count(b"data:") <= 2


def test_a_silent_stream_of_events_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_streams, "PING_INTERVAL", 0.01)
    app = FERRAPI.FastAPI()

    @app.get("/", response_class=FERRAPI.sse.EventSourceResponse)
    async def silent(request: FERRAPI.Request) -> Any:
        yield 1
        await request.app.state.pinged.wait()
        yield 2

    async def main() -> bytes:
        app.state.pinged = anyio.Event()
        body = b""

        async def receive() -> Any:
            await anyio.sleep_forever()

        async def send(message: Any) -> None:
            nonlocal body
            body += message.get("body", b"")
            if body.count(b": ping\n\n") == 3:
                app.state.pinged.set()

        await app(Ask().scope(), receive, send)
        return body

    body = run(main)
    assert body.startswith(b"data: 1\n\n: ping\n\n: ping\n\n: ping\n\n")
    assert body.endswith(b"data: 2\n\n")

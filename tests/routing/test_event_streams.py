"""Streams of server-sent events: how they fail, what keeps them open, and what is sent while their generator waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import anyio
import pytest
from ferrapi import FastAPI
from ferrapi.serve import streams as _streams
from ferrapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, ServerSentEvent
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from support.asgi import Ask, run
from support.compare import compare
from support.frameworks import BOTH, Framework
from support.wire import Wire, configured


class Passing:
    """A middleware that is an ASGI application, with a `send` of its own that lets others have a turn."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            await asyncio.sleep(0)
            await send(message)

        await self.app(scope, receive, sending)


async def later(*turns: int) -> None:
    for _ in range(turns[0] if turns else 50):
        await asyncio.sleep(0)


async def in_a_task() -> None:
    await asyncio.create_task(later())


WAITS: dict[str, Callable[[], Any]] = {
    **{f"{turns} turns": partial(later, turns) for turns in (0, 1, 2, 3, 4, 6)},
    "timer": lambda: asyncio.sleep(0.005),
    "task": in_a_task,
    "shielded": lambda: asyncio.shield(in_a_task()),
    "gathered": lambda: asyncio.gather(in_a_task(), later()),
    "thread": lambda: anyio.to_thread.run_sync(int),
}
FAILURES: dict[str, Callable[[Framework], BaseException | None]] = {
    "none": lambda fw: None,
    "value": lambda fw: ValueError("in the stream"),
    "http": lambda fw: fw.HTTPException(418),
    "group": lambda fw: ExceptionGroup("several", [ValueError(), KeyError()]),
}


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("wait", WAITS)
def test_how_a_stream_ends(quiet: None, wait: str, failure: str, count: int) -> None:
    """What is lost of the last event, and whether the response comes to its end, is a matter of what was waited for."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        exc = FAILURES[failure](fw)

        async def opened() -> AsyncIterator[None]:
            try:
                yield
            except BaseException as error:
                log.append((type(error).__name__, [type(part).__name__ for part in getattr(error, "exceptions", ())]))
                raise

        @app.get("/", response_class=fw.sse.EventSourceResponse, dependencies=[fw.Depends(opened)])
        async def events(tasks: fw.BackgroundTasks) -> Any:
            tasks.add_task(log.append, "background")
            for number in range(count):
                yield {"number": number}
            await WAITS[wait]()
            if exc is not None:
                raise exc

        events.__annotations__["tasks"] = fw.BackgroundTasks
        return app

    compare(make, [Ask()])


async def passing(request: Any, call_next: Any) -> Any:
    return await call_next(request)


class Answering(BaseHTTPMiddleware):
    """A middleware that answers what comes out of the application with the names of the exceptions."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        try:
            return await call_next(request)
        except ExceptionGroup as group:
            return PlainTextResponse(" ".join(type(part).__name__ for part in group.exceptions), 502)


class Noting:
    """A middleware that is an ASGI application."""

    log: list[Any]

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            self.log.append(message["type"])
            await send(message)

        await self.app(scope, receive, sending)


AROUND: dict[str, list[Any]] = {
    "nothing": [],
    "a function": [passing],
    "a class": [Answering],
    "several": [passing, Noting, Answering, passing],
    "compression": [Answering, GZipMiddleware],
}
"""The outermost first."""


@pytest.mark.parametrize("stream", ["events", "lines", "bytes"])
@pytest.mark.parametrize("around", AROUND)
def test_the_head_of_events_that_fail_at_once_is_not_taken(quiet: None, around: str, stream: str) -> None:
    """By middleware, which runs the application in a task of its own and takes each message a turn later, unless
    the server needs nobody who listens for the client's leaving."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        options: dict[str, Any] = {"events": {"response_class": fw.sse.EventSourceResponse}, "lines": {}}.get(
            stream, {"response_class": fw.responses.StreamingResponse}
        )

        async def opened() -> AsyncIterator[None]:
            yield
            await later(5)

        @app.get("/{fails}", dependencies=[fw.Depends(opened)], **options)
        async def endpoint(fails: str) -> Any:
            if fails == "waited":
                await later(6)
            if fails == "unencodable":
                yield object()
            if fails == "second":
                yield "first"
            if fails == "http":
                raise fw.HTTPException(418)
            if fails != "not":
                raise ValueError

        noting = type("Noting", (Noting,), {"log": log})
        for layer in reversed(AROUND[around]):
            if layer is passing:
                app.middleware("http")(layer)
            else:
                app.add_middleware(noting if layer is Noting else layer)
        return app

    asks = [Ask(path=f"/{how}") for how in ("first", "http", "unencodable", "second", "waited", "not")]
    compare(make, asks)
    if around in ("a function", "a class", "several"):
        assert (compare(make, asks[:1], "http11")[0].status == 200) is (stream != "events")


@pytest.mark.parametrize("failure", ["background", "send"])
def test_what_fails_beside_the_generator_is_in_a_group(quiet: None, failure: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def fails() -> None:
            raise LookupError

        @app.get("/", response_class=fw.sse.EventSourceResponse)
        async def events(tasks: fw.BackgroundTasks) -> Any:
            if failure == "background":
                tasks.add_task(fails)
            yield 1
            await asyncio.sleep(0.005)
            yield 2

        events.__annotations__["tasks"] = fw.BackgroundTasks

        async def around(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                if failure == "send" and b"2" in message.get("body", b""):
                    raise LookupError
                await send(message)

            try:
                await app(scope, receive, sending)
            except Exception as exc:
                log.append((type(exc).__name__, [type(part).__name__ for part in getattr(exc, "exceptions", ())]))

        return around

    compare(make, [Ask()], "asgi")


def silent(gate: list[Any], *, passing: bool = False) -> FastAPI:
    """An application with a stream that waits between its two events."""
    app = FastAPI()

    @app.get("/", response_class=EventSourceResponse)
    async def events() -> Any:
        yield 1
        await gate[0].wait()
        yield ServerSentEvent(data=2)

    if passing:
        app.add_middleware(Passing)
    return app


@pytest.mark.parametrize("passing", [False, True])
@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_comments_are_on_the_wire_while_there_is_no_event(
    monkeypatch: pytest.MonkeyPatch, kind: str, passing: bool
) -> None:
    monkeypatch.setattr(_streams, "PING_INTERVAL", 0.01)

    async def main() -> bytes:
        gate = [asyncio.Event()]
        wire = Wire(configured(silent(gate, passing=passing)), kind)
        wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while wire.written.count(KEEPALIVE_COMMENT) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert b"data: 1\n\n" in wire.written
        assert b"data: 2\n\n" not in wire.written
        gate[0].set()
        await asyncio.wait(list(wire.state.tasks))
        return wire.written

    written = run(main)
    assert written.endswith(b"0\r\n\r\n")
    assert written.index(b": ping") < written.index(b"data: 2")


def test_no_comment_is_sent_while_events_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is counted from the last event, by the event loop's clock."""
    monkeypatch.setattr(_streams, "PING_INTERVAL", 10.0)
    app = FastAPI()

    @app.get("/", response_class=EventSourceResponse)
    async def events() -> Any:
        loop: Any = asyncio.get_running_loop()
        for number in range(5):
            await asyncio.sleep(0.001)
            loop.passed += 6.0
            await asyncio.sleep(0.001)
            yield number
        await asyncio.sleep(0.001)
        loop.passed += 11.0
        await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)

    class Loop(asyncio.SelectorEventLoop):
        passed = 0.0

        def time(self) -> float:
            return super().time() + self.passed

    bodies: list[bytes] = []

    async def send(message: Any) -> None:
        bodies.append(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.sleep(3600)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(app(Ask().scope(), receive, send))
    body = b"".join(bodies)
    assert body.count(KEEPALIVE_COMMENT) == 1
    assert body.endswith(b"data: 4\n\n" + KEEPALIVE_COMMENT)


def test_comments_wait_for_a_client_that_reads_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_streams, "PING_INTERVAL", 0.001)

    async def main() -> None:
        gate = [asyncio.Event()]
        wire = Wire(configured(silent(gate)), "ferrapi")
        protocol: Any = wire.transport.protocol
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while b"data: 1" not in wire.written:  # noqa: ASYNC110
            await asyncio.sleep(0)
        protocol.pause_writing()
        before = wire.written.count(KEEPALIVE_COMMENT)
        await asyncio.sleep(0.02)
        assert wire.written.count(KEEPALIVE_COMMENT) == before
        gate[0].set()
        await asyncio.sleep(0.005)
        assert b"data: 2" not in wire.written
        protocol.resume_writing()
        await asyncio.wait(list(wire.state.tasks))
        assert b"data: 2" in wire.written
        assert wire.written.endswith(b"0\r\n\r\n")

    run(main)


@pytest.mark.parametrize("shielded", [False, True])
@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_a_client_that_leaves_between_comments_ends_the_generator(
    monkeypatch: pytest.MonkeyPatch, kind: str, shielded: bool
) -> None:
    monkeypatch.setattr(_streams, "PING_INTERVAL", 0.001)
    log: list[Any] = []
    app = FastAPI()

    @app.get("/", response_class=EventSourceResponse)
    async def events() -> Any:
        try:
            yield 1
            await (asyncio.shield(asyncio.sleep(3600)) if shielded else asyncio.create_task(asyncio.sleep(3600)))
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    async def main() -> None:
        wire = Wire(configured(app), kind)
        wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while wire.written.count(KEEPALIVE_COMMENT) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        tasks = list(wire.state.tasks)
        await wire.lose()
        await asyncio.wait(tasks)
        assert not any(task.exception() for task in tasks)

    run(main)
    assert log[0] == "cancelled"


@pytest.mark.parametrize("waits", ["at once", "a turn", "a timer", "a done future", "again and again"])
def test_what_is_sent_while_the_generator_waits_may_fail(waits: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator is cancelled then, also where it waits again, and what `send` has raised comes out, in a group."""
    logs = []
    for fw, place, name in ((BOTH[0], BOTH[0].routing, "_PING_INTERVAL"), (BOTH[1], _streams, "PING_INTERVAL")):
        monkeypatch.setattr(place, name, 0.001)
        log: list[Any] = []
        with pytest.RaisesGroup(pytest.RaisesExc(LookupError, match="gone")):
            asyncio.run(_broken(fw, waits, log))
        logs.append(log)
    assert logs[1] == logs[0]
    assert logs[0][0] == "cancelled"


async def _broken(fw: Framework, waits: str, log: list[Any]) -> None:
    app = fw.FastAPI()

    async def wait() -> None:
        try:
            if waits == "a turn":
                await asyncio.sleep(0)
            elif waits == "a done future":
                future = asyncio.get_running_loop().create_future()
                future.set_result(None)
                await future
            elif waits != "at once":
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            log.append("cancelled again")
            if waits != "again and again" or len(log) > 5:
                raise

    @app.get("/", response_class=fw.sse.EventSourceResponse)
    async def events() -> Any:
        try:
            yield 1
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            log.append("cancelled")
            await wait()
            await wait()
            log.append("cleaned up")
            raise

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        if KEEPALIVE_COMMENT in message.get("body", b""):
            raise LookupError("gone")

    async def receive() -> Any:
        await asyncio.sleep(3600)

    await app(Ask().scope(), receive, send)

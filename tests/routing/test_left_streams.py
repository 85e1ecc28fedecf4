"""Clients that leave while a stream waits: what it, its dependencies and background tasks see, on both packages."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest
from starlette.background import BackgroundTask
from support.asgi import Ask, run
from support.compare import compare
from support.frameworks import BOTH, Framework
from support.wire import Wire, configured

NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)
WAYS = ("ferrapi", "httptools", "told", "told at once", "pure ASGI middleware", "function middleware")
KINDS = ("response", "raw", "lines", "events")
DEPENDENCIES = ("none", "request", "function", "both", "in threads")


class Stage:
    """One request, whose stream says when the client is to leave.

    Parameters:
        log: what happens, in order.
    """

    def __init__(self, log: list[Any]) -> None:
        self.log = log
        self.waits = asyncio.Event()

    async def wait(self) -> None:
        """Wait for ever, and let the client leave."""
        self.waits.set()
        await asyncio.sleep(3600)


async def plain(stage: Stage) -> AsyncIterator[bytes]:
    yield b"1"
    await stage.wait()


async def at_once(stage: Stage) -> AsyncIterator[bytes]:
    await stage.wait()
    yield b"1"


async def cleans_up(stage: Stage) -> AsyncIterator[bytes]:
    try:
        yield b"1"
        await stage.wait()
    finally:
        stage.log.append("cleaning up")
        await asyncio.sleep(0)
        stage.log.append("cleaned up")


async def cleans_up_shielded(stage: Stage) -> AsyncIterator[bytes]:
    try:
        await asyncio.sleep(0)
        yield b"1"
        await stage.wait()
    finally:
        with anyio.CancelScope(shield=True):
            for _ in range(3):
                await asyncio.sleep(0)
            stage.log.append("cleaned up")


async def shielded(stage: Stage) -> AsyncIterator[bytes]:
    yield b"1"
    with anyio.CancelScope(shield=True):
        stage.waits.set()
        for _ in range(20):
            await asyncio.sleep(0)
        stage.log.append("went on")
    await asyncio.sleep(3600)


async def in_scope(stage: Stage) -> AsyncIterator[bytes]:
    with anyio.CancelScope() as scope:
        yield b"1"
        await stage.wait()
    stage.log.append(("left", scope.cancelled_caught))


async def in_scope_at_once(stage: Stage) -> AsyncIterator[bytes]:
    with anyio.CancelScope(), anyio.CancelScope() as scope:
        await asyncio.sleep(0)
        yield b"1"
        scope.cancel()
        await asyncio.sleep(0)
    stage.log.append(("left", scope.cancelled_caught))
    yield b"2"
    await stage.wait()


async def in_shield_at_once(stage: Stage) -> AsyncIterator[bytes]:
    with anyio.CancelScope(shield=True):
        stage.waits.set()
        for _ in range(20):
            await asyncio.sleep(0)
        stage.log.append("went on")
    yield b"1"
    await asyncio.sleep(3600)


async def in_group(stage: Stage) -> AsyncIterator[bytes]:
    async def beside() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stage.log.append("beside ended")

    async with anyio.create_task_group() as group:
        group.start_soon(beside)
        yield b"1"
        await stage.wait()


async def times_out(stage: Stage) -> AsyncIterator[bytes]:
    yield b"1"
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(3600)
    except TimeoutError:
        stage.log.append("timeout")
    with anyio.move_on_after(0):
        await asyncio.sleep(3600)
    stage.log.append("moved on")
    yield b"2"
    await stage.wait()


async def swallows(stage: Stage) -> AsyncIterator[bytes]:
    yield b"1"
    try:
        await stage.wait()
    except asyncio.CancelledError:
        stage.log.append("swallowed")
    yield b"2"
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        stage.log.append("swallowed again")


async def raises(stage: Stage) -> AsyncIterator[bytes]:
    yield b"1"
    try:
        await stage.wait()
    except asyncio.CancelledError:
        raise ValueError("instead") from None


async def sees_a_cancelled_task(stage: Stage) -> AsyncIterator[bytes]:
    yield b"1"
    await asyncio.sleep(0)
    stage.waits.set()
    task = asyncio.get_running_loop().create_future()
    task.cancel()
    await task


async def sets_variables(stage: Stage) -> AsyncIterator[bytes]:
    NUMBER.set(1)
    yield b"1"
    await asyncio.sleep(0)
    stage.log.append(("variable", NUMBER.get()))
    NUMBER.set(2)
    await stage.wait()


STREAMS: dict[str, Callable[[Stage], AsyncIterator[bytes]]] = {
    function.__name__: function
    for function in (
        plain, at_once, cleans_up, cleans_up_shielded, shielded, in_scope, in_scope_at_once, in_shield_at_once,
        in_group, times_out, swallows, raises, sees_a_cancelled_task, sets_variables,
    )
}  # fmt: skip


class Passing:
    """A middleware that is an ASGI application, and passes everything on in its own `receive` and `send`."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def receiving() -> Any:
            return await receive()

        async def sending(message: Any) -> None:
            await send(message)

        await self.app(scope, receiving, sending)


def application(fw: Framework, stage: Stage, kind: str, stream: str, dependencies: str, way: str) -> Any:
    """An application with one stream."""
    log = stage.log

    def noting(name: str) -> Any:
        async def opened() -> Any:
            try:
                yield
            except BaseException as exc:
                log.append((name, type(exc).__name__))
                raise
            finally:
                log.append((name, "closes", NUMBER.get()))
                await asyncio.sleep(0)
                log.append((name, "closed"))

        return opened

    def in_threads() -> Any:
        try:
            yield
        finally:
            log.append("closed in a thread")

    found: dict[str, list[Any]] = {
        "none": [],
        "request": [fw.Depends(noting("request"))],
        "function": [fw.Depends(noting("function"), scope="function")],
        "both": [fw.Depends(noting("request")), fw.Depends(noting("function"), scope="function")],
        "in threads": [fw.Depends(in_threads)],
    }

    async def background() -> None:
        log.append(("background", NUMBER.get()))
        await asyncio.sleep(0)
        log.append("background done")

    app = fw.FastAPI(dependencies=found[dependencies])

    async def response() -> Any:
        chunks = STREAMS[stream](stage)
        return fw.responses.StreamingResponse(chunks, background=BackgroundTask(background))

    async def yields(tasks: fw.BackgroundTasks) -> Any:
        tasks.add_task(background)
        async for chunk in STREAMS[stream](stage):
            yield chunk.decode()

    yields.__annotations__["tasks"] = fw.BackgroundTasks
    classes = {"raw": fw.responses.StreamingResponse, "events": fw.sse.EventSourceResponse}
    options = {"response_class": classes[kind]} if kind in classes else {}
    app.get("/", **options)(response if kind == "response" else yields)

    async def pass_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    if way == "pure ASGI middleware":
        app.add_middleware(Passing)
    elif way == "function middleware":
        app.middleware("http")(pass_on)
    return app


async def leave_wire(app: Any, stage: Stage, kind: str, turns: int) -> bytes:
    """Leave by losing the connection."""
    wire = Wire(configured(app), kind)
    wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await stage.waits.wait()
    for _ in range(turns):
        await asyncio.sleep(0)  # all that the stream has yielded is on the wire while it waits
    written = wire.written
    tasks = list(wire.state.tasks)
    if not wire.closed:
        await wire.lose()
    if tasks:
        await asyncio.wait(tasks)
    return written.split(b"\r\n\r\n", 1)[1]


async def leave_asgi(app: Any, stage: Stage, at_once: bool) -> list[Any]:
    """Leave as the server tells who asks."""
    sent: list[Any] = []

    async def receive() -> Any:
        if not at_once:
            await stage.waits.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", message["type"]))

    try:
        await app(Ask(extra={"asgi": {"version": "3.0", "spec_version": "2.3"}}).scope(), receive, send)
    except Exception as exc:
        stage.log.append(("raised", type(exc).__name__))
    return sent


def seen(fw: Framework, kind: str, stream: str, dependencies: str, way: str) -> Any:
    """What is sent before the client leaves, and what happens."""

    async def main() -> Any:
        stage = Stage([])
        app = application(fw, stage, kind, stream, dependencies, way)
        if way in ("ferrapi", "httptools"):
            # FastAPI passes an event on from task to task.
            return await leave_wire(app, stage, way, 10 if kind == "events" else 1), stage.log
        return await leave_asgi(app, stage, way == "told at once"), stage.log

    return run(main)


def is_alike(kind: str, stream: str, way: str) -> bool:
    """Whether what happens does not depend on how many turns of the loop something takes."""
    if (stream, way) == ("times_out", "told at once"):
        return False  # both are due at once
    if kind == "events":  # which go from task to task in FastAPI; background tasks come before the generator's end
        return stream not in ("raises", "swallows", "sees_a_cancelled_task") and way in ("ferrapi", "httptools")
    # FastAPI lets a turn of the loop pass behind each item of an endpoint, and a cancellation come there.
    return kind == "response" or (stream != "swallows" and way != "told at once")


CASES = [
    case
    for case in itertools.product(KINDS, STREAMS, DEPENDENCIES, WAYS)
    if is_alike(case[0], case[1], case[3])
    and (case[2] == "both" or (case[0] == "response" and (case[2] == "none" or case[1] in ("plain", "raises"))))
]


@pytest.mark.parametrize(("kind", "stream", "dependencies", "way"), CASES)
def test_who_leaves_ends_a_stream_alike(quiet: None, kind: str, stream: str, dependencies: str, way: str) -> None:
    theirs, ours = (seen(fw, kind, stream, dependencies, way) for fw in BOTH)
    if kind == "events":
        theirs[1].sort(key=str)
        ours[1].sort(key=str)
    assert ours == theirs


@pytest.mark.parametrize("transport", ["asgi", "http11"])
def test_a_message_that_cannot_be_sent_is_the_error_of_a_stream_that_a_route_class_hands_over(
    transport: str, quiet: None
) -> None:
    """What encodes the items is not closed beside the generator that they are from."""

    class Failing:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def fail(message: Any) -> None:
                if message.get("body"):
                    raise LookupError("nobody reads")
                await send(message)

            await self.app(scope, receive, fail)

    def make(fw: Framework, log: list[Any]) -> Any:
        class Own(fw.routing.APIRoute):
            def get_route_handler(self) -> Any:
                handler = super().get_route_handler()

                async def handle(request: Any) -> Any:
                    return await handler(request)

                return handle

        app = fw.FastAPI()
        app.router.route_class = Own
        app.add_middleware(Failing)

        @app.get("/")
        def lines() -> Any:
            yield 1
            yield 2

        return app

    assert compare(make, [Ask()], transport)[0].error == "LookupError"

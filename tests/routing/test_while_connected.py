"""``cancel_on_disconnect=True`` and `request.disconnected()`: what a client that leaves ends, and what it doesn't."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from ferrapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, HTTPException, Request
from ferrapi.exceptions import RouteError
from ferrapi.requests import LiveRequest
from ferrapi.responses import StreamingResponse
from ferrapi.testclient import TestClient
from starlette.middleware.base import BaseHTTPMiddleware
from support.asgi import Ask, exchange
from support.wire import Wire, configured

LOG: list[str] = []


@pytest.fixture(autouse=True)
def log() -> list[str]:
    LOG.clear()
    return LOG


async def session() -> AsyncIterator[str]:
    LOG.append("open")
    try:
        yield "session"
    except BaseException as exc:
        LOG.append(type(exc).__name__)
        raise
    finally:
        await anyio.lowlevel.checkpoint()
        LOG.append("closed")


def in_thread() -> Iterator[None]:
    yield
    LOG.append("left thread")


async def waiting(found: Annotated[str, Depends(session)]) -> str:
    LOG.append("begun")
    try:
        await anyio.sleep(10)
    finally:
        await anyio.lowlevel.checkpoint()
        LOG.append("cleaned up")
    LOG.append("returned")
    return found


async def begun() -> None:
    """Wait until the application has noted something that its endpoint does, or for a moment."""
    for _ in range(100):
        await anyio.sleep(0.001)
        if "begun" in LOG:
            return


async def left_asgi(app: Any, path: str, method: str = "GET", body: Any = ()) -> None:
    """The client leaves in the middle of the endpoint."""
    pending = Ask(method, path, body=body).messages()

    async def receive() -> Any:
        if pending:
            return pending.pop(0)
        await begun()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        LOG.append(f"{message['type']} {message.get('status', '')}".strip())

    await app(Ask(method, path).scope(), receive, send)


async def left_http11(app: Any, path: str, method: str = "GET", body: bytes = b"") -> None:
    wire = Wire(configured(app))
    wire.transport.protocol.data_received(
        b"%b %b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (method.encode(), path.encode(), len(body), body)
    )
    await begun()
    await wire.lose()


TRANSPORTS = pytest.mark.parametrize("leave", [left_asgi, left_http11])


def test_by_default_nothing_is_cancelled() -> None:
    async def short() -> None:
        LOG.append("begun")
        await anyio.sleep(0.01)
        LOG.append("returned")

    app = FastAPI()
    app.get("/")(short)
    asyncio.run(left_asgi(app, "/"))
    assert LOG[:3] == ["begun", "returned", "http.response.start 200"]


@TRANSPORTS
@pytest.mark.parametrize("place", ["application", "router", "middleware"])
def test_the_endpoint_is_cancelled_and_all_clean_up_is_done(leave: Any, place: str) -> None:
    app = FastAPI(dependencies=[Depends(in_thread)])
    router: Any = APIRouter() if place == "router" else app
    router.get("/", cancel_on_disconnect=True)(waiting)
    if place == "router":
        app.include_router(router)
    if place == "middleware":
        app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
    asyncio.run(leave(app, "/"))
    assert "returned" not in LOG
    assert [line for line in LOG if "http" not in line][:5] == [
        "open",
        "begun",
        "cleaned up",
        "CancelledError",
        "closed",
    ]


@TRANSPORTS
def test_a_body_that_the_endpoint_declares_is_there(leave: Any) -> None:
    app = FastAPI()

    @app.post("/", cancel_on_disconnect=True)
    async def read(size: Annotated[int, Body()]) -> None:
        LOG.extend([str(size), "begun"])
        await anyio.sleep(10)
        LOG.append("not cancelled")

    asyncio.run(leave(app, "/", "POST", b"3") if leave is left_http11 else leave(app, "/", "POST", [b"3"]))
    assert [line for line in LOG if "http" not in line] == ["3", "begun"]


def test_who_stays_is_answered_and_tasks_run_to_their_end() -> None:
    app = FastAPI()

    async def task() -> None:
        await anyio.sleep(0.02)
        LOG.append("task")

    @app.post("/", cancel_on_disconnect=True)
    async def read(
        size: Annotated[int, Body()], tasks: BackgroundTasks, found: Annotated[str, Depends(session)]
    ) -> Any:
        tasks.add_task(task)
        return [size, found]

    for backend in ("asyncio", "trio"):
        LOG.clear()
        with TestClient(app, backend=backend) as client:
            assert client.post("/", json=3).json() == [3, "session"]
        assert LOG == ["open", "task", "closed"]
    LOG.clear()
    answer = asyncio.run(exchange(app, Ask("POST", "/", headers=[(b"content-type", b"application/json")], body=[b"4"])))
    assert (answer.body, LOG) == (b'[4,"session"]', ["open", "task", "closed"])


def test_exceptions_are_answered_as_ever_and_not_in_groups() -> None:
    app = FastAPI()

    @app.get("/refused", cancel_on_disconnect=True)
    async def refused() -> None:
        raise HTTPException(418)

    @app.get("/broken", cancel_on_disconnect=True)
    async def broken() -> None:
        raise ZeroDivisionError

    client = TestClient(app)
    assert client.get("/refused").status_code == 418
    with pytest.raises(ZeroDivisionError):
        client.get("/broken")


@TRANSPORTS
def test_a_stream_is_cancelled(leave: Any) -> None:
    app = FastAPI()

    @app.get("/", cancel_on_disconnect=True)
    async def stream() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await anyio.sleep(0.002)
        finally:
            LOG.append("closed")

    @app.get("/response", cancel_on_disconnect=True)
    async def response() -> StreamingResponse:
        return StreamingResponse((str(part) async for part in stream()), media_type="text/plain")

    for path in ("/", "/response"):
        LOG.clear()
        asyncio.run(asyncio.wait_for(leave(app, path), 10))
        assert "closed" in LOG


def test_exit_code_that_runs_when_the_client_leaves_comes_to_its_end() -> None:
    async def slow_exit() -> AsyncIterator[None]:
        yield
        await anyio.sleep(0.05)
        LOG.append("left")

    app = FastAPI()

    @app.get("/", cancel_on_disconnect=True, dependencies=[Depends(slow_exit, scope="function"), Depends(session)])
    async def quick() -> None:
        return None

    asyncio.run(left_asgi(app, "/"))
    assert LOG[0] == "open"
    assert {"left", "closed"} <= set(LOG)


@TRANSPORTS
def test_a_call_in_a_thread_comes_to_its_end_before(leave: Any) -> None:
    def slow() -> None:
        LOG.append("begun")
        time.sleep(0.05)
        LOG.append("thread")

    app = FastAPI()

    @app.get("/", cancel_on_disconnect=True, dependencies=[Depends(session), Depends(slow)])
    async def wait() -> None:
        try:
            await anyio.sleep(10)
        finally:
            await anyio.lowlevel.checkpoint()
            LOG.append("cleaned up")

    asyncio.run(leave(app, "/"))
    kept = [line for line in LOG if "http" not in line and line != "cleaned up"]
    assert kept == ["open", "begun", "thread", "CancelledError", "closed"]


def test_an_endpoint_may_go_on_and_the_task_is_not_cancelled_afterwards() -> None:
    app = FastAPI()

    @app.get("/", cancel_on_disconnect=True)
    async def stubborn() -> None:
        try:
            await anyio.sleep(10)
        except asyncio.CancelledError:
            LOG.append("no")

    async def ask() -> int:
        await left_asgi(app, "/")
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return -1 if task is None else task.cancelling()

    assert asyncio.run(ask()) == 0
    assert LOG[0] == "no"


def test_a_cancellation_from_outside_goes_on_outside() -> None:
    app = FastAPI()
    app.get("/", cancel_on_disconnect=True)(waiting)

    async def ask() -> None:
        task = asyncio.create_task(exchange(app, Ask(path="/")))
        await asyncio.sleep(0.01)
        task.cancel()
        answer = await task  # `exchange` notes it
        assert answer.error == "CancelledError"

    asyncio.run(ask())
    assert "closed" in LOG


def test_endpoints_in_threads_can_not_be_cancelled() -> None:
    with pytest.raises(RouteError, match="asynchronous"):
        FastAPI().get("/", cancel_on_disconnect=True)(lambda: None)


# `request.disconnected()`


@TRANSPORTS
def test_an_endpoint_may_wait_for_the_client_to_leave(leave: Any) -> None:
    app = FastAPI()

    @app.get("/")
    async def wait(request: Request) -> None:
        assert isinstance(request, LiveRequest)
        await request.disconnected()
        assert await request.is_disconnected()
        await request.disconnected()
        LOG.append("gone")

    asyncio.run(asyncio.wait_for(leave(app, "/"), 10))
    assert LOG[0] == "gone"


def test_who_waits_takes_no_body_from_others_and_collects_none() -> None:
    app = FastAPI()
    received = 0

    @app.post("/")
    async def both(request: LiveRequest) -> str:
        waiting = asyncio.create_task(request.disconnected())
        await asyncio.sleep(0.01)
        LOG.append(f"{received} received")
        body = await request.body()
        assert not waiting.done()
        waiting.cancel()
        return body.decode()

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        async def counted() -> Any:
            nonlocal received
            received += 1
            return await receive()

        await app(scope, counted, send)

    answer = asyncio.run(exchange(counting, Ask("POST", "/", body=[b"a", b"b", b"c"])))
    assert answer.body == b'"abc"'
    assert LOG == ["1 received"]


def test_several_may_wait_beside_the_cancellation() -> None:
    app = FastAPI()

    @app.post("/", cancel_on_disconnect=True)
    async def wait(request: LiveRequest) -> None:
        assert await request.body() == b"body"
        try:
            await asyncio.gather(request.disconnected(), request.disconnected(), anyio.sleep(10))
        finally:
            LOG.append("ended")

    asyncio.run(asyncio.wait_for(left_asgi(app, "/", "POST", [b"bo", b"dy"]), 10))
    assert LOG[0] == "ended"

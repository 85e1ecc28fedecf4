"""`@app.middleware("http")` does what Starlette's `BaseHTTPMiddleware` does: the same messages and events in order.

Not compared: how the making of a stream's chunks interleaves with their sending, beyond that it can't run ahead.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import anyio
import pytest
from ferrapi import BackgroundTasks, Body, Depends, FastAPI, HTTPException, Request
from ferrapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware

Log = list[Any]
CallNext = Callable[[Request], Awaitable[Response]]
Dispatch = Callable[[Request, CallNext], Awaitable[Response]]
VALUE: contextvars.ContextVar[str] = contextvars.ContextVar("value", default="unset")


class Starlettes(BaseHTTPMiddleware):
    """Starlette's middleware as it is: ferrapi has its own way for the class itself."""


def application(log: Log) -> FastAPI:
    app = FastAPI()

    async def resource() -> AsyncIterator[str]:
        log.append("resource opened")
        try:
            yield "resource"
        except BaseException as exc:
            log.append(f"resource saw {type(exc).__name__}")
            raise
        finally:
            log.append("resource closed")

    @app.get("/plain")
    async def plain() -> dict[str, str]:
        log.append(f"endpoint {VALUE.get()}")
        VALUE.set("from endpoint")
        return {"a": "b"}

    @app.get("/resource")
    async def with_resource(value: Annotated[str, Depends(resource)], tasks: BackgroundTasks) -> str:
        tasks.add_task(log.append, "background")
        return value

    @app.post("/body")
    async def body(value: Annotated[dict[str, int], Body()]) -> dict[str, int]:
        return value

    @app.get("/stream")
    async def stream(value: Annotated[str, Depends(resource)]) -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            for number in range(4):
                yield str(number)

        return StreamingResponse(chunks())

    @app.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            yield "a"
            raise ValueError("in the stream")

        return StreamingResponse(chunks())

    @app.get("/error")
    async def error(value: Annotated[str, Depends(resource)]) -> None:
        raise ValueError("in the endpoint")

    @app.get("/refused")
    async def refused() -> None:
        raise HTTPException(418, "no")

    @app.get("/background-error")
    async def background_error(tasks: BackgroundTasks) -> None:
        def fail() -> None:
            raise ValueError("in the background")

        tasks.add_task(fail)

    @app.get("/waits")
    async def waits(request: Request) -> bool:
        return await request.is_disconnected()

    return app


async def passes(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    response.headers["x-passed"] = "yes"
    return response


async def reads_body_first(request: Request, call_next: CallNext) -> Response:
    await request.body()
    return await call_next(request)


async def answers_itself(request: Request, call_next: CallNext) -> Response:
    return PlainTextResponse("mine", status_code=202)


async def replaces(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    return PlainTextResponse("other")


async def reads_response(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    body = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
    return Response(body.upper(), status_code=response.status_code)


async def fails_before(request: Request, call_next: CallNext) -> Response:
    raise KeyError("before")


async def fails_after(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    raise KeyError("after")


async def catches(request: Request, call_next: CallNext) -> Response:
    try:
        return await call_next(request)
    except ValueError as exc:
        return PlainTextResponse(f"caught {exc}", status_code=500)


async def sets_context(request: Request, call_next: CallNext) -> Response:
    VALUE.set("from middleware")
    response = await call_next(request)
    response.headers["x-value"] = VALUE.get()
    return response


async def adds_background(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)

    async def later() -> None:
        request.state.log.append("middleware background")

    response.background = later  # type: ignore[assignment]  # any awaitable callable will do
    return response


DISPATCHES: list[Dispatch] = [
    passes,
    reads_body_first,
    answers_itself,
    replaces,
    reads_response,
    fails_before,
    fails_after,
    catches,
    sets_context,
    adds_background,
]
PATHS = [
    "/plain",
    "/resource",
    "/body",
    "/stream",
    "/breaks",
    "/error",
    "/refused",
    "/background-error",
    "/waits",
    "/none",
]


async def answer(dispatch: Dispatch, path: str, *, ours: bool, twice: bool) -> Log:
    log: Log = []
    app = application(log)
    for _ in range(2 if twice else 1):
        if ours:
            app.middleware("http")(dispatch)
        else:
            app.add_middleware(Starlettes, dispatch=dispatch)
    messages = [{"type": "http.request", "body": b'{"a"', "more_body": True}, {"type": "http.request", "body": b":1}"}]

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        if path == "/stream":  # how soon a stream notices a disconnect is a matter of the loop's turns
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        log.append(dict(message))

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST" if path == "/body" else "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("test", 80),
        "client": None,
        "state": {"log": log},
    }
    try:
        await app(scope, receive, send)
    except BaseException as exc:
        log.append(f"{type(exc).__name__}: {exc}")  # its cause is Starlette's task group, or nothing
    return log


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dispatch", DISPATCHES, ids=lambda dispatch: dispatch.__name__)
def test_as_starlette(dispatch: Dispatch, path: str, twice: bool) -> None:
    expected = asyncio.run(answer(dispatch, path, ours=False, twice=twice))
    assert asyncio.run(answer(dispatch, path, ours=True, twice=twice)) == expected
    assert expected


def test_under_trio() -> None:
    log = anyio.run(lambda: answer(passes, "/plain", ours=True, twice=False), backend="trio")
    assert next(message["type"] for message in log if isinstance(message, dict)) == "http.response.start"


def ahead_of_the_reader(*, ours: bool) -> int:
    """How many chunks of a stream are made, at most, before the first of them is sent."""
    log: Log = []

    async def main() -> None:
        app = FastAPI()

        @app.get("/")
        async def stream() -> StreamingResponse:
            async def chunks() -> AsyncIterator[bytes]:
                for number in range(9):
                    log.append(1)
                    yield b"%d" % number

            return StreamingResponse(chunks())

        if ours:
            app.middleware("http")(passes)
        else:
            app.add_middleware(Starlettes, dispatch=passes)

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            for _ in range(10):
                await asyncio.sleep(0)
            if message.get("body"):
                log.append(-1)

        await app({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}, receive, send)

    asyncio.run(main())
    assert sum(log) == 0
    return max(sum(log[: position + 1]) for position in range(len(log)))


def test_a_slow_reader_holds_the_application_back() -> None:
    assert ahead_of_the_reader(ours=True) <= ahead_of_the_reader(ours=False) + 1 < 5


def test_cancelling_the_request_cancels_what_is_below() -> None:
    async def main() -> None:
        log: Log = []
        app = FastAPI()

        begun = asyncio.Event()

        @app.get("/")
        async def wait() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

        app.middleware("http")(passes)

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            log.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        task = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["cancelled"]
        assert [other for other in asyncio.all_tasks() if other is not asyncio.current_task()] == []

    asyncio.run(main())

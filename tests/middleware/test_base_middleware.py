"""`@app.middleware("http")` and subclasses of `BaseHTTPMiddleware` do as in FastAPI: the same messages and events.

Not compared: how the making of a stream's chunks interleaves with their sending, beyond that it can't run ahead.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import anyio
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from support.frameworks import FASTAPI, FERRAPI, Framework

Log = list[Any]
CallNext = Callable[[Request], Awaitable[Response]]
Dispatch = Callable[[Request, CallNext], Awaitable[Response]]
VALUE: contextvars.ContextVar[str] = contextvars.ContextVar("value", default="unset")


class Subclass(BaseHTTPMiddleware):
    """A middleware with arguments and attributes of its own, and a ``dispatch`` that calls a function."""

    def __init__(self, app: Any, function: Dispatch, *, seen: int = 0) -> None:
        super().__init__(app)
        self.function = function
        self.seen = seen

    async def dispatch(self, request: Request, call_next: CallNext) -> Response:
        self.seen += 1
        response = await self.function(request, call_next)
        response.headers["x-seen"] = f"{type(self).__name__} {self.seen}"
        return response


def add(app: Any, kind: str, dispatch: Dispatch) -> None:
    """Put a middleware of a kind around an application."""
    if kind == "function":
        app.middleware("http")(dispatch)
    elif kind == "class":
        app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    else:
        app.add_middleware(Subclass, function=dispatch, seen=7)


KINDS = ("function", "class", "subclass")


def application(fw: Framework, log: Log) -> Any:
    app = fw.FastAPI()
    BackgroundTasks, Body, Depends = fw.BackgroundTasks, fw.Body, fw.Depends

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
        tasks.add_task(log.append, "background")  # type: ignore[attr-defined]
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
        raise fw.HTTPException(418, "no")

    @app.get("/background-error")
    async def background_error(tasks: BackgroundTasks) -> None:
        def fail() -> None:
            raise ValueError("in the background")

        tasks.add_task(fail)  # type: ignore[attr-defined]

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


async def calls_twice(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    return await call_next(request)


async def consumes_stream(request: Request, call_next: CallNext) -> Response:
    received = b"".join([chunk async for chunk in request.stream()])
    response = await call_next(request)
    response.headers["x-received"] = str(len(received))
    return response


async def consumes_a_part(request: Request, call_next: CallNext) -> Response:
    async for _ in request.stream():
        break
    return await call_next(request)


async def looks_for_a_disconnect(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    try:
        response.headers["x-left"] = str(await request.is_disconnected())
    except ClientDisconnect:
        response.headers["x-left"] = "raised"
    return response


async def wraps_the_body(request: Request, call_next: CallNext) -> Response:
    response: Any = await call_next(request)
    inner = response.body_iterator

    async def doubled() -> AsyncIterator[bytes]:
        async for chunk in inner:
            yield chunk
            yield chunk

    response.body_iterator = doubled()
    del response.headers["content-length"]
    return response


async def takes_the_first_chunk(request: Request, call_next: CallNext) -> Response:
    response: Any = await call_next(request)
    await anext(response.body_iterator, None)
    return response


async def closes_the_body(request: Request, call_next: CallNext) -> Response:
    response: Any = await call_next(request)
    await response.body_iterator.aclose()
    return response


async def copies(request: Request, call_next: CallNext) -> Response:
    response: Any = await call_next(request)
    return StreamingResponse(response.body_iterator, response.status_code, dict(response.headers))


async def waits_behind(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    for _ in range(100):  # turns of the loop: enough for what is below to notice whatever happens
        await asyncio.sleep(0)
    request.state.log.append("waited")
    return response


async def runs_in_a_task(request: Request, call_next: CallNext) -> Response:
    return await asyncio.create_task(call_next(request))  # type: ignore[arg-type]  # it is a coroutine


async def gives_up(request: Request, call_next: CallNext) -> Response:
    response = await asyncio.wait_for(call_next(request), 5)
    response.status_code += 1
    return response


async def is_in_a_scope(request: Request, call_next: CallNext) -> Response:
    with anyio.fail_after(5):
        return await call_next(request)


async def changes_the_scope(request: Request, call_next: CallNext) -> Response:
    request.scope["query_string"] = b"q=changed"
    request.state.by = "middleware"
    request.state.log.append(sorted(request.state._state))
    return await call_next(request)


async def returns_nothing(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    return None  # type: ignore[return-value]  # as users do


async def calls_another_way(request: Request, call_next: CallNext) -> Response:
    response = await call_next(Request(dict(request.scope), request.receive))
    response.init_headers({"x-only": "this"})
    return response


async def fails_in_background(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)

    async def later() -> None:
        raise KeyError("background")

    response.background = later  # type: ignore[assignment]
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
    calls_twice,
    consumes_stream,
    consumes_a_part,
    looks_for_a_disconnect,
    wraps_the_body,
    takes_the_first_chunk,
    closes_the_body,
    copies,
    waits_behind,
    runs_in_a_task,
    gives_up,
    is_in_a_scope,
    changes_the_scope,
    returns_nothing,
    calls_another_way,
    fails_in_background,
]
CUTTING_SHORT = (replaces, fails_after, calls_twice, closes_the_body, returns_nothing)
STREAMS = ("/stream", "/breaks")
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


async def answer(fw: Framework, stack: list[tuple[str, Dispatch]], path: str, *, stays: bool = True) -> Log:
    """What is sent, and what else happens, when a request passes through the middleware, the innermost first."""
    log: Log = []
    app = application(fw, log)
    for kind, dispatch in stack:
        add(app, kind, dispatch)
    messages = [{"type": "http.request", "body": b'{"a"', "more_body": True}, {"type": "http.request", "body": b":1}"}]

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        if stays:  # how soon a stream notices a disconnect is a matter of the loop's turns
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


def compare(stack: list[tuple[str, Dispatch]], path: str, *, stays: bool = True) -> None:
    expected = asyncio.run(answer(FASTAPI, stack, path, stays=stays))
    assert asyncio.run(answer(FERRAPI, stack, path, stays=stays)) == expected
    assert expected


@pytest.mark.parametrize(("kind", "times"), [("function", 1), ("subclass", 2)])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dispatch", DISPATCHES, ids=lambda dispatch: dispatch.__name__)
def test_as_in_fastapi(dispatch: Dispatch, path: str, times: int, kind: str) -> None:
    compare([(kind, dispatch)] * times, path, stays=path in STREAMS)


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(DISPATCHES)), min_size=1, max_size=5),
    st.sampled_from(PATHS),
)
@settings(max_examples=100, deadline=None)
def test_any_stack_as_in_fastapi(stack: list[tuple[str, Dispatch]], path: str) -> None:
    # How soon a stream ends that nobody listens to, and how far a second run gets, is a matter of the loop's turns.
    assume(len(stack) == 1 or all(dispatch is not calls_twice for _, dispatch in stack))
    assume(path not in STREAMS or not any(dispatch in CUTTING_SHORT for _, dispatch in stack))
    compare(stack, path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_chunk_that_waits_is_not_sent_when_the_client_has_left(kind: str) -> None:
    theirs, ours = (
        asyncio.run(answer(fw, [(kind, waits_behind)], "/breaks", stays=False)) for fw in (FASTAPI, FERRAPI)
    )
    assert ours == theirs


@pytest.mark.parametrize("depth", [40])
def test_many_in_each_other(depth: int) -> None:
    compare([("subclass", passes)] * depth, "/resource")


def test_under_trio() -> None:
    log = anyio.run(lambda: answer(FERRAPI, [("function", passes)], "/plain"), backend="trio")
    assert next(message["type"] for message in log if isinstance(message, dict)) == "http.response.start"


def ahead_of_the_reader(fw: Framework, kind: str) -> int:
    """How many chunks of a stream are made, at most, before the first of them is sent."""
    log: Log = []

    async def main() -> None:
        app = fw.FastAPI()

        @app.get("/")
        async def stream() -> StreamingResponse:
            async def chunks() -> AsyncIterator[bytes]:
                for number in range(9):
                    log.append(1)
                    yield b"%d" % number

            return StreamingResponse(chunks())

        add(app, kind, passes)

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


@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_reader_holds_the_application_back(kind: str) -> None:
    assert ahead_of_the_reader(FERRAPI, kind) <= ahead_of_the_reader(FASTAPI, kind) + 1 < 5


@pytest.mark.parametrize("kind", KINDS)
def test_cancelling_the_request_cancels_what_is_below(kind: str) -> None:
    async def main() -> None:
        log: Log = []
        app = FERRAPI.FastAPI()

        begun = asyncio.Event()

        @app.get("/")
        async def wait() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

        add(app, kind, passes)

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            log.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        task = asyncio.create_task(app(scope, receive, send))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["cancelled"]
        assert [other for other in asyncio.all_tasks() if other is not asyncio.current_task()] == []

    asyncio.run(main())

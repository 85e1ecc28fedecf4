"""What requests leave behind: nothing, however they end, and nothing that only the garbage collector frees."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from ferrapi import Depends, FastAPI, HTTPException, Request
from ferrapi.responses import JSONResponse, StreamingResponse
from opentelemetry.sdk.trace import TracerProvider
from starlette.middleware.base import BaseHTTPMiddleware
from support.asgi import Ask, exchange, run
from support.http11 import through

KINDS = ["endpoint", "dependency", "coroutine", "inside", "result"]
WAYS = ["well", "refused", "again", "handled", "unhandled"]
"""How a request ends. `again`: with the same exception object each time."""


class Held:
    """Something that is around while a request is."""

    alive = 0

    def __init__(self) -> None:
        Held.alive += 1

    def __del__(self) -> None:
        Held.alive -= 1


class _Handled(Exception):
    pass


_REFUSAL = HTTPException(410)
"""Raised again and again."""


@pytest.fixture(autouse=True, scope="module")
def _what_there_is_already() -> Iterator[None]:
    """It is not looked at: that takes longer each time than all the rest."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _application() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(_Handled)
    async def handle(request: Any, exc: _Handled) -> JSONResponse:
        return JSONResponse({}, 418)

    def fail(how: str) -> None:
        held = Held()
        if how == "refused":
            raise HTTPException(409)
        if how == "again":
            raise _REFUSAL
        if how == "handled":
            raise _Handled(held)
        if how == "unhandled":
            raise ValueError(held)

    def generate(how: str) -> Any:
        yield
        fail(how)

    @app.get("/endpoint/{how}")
    def endpoint(how: str) -> None:
        fail(how)

    @app.get("/dependency/{how}", dependencies=[Depends(fail)])
    def dependent() -> None: ...

    @app.get("/coroutine/{how}")
    async def coroutine(how: str) -> None:
        fail(how)

    @app.get("/inside/{how}", dependencies=[Depends(generate)])
    def inside(how: str) -> None:
        fail(how)

    @app.get("/result/{how}")
    def result(how: str) -> int:
        return how  # type: ignore[return-value]

    return app


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_leaves_nothing_behind(kind: str, how: str) -> None:
    app = _application()
    asks = [Ask(path=f"/{kind}/{how}")] * 20

    async def main() -> Counter[str]:
        for _ in range(2):
            before = _objects()
            for ask in asks:
                await exchange(app, ask)
        return _objects() - before

    grown = run(main)
    assert not [name for name, more in grown.items() if more >= len(asks)], grown


async def _by_asgi(app: Any, asks: list[Ask]) -> None:
    for ask in asks:
        answer = await exchange(app, ask)
        if answer.exception is not None:
            answer.exception.__traceback__ = None  # in which `answer` is


async def _by_http(app: Any, asks: list[Ask]) -> None:
    for answer in await through(app, asks, [], list):
        answer.exception = None  # where tasks begin at once, its traceback has frames in which the answers are


@pytest.mark.parametrize("way_in", [_by_asgi, _by_http])
def test_nothing_is_left_to_the_garbage_collector(way_in: Any) -> None:
    app = _application()
    # Where that one leaves the application behind a response, it keeps each of its tracebacks, as any exception does.
    cases = [(kind, how) for kind in KINDS for how in WAYS if (kind, how) != ("inside", "again")]

    async def main() -> dict[tuple[str, str], int]:
        left = {}
        for kind, how in cases:
            before = Held.alive
            await way_in(app, [Ask(path=f"/{kind}/{how}")] * 3)
            left[kind, how] = Held.alive - before
        return left

    gc.collect()
    gc.disable()
    try:
        left = run(main)
    finally:
        gc.enable()
    # A worker thread may still have the last one.
    assert not {case: count for case, count in left.items() if count >= 3}


@pytest.mark.parametrize("way_in", [_by_asgi, _by_http])
@pytest.mark.parametrize("around", ["middleware", "telemetry"])
def test_a_stream_leaves_nothing_to_the_garbage_collector(around: str, way_in: Any) -> None:
    app = FastAPI(telemetry={"tracer_provider": TracerProvider()} if around == "telemetry" else None)

    class Around(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await call_next(request)

    if around == "middleware":
        app.add_middleware(Around)

    def generate() -> Any:
        yield Held()

    @app.get("/")
    async def stream(request: Request, held: Held = Depends(generate)) -> StreamingResponse:
        async def pieces() -> Any:
            here = Held()
            yield b"a"
            await asyncio.sleep(0)
            yield b"b"
            del here

        request.state.held = held
        return StreamingResponse(pieces())

    async def main() -> int:
        await way_in(app, [Ask()])
        before = Held.alive
        await way_in(app, [Ask()] * 4)
        return Held.alive - before

    gc.collect()
    gc.disable()
    try:
        # A worker thread may still have something of the last one.
        assert run(main) < 4
    finally:
        gc.enable()


@pytest.mark.parametrize("scope", [anyio.move_on_after, anyio.CancelScope])
def test_a_request_that_a_scope_cancels_leaves_nothing_behind(scope: Any) -> None:
    app = FastAPI()

    @app.middleware("http")
    async def through_it(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    @app.get("/")
    async def wait() -> None:
        await anyio.sleep(60)

    async def cancelled() -> None:
        with scope(*([0.001] if scope is anyio.move_on_after else [])) as inner:
            async with anyio.create_task_group() as group:
                group.start_soon(exchange, app, Ask())
                if scope is anyio.CancelScope:
                    for _ in range(10):
                        await asyncio.sleep(0)
                    inner.cancel()

    async def main() -> Counter[str]:
        for _ in range(2):
            before = _objects()
            for _ in range(8):
                await cancelled()
            await asyncio.sleep(0)
        return _objects() - before

    assert not [name for name, more in run(main).items() if more >= 8]


def _objects() -> Counter[str]:
    gc.collect()
    return Counter(type(one).__qualname__ for one in gc.get_objects())

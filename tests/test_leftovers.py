"""What requests leave behind: nothing, however they end."""

import asyncio
import gc
from collections import Counter
from typing import Any

import anyio
import pytest
from ferrapi import Depends, FastAPI, HTTPException
from ferrapi.responses import JSONResponse
from support.asgi import Ask, exchange, run


class _Handled(Exception):
    pass


_REFUSAL = HTTPException(410)
"""Raised again and again."""


def _application() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(_Handled)
    async def handle(request: Any, exc: _Handled) -> JSONResponse:
        return JSONResponse({}, 418)

    def fail(how: str) -> None:
        if how == "refused":
            raise HTTPException(409)
        if how == "again":
            raise _REFUSAL
        if how == "handled":
            raise _Handled
        if how == "unhandled":
            raise ValueError

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


@pytest.mark.parametrize("how", ["well", "refused", "again", "handled", "unhandled"])
@pytest.mark.parametrize("kind", ["endpoint", "dependency", "coroutine", "inside", "result"])
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

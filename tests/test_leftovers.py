"""What requests leave behind: nothing, however they end."""

import gc
from collections import Counter
from typing import Any

import pytest
from ferrapi import Depends, FastAPI, HTTPException
from ferrapi.responses import JSONResponse
from support.asgi import Ask, exchange, run


class _Handled(Exception):
    pass


def _application() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(_Handled)
    async def handle(request: Any, exc: _Handled) -> JSONResponse:
        return JSONResponse({}, 418)

    def fail(how: str) -> None:
        if how == "refused":
            raise HTTPException(409)
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


@pytest.mark.parametrize("how", ["well", "refused", "handled", "unhandled"])
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


def _objects() -> Counter[str]:
    gc.collect()
    return Counter(type(one).__qualname__ for one in gc.get_objects())

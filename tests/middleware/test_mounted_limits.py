"""A limit for bodies of an application around a mounted one, when middleware of the mounted one reads the body."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

ASKS = [
    Ask("POST", "/mounted/x", body=[b"12345"]),
    Ask("POST", "/mounted/x", body=[b"123", b"456"]),
    Ask("POST", "/mounted/x", headers=[(b"content-length", b"6")], body=[b"123456"]),
    Ask("POST", "/mounted/none", body=[b"123456"]),
]


class Own(BaseHTTPMiddleware):
    """A subclass, which ferrapi has no way of its own for."""


@pytest.mark.parametrize("handled", [False, True])
@pytest.mark.parametrize("inner_limit", [None, 3, 20])
@pytest.mark.parametrize("kind", ["function", "class", "own", "nothing"])
def test_a_body_that_is_too_large_is_answered_once(
    kind: str, inner_limit: int | None, handled: bool, quiet: None
) -> None:
    def limited(fw: Framework, log: list[Any]) -> Any:
        app, mounted = fw.FastAPI(max_body_size=5), fw.FastAPI(max_body_size=inner_limit)

        async def reads(request: Any, call_next: Any) -> Any:
            log.append(len(await request.body()))
            return await call_next(request)

        def handler(name: str) -> Any:
            async def handle(request: Any, exc: Exception) -> Any:
                log.append(name)
                return PlainTextResponse(name, 418)

            return handle

        @mounted.post("/x")
        async def x(request: fw.Request) -> Any:
            return len(await request.body())

        if kind == "function":
            mounted.middleware("http")(reads)
        elif kind != "nothing":
            mounted.add_middleware(Own if kind == "own" else BaseHTTPMiddleware, dispatch=reads)
        if handled:
            for one, name in ((app, "outer"), (mounted, "inner")):
                one.add_exception_handler(HTTPException, handler(name))
        app.mount("/mounted", mounted)
        return app

    compare(limited, ASKS)

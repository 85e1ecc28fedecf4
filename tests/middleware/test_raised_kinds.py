"""Exceptions that iterators end with are exceptions like others when endpoints or middleware raise them."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

KINDS: dict[str, type[Exception]] = {"async": StopAsyncIteration, "sync": StopIteration, "value": ValueError}


class Pure:
    def __init__(self, app: Any, log: list[Any]) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except BaseException as exc:
            self.log.append(type(exc).__name__)
            raise
        if scope["query_string"] == b"outside":
            raise KINDS[scope["path"].rpartition("/")[2]]("raised by the middleware")


class Base(BaseHTTPMiddleware):
    async def dispatch(self, request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        if request.url.query == "outside":
            raise KINDS[request.url.path.rpartition("/")[2]]("raised by the middleware")
        return response


AROUND: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "nothing": [],
    "pure": [(Pure, {})],
    "base": [(Base, {})],
    "common": [(GZipMiddleware, {"minimum_size": 1}), (CORSMiddleware, {"allow_origins": ["*"]})],
    "pure, common": [(Pure, {}), (GZipMiddleware, {"minimum_size": 1})],
    "base, pure": [(Base, {}), (Pure, {})],
    "pure, base": [(Pure, {}), (Base, {})],
}


@pytest.mark.parametrize("around", sorted(AROUND))
@pytest.mark.parametrize("way", ["asgi", "uvicorn", "http11"])
def test_exceptions_that_end_iterators_are_exceptions_like_others(around: str, way: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app, below = fw.FastAPI(), fw.FastAPI()

        async def fail(kind: str) -> None:
            raise KINDS[kind]("raised by the endpoint")

        def fail_in_thread(kind: str) -> None:
            raise KINDS[kind]("raised in a thread")

        async def work(kind: str) -> str:
            return "fine"

        for one in (app, below):
            one.get("/async/{kind}")(fail)
            one.get("/sync/{kind}")(fail_in_thread)
            one.get("/well/{kind}")(work)
        app.mount("/below", below)
        for cls, options in AROUND[around]:
            app.add_middleware(cls, **options, **({"log": log} if cls is Pure else {}))
        return app

    paths = [f"{place}/{how}/{kind}" for place in ("", "/below") for how in ("async", "sync") for kind in KINDS]
    asks = [Ask(path=path) for path in paths]
    asks += [Ask(path=f"/well/{kind}", query=b"outside") for kind in KINDS]
    compare(make, asks, way)

"""Responses that a middleware function makes itself are sent as in FastAPI, whatever is around it and below."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from starlette.background import BackgroundTask
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

LONG = "abc" * 300


class Own(Response):
    """Sends itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers["x-own"] = "1"
        await super().__call__(scope, receive, send)


def without_length() -> Response:
    response = PlainTextResponse("text")
    del response.headers["content-length"]
    return response


def with_lists() -> Response:
    response = PlainTextResponse("text")
    response.raw_headers = [list(pair) for pair in response.raw_headers]  # type: ignore[misc]
    return response


def with_bad_header() -> Response:
    response = PlainTextResponse("text")
    response.raw_headers.append((b"x-bad", b"a\r\nb: c"))
    return response


MADE: dict[str, Callable[[list[Any]], Any]] = {
    "plain": lambda log: PlainTextResponse("text", headers={"x-a": "1"}),
    "long": lambda log: JSONResponse({"a": LONG}, status_code=401),
    "enum": lambda log: HTMLResponse("x", status_code=HTTPStatus.IM_A_TEAPOT),
    "empty": lambda log: Response(status_code=204),
    "unchanged": lambda log: Response(b"ignored", status_code=304),
    "redirect": lambda log: RedirectResponse("/other"),
    "background": lambda log: Response(b"b", background=BackgroundTask(log.append, "background")),
    "own": lambda log: Own(b"own"),
    "stream": lambda log: StreamingResponse(iter(["a", LONG]), media_type="text/plain"),
    "file": lambda log: FileResponse(__file__, headers={"etag": "x", "last-modified": "y"}),
    "without_length": lambda log: without_length(),
    "lists": lambda log: with_lists(),
    "bad": lambda log: with_bad_header(),
    "text body": lambda log: _with(body="text"),
    "status text": lambda log: _with(status_code="200"),
    "nothing": lambda log: None,
    "app": lambda log: PlainTextResponse("text").__call__,
}


def _with(**attributes: Any) -> Response:
    response = PlainTextResponse("text")
    for name, value in attributes.items():
        setattr(response, name, value)
    return response


def tag(fw: Framework, log: list[Any]) -> Any:
    async def add(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-around"] = str(response.status_code)
        log.append("around")
        return response

    return add


class Pure:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-pure", b"1")]
            await send(message)

        await self.app(scope, receive, note)


AROUND: dict[str, Callable[[Any, Framework, list[Any]], Any]] = {
    "nothing": lambda app, fw, log: None,
    "function": lambda app, fw, log: app.middleware("http")(tag(fw, log)),
    "gzip": lambda app, fw, log: app.add_middleware(GZipMiddleware, minimum_size=10),
    "cors": lambda app, fw, log: app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"]),
    "pure": lambda app, fw, log: app.add_middleware(Pure),
}


@pytest.mark.parametrize("around", sorted(AROUND))
@pytest.mark.parametrize("way", ["asgi", "uvicorn", "http11"])
def test_own_responses_are_sent_as_in_fastapi(around: str, way: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/{name}")
        async def endpoint(name: str) -> str:
            log.append("endpoint")
            return name

        @app.middleware("http")
        async def answer(request: Any, call_next: Any) -> Any:
            if "after" in request.query_params:
                await call_next(request)
            made = MADE[request.url.path[1:].replace("%20", " ")](log)
            log.append("made")
            return made

        AROUND[around](app, fw, log)
        return app

    headers = [(b"host", b"a"), (b"origin", b"https://a.example"), (b"accept-encoding", b"gzip")]
    asks = [
        Ask(method=method, path="/" + name.replace(" ", "%20"), query=query, headers=headers)
        for name in MADE
        for method, query in (("GET", b""), ("HEAD", b""), ("GET", b"after"))
    ]
    compare(make, asks, way)

"""GZip around middleware that passes responses on in pieces: what is small is compressed, too, and has no length."""

from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


def plain(app: Any) -> Any:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return serve


def stacked(fw: Framework, names: str, minimum: int) -> Any:
    """An application with these layers, the innermost first."""
    app = fw.FastAPI()
    for name in names.split():
        if name == "function":

            @app.middleware("http")
            async def function(request: Any, call_next: Any) -> Any:
                return await call_next(request)

        elif name == "class":
            app.add_middleware(Passing)
        elif name == "asgi":
            app.add_middleware(plain)
        elif name == "cors":
            app.add_middleware(CORSMiddleware, allow_origins=["*"])
        else:
            app.add_middleware(GZipMiddleware, minimum_size=minimum)

    @app.get("/value")
    async def value() -> Any:
        return {"text": "some text that is worth it, " * 3}

    @app.get("/sync")
    def sync() -> Any:
        return {"text": "some text that is worth it, " * 3}

    @app.get("/none", status_code=204)
    async def none() -> None:
        pass

    @app.get("/empty")
    async def empty() -> Any:
        return fw.Response(b"")

    @app.get("/encoded")
    async def encoded() -> Any:
        return fw.Response(b"encoded", headers={"content-encoding": "x"})

    @app.get("/large")
    async def large() -> Any:
        return fw.Response(bytes(300_000), media_type="text/plain")

    @app.get("/stream")
    async def stream() -> Any:
        return fw.responses.StreamingResponse(iter([b"a" * 40, b"b" * 40]), media_type="text/plain")

    @app.get("/refused")
    async def refused() -> Any:
        raise fw.HTTPException(418)

    return app


ASKS = [
    Ask("GET", f"/{path}", headers=headers)
    for path in ("value", "sync", "none", "empty", "encoded", "large", "stream", "refused", "nowhere")
    for headers in ([], [(b"accept-encoding", b"gzip")], [(b"origin", b"http://o"), (b"accept-encoding", b"gzip")])
]
STACKS = [
    "function gzip",
    "class gzip",
    "function cors gzip",
    "function asgi gzip",
    "gzip function",
    "gzip function gzip",
    "function function gzip",
]


@pytest.mark.parametrize("minimum", [10, 500])
@pytest.mark.parametrize("names", STACKS)
def test_responses_are_the_same_under_gzip(names: str, minimum: int) -> None:
    compare(lambda fw, log: stacked(fw, names, minimum), ASKS)


def _without_messages(names: str, transport: str) -> None:
    answers = compare(lambda fw, log: stacked(fw, names, 10), ASKS[:6], transport)
    assert any((b"content-encoding", b"gzip") in answer.headers for answer in answers)


def test_a_function_around_gzip_around_a_function() -> None:
    # Below ASGI the number of messages differs: what two pieces were compressed to comes in one.
    _without_messages("function gzip function", "http11")

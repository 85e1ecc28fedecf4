"""The application that all protocols serve in these tests. It notes each call of a handler in `app.state.calls`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ferrapi import BackgroundTasks, Body, FastAPI, Request
from ferrapi.exceptions import HTTPException
from ferrapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send


class Refused(Exception):
    """Has a handler of its own."""


async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
    """An application of another make."""
    await PlainTextResponse(f"mounted {scope['path']}")(scope, receive, send)


def _responses(app: FastAPI, note: Any) -> None:
    @app.get("/stream")
    async def stream() -> StreamingResponse:
        note("stream")

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one"
            yield b"two"

        return StreamingResponse(pieces())

    @app.delete("/none", status_code=204)
    @app.get("/none", status_code=204)
    async def none() -> None:
        note("none")

    @app.get("/bodied-204")
    async def bodied() -> Response:
        note("bodied")
        return Response(b"x", status_code=204)

    @app.get("/closes")
    async def closes() -> Response:
        note("closes")
        return Response(b"bye", headers={"Connection": "close"})

    @app.get("/short")
    async def short() -> Response:
        note("short")
        return Response(b"four", headers={"Content-Length": "9"})

    @app.get("/long")
    async def long() -> Response:
        note("long")
        return Response(b"four", headers={"Content-Length": "2"})

    @app.get("/unsized")
    async def unsized() -> Response:
        note("unsized")
        response = Response(b"four")
        del response.headers["content-length"]
        return response

    @app.get("/late")
    async def late(tasks: BackgroundTasks) -> dict[str, str]:
        async def afterwards() -> None:
            note("background")

        note("late")
        tasks.add_task(afterwards)
        return {"late": "yes"}


def _errors(app: FastAPI, note: Any) -> None:
    @app.get("/fails")
    async def fails() -> None:
        note("fails")
        raise ZeroDivisionError("of the test's making")

    @app.get("/refused")
    async def refused() -> None:
        note("refused")
        raise HTTPException(403, "no", headers={"X-Why": "because"})

    @app.exception_handler(Refused)
    async def handle(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("handled", status_code=418)

    @app.get("/handled")
    async def handled() -> None:
        note("handled")
        raise Refused


def _bodies(app: FastAPI, note: Any) -> None:
    @app.post("/raw")
    async def raw(request: Request) -> dict[str, Any]:
        body = await request.body()
        note(f"raw {body!r}")
        # uvicorn appends a chunked body's trailers to the headers at some time; the transport drops them.
        chunked = "transfer-encoding" in request.headers
        return {"body": body.decode("latin-1"), "headers": "chunked" if chunked else _shown(request)}

    @app.post("/trailers")
    async def trailers(request: Request) -> dict[str, Any]:
        await request.body()
        return {"headers": _shown(request)}

    @app.post("/early")
    async def early() -> dict[str, str]:
        note("early")
        return {"early": "yes"}

    @app.post("/json")
    async def json(content: dict[str, Any] = Body()) -> dict[str, Any]:
        note(f"json {content}")
        return content

    @app.get("/waits")
    async def waits(request: Request) -> dict[str, bool]:
        note("waits")
        while not await request.is_disconnected():  # noqa: ASYNC110  # what is tested
            await asyncio.sleep(0)
        note("gone")
        return {"gone": True}


def _shown(request: Request) -> list[list[str]]:
    # uvicorn's httptools protocol leaves blanks at the end of a value, which are no part of it.
    return [[name.decode("latin-1"), value.decode("latin-1").strip(" \t")] for name, value in request.headers.raw]


def make() -> FastAPI:
    """A fresh application."""
    app = FastAPI()
    app.state.calls = []
    note = app.state.calls.append

    @app.get("/")
    async def root() -> dict[str, str]:
        note("root")
        return {"hello": "world"}

    @app.get("/canary")
    async def canary(request: Request) -> dict[str, Any]:
        note(f"canary {request.headers.get('host')}")
        return {"canary": _shown(request)}

    @app.api_route("/smuggled", methods=["GET", "POST"])
    async def smuggled() -> str:
        note("smuggled")
        return "smuggled"

    @app.api_route("/items/{item}", methods=["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "HEAD"])
    async def items(item: int, limit: str = "none") -> dict[str, Any]:
        note(f"items {item} {limit}")
        return {"item": item, "limit": limit}

    @app.head("/head")
    async def head() -> dict[str, str]:
        note("head")
        return {"hello": "head"}

    @app.get("/headers")
    async def headers(request: Request) -> dict[str, Any]:
        note("headers")
        scope = request.scope
        return {
            "headers": _shown(request),
            "client": scope["client"],
            "scheme": scope["scheme"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "version": scope["http_version"],
        }

    _bodies(app, note)
    _responses(app, note)
    _errors(app, note)
    app.mount("/mounted", mounted)
    return app

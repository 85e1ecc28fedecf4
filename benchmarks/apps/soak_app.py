"""The service on ferrapi for the soak: with a stream that has no end, an upload, and the number of tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import ferrapi
from ferrapi.responses import PlainTextResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from .data import calls
from .framework import build

app = build(ferrapi)


@app.get("/stream")  # type: ignore[untyped-decorator, unused-ignore]
async def stream() -> StreamingResponse:
    """Goes on until the client leaves."""

    async def pieces() -> AsyncIterator[bytes]:
        calls["stream opened"] += 1
        try:
            while True:
                yield bytes(10_000)
                await asyncio.sleep(0)
        finally:
            calls["stream closed"] += 1

    return StreamingResponse(pieces())


@app.post("/upload")  # type: ignore[untyped-decorator, unused-ignore]
async def upload(request: ferrapi.Request) -> PlainTextResponse:
    """Says how many bytes have come."""
    size = 0
    with contextlib.suppress(ClientDisconnect):  # nobody reads the answer then
        async for piece in request.stream():
            size += len(piece)
    return PlainTextResponse(str(size))


@app.get("/tasks")  # type: ignore[untyped-decorator, unused-ignore]
async def tasks() -> dict[str, int]:
    """How many tasks there are beside this one."""
    return {"tasks": len(asyncio.all_tasks()) - 1}

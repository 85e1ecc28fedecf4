"""A small application that shows what a proxy lets through, and how."""

import asyncio
from collections.abc import AsyncIterator

from ferrapi import FastAPI, Request, WebSocket
from ferrapi.sse import EventSourceResponse

app = FastAPI()
released = asyncio.Event()


@app.get("/who")
async def who(request: Request) -> dict[str, str | None]:
    """Says what is known of the client and of the address that it asked."""
    return {"client": request.client.host if request.client else None, "url": str(request.url)}


@app.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[str]:
    """The first event comes at once, the second one when it is released."""
    yield "first"
    await released.wait()
    yield "second"


@app.post("/release")
async def release() -> None:
    """Lets the second event go."""
    released.set()


@app.post("/size")
async def size(request: Request) -> int:
    """Counts a body as it comes."""
    return sum([len(chunk) async for chunk in request.stream()])


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    """Sends one text back, with the scheme that the application sees."""
    await websocket.accept()
    await websocket.send_text(f"{websocket.url.scheme}: {await websocket.receive_text()}")
    await websocket.close()

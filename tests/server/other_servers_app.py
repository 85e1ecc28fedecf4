"""What each of several servers serves in `test_other_servers`: one of each kind of request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from ferrapi import Cookie, FastAPI, Form, Header, Request, WebSocket
from ferrapi.responses import StreamingResponse
from pydantic import BaseModel


class Parcel(BaseModel):
    """A JSON body."""

    name: str
    grams: int


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
    """Puts something into the state that requests see."""
    yield {"opened": "at start-up"}


app = FastAPI(lifespan=lifespan)


@app.get("/shelves/{shelf}")
async def shelf(
    shelf: int, q: str, x_tag: Annotated[str, Header()], session: Annotated[str, Cookie()], limit: int = 5
) -> dict[str, Any]:
    """Parameters of all kinds."""
    return {"shelf": shelf, "q": q, "tag": x_tag, "session": session, "limit": limit}


@app.post("/parcels", status_code=201)
async def parcel(parcel: Parcel) -> Parcel:
    """A JSON body."""
    return parcel


@app.post("/forms")
async def form(name: Annotated[str, Form()], colour: Annotated[str, Form()]) -> dict[str, str]:
    """A urlencoded form."""
    return {"name": name, "colour": colour}


@app.post("/lengths")
async def length(request: Request) -> int:
    """A body that is read piece by piece."""
    return sum([len(piece) async for piece in request.stream()])


@app.get("/stream")
async def stream() -> StreamingResponse:
    """A response in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(50):
            yield b"%d," % number

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/sync")
def sync() -> dict[str, str]:
    """A handler in a worker thread."""
    return {"from": "a thread"}


@app.get("/state")
async def state(request: Request) -> str:
    """What the lifespan has left."""
    found: str = request.state.opened
    return found


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    """Sends everything back twice."""
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text * 2)


@app.get("/slow")
async def slow() -> str:
    """An answer that takes a second."""
    await asyncio.sleep(1)
    return "done"


@app.get("/slow-stream")
async def slow_stream() -> StreamingResponse:
    """A stream that takes a second."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"piece,"
            await asyncio.sleep(0.1)

    return StreamingResponse(pieces(), media_type="text/plain")

"""What stays open or takes its time: a pool of connections, events, a socket, a body that comes in chunks."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from ferrapi import Depends, FastAPI, Request, WebSocket, WebSocketDisconnect
from ferrapi.sse import EventSourceResponse

from .freight import calls
from .pool import EVENTS, INTERVAL, POOL_TIMEOUT, Connection, Position, pool

app = FastAPI(title="Live")


def connection() -> Iterator[Connection]:
    """Hold a connection of the pool while the request is served."""
    taken = pool.get(timeout=POOL_TIMEOUT)
    try:
        yield taken
    finally:
        pool.put(taken)


@app.get("/calls")
async def show_calls() -> dict[str, int]:
    """The counters."""
    return dict(calls)


@app.get("/tariffs/{number}")
def tariff(number: int, connection: Annotated[Connection, Depends(connection)]) -> dict[str, int]:
    """A price from the database."""
    calls["tariff"] += 1
    return {"number": number, "price": connection.query(number)}


@app.get("/positions/{truck}", response_class=EventSourceResponse)
async def positions(truck: int) -> AsyncIterator[Position]:
    """Where a truck is, again and again."""
    calls["positions"] += 1
    for number in range(EVENTS):
        await asyncio.sleep(INTERVAL)
        yield Position(truck=truck, latitude=53.5 + number / 100, longitude=9.9)


@app.websocket("/radio")
async def radio(socket: WebSocket) -> None:
    """Say what was heard."""
    await socket.accept()
    try:
        while True:
            heard = await socket.receive_text()
            calls["radio"] += 1
            await socket.send_text(f"{heard}, over")
    except WebSocketDisconnect:
        pass


@app.post("/logbooks/{truck}", status_code=201)
async def logbook(truck: int, request: Request) -> dict[str, Any]:
    """Take a file as it comes."""
    calls["logbook"] += 1
    size = lines = 0
    async for piece in request.stream():
        size += len(piece)
        lines += piece.count(b"\n")
    return {"truck": truck, "size": size, "lines": lines}

"""What stays open or takes its time: a pool of connections, events, a socket, a body that comes in chunks."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from queue import SimpleQueue
from typing import Annotated, Any

from ferrapi import Depends, FastAPI, Request, WebSocket, WebSocketDisconnect
from ferrapi.sse import EventSourceResponse
from pydantic import BaseModel

from .freight import calls

POOL_SIZE = 10
POOL_TIMEOUT = 30
"""Seconds that a request waits for a connection; more than any client here waits."""
QUERY = 0.002
"""Seconds that a query takes."""
EVENTS = 10
INTERVAL = 0.02
"""Seconds between two events."""

app = FastAPI(title="Live")
pool: "SimpleQueue[Connection]" = SimpleQueue()


class Connection:
    """A connection to a database, for one request at a time."""

    def query(self, number: int) -> int:
        """Wait for the database."""
        time.sleep(QUERY)
        return number * number


class Position(BaseModel):
    """Where a truck is."""

    truck: int
    latitude: float
    longitude: float


for _ in range(POOL_SIZE):
    pool.put(Connection())


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


@app.get("/trucks/{truck}/positions", response_class=EventSourceResponse)
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

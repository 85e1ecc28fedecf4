"""What stays open or takes its time, by hand."""

import asyncio
from collections.abc import AsyncIterator

from anyio.to_thread import run_sync
from pydantic import TypeAdapter, ValidationError

from ..services.freight import calls
from ..services.pool import EVENTS, INTERVAL, POOL_TIMEOUT, Position, pool
from .desk import invalid, show_calls
from .serving import Answer, Receive, Scope, Send, application, json_reply, routes

_INTEGER = TypeAdapter(int).validator
_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


def _price(number: int) -> dict[str, int]:
    connection = pool.get(timeout=POOL_TIMEOUT)
    try:
        calls["tariff"] += 1
        return {"number": number, "price": connection.query(number)}
    finally:
        pool.put(connection)


async def tariff(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A price from the database, in a worker thread."""
    try:
        number = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    return json_reply(await run_sync(_price, number))


async def positions(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Where a truck is, again and again."""
    try:
        truck = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    calls["positions"] += 1

    async def events() -> AsyncIterator[bytes]:
        for number in range(EVENTS):
            await asyncio.sleep(INTERVAL)
            position = Position(truck=truck, latitude=53.5 + number / 100, longitude=9.9)
            yield b"data: %b\n\n" % Position.__pydantic_serializer__.to_json(position)

    return 200, [*_EVENT_STREAM], events()


async def logbook(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Take a file as it comes."""
    try:
        truck = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    calls["logbook"] += 1
    size = lines = 0
    more = True
    while more:
        message = await receive()
        piece = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(piece)
        lines += piece.count(b"\n")
    return json_reply({"truck": truck, "size": size, "lines": lines}, 201)


async def _radio(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        calls["radio"] += 1
        await send({"type": "websocket.send", "text": f"{message['text']}, over"})


_http = application(
    routes([("GET", "/calls", show_calls)]),
    routes([("GET", "/tariffs", tariff), ("GET", "/positions", positions), ("POST", "/logbooks", logbook)]),
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] != "websocket":
        await _http(scope, receive, send)
    elif scope["path"] == "/radio":
        await _radio(receive, send)
    else:
        await receive()
        await send({"type": "websocket.close", "code": 1000})

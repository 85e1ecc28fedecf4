"""sse-starlette and mangum: event streams beside FastAPI's own, and an application behind AWS Lambda."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from asking import ask
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse as OwnEvents
from fastapi.sse import ServerSentEvent
from mangum import Mangum
from sse_starlette.sse import EventSourceResponse

app = FastAPI()


def opened() -> Any:
    yield 3
    print("closed")


@app.get("/events")
async def events(n: int = Depends(opened)) -> EventSourceResponse:
    async def numbers() -> AsyncIterator[dict[str, Any]]:
        for number in range(n):
            yield {"data": number, "event": "number"}

    return EventSourceResponse(numbers(), sep="\n")


@app.get("/own", response_class=OwnEvents)
async def own(n: int = Depends(opened)) -> AsyncIterator[ServerSentEvent]:
    for number in range(n):
        yield ServerSentEvent(data=number, event="number")


@app.get("/stream")
def stream() -> StreamingResponse:
    return StreamingResponse(iter("abc"), media_type="text/plain")


@app.post("/items/{n}", status_code=201)
def item(n: int, body: dict[str, int]) -> list[object]:
    if n == 0:
        raise HTTPException(418, {"n": n})
    return [n, body]


ask(app, ("GET", "/events"), ("GET", "/own"), ("GET", "/stream"))


def event(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "1.2.3.4", "userAgent": "x"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "example.com", "content-type": "application/json"},
        "requestContext": {"http": http, "stage": "$default", "domainName": "example.com"},
        "body": body,
        "isBase64Encoded": False,
    }


asyncio.set_event_loop(asyncio.new_event_loop())
handler = Mangum(app)
for one in (event("POST", "/items/3", '{"a": 1}'), event("POST", "/items/x", "[]"), event("POST", "/items/0", "{}")):
    print(handler(one, {}))
print(handler(event("GET", "/nowhere"), {}))

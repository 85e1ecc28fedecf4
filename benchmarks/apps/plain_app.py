"""An ASGI application by hand that is its server's load and nothing else: a greeting, and an upload that is counted.

It asks nothing of a request but its path, so what differs between two servers of it is what the protocols take.
"""

from typing import Any

from pydantic_core import to_json

from .data import calls

_JSON = (b"content-type", b"application/json")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer by path."""
    path = scope["path"]
    if path == "/upload":
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            more = message["more_body"]
        body = b"%d" % size
    else:
        body = to_json(calls) if path == "/calls" else b'{"message":"Hello, world"}'
    if path != "/calls":
        calls[path[1:]] += 1
    headers = [(b"content-length", b"%d" % len(body)), _JSON]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""What a hand-written ASGI application needs: reading a request, making an answer, finding a handler."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from pydantic_core import to_json

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes | AsyncIterator[bytes]]
Handler = Callable[[Scope, Receive, str], Awaitable[Answer]]


def reply(status: int, content_type: bytes, body: bytes, *extra: tuple[bytes, bytes]) -> Answer:
    """An answer with a body of a known length."""
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", content_type), *extra]
    return status, headers, body


def json_reply(value: Any, status: int = 200, *extra: tuple[bytes, bytes]) -> Answer:
    """An answer in JSON."""
    return reply(status, b"application/json", to_json(value), *extra)


def header(scope: Scope, wanted: bytes) -> str | None:
    """The first header of a name in lower case."""
    for name, value in scope["headers"]:
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return None


async def read_body(receive: Receive) -> bytes:
    """The whole body."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


async def lifespan(receive: Receive, send: Send) -> None:
    """Start and stop, without doing anything."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def routes(found: Iterable[tuple[str, str, Handler]]) -> dict[str, tuple[str, Handler]]:
    """A table of methods and handlers by path."""
    return {path: (method, handler) for method, path, handler in found}


def application(
    exact: Mapping[str, tuple[str, Handler]], with_last_segment: Mapping[str, tuple[str, Handler]] | None = None
) -> App:
    """The ASGI application of two tables: of whole paths, and of paths before their last segment."""
    before_last = with_last_segment or {}

    async def answer(scope: Scope, receive: Receive) -> Answer:
        path: str = scope["path"]
        rest = ""
        found = exact.get(path)
        if found is None:
            start, _, rest = path.rpartition("/")
            found = before_last.get(start)
            if found is None:
                return json_reply({"detail": "Not Found"}, 404)
        method, handler = found
        if scope["method"] != method:
            return json_reply({"detail": "Method Not Allowed"}, 405, (b"allow", method.encode()))
        return await handler(scope, receive, rest)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        status, headers, body = await answer(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body})
            return
        async for chunk in body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app

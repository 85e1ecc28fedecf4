"""The service written by hand on bare ASGI: what an expert would write who wants no framework.

It does the same work: routes by path and method (404 and 405 included), reads and validates every parameter and body
with pydantic-core, validates what it answers, closes what it opened, and runs the blocking handler in a worker thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from anyio.to_thread import run_sync
from pydantic import ValidationError
from pydantic_core import to_json

from . import checked
from .data import SECTIONS, THINGS, calls

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Handler = Callable[[Scope, Receive, str], Awaitable[Answer]]


def _reply(status: int, content_type: bytes, body: bytes, *extra: tuple[bytes, bytes]) -> Answer:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", content_type), *extra]
    return status, headers, body


def _json(value: Any, status: int = 200, *extra: tuple[bytes, bytes]) -> Answer:
    return _reply(status, b"application/json", to_json(value), *extra)


def _invalid(error: ValidationError, source: str) -> Answer:
    return _reply(422, b"application/json", checked.problems(error, source))


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return None


def _query(scope: Scope) -> dict[str, str]:
    return checked.pairs(scope["query_string"])


def _cookies(scope: Scope) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (_header(scope, b"cookie") or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


async def plain(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Plain text."""
    calls["plain"] += 1
    return _reply(200, b"text/plain; charset=utf-8", b"Hello, world")


async def hello(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A JSON greeting."""
    calls["hello"] += 1
    return _json({"message": "Hello, world"})


async def pause(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return _json({"message": "Hello, world"})


def _greet() -> dict[str, str]:
    calls["thread"] += 1
    return {"message": "Hello, world"}


async def thread(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A greeting made in a worker thread."""
    return _json(await run_sync(_greet))


def read_params(scope: Scope, item_id: str) -> Any:
    """Read and validate the parameters of `params`. Raises `ValidationError`."""
    query = _query(scope)
    given = checked.present(
        item_id=item_id,
        q=query.get("q"),
        limit=query.get("limit"),
        tag=_header(scope, b"x-request-tag"),
        session=_cookies(scope).get("session"),
    )
    return checked.PARAMS.validate_python(given)


async def params(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A path, two query, a header and a cookie parameter."""
    try:
        value = read_params(scope, rest)
    except ValidationError as error:
        return _invalid(error, "parameters")
    calls["params"] += 1
    return _json(value)


async def login(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A urlencoded form."""
    try:
        return _json(checked.login(await _body(receive)))
    except ValidationError as error:
        return _invalid(error, "body")


async def order(scope: Scope, receive: Receive, rest: str) -> Answer:
    """An order, validated, and its receipt, validated too."""
    try:
        return _reply(201, b"application/json", checked.receipt_json(await _body(receive)))
    except ValidationError as error:
        return _invalid(error, "body")


async def guarded(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A session that is closed again, a bearer token, a role."""
    try:
        return _json(checked.guarded(_header(scope, b"authorization")))
    except checked.Refused as refused:
        extra = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        return _json({"detail": refused.detail}, refused.status, *extra)


async def products(scope: Scope, receive: Receive, rest: str) -> Answer:
    """50 models, validated as a response model is and serialised."""
    try:
        return _reply(200, b"application/json", checked.products_json(_query(scope)))
    except ValidationError as error:
        return _invalid(error, "query")


async def thing(scope: Scope, receive: Receive, rest: str) -> Answer:
    """One of 500 routes."""
    try:
        return _json(checked.thing(rest))
    except ValidationError as error:
        return _invalid(error, "path")


async def show_calls(scope: Scope, receive: Receive, rest: str) -> Answer:
    """The counters."""
    return _json(calls)


def _table(routes: Iterable[tuple[str, str, Handler]]) -> dict[str, tuple[str, Handler]]:
    return {path: (method, handler) for method, path, handler in routes}


EXACT = _table(
    [
        ("GET", "/plain", plain),
        ("GET", "/hello", hello),
        ("GET", "/pause", pause),
        ("GET", "/thread", thread),
        ("POST", "/login", login),
        ("POST", "/orders", order),
        ("GET", "/guarded", guarded),
        ("GET", "/products", products),
        ("GET", "/calls", show_calls),
    ]
)
WITH_LAST_SEGMENT = _table(
    [("GET", "/items", params)] + [("GET", f"/{section}/{name}", thing) for section in SECTIONS for name in THINGS]
)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(scope: Scope, receive: Receive) -> Answer:
    path: str = scope["path"]
    rest = ""
    found = EXACT.get(path)
    if found is None:
        start, _, rest = path.rpartition("/")
        found = WITH_LAST_SEGMENT.get(start)
        if found is None:
            return _json({"detail": "Not Found"}, 404)
    method, handler = found
    if scope["method"] != method:
        return _json({"detail": "Method Not Allowed"}, 405, (b"allow", method.encode()))
    return await handler(scope, receive, rest)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    status, headers, body = await _answer(scope, receive)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def middleware_app(scope: Scope, receive: Receive, send: Send) -> None:
    """The same with a middleware that counts and adds a header."""

    async def marked(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"x-served-by", b"benchmark"))
        await send(message)

    if scope["type"] == "http" and scope["path"] == "/hello":
        calls["mark"] += 1
        await app(scope, receive, marked)
    else:
        await app(scope, receive, send)

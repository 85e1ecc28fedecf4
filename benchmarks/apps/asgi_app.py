"""The service written by hand on bare ASGI: what an expert would write who wants no framework.

It does the same work: routes by path and method (404 and 405 included), reads and validates every parameter and body
with pydantic-core, validates what it answers, closes what it opened, and runs the blocking handler in a worker thread.
"""

import asyncio
from typing import Any

from anyio.to_thread import run_sync
from pydantic import ValidationError

from . import checked
from .bare.serving import Answer, Receive, Scope, Send, application, header, json_reply, read_body, reply, routes
from .data import SECTIONS, THINGS, calls


def _invalid(error: ValidationError, source: str) -> Answer:
    return reply(422, b"application/json", checked.problems(error, source))


def _query(scope: Scope) -> dict[str, str]:
    return checked.pairs(scope["query_string"])


def _cookies(scope: Scope) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (header(scope, b"cookie") or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


async def plain(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Plain text."""
    calls["plain"] += 1
    return reply(200, b"text/plain; charset=utf-8", b"Hello, world")


async def hello(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A JSON greeting."""
    calls["hello"] += 1
    return json_reply({"message": "Hello, world"})


async def pause(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return json_reply({"message": "Hello, world"})


def _greet() -> dict[str, str]:
    calls["thread"] += 1
    return {"message": "Hello, world"}


async def thread(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A greeting made in a worker thread."""
    return json_reply(await run_sync(_greet))


def read_params(scope: Scope, item_id: str) -> Any:
    """Read and validate the parameters of `params`. Raises `ValidationError`."""
    query = _query(scope)
    given = checked.present(
        item_id=item_id,
        q=query.get("q"),
        limit=query.get("limit"),
        tag=header(scope, b"x-request-tag"),
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
    return json_reply(value)


async def login(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A urlencoded form."""
    try:
        return json_reply(checked.login(await read_body(receive)))
    except ValidationError as error:
        return _invalid(error, "body")


async def order(scope: Scope, receive: Receive, rest: str) -> Answer:
    """An order, validated, and its receipt, validated too."""
    try:
        return reply(201, b"application/json", checked.receipt_json(await read_body(receive)))
    except ValidationError as error:
        return _invalid(error, "body")


async def guarded(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A session that is closed again, a bearer token, a role."""
    try:
        return json_reply(checked.guarded(header(scope, b"authorization")))
    except checked.Refused as refused:
        extra = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        return json_reply({"detail": refused.detail}, refused.status, *extra)


async def products(scope: Scope, receive: Receive, rest: str) -> Answer:
    """50 models, validated as a response model is and serialised."""
    try:
        return reply(200, b"application/json", checked.products_json(_query(scope)))
    except ValidationError as error:
        return _invalid(error, "query")


async def thing(scope: Scope, receive: Receive, rest: str) -> Answer:
    """One of 500 routes."""
    try:
        return json_reply(checked.thing(rest))
    except ValidationError as error:
        return _invalid(error, "path")


async def show_calls(scope: Scope, receive: Receive, rest: str) -> Answer:
    """The counters."""
    return json_reply(calls)


EXACT = routes(
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
WITH_LAST_SEGMENT = routes(
    [("GET", "/items", params)] + [("GET", f"/{section}/{name}", thing) for section in SECTIONS for name in THINGS]
)


app = application(EXACT, WITH_LAST_SEGMENT)
"""The ASGI application."""


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

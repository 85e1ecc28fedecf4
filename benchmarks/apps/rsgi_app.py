"""The service written by hand on Granian's RSGI, as `asgi_app` is on ASGI."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anyio.to_thread import run_sync
from pydantic import ValidationError
from pydantic_core import to_json

from . import checked
from .data import SECTIONS, THINGS, calls

Answer = tuple[int, list[tuple[str, str]], bytes]
Handler = Callable[[Any, Any, str], Awaitable[Answer]]
"""Takes RSGI's scope and protocol, and the last segment of the path."""

JSON_HEADERS = [("content-type", "application/json")]
TEXT_HEADERS = [("content-type", "text/plain; charset=utf-8")]


def _json(value: Any) -> Answer:
    return 200, JSON_HEADERS, to_json(value)


def _query(scope: Any) -> dict[str, str]:
    return checked.pairs(scope.query_string.encode("latin-1"))


def _cookies(scope: Any) -> dict[str, str]:
    parts = (part.partition("=") for part in scope.headers.get("cookie", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in parts}


async def plain(scope: Any, protocol: Any, rest: str) -> Answer:
    """Plain text."""
    calls["plain"] += 1
    return 200, TEXT_HEADERS, b"Hello, world"


async def hello(scope: Any, protocol: Any, rest: str) -> Answer:
    """A JSON greeting."""
    calls["hello"] += 1
    return _json({"message": "Hello, world"})


async def pause(scope: Any, protocol: Any, rest: str) -> Answer:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return _json({"message": "Hello, world"})


def _greet() -> dict[str, str]:
    calls["thread"] += 1
    return {"message": "Hello, world"}


async def thread(scope: Any, protocol: Any, rest: str) -> Answer:
    """A greeting made in a worker thread."""
    return _json(await run_sync(_greet))


async def params(scope: Any, protocol: Any, rest: str) -> Answer:
    """A path, two query, a header and a cookie parameter."""
    query = _query(scope)
    given = checked.present(
        item_id=rest,
        q=query.get("q"),
        limit=query.get("limit"),
        tag=scope.headers.get("x-request-tag"),
        session=_cookies(scope).get("session"),
    )
    value = checked.PARAMS.validate_python(given)
    calls["params"] += 1
    return _json(value)


async def login(scope: Any, protocol: Any, rest: str) -> Answer:
    """A urlencoded form."""
    return _json(checked.login(await protocol()))


async def order(scope: Any, protocol: Any, rest: str) -> Answer:
    """An order and its receipt."""
    return 201, JSON_HEADERS, checked.receipt_json(await protocol())


async def guarded(scope: Any, protocol: Any, rest: str) -> Answer:
    """A session that is closed again, a bearer token, a role."""
    return _json(checked.guarded(scope.headers.get("authorization")))


async def products(scope: Any, protocol: Any, rest: str) -> Answer:
    """50 models."""
    return 200, JSON_HEADERS, checked.products_json(_query(scope))


async def thing(scope: Any, protocol: Any, rest: str) -> Answer:
    """One of 500 routes."""
    return _json(checked.thing(rest))


async def show_calls(scope: Any, protocol: Any, rest: str) -> Answer:
    """The counters."""
    return _json(calls)


EXACT: dict[str, tuple[str, str, Handler]] = {
    "/plain": ("GET", "", plain),
    "/hello": ("GET", "", hello),
    "/pause": ("GET", "", pause),
    "/thread": ("GET", "", thread),
    "/login": ("POST", "body", login),
    "/orders": ("POST", "body", order),
    "/guarded": ("GET", "", guarded),
    "/products": ("GET", "query", products),
    "/calls": ("GET", "", show_calls),
}
"""Paths: the method, where what can be invalid comes from, and the handler."""

WITH_LAST_SEGMENT: dict[str, tuple[str, str, Handler]] = {
    "/items": ("GET", "parameters", params),
    **{f"/{section}/{name}": ("GET", "path", thing) for section in SECTIONS for name in THINGS},
}


async def _answer(scope: Any, protocol: Any) -> Answer:
    rest = ""
    found = EXACT.get(scope.path)
    if found is None:
        start, _, rest = scope.path.rpartition("/")
        found = WITH_LAST_SEGMENT.get(start)
        if found is None:
            return 404, JSON_HEADERS, b'{"detail":"Not Found"}'
    method, source, handler = found
    if scope.method != method:
        return 405, [*JSON_HEADERS, ("allow", method)], b'{"detail":"Method Not Allowed"}'
    try:
        return await handler(scope, protocol, rest)
    except ValidationError as error:
        return 422, JSON_HEADERS, checked.problems(error, source)
    except checked.Refused as refused:
        return refused.status, [*JSON_HEADERS, *refused.headers.items()], to_json({"detail": refused.detail})


async def app(scope: Any, protocol: Any) -> None:
    """The RSGI application."""
    status, headers, body = await _answer(scope, protocol)
    protocol.response_bytes(status, headers, body)


async def middleware_app(scope: Any, protocol: Any) -> None:
    """The same with a middleware that counts and adds a header."""
    status, headers, body = await _answer(scope, protocol)
    if scope.path == "/hello":
        calls["mark"] += 1
        headers = [*headers, ("x-served-by", "benchmark")]
    protocol.response_bytes(status, headers, body)

"""The service written by hand on bare ASGI: what an expert would write who wants no framework.

It does the same work: routes by path and method (404 and 405 included), reads and validates every parameter and body
with pydantic-core, validates what it answers, closes what it opened, and runs the blocking handler in a worker thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict

from .data import CATALOGUE, SECTIONS, THINGS, USERS, Order, Product, Receipt, calls, receipt

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Handler = Callable[[Scope, Receive, str], Awaitable[Answer]]


class Params(TypedDict):
    """The parameters of `/items/{item_id}`."""

    item_id: Annotated[int, Field(ge=0)]
    q: Annotated[str, Field(min_length=1, max_length=50)]
    limit: Annotated[int, Field(ge=1, le=100)]
    tag: str
    session: str


class Login(TypedDict):
    """The fields of the login form."""

    username: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=8)]


class Start(TypedDict):
    """The parameter of `/products`."""

    start: int


PARAMS = TypeAdapter(Params).validator
LOGIN = TypeAdapter(Login).validator
START = TypeAdapter(Start).validator
NUMBER = TypeAdapter(int).validator
PRODUCTS = TypeAdapter(list[Product])
ORDER = Order.__pydantic_validator__
RECEIPT = Receipt.__pydantic_validator__
RECEIPT_JSON = Receipt.__pydantic_serializer__


def _reply(status: int, content_type: bytes, body: bytes, *extra: tuple[bytes, bytes]) -> Answer:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", content_type), *extra]
    return status, headers, body


def _json(value: Any, status: int = 200, *extra: tuple[bytes, bytes]) -> Answer:
    return _reply(status, b"application/json", to_json(value), *extra)


def _invalid(error: ValidationError, source: str) -> Answer:
    detail = [{**item, "loc": (source, *item["loc"])} for item in error.errors(include_url=False)]
    return _json({"detail": detail}, 422)


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return None


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def _cookies(scope: Scope) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (_header(scope, b"cookie") or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _present(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


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
    given = _present(
        item_id=item_id,
        q=query.get("q"),
        limit=query.get("limit"),
        tag=_header(scope, b"x-request-tag"),
        session=_cookies(scope).get("session"),
    )
    return PARAMS.validate_python(given)


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
    fields = dict(parse_qsl((await _body(receive)).decode("latin-1"), keep_blank_values=True))
    try:
        form = LOGIN.validate_python(fields)
    except ValidationError as error:
        return _invalid(error, "body")
    calls["login"] += 1
    return _json({"username": form["username"], "length": len(form["password"])})


async def order(scope: Scope, receive: Receive, rest: str) -> Answer:
    """An order, validated, and its receipt, validated too."""
    try:
        asked = ORDER.validate_json(await _body(receive))
    except ValidationError as error:
        return _invalid(error, "body")
    calls["order"] += 1
    answer = RECEIPT.validate_python(receipt(asked))
    return _reply(201, b"application/json", RECEIPT_JSON.to_json(answer))


async def guarded(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A session that is closed again, a bearer token, a role."""
    calls["session opened"] += 1
    try:
        scheme, _, token = (_header(scope, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return _json({"detail": "Not authenticated"}, 401, (b"www-authenticate", b"Bearer"))
        user = USERS.get(token)
        if user is None:
            return _json({"detail": "Unknown token"}, 401)
        calls["user"] += 1
        if user["role"] != "staff":
            return _json({"detail": "Not for you"}, 403)
        calls["guarded"] += 1
        return _json({"id": user["id"], "name": user["name"]})
    finally:
        calls["session closed"] += 1


async def products(scope: Scope, receive: Receive, rest: str) -> Answer:
    """50 models, validated as a response model is and serialised."""
    try:
        start = START.validate_python(_query(scope))["start"]
    except ValidationError as error:
        return _invalid(error, "query")
    calls["products"] += 1
    chosen = PRODUCTS.validate_python(CATALOGUE[start : start + 50])
    return _reply(200, b"application/json", PRODUCTS.dump_json(chosen))


async def thing(scope: Scope, receive: Receive, rest: str) -> Answer:
    """One of 500 routes."""
    try:
        number = NUMBER.validate_python(rest)
    except ValidationError as error:
        return _invalid(error, "path")
    calls["thing"] += 1
    return _json({"number": number})


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

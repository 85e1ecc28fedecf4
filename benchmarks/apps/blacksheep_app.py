"""The service on BlackSheep, with its own bindings; pydantic checks ranges and lengths, which they can't."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anyio.to_thread import run_sync
from blacksheep import Application, Content, FromCookie, FromForm, FromHeader, FromJSON, FromQuery, Request, Response
from blacksheep.server.bindings import InvalidRequestBody
from blacksheep.server.responses import json, text
from blacksheep.server.routing import Router
from pydantic import BaseModel, Field, ValidationError

from . import checked
from .data import CATALOGUE, SECTIONS, THINGS, Order, Receipt, calls, receipt


class Form(BaseModel):
    """The fields of the login form."""

    username: str = Field(min_length=1)
    password: str = Field(min_length=8)


class FromTag(FromHeader[str]):
    """The header of `params`."""

    name = "X-Request-Tag"


class FromSession(FromCookie[str]):
    """The cookie of `params`."""

    name = "session"


class FromAuthorization(FromHeader[str | None]):
    """The header that has the token."""

    name = "Authorization"


def _document(body: bytes, status: int = 200) -> Response:
    return Response(status, content=Content(b"application/json", body))


async def plain() -> Response:
    """Plain text."""
    calls["plain"] += 1
    return text("Hello, world")


async def hello() -> Response:
    """A JSON greeting."""
    calls["hello"] += 1
    return json({"message": "Hello, world"})


async def pause() -> Response:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return json({"message": "Hello, world"})


def _greet() -> dict[str, str]:
    calls["thread"] += 1
    return {"message": "Hello, world"}


async def thread() -> Response:
    """A greeting made in a worker thread."""
    return json(await run_sync(_greet))


async def params(
    item_id: int, q: FromQuery[str], limit: FromQuery[int], tag: FromTag, session: FromSession
) -> Response:
    """A path, two query, a header and a cookie parameter."""
    value = checked.PARAMS.validate_python(
        {"item_id": item_id, "q": q.value, "limit": limit.value, "tag": tag.value, "session": session.value}
    )
    calls["params"] += 1
    return json(value)


async def login(form: FromForm[Form]) -> Response:
    """A urlencoded form."""
    calls["login"] += 1
    return json({"username": form.value.username, "length": len(form.value.password)})


async def order(order: FromJSON[Order]) -> Response:
    """An order and its receipt."""
    calls["order"] += 1
    return _document(Receipt.model_validate(receipt(order.value)).model_dump_json().encode(), 201)


async def guarded(authorization: FromAuthorization) -> Response:
    """A session that is closed again, a bearer token, a role."""
    return json(checked.guarded(authorization.value))


async def products(start: FromQuery[int]) -> Response:
    """50 models."""
    calls["products"] += 1
    chosen = checked.PRODUCTS.validate_python(CATALOGUE[start.value : start.value + 50])
    return _document(checked.PRODUCTS.dump_json(chosen))


async def thing(number: int) -> Response:
    """One of 500 routes."""
    calls["thing"] += 1
    return json({"number": number})


async def show_calls() -> Response:
    """The counters."""
    return json(dict(calls))


async def invalid(app: Application, request: Request, error: ValidationError) -> Response:
    """Name what was wrong with the parameters."""
    return _document(checked.problems(error, "parameters"), 422)


async def invalid_body(app: Application, request: Request, error: InvalidRequestBody) -> Response:
    """Name what was wrong with the body: BlackSheep's error comes from pydantic's."""
    cause = error.__context__
    if isinstance(cause, ValidationError):
        return _document(checked.problems(cause, "body"), 422)
    return json({"detail": str(error)}, 422)


async def refused(app: Application, request: Request, error: checked.Refused) -> Response:
    """What the guard says."""
    response = json({"detail": error.detail}, error.status)
    for name, value in error.headers.items():
        response.add_header(name.encode(), value.encode())
    return response


async def mark(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    """A middleware function."""
    if request.path == "/hello":
        calls["mark"] += 1
    response = await handler(request)
    response.add_header(b"x-served-by", b"benchmark")
    return response


def _make() -> Any:
    made = Application(router=Router())
    made.router.add_get("/hello", hello)
    made.router.add_get("/calls", show_calls)
    return made


app = _make()
app.exceptions_handlers[ValidationError] = invalid
app.exceptions_handlers[InvalidRequestBody] = invalid_body
app.exceptions_handlers[checked.Refused] = refused
app.router.add_get("/plain", plain)
app.router.add_get("/pause", pause)
app.router.add_get("/thread", thread)
app.router.add_get("/items/{item_id}", params)
app.router.add_post("/login", login)
app.router.add_post("/orders", order)
app.router.add_get("/guarded", guarded)
app.router.add_get("/products", products)
for section in SECTIONS:
    for name in THINGS:
        app.router.add_get(f"/{section}/{name}/{{number}}", thing)

middleware_app = _make()
middleware_app.middlewares.append(mark)

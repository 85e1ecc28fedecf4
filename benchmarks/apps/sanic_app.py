"""The service on Sanic and its own server; pydantic checks what Sanic leaves to its user."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anyio.to_thread import run_sync
from pydantic import ValidationError
from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import json, raw, text

from . import checked
from .data import SECTIONS, THINGS, calls

Handler = Callable[..., Awaitable[HTTPResponse]]

app = Sanic("benchmark")
middleware_app = Sanic("benchmark-middleware")


def _document(body: bytes, status: int = 200) -> HTTPResponse:
    return raw(body, status, content_type="application/json")


def _checking(source: str) -> Callable[[Handler], Handler]:
    """Answer 422 to what the handler found invalid in `source`."""

    def decorate(handler: Handler) -> Handler:
        async def checking(request: Request, **parts: str) -> HTTPResponse:
            try:
                return await handler(request, **parts)
            except ValidationError as error:
                return _document(checked.problems(error, source), 422)

        checking.__name__ = handler.__name__
        return checking

    return decorate


@app.get("/plain")
async def plain(request: Request) -> HTTPResponse:
    """Plain text."""
    calls["plain"] += 1
    return text("Hello, world")


@app.get("/hello")
@middleware_app.get("/hello")
async def hello(request: Request) -> HTTPResponse:
    """A JSON greeting."""
    calls["hello"] += 1
    return json({"message": "Hello, world"})


@app.get("/pause")
async def pause(request: Request) -> HTTPResponse:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return json({"message": "Hello, world"})


def _greet() -> dict[str, str]:
    calls["thread"] += 1
    return {"message": "Hello, world"}


@app.get("/thread")
async def thread(request: Request) -> HTTPResponse:
    """A greeting made in a worker thread."""
    return json(await run_sync(_greet))


@app.get("/items/<item_id:str>")
@_checking("parameters")
async def params(request: Request, item_id: str) -> HTTPResponse:
    """A path, two query, a header and a cookie parameter."""
    given = checked.present(
        item_id=item_id,
        q=request.args.get("q"),
        limit=request.args.get("limit"),
        tag=request.headers.get("x-request-tag"),
        session=request.cookies.get("session"),
    )
    value = checked.PARAMS.validate_python(given)
    calls["params"] += 1
    return json(value)


@app.post("/login")
@_checking("body")
async def login(request: Request) -> HTTPResponse:
    """A urlencoded form."""
    fields = request.form or {}
    form = checked.LOGIN.validate_python({name: values[-1] for name, values in fields.items()})
    calls["login"] += 1
    return json({"username": form["username"], "length": len(form["password"])})


@app.post("/orders")
@_checking("body")
async def order(request: Request) -> HTTPResponse:
    """An order and its receipt."""
    return _document(checked.receipt_json(request.body), 201)


@app.get("/guarded")
async def guarded(request: Request) -> HTTPResponse:
    """A session that is closed again, a bearer token, a role."""
    return json(checked.guarded(request.headers.get("authorization")))


@app.exception(checked.Refused)
async def refused(request: Request, error: checked.Refused) -> HTTPResponse:
    """What the guard says."""
    return json({"detail": error.detail}, error.status, error.headers)


@app.get("/products")
@_checking("query")
async def products(request: Request) -> HTTPResponse:
    """50 models."""
    return _document(checked.products_json(checked.present(start=request.args.get("start"))))


@app.get("/calls")
@middleware_app.get("/calls")
async def show_calls(request: Request) -> HTTPResponse:
    """The counters."""
    return json(dict(calls))


@middleware_app.on_request
async def count(request: Request) -> None:
    """The first half of the middleware."""
    if request.path == "/hello":
        calls["mark"] += 1


@middleware_app.on_response
async def mark(request: Request, response: Any) -> None:
    """The second half."""
    response.headers["x-served-by"] = "benchmark"


def _section(section: str) -> Blueprint:
    blueprint = Blueprint(section, url_prefix=section)
    for name in THINGS:

        @blueprint.get(f"/{name}/<number:str>", name=name)
        @_checking("path")
        async def thing(request: Request, number: str) -> HTTPResponse:
            return json(checked.thing(number))

    return blueprint


for each in SECTIONS:
    app.blueprint(_section(each))

"""The service on Starlette, which leaves validation and dependencies to its user."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from . import checked
from .data import SECTIONS, THINGS, calls

Endpoint = Callable[[Request], Awaitable[Response]]


def _document(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


def _checking(source: str) -> Callable[[Endpoint], Endpoint]:
    """Answer 422 to what the endpoint found invalid in `source`."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        async def checking(request: Request) -> Response:
            try:
                return await endpoint(request)
            except ValidationError as error:
                return _document(checked.problems(error, source), 422)

        return checking

    return decorate


async def plain(request: Request) -> Response:
    """Plain text."""
    calls["plain"] += 1
    return PlainTextResponse("Hello, world")


async def hello(request: Request) -> Response:
    """A JSON greeting."""
    calls["hello"] += 1
    return JSONResponse({"message": "Hello, world"})


async def pause(request: Request) -> Response:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return JSONResponse({"message": "Hello, world"})


def thread(request: Request) -> Response:
    """A greeting made in a worker thread."""
    calls["thread"] += 1
    return JSONResponse({"message": "Hello, world"})


@_checking("parameters")
async def params(request: Request) -> Response:
    """A path, two query, a header and a cookie parameter."""
    query = request.query_params
    given = checked.present(
        item_id=request.path_params["item_id"],
        q=query.get("q"),
        limit=query.get("limit"),
        tag=request.headers.get("x-request-tag"),
        session=request.cookies.get("session"),
    )
    value = checked.PARAMS.validate_python(given)
    calls["params"] += 1
    return JSONResponse(value)


@_checking("body")
async def login(request: Request) -> Response:
    """A urlencoded form."""
    async with request.form() as fields:
        form = checked.LOGIN.validate_python(dict(fields))
    calls["login"] += 1
    return JSONResponse({"username": form["username"], "length": len(form["password"])})


@_checking("body")
async def order(request: Request) -> Response:
    """An order and its receipt."""
    return _document(checked.receipt_json(await request.body()), 201)


async def guarded(request: Request) -> Response:
    """A session that is closed again, a bearer token, a role."""
    return JSONResponse(checked.guarded(request.headers.get("authorization")))


async def refused(request: Request, error: Any) -> Response:
    """What the guard says."""
    return JSONResponse({"detail": error.detail}, error.status, error.headers)


@_checking("query")
async def products(request: Request) -> Response:
    """50 models."""
    return _document(checked.products_json(request.query_params))


@_checking("path")
async def thing(request: Request) -> Response:
    """One of 500 routes."""
    return JSONResponse(checked.thing(request.path_params["number"]))


async def show_calls(request: Request) -> Response:
    """The counters."""
    return JSONResponse(calls)


async def mark(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """A middleware function."""
    calls["mark"] += 1
    response = await call_next(request)
    response.headers["x-served-by"] = "benchmark"
    return response


GREETINGS = [Route("/hello", hello), Route("/calls", show_calls)]

app = Starlette(
    routes=[
        Route("/plain", plain),
        *GREETINGS,
        Route("/pause", pause),
        Route("/thread", thread),
        Route("/items/{item_id}", params),
        Route("/login", login, methods=["POST"]),
        Route("/orders", order, methods=["POST"]),
        Route("/guarded", guarded),
        Route("/products", products),
        *(
            Mount(f"/{section}", routes=[Route(f"/{name}/{{number}}", thing) for name in THINGS])
            for section in SECTIONS
        ),
    ],
    exception_handlers={checked.Refused: refused},
)
middleware_app = Starlette(routes=GREETINGS, middleware=[Middleware(BaseHTTPMiddleware, dispatch=mark)])

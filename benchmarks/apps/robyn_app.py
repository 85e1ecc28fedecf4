"""The service on Robyn and its own server; pydantic checks what Robyn leaves to its user.

`python -m benchmarks.apps.robyn_app app|middleware_app PORT` serves it, in one process with one worker.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from robyn import Request, Response, Robyn, SubRouter

from . import checked
from .data import SECTIONS, THINGS, calls

JSON_HEADERS = {"content-type": "application/json"}
TEXT_HEADERS = {"content-type": "text/plain; charset=utf-8"}
Handler = Callable[[Request], Awaitable[Any]]


def _document(body: bytes, status: int = 200, headers: dict[str, str] = JSON_HEADERS) -> Response:
    return Response(status, headers, body)


def _checking(source: str) -> Callable[[Handler], Handler]:
    """Answer 422 to what the handler found invalid in `source`."""

    def decorate(handler: Handler) -> Handler:
        async def checking(request: Request) -> Any:
            try:
                return await handler(request)
            except ValidationError as error:
                return _document(checked.problems(error, source), 422)

        return checking

    return decorate


def _query(request: Request, name: str) -> str | None:
    """A value of the query string; Robyn leaves its plus signs as they are."""
    value = request.query_params.get(name, None)
    return value if value is None else value.replace("+", " ")


def _cookies(request: Request) -> dict[str, str]:
    parts = (part.partition("=") for part in (request.headers.get("cookie") or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in parts}


def _body(request: Request) -> bytes:
    body = request.body
    return body.encode() if isinstance(body, str) else bytes(body)


async def plain(request: Request) -> Response:
    """Plain text."""
    calls["plain"] += 1
    return Response(200, TEXT_HEADERS, "Hello, world")


async def hello(request: Request) -> Any:
    """A JSON greeting."""
    calls["hello"] += 1
    return _document(to_json({"message": "Hello, world"}))


async def pause(request: Request) -> Any:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return _document(to_json({"message": "Hello, world"}))


def thread(request: Request) -> Any:
    """A greeting made in a worker thread."""
    calls["thread"] += 1
    return _document(to_json({"message": "Hello, world"}))


@_checking("parameters")
async def params(request: Request) -> Any:
    """A path, two query, a header and a cookie parameter."""
    given = checked.present(
        item_id=request.path_params["item_id"],
        q=_query(request, "q"),
        limit=_query(request, "limit"),
        tag=request.headers.get("x-request-tag"),
        session=_cookies(request).get("session"),
    )
    value = checked.PARAMS.validate_python(given)
    calls["params"] += 1
    return _document(to_json(value))


@_checking("body")
async def login(request: Request) -> Any:
    """A urlencoded form."""
    return _document(to_json(checked.login(_body(request))))


@_checking("body")
async def order(request: Request) -> Any:
    """An order and its receipt."""
    return _document(checked.receipt_json(_body(request)), 201)


async def guarded(request: Request) -> Any:
    """A session that is closed again, a bearer token, a role."""
    try:
        return _document(to_json(checked.guarded(request.headers.get("authorization"))))
    except checked.Refused as refused:
        return _document(to_json({"detail": refused.detail}), refused.status, JSON_HEADERS | refused.headers)


@_checking("query")
async def products(request: Request) -> Any:
    """50 models."""
    return _document(checked.products_json(checked.present(start=_query(request, "start"))))


@_checking("path")
async def thing(request: Request) -> Any:
    """One of 500 routes."""
    return _document(to_json(checked.thing(request.path_params["number"])))


async def show_calls(request: Request) -> Any:
    """The counters."""
    return _document(to_json(calls))


def count(request: Request) -> Request:
    """The first half of the middleware."""
    calls["mark"] += 1
    return request


def mark(response: Response) -> Response:
    """The second half."""
    response.headers.set("x-served-by", "benchmark")
    return response


def make() -> Robyn:
    """The application of all cases but the middleware's."""
    made = Robyn(__file__)
    for path, handler in (
        ("/plain", plain),
        ("/hello", hello),
        ("/pause", pause),
        ("/thread", thread),
        ("/items/:item_id", params),
        ("/guarded", guarded),
        ("/products", products),
        ("/calls", show_calls),
    ):
        made.get(path)(handler)
    made.post("/login")(login)
    made.post("/orders")(order)
    for section in SECTIONS:
        router = SubRouter(prefix=f"/{section}")
        for name in THINGS:
            router.get(f"/{name}/:number")(thing)
        made.include_router(router)
    return made


def make_with_middleware() -> Robyn:
    """A greeting with a middleware around it."""
    made = Robyn(__file__)
    made.get("/hello")(hello)
    made.get("/calls")(show_calls)
    made.before_request("/hello")(count)
    made.after_request("/hello")(mark)
    return made


def main() -> None:
    """Serve what the first argument names on the port that is the second."""
    which, port = sys.argv[1:3]
    del sys.argv[1:]  # Robyn reads the command line too
    logging.disable(logging.INFO)
    made = make_with_middleware() if which == "middleware_app" else make()
    made.start(host="127.0.0.1", port=int(port), _check_port=False)


if __name__ == "__main__":
    main()

"""The service on Falcon's ASGI side; pydantic checks what Falcon leaves to its user."""

import asyncio
import json
from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from falcon import MEDIA_JSON, MEDIA_TEXT
from falcon.asgi import App, Request, Response
from falcon.media import JSONHandler
from pydantic import ValidationError

from . import checked
from .data import SECTIONS, THINGS, calls


def _document(response: Response, body: bytes, status: int = 200) -> None:
    response.status = status
    response.content_type = MEDIA_JSON
    response.data = body


class Plain:
    """Plain text."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        calls["plain"] += 1
        response.content_type = MEDIA_TEXT
        response.text = "Hello, world"


class Hello:
    """A JSON greeting."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        calls["hello"] += 1
        response.media = {"message": "Hello, world"}


class Pause:
    """A greeting after one turn of the event loop."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        await asyncio.sleep(0)
        calls["pause"] += 1
        response.media = {"message": "Hello, world"}


class Thread:
    """A greeting made in a worker thread."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        response.media = await run_sync(self.greet)

    def greet(self) -> dict[str, str]:
        """What may block."""
        calls["thread"] += 1
        return {"message": "Hello, world"}


class Items:
    """A path, two query, a header and a cookie parameter."""

    async def on_get(self, request: Request, response: Response, item_id: str) -> None:
        """Answer."""
        given = checked.present(
            item_id=item_id,
            q=request.get_param("q"),
            limit=request.get_param("limit"),
            tag=request.get_header("x-request-tag"),
            session=request.cookies.get("session"),
        )
        try:
            value = checked.PARAMS.validate_python(given)
        except ValidationError as error:
            _document(response, checked.problems(error, "parameters"), 422)
            return
        calls["params"] += 1
        response.media = value


class Login:
    """A urlencoded form."""

    async def on_post(self, request: Request, response: Response) -> None:
        """Answer."""
        try:
            form = checked.LOGIN.validate_python(await request.get_media())
        except ValidationError as error:
            _document(response, checked.problems(error, "body"), 422)
            return
        calls["login"] += 1
        response.media = {"username": form["username"], "length": len(form["password"])}


class Orders:
    """An order and its receipt."""

    async def on_post(self, request: Request, response: Response) -> None:
        """Answer."""
        try:
            _document(response, checked.receipt_json(await request.stream.readall()), 201)
        except ValidationError as error:
            _document(response, checked.problems(error, "body"), 422)


class Guarded:
    """A session that is closed again, a bearer token, a role."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        response.media = checked.guarded(request.get_header("authorization"))


class Products:
    """50 models."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        try:
            _document(response, checked.products_json(checked.present(start=request.get_param("start"))))
        except ValidationError as error:
            _document(response, checked.problems(error, "query"), 422)


class Thing:
    """One of 500 routes."""

    async def on_get(self, request: Request, response: Response, number: str) -> None:
        """Answer."""
        try:
            response.media = checked.thing(number)
        except ValidationError as error:
            _document(response, checked.problems(error, "path"), 422)


class Calls:
    """The counters."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Answer."""
        response.media = dict(calls)


class Mark:
    """A middleware that counts and adds a header."""

    async def process_request(self, request: Request, response: Response) -> None:
        """Before routing."""
        if request.path == "/hello":
            calls["mark"] += 1

    async def process_response(self, request: Request, response: Response, resource: Any, succeeded: bool) -> None:
        """After the resource."""
        response.set_header("x-served-by", "benchmark")


async def refused(request: Request, response: Response, error: checked.Refused, params: Any) -> None:
    """What the guard says."""
    response.status = error.status
    response.set_headers(error.headers)
    response.media = {"detail": error.detail}


def _make(*middleware: Any) -> App:
    made = App(middleware=list(middleware))
    compact = JSONHandler(dumps=partial(json.dumps, separators=(",", ":"), ensure_ascii=False))
    made.resp_options.media_handlers[MEDIA_JSON] = compact
    made.add_route("/hello", Hello())
    made.add_route("/calls", Calls())
    return made


app = _make()
app.add_error_handler(checked.Refused, refused)
app.add_route("/plain", Plain())
app.add_route("/pause", Pause())
app.add_route("/thread", Thread())
app.add_route("/items/{item_id}", Items())
app.add_route("/login", Login())
app.add_route("/orders", Orders())
app.add_route("/guarded", Guarded())
app.add_route("/products", Products())
for section in SECTIONS:
    for name in THINGS:
        app.add_route(f"/{section}/{name}/{{number}}", Thing())

middleware_app = _make(Mark())

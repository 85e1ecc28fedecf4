"""The service on django-bolt, with its own parameters and msgspec; `bolt_serve` serves it.

The models are msgspec's, as django-bolt's documentation has them, with the fields and limits of the others.
"""

import asyncio
from typing import Annotated, Any

import msgspec
from django_bolt import BoltAPI
from django_bolt.middleware import BaseMiddleware
from django_bolt.param_functions import Cookie, Form, Header, Path, Query
from django_bolt.responses import JSON, PlainText
from msgspec import Meta

from . import checked
from .data import CATALOGUE, SECTIONS, THINGS, calls


class Customer(msgspec.Struct):
    """Who orders."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    email: Annotated[str, Meta(pattern=r"^[^@ ]+@[^@ ]+$")]
    country: Annotated[str, Meta(min_length=2, max_length=2)]


class OrderLine(msgspec.Struct):
    """One line of an order."""

    sku: Annotated[str, Meta(min_length=3, max_length=20)]
    quantity: Annotated[int, Meta(ge=1, le=999)]
    unit_cents: Annotated[int, Meta(ge=0)]


class Order(msgspec.Struct):
    """An order."""

    reference: Annotated[str, Meta(min_length=3, max_length=40)]
    customer: Customer
    lines: Annotated[list[OrderLine], Meta(min_length=1)]
    note: str = ""


class Login(msgspec.Struct):
    """The fields of the login form."""

    username: Annotated[str, Meta(min_length=1)]
    password: Annotated[str, Meta(min_length=8)]


class Receipt(msgspec.Struct):
    """The answer to an order."""

    reference: str
    lines: int
    total_cents: int


class Product(msgspec.Struct):
    """An entry of the catalogue."""

    id: int
    name: str
    price: float
    tags: list[str]
    in_stock: bool


PRODUCTS = [Product(**product.model_dump()) for product in CATALOGUE]

app = BoltAPI(enable_logging=False)


@app.get("/plain")
async def plain() -> PlainText:
    """Plain text."""
    calls["plain"] += 1
    return PlainText("Hello, world")


@app.get("/hello")
async def hello() -> dict[str, str]:
    """A JSON greeting."""
    calls["hello"] += 1
    return {"message": "Hello, world"}


@app.get("/pause")
async def pause() -> dict[str, str]:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return {"message": "Hello, world"}


@app.get("/thread")
def thread() -> dict[str, str]:
    """A greeting made in a worker thread."""
    calls["thread"] += 1
    return {"message": "Hello, world"}


@app.get("/items/{item_id}")
async def params(
    item_id: Annotated[int, Path(ge=0)],
    q: Annotated[str, Query(min_length=1, max_length=50)],
    limit: Annotated[int, Query(ge=1, le=100)],
    tag: Annotated[str, Header(alias="x-request-tag")],
    session: Annotated[str, Cookie()],
) -> dict[str, Any]:
    """A path, two query, a header and a cookie parameter."""
    calls["params"] += 1
    return {"item_id": item_id, "q": q, "limit": limit, "tag": tag, "session": session}


@app.post("/login", status_code=200)
async def login(form: Annotated[Login, Form()]) -> dict[str, Any]:
    """A urlencoded form."""
    calls["login"] += 1
    return {"username": form.username, "length": len(form.password)}


@app.post("/orders", status_code=201)
async def order(order: Order) -> Receipt:
    """An order and its receipt."""
    calls["order"] += 1
    total = sum(line.quantity * line.unit_cents for line in order.lines)
    return Receipt(order.reference, len(order.lines), total)


@app.get("/guarded")
async def guarded(authorization: Annotated[str | None, Header(alias="authorization")] = None) -> Any:
    """A session that is closed again (dependencies can't `yield` here), a bearer token, a role."""
    try:
        return checked.guarded(authorization)
    except checked.Refused as refused:
        return JSON({"detail": refused.detail}, status_code=refused.status, headers=refused.headers)


@app.get("/products")
async def products(start: int) -> list[Product]:
    """50 models."""
    calls["products"] += 1
    return PRODUCTS[start : start + 50]


def _add_thing(path: str) -> None:
    @app.get(path)
    async def thing(number: int) -> dict[str, int]:
        calls["thing"] += 1
        return {"number": number}


for section in SECTIONS:
    for name in THINGS:
        _add_thing(f"/{section}/{name}/{{number}}")


@app.get("/calls")
async def show_calls() -> dict[str, int]:
    """The counters."""
    return dict(calls)


class Mark(BaseMiddleware):
    """A middleware that counts and adds a header."""

    async def process_request(self, request: Any) -> Any:
        """Serve one request."""
        if request.path == "/hello":
            calls["mark"] += 1
        response = await self.get_response(request)
        response.headers["x-served-by"] = "benchmark"
        return response


middleware_app = BoltAPI(enable_logging=False, middleware=[Mark])
middleware_app.get("/hello")(hello)
middleware_app.get("/calls")(show_calls)

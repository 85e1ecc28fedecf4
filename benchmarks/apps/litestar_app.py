"""The service on Litestar, with its own parameters, dependencies and pydantic plugin."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.exceptions import ValidationException
from litestar.middleware import ASGIMiddleware
from litestar.params import Body, Parameter
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from pydantic import BaseModel, Field
from pydantic_core import to_json

from . import checked
from .data import CATALOGUE, SECTIONS, THINGS, USERS, Order, Product, Receipt, calls, receipt


class Form(BaseModel):
    """The fields of the login form."""

    username: str = Field(min_length=1)
    password: str = Field(min_length=8)


@get("/plain", media_type=MediaType.TEXT)
async def plain() -> str:
    """Plain text."""
    calls["plain"] += 1
    return "Hello, world"


@get("/hello")
async def hello() -> dict[str, str]:
    """A JSON greeting."""
    calls["hello"] += 1
    return {"message": "Hello, world"}


@get("/pause")
async def pause() -> dict[str, str]:
    """A greeting after one turn of the event loop."""
    await asyncio.sleep(0)
    calls["pause"] += 1
    return {"message": "Hello, world"}


@get("/thread", sync_to_thread=True)
def thread() -> dict[str, str]:
    """A greeting made in a worker thread."""
    calls["thread"] += 1
    return {"message": "Hello, world"}


@get("/items/{item_id:int}")
async def params(
    item_id: Annotated[int, Parameter(ge=0)],
    q: Annotated[str, Parameter(min_length=1, max_length=50)],
    limit: Annotated[int, Parameter(ge=1, le=100)],
    tag: Annotated[str, Parameter(header="X-Request-Tag")],
    session_cookie: Annotated[str, Parameter(cookie="session")],
) -> dict[str, Any]:
    """A path, two query, a header and a cookie parameter."""
    calls["params"] += 1
    return {"item_id": item_id, "q": q, "limit": limit, "tag": tag, "session": session_cookie}


@post("/login", status_code=200)
async def login(data: Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)]) -> dict[str, Any]:
    """A urlencoded form."""
    calls["login"] += 1
    return {"username": data.username, "length": len(data.password)}


@post("/orders")
async def order(data: Order) -> Receipt:
    """An order and its receipt."""
    calls["order"] += 1
    return Receipt.model_validate(receipt(data))


async def provide_session() -> AsyncGenerator[checked.Users, None]:
    """The outermost dependency."""
    calls["session opened"] += 1
    try:
        yield USERS
    finally:
        calls["session closed"] += 1


async def provide_user(
    session: NamedDependency[Any], authorization: Annotated[str | None, Parameter(header="Authorization")] = None
) -> Any:
    """Who has the token."""
    return checked.user(session, checked.bearer_token(authorization))


async def provide_staff(user: NamedDependency[Any]) -> Any:
    """The user, if it is one of the staff."""
    return checked.staff(user)


@get(
    "/guarded",
    dependencies={
        "session": Provide(provide_session),
        "user": Provide(provide_user),
        "staff": Provide(provide_staff),
    },
)
async def guarded(staff: NamedDependency[Any]) -> dict[str, Any]:
    """What the three levels of dependencies let through."""
    calls["guarded"] += 1
    return {"id": staff["id"], "name": staff["name"]}


@get("/products")
async def products(start: int) -> list[Product]:
    """50 models."""
    calls["products"] += 1
    return CATALOGUE[start : start + 50]


def _thing(name: str) -> Any:
    @get(f"/{name}/{{number:int}}")
    async def thing(number: int) -> dict[str, int]:
        calls["thing"] += 1
        return {"number": number}

    return thing


@get("/calls")
async def show_calls() -> dict[str, int]:
    """The counters."""
    return dict(calls)


def invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    """Name what was wrong: what the pydantic plugin found, or else what Litestar says of it."""
    found = getattr(error.__cause__, "errors", None)
    if found is None:
        return Response({"detail": error.extra or error.detail}, status_code=422)
    items = [{**item, "loc": [step for step in item["loc"] if step != "data"]} for item in found]
    body = checked.problems([{k: v for k, v in item.items() if k != "url"} for item in items], "body")
    return Response(body, status_code=422, media_type=MediaType.JSON)


def refused(request: Request[Any, Any, Any], error: checked.Refused) -> Response[Any]:
    """What the guard says."""
    body = to_json({"detail": error.detail})
    return Response(body, status_code=error.status, headers=error.headers, media_type=MediaType.JSON)


class Mark(ASGIMiddleware):
    """A middleware that counts and adds a header."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Serve one request."""
        if scope["path"] == "/hello":
            calls["mark"] += 1

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-served-by", b"benchmark")]
            await send(message)

        await next_app(scope, receive, marked)


SECTION_ROUTERS = [Router(f"/{section}", route_handlers=[_thing(name) for name in THINGS]) for section in SECTIONS]
app = Litestar(
    [plain, hello, pause, thread, params, login, order, guarded, products, show_calls, *SECTION_ROUTERS],
    exception_handlers={ValidationException: invalid, checked.Refused: refused},
    openapi_config=None,
    logging_config=None,
)
middleware_app = Litestar([hello, show_calls], middleware=[Mark()], openapi_config=None, logging_config=None)

"""Names of modules that users and tests replace: what parameters, forms, JSON, responses and events are made by."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import starlette.requests
from pydantic import BaseModel
from starlette.datastructures import FormData, Headers, QueryParams
from starlette.formparsers import FormParser, MultiPartParser
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import BOTH, Framework
from support.replacement import Replacement

MODULES: dict[str, Any] = {"json": json, "starlette.requests": starlette.requests}

NAMES = [
    ("routing", "Request"),
    ("routing", "RequestValidationError"),
    ("routing", "ResponseValidationError"),
    ("routing", "WebSocket"),
    ("routing", "WebSocketRequestValidationError"),
    ("routing", "format_sse_event"),
    ("routing", "jsonable_encoder"),
    ("dependencies.utils", "request_body_to_args"),
    ("dependencies.utils", "request_params_to_args"),
    ("exception_handlers", "JSONResponse"),
    ("exception_handlers", "is_body_allowed_for_status_code"),
    ("exception_handlers", "jsonable_encoder"),
    ("json", "dumps"),
    ("json", "loads"),
    ("starlette.requests", "FormParser"),
    ("starlette.requests", "MultiPartParser"),
    ("starlette.requests", "cookie_parser"),
]
METHODS = [
    (FormData, "__init__"),
    (FormParser, "parse"),
    (Headers, "__init__"),
    (MultiPartParser, "parse"),
    (QueryParams, "__init__"),
    (Route, "matches"),
    (WebSocketRoute, "matches"),
]


class Item(BaseModel):
    size: int


def make(fw: Framework, log: list[Any]) -> Any:
    app, router = fw.FastAPI(), fw.APIRouter()

    @app.get("/get/{place}")
    async def get(place: int, c: str = fw.Cookie(""), q: int = 1, x_key: str = fw.Header("")) -> Any:
        if place == 418:
            raise fw.HTTPException(status_code=place)
        return [place, c, q, x_key]

    @app.post("/json")
    async def receives(item: Item, c: str = fw.Cookie("")) -> Any:
        return item

    @app.post("/form")
    async def form(size: int = fw.Form(), c: str = fw.Cookie("")) -> Any:
        return size

    @app.get("/model", response_model=Item)
    async def model(c: str = fw.Cookie("")) -> Any:
        return {"size": c}

    @app.get("/lines")
    async def lines(c: str = fw.Cookie("")) -> Any:
        yield c

    @app.get("/events", response_class=fw.module("sse").EventSourceResponse)
    async def events(c: str = fw.Cookie("")) -> Any:
        yield c

    @app.websocket("/socket")
    async def socket(websocket: fw.WebSocket, q: int = 1, c: str = fw.Cookie("")) -> None:
        await websocket.accept()
        await websocket.send_json([q, c])
        await websocket.close()

    @router.get("/included/{place}")
    async def included(request: Request, place: str, c: str = fw.Cookie("")) -> Any:
        return [request.url.path, place, c]

    @router.websocket("/socket")
    async def below(websocket: fw.WebSocket, c: str = fw.Cookie("")) -> None:
        await websocket.accept()
        await websocket.close()

    app.include_router(router, prefix="/below")
    return app


COOKIE = (b"cookie", b"c=3")
URLENCODED = (b"content-type", b"application/x-www-form-urlencoded")
MULTIPART = (b"content-type", b"multipart/form-data; boundary=b")
PARTS = b'--b\r\nContent-Disposition: form-data; name="size"\r\n\r\n4\r\n--b--\r\n'
JSON = (b"content-type", b"application/json")
ASKS = [
    Ask("GET", "/get/1", b"q=2", [COOKIE, (b"x-key", b"k")]),
    Ask("GET", "/get/x", b"q=2"),
    Ask("GET", "/get/418"),
    Ask("POST", "/json", headers=[JSON], body=[b'{"size": 3}']),
    Ask("POST", "/json", headers=[JSON], body=[b'{"size": ']),
    Ask("POST", "/form", headers=[URLENCODED, COOKIE], body=[b"size=4"]),
    Ask("POST", "/form", headers=[MULTIPART], body=[PARTS]),
    Ask("GET", "/model", headers=[COOKIE]),
    Ask("GET", "/model"),
    Ask("GET", "/lines"),
    Ask("GET", "/events"),
    Ask("GET", "/below/included/3"),
    Ask(kind="websocket", path="/socket", headers=[COOKIE]),
    Ask(kind="websocket", path="/socket", query=b"q=x"),
    Ask(kind="websocket", path="/below/socket"),
]


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    from ferrapi import _hooks

    yield
    assert not _hooks.is_exchange_seen()
    assert not any(
        _hooks.replaced(f"ferrapi.{name}") for name in ("routing", "dependencies.utils", "exception_handlers")
    )


def _counts(fw: Framework, owner: Any, name: str) -> list[bool]:
    """For which requests what is put in the place of a name is called, when all routes have been used before."""
    replacement = Replacement(owner, name)
    seen: list[Any] = []

    def note(app: Any) -> None:
        if not seen:
            replacement.install()
        seen.append(replacement.calls)

    try:
        answers(fw, make, [*ASKS, *(replace(ask, before=note) for ask in ASKS)])
    finally:
        replacement.remove()
    seen.append(replacement.calls)
    return [after > before for before, after in itertools.pairwise(seen)]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_replaced_name_of_a_module_is_called(module: str, name: str, quiet: None) -> None:
    expected, actual = (_counts(fw, MODULES.get(module) or fw.module(module), name) for fw in BOTH)
    assert actual == expected
    assert any(expected)


@pytest.mark.parametrize(("owner", "name"), METHODS)
def test_a_replaced_method_is_called(owner: Any, name: str, quiet: None) -> None:
    expected, actual = (_counts(fw, owner, name) for fw in BOTH)
    assert actual == expected
    assert any(expected)


@pytest.mark.parametrize(("module", "name"), NAMES[::4])
def test_answers_are_the_same_while_a_name_is_replaced(module: str, name: str, quiet: None) -> None:
    replacements = [Replacement(MODULES.get(module) or fw.module(module), name) for fw in BOTH]
    for replacement in replacements:
        replacement.install()
    try:
        compare(make, ASKS)
    finally:
        for replacement in reversed(replacements):
            replacement.remove()


def test_json_that_cannot_be_read_by_what_somebody_has_put_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise LookupError

    monkeypatch.setattr(json, "loads", refuse)
    assert compare(make, [ASKS[3]])[0].status == 400


def test_the_interval_of_comments_between_events(monkeypatch: pytest.MonkeyPatch) -> None:
    import anyio

    def waits(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        monkeypatch.setitem(vars(fw.module("routing")), "_PING_INTERVAL", 0.02)  # and out again afterwards

        @app.get("/", response_class=fw.module("sse").EventSourceResponse)
        async def events() -> Any:
            await anyio.sleep(0.05)
            yield 1

        return app

    for fw in BOTH:
        assert b": ping\n\n" in answers(fw, waits, [Ask()])[0].body

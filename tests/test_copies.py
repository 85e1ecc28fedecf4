"""Copies and pickles of an application answer as it does, made before its first request, after it, or of a copy."""

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import ferrapi
import pytest
from ferrapi import APIRouter, Depends, FastAPI, Form, Header, Query, UploadFile, WebSocket
from ferrapi.routing import APIRoute
from ferrapi.testclient import TestClient
from pydantic import BaseModel
from starlette.datastructures import State
from starlette.middleware.gzip import GZipMiddleware


class Item(BaseModel):
    x: int
    y: list[str] = []


class Shouting(APIRoute):
    def get_route_handler(self) -> Any:
        handler = super().get_route_handler()

        async def shout(request: Any) -> Any:
            response = await handler(request)
            response.headers["x-loud"] = "yes"
            return response

        return shout


def counted(q: int = 1) -> Iterator[int]:
    yield q


def replaced() -> int:
    return 77


def _application() -> FastAPI:
    app = FastAPI()

    @app.get("/path/{n}")
    def path(n: int, q: int = Depends(counted)) -> Any:
        return [n, q]

    @app.post("/body")
    async def body(item: Item, h: str = Header("z")) -> Item:
        return item

    @app.post("/form")
    async def form(u: str = Form(), file: UploadFile | None = None) -> Any:
        return [u, file is None]

    router = APIRouter(prefix="/included", dependencies=[Depends(counted)], max_body_size=100)

    @router.get("/model")
    async def model(item: Item = Query()) -> Item:
        return item

    @router.websocket("/ws/{n}")
    async def ws(websocket: WebSocket, n: int) -> None:
        await websocket.accept()
        await websocket.send_json([n, str(websocket.url)])
        await websocket.close()

    app.include_router(router, tags=["t"])
    loud = APIRouter(route_class=Shouting)

    @loud.get("/loud")
    def loudly() -> None: ...

    app.include_router(loud)
    below = FastAPI()

    @below.get("/here")
    def here() -> str:
        return "here"

    app.mount("/below", below)

    @app.middleware("http")
    async def mark(request: Any, call_next: Any) -> Any:
        mark = request.app.state.mark  # a mounted application becomes the request's
        response = await call_next(request)
        response.headers["x-mark"] = mark
        return response

    @app.exception_handler(ValueError)
    async def handle(request: Any, exc: ValueError) -> Any:
        return ferrapi.Response("handled", status_code=418)

    @app.get("/wrong")
    def wrong() -> None:
        raise ValueError

    app.add_middleware(GZipMiddleware)
    app.state.mark = "m"
    return app


def _answers(app: FastAPI) -> Any:
    client = TestClient(app)
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/path/3?q=4", {}),
        ("GET", "/path/x", {}),
        ("POST", "/body", {"json": {"x": 1}}),
        ("POST", "/body", {"json": {"x": "z"}}),
        ("POST", "/form", {"data": {"u": "v"}}),
        ("POST", "/form", {"data": {"u": "v"}, "files": {"file": b"content"}}),
        ("GET", "/included/model?x=1&y=a", {}),
        ("GET", "/loud", {}),
        ("GET", "/below/here", {}),
        ("GET", "/wrong", {}),
        ("GET", "/docs", {}),
        ("GET", "/openapi.json", {}),
        ("GET", "/nowhere", {}),
    ]
    answers = [client.request(method, path, **options) for method, path, options in requests]
    with client.websocket_connect("/included/ws/5") as websocket:
        messages = websocket.receive_json()
    return [(one.status_code, one.content, sorted(one.headers.items())) for one in answers], messages


def _pickled(value: Any) -> Any:
    cloudpickle = pytest.importorskip("cloudpickle")
    return pickle.loads(cloudpickle.dumps(value))


WAYS: dict[str, Callable[[Any], Any]] = {"pickle": _pickled, "deepcopy": copy.deepcopy, "copy": copy.copy}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("served", [False, True])
def test_copy_answers_as_the_application_does(way: str, times: int, served: bool) -> None:
    expected = _answers(_application())
    app = _application()
    if served:
        _answers(app)
    other = app
    for _ in range(times):
        other = WAYS[way](other)
        if served:
            _answers(other)
    assert other is not app
    assert _answers(other) == expected
    assert _answers(app) == expected


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
def test_copies_are_apart(way: str) -> None:
    """An edit, an override or a state of one is none of the other's."""
    app = _application()
    before = _answers(app)
    other = WAYS[way](app)
    assert type(other.state) is State
    other.state.mark = "other"
    other.get("/nowhere")(lambda: "here")
    call = next(one for one in other.routes if getattr(one, "path", "") == "/path/{n}").dependant.dependencies[0].call
    other.dependency_overrides[call] = replaced
    client = TestClient(other)
    assert client.get("/nowhere").json() == "here"
    assert client.get("/path/3").json() == [3, 77]
    assert client.get("/path/3").headers["x-mark"] == "other"
    assert _answers(app) == before


@pytest.mark.parametrize("way", WAYS)
def test_parts_of_an_application_that_has_served(way: str) -> None:
    app = _application()
    _answers(app)
    route: Any = next(one for one in app.routes if getattr(one, "path", "") == "/body")
    for part in (app.router, route, route.app, route.dependant, route.body_field, app.middleware_stack, *app.routes):
        assert type(WAYS[way](part)) is type(part)
    assert _answers(app) == _answers(_application())


@pytest.mark.parametrize("way", WAYS)
def test_document_that_somebody_set_stays(way: str) -> None:
    app = FastAPI()
    app.openapi_schema = {"mine": 1}
    assert WAYS[way](app).openapi() == {"mine": 1}


class _Own(State):
    pass


def test_state_of_another_class_is_left_alone() -> None:
    app = FastAPI()
    app.state = _Own({"a": 1})
    assert copy.copy(app).state is app.state

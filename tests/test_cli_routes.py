"""``ferrapi routes``: every route, where it is defined, and what of it runs in Python."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from ferrapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, File, Form, Query, Request, WebSocket
from ferrapi.cli import execute
from ferrapi.cli._explain import explain
from ferrapi.cli._listing import routes_of
from ferrapi.responses import PlainTextResponse, RedirectResponse
from ferrapi.routing import APIRoute
from ferrapi.routing._table import Target
from ferrapi.security import HTTPBearer
from pydantic import AfterValidator, BaseModel
from starlette.applications import Starlette
from starlette.routing import Host, Mount, Route
from support.commands import empty_project, write

router = APIRouter(prefix="/zoo")


class _Wrapped(APIRoute):
    def get_route_handler(self) -> Any:
        return super().get_route_handler()


class _Handles(APIRoute):
    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await super().handle(scope, receive, send)


class _Thing(BaseModel):
    name: str


class _Filters(BaseModel):
    limit: int = 1


class _KeepingFilters(_Filters, extra="allow"): ...


async def _plain() -> int:
    return 1


async def _context() -> AsyncIterator[int]:
    yield 1


def _thread() -> Iterator[int]:
    yield 1


@router.get("/native")
async def native(
    q: int, one: Annotated[int, Depends(_plain)], two: Annotated[int, Depends(_context)]
) -> dict[str, int]:
    return {"q": q}


@router.get("/sync")
def sync(one: Annotated[int, Depends(_thread)]) -> None: ...


@router.get("/model-parameter")
async def model_parameter(filters: Annotated[_Filters, Query()]) -> None: ...


@router.get("/keeping-model-parameter")
async def keeping_model_parameter(filters: Annotated[_KeepingFilters, Query()]) -> None: ...


@router.get("/validator")
async def validator(q: Annotated[int, AfterValidator(lambda value: value)]) -> None: ...


@router.post("/json")
async def json_body(thing: _Thing) -> _Thing:
    return thing


@router.post("/embedded")
async def embedded(thing: Annotated[_Thing, Body(embed=True)]) -> None: ...


@router.post("/form")
async def form(name: Annotated[str, Form()]) -> None: ...


@router.post("/guarded-form", dependencies_before_body=True)
async def guarded_form(name: Annotated[str, Form()], who: Annotated[Any, Depends(HTTPBearer())]) -> None: ...


@router.post("/seen-form")
async def seen_form(name: Annotated[str, Form()], request: Request) -> None: ...


@router.post("/file")
async def file(content: Annotated[bytes, File()]) -> None: ...


@router.get("/text", response_class=PlainTextResponse)
async def text() -> str: ...


@router.get("/redirect", response_class=RedirectResponse)
async def redirect() -> Any: ...


@router.get("/stream")
async def stream() -> AsyncIterator[int]:
    yield 1


@router.get("/limited")
async def limited(one: Annotated[int, Depends(_plain, max_concurrency=1)]) -> None: ...


@router.post("/sized", max_body_size=10)
async def sized(thing: _Thing) -> None: ...


@router.get("/objects")
async def objects(request: Request, tasks: BackgroundTasks, who: Annotated[Any, Depends(HTTPBearer())]) -> None: ...


router.add_api_route("/wrapped", native, route_class_override=_Wrapped)
router.add_api_route("/handles", native, route_class_override=_Handles)


@router.websocket("/socket")
async def socket(websocket: WebSocket) -> None: ...


def _zoo() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.include_router(router)
    return app


_ZOO = {listed.path.removeprefix("/zoo/"): listed for listed in routes_of(_zoo())}


@pytest.mark.parametrize("name", _ZOO)
def test_a_route_is_called_native_if_and_only_if_it_has_a_program(name: str) -> None:
    listed = _ZOO[name]
    told = explain(listed)
    assert listed.placed is not None
    target = Target(listed.placed)
    has_program = isinstance(listed.placed.original, APIRoute) and target.find_program() is not None
    has_handler = isinstance(listed.placed.original, APIRoute) and listed.placed.effective.app.handler() is not None
    assert told.native == (has_program and not has_handler)
    assert told.native == (not told.python)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("native", []),
        ("sync", ["_thread runs around the request, in a worker thread", "sync runs in a worker thread"]),
        ("model-parameter", []),
        ("keeping-model-parameter", ["keeping_model_parameter: query parameter `filters` is read in Python"]),
        ("validator", ["validator: query parameter `q` is read in Python"]),
        ("json", []),
        ("embedded", []),
        ("form", []),
        ("guarded-form", []),
        ("seen-form", ["seen_form: an object is made for its parameter `request`", "the form is read in Python"]),
        ("file", ["the form is read in Python"]),
        ("text", []),
        ("redirect", ["the response is made in Python by RedirectResponse"]),
        ("stream", []),
        ("limited", ["_plain: waits for its turn by Depends(max_concurrency=)"]),
        ("sized", ["entered through Python: bodies are limited to 10 bytes"]),
        ("objects", ["objects: an object is made for its parameter `request`", "objects: an object is made"]),
        ("wrapped", ["entered through Python: the route's class has a `get_route_handler` of its own"]),
        ("handles", ["entered through Python: the route's class has a `handle` of its own"]),
        ("socket", ["served in Python: it is a WebSocket's"]),
    ],
)
def test_says_what_runs_in_python_and_why(name: str, words: list[str]) -> None:
    from ferrapi.cli._routes import _reasons

    reasons = _reasons(explain(_ZOO[name]))
    rest = list(reasons)
    for word in words:
        found = next((reason for reason in rest if reason.startswith(word)), None)
        assert found is not None, (word, reasons)
        rest.remove(found)
    assert bool(words) == bool(reasons)


def _answer(request: Request) -> Any: ...


def test_lists_what_is_mounted_at_any_depth_and_stops_in_circles() -> None:
    inner, outer = FastAPI(openapi_url=None), FastAPI(openapi_url=None)
    inner.add_api_route("/deep", _plain)
    inner.mount("/outer", outer)
    outer.mount("/inner", inner)
    outer.mount("/starlette", Starlette(routes=[Route("/plain", _answer, methods=["POST"])]))
    outer.router.routes.append(Host("api.example", FastAPI(openapi_url=None, routes=[Route("/of-host", _answer)])))
    outer.router.routes.append(Mount("/opaque", _answer))  # type: ignore[arg-type]  # nobody calls it
    listed = [(one.path, one.methods, one.kind) for one in routes_of(outer)]
    assert listed == [
        ("/inner/deep", ("GET",), "http"),
        ("/inner/outer", (), "mount"),
        ("/starlette/plain", ("POST",), "http"),
        ("//api.example/of-host", ("GET", "HEAD"), "http"),
        ("/opaque", (), "mount"),
    ]


_PROJECT = {
    "main.py": """
from typing import Annotated
from ferrapi import APIRouter, Depends, FastAPI

def who(): ...

router = APIRouter(prefix="/v1", dependencies=[Depends(who)])

@router.get("/items/{item}", name="one")
@router.put("/items/{item}")
def read(item: int): ...

app = FastAPI(docs_url=None, redoc_url=None)
app.include_router(router)
app.frontend("/", directory="site")
"""
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with empty_project(tmp_path, monkeypatch) as folder:
        write({**_PROJECT, "site/index.html": ""})
        yield folder


def test_prints_a_table(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["routes", "main:app"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["METHODS", "PATH", "ENDPOINT", "DEFINED", "AT", "DEPENDENCIES"]
    row = next(line for line in said if line.startswith("PUT"))
    assert row.split() == ["PUT", "/v1/items/{item}", "main.read", "main.py:9", "who"]
    assert any(line.startswith("FILES") for line in said)
    assert said[-1] == "4 routes. ferrapi's HTTP protocol: requests go to the routes directly."


def test_prints_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["routes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["application"]["middleware"] == []
    route = next(one for one in found["routes"] if one["methods"] == ["GET"] and one["kind"] == "http")
    assert (route["path"], route["name"], route["endpoint"]) == ("/v1/items/{item}", "one", "main.read")
    assert (Path(route["file"]).name, route["line"]) == ("main.py", 9)
    assert route["dependencies"] == ["main.who"]
    assert [step["runs"] for step in route["steps"]] == ["in a worker thread"] * 2
    assert (route["native"], route["in_schema"]) == (True, True)


def test_refuses_an_application_of_another_kind(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write({"other.py": "from fastapi import FastAPI\napp = FastAPI()"})
    assert execute(["routes", "other:app"]) == 1
    said = capsys.readouterr().out
    assert said == "other:app is no application of ferrapi's FastAPI: it is a fastapi.applications.FastAPI\n"

"""``ferrapi check``: what it finds, what it must not find, and its exit status."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ferrapi import APIRouter, FastAPI, WebSocket
from ferrapi.cli import execute
from ferrapi.cli._check import RULES
from ferrapi.cli._paths import are_covered, paths_of
from ferrapi.versioning import Versioning
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from starlette.responses import Response
from starlette.routing import Host, Mount, Route, compile_path
from support.commands import empty_project, write


async def _answer() -> None: ...


async def _socket(websocket: WebSocket) -> None: ...


def _plain(request: Any) -> Any: ...


class _Shout(Convertor[str]):
    regex = "[A-Z]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Picky(Route):
    def matches(self, scope: Any) -> Any:
        return super().matches(scope)


def _unreachable(app: FastAPI) -> list[str]:
    return [finding.message.partition(" is never reached")[0] for finding in RULES["unreachable-route"](app)]


def _app(*routes: str | tuple[str, list[str]]) -> FastAPI:
    app = FastAPI(openapi_url=None)
    for route in routes:
        path, methods = (route, ["GET"]) if isinstance(route, str) else route
        app.add_api_route(path, _answer, methods=methods)
    return app


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (["/a", "/a"], ["GET /a"]),
        (["/a", ("/a", ["POST"])], []),
        (["/a", ("/a", ["GET", "POST"])], ["GET /a"]),
        (["/a", "/a/"], []),
        (["/{x}", "/me"], ["GET /me"]),
        (["/me", "/{x}"], []),
        (["/{x:int}", "/me"], []),
        (["/{x:int}", "/12"], ["GET /12"]),
        (["/{x:int}", "/{x}"], []),
        (["/{x:float}", "/{x:int}"], ["GET /{x:int}"]),
        (["/{x:int}", "/{x:float}"], []),
        (["/{x}", "/{x:uuid}"], ["GET /{x:uuid}"]),
        (["/{x:path}", "/a/b/{c}"], ["GET /a/b/{c}"]),
        (["/{x}/{y}", "/a/{p:path}"], []),
        (["/{x}.json", "/{y}"], []),
        (["/{y}", "/{x}.json"], ["GET /{x}.json"]),
        (["/{x}-{y}", "/a-b-c"], ["GET /a-b-c"]),
        (["/{x}", "/{x}/{y}"], []),
        (["/{x:int}", "/{x:int}.{y:int}", "/{x:float}"], ["GET /{x:float}"]),  # two together take all
        (["/f/{p:path}", "/f"], []),
        (["/f{p:path}", "/f"], ["GET /f"]),
    ],
)
def test_a_route_is_unreachable_if_earlier_ones_take_all_of_its_paths(routes: list[Any], expected: list[str]) -> None:
    assert _unreachable(_app(*routes)) == expected


_PIECES = ["/", "a", ".", "-", "1", "{%s}", "{%s:int}", "{%s:float}", "{%s:path}", "{%s:uuid}"]


def _template(pieces: list[str]) -> str:
    names = itertools.count()
    return "/" + "".join(piece % f"p{next(names)}" if "%" in piece else piece for piece in pieces)


_TEMPLATES = st.lists(st.sampled_from(_PIECES[:-1]), max_size=5).map(_template)


@settings(max_examples=300, deadline=None)
@given(st.lists(_TEMPLATES, min_size=1, max_size=3), _TEMPLATES, st.data())
def test_coverage_agrees_with_starlettes_expressions(earlier: list[str], later: str, data: st.DataObject) -> None:
    expression, _, convertors = compile_path(later)
    others = [compile_path(one) for one in earlier]
    is_covered = are_covered(paths_of(later, convertors), [paths_of(one, compile_path(one)[2]) for one in earlier])
    paths = st.from_regex(re.compile(expression.pattern, re.ASCII), fullmatch=True)
    drawn = [path for path in (data.draw(paths) for _ in range(8)) if "\n" not in path]
    missed = [path for path in drawn if not any(other.match(path) for other, _, _ in others)]
    if is_covered:
        assert missed == []
    short = ["/" + "".join(letters) for size in range(5) for letters in itertools.product("/a.-1", repeat=size)]
    if any(expression.match(path) and not any(other.match(path) for other, _, _ in others) for path in short):
        assert not is_covered


def test_what_only_code_of_the_users_knows_is_not_reported() -> None:
    register_url_convertor("shout", _Shout())
    try:
        app = _app("/s/{x:shout}", "/s/{y}", "/s/{z:shout}", "/all/{p:path}", "/all/{x:shout}")
    finally:
        del CONVERTOR_TYPES["shout"]
    app.router.routes[:0] = [_Picky("/{p:path}", _plain), Host("api.example", Response())]
    assert _unreachable(app) == ["GET /all/{x:shout}"]


def test_mounts_take_everything_below_them() -> None:
    inner = _app("/x", "/{y}", "/z")
    app = _app("/before/{p:path}")
    app.mount("/m", inner)
    app.mount("/before", _app("/hidden", ("/seen", ["POST"])))
    app.add_api_route("/m/late", _answer)
    app.add_api_route("/m", _answer)
    app.add_api_websocket_route("/m/socket", _socket)
    app.router.routes.append(Mount("/raw", Response()))
    app.router.routes.append(Route("/raw/x", _plain))
    assert _unreachable(app) == [
        "GET /m/z",
        "GET /before/hidden",
        "GET /m/late",
        "WebSocket /m/socket",
        "GET HEAD /raw/x",
    ]


def test_sockets_and_requests_do_not_take_each_others_paths() -> None:
    app = _app("/a")
    app.router.routes.insert(0, Route("/b", type("Endpoint", (), {})))  # every method
    app.add_api_websocket_route("/a", _socket)
    app.add_api_websocket_route("/b", _socket)
    app.add_api_websocket_route("/{x}", _socket)
    app.add_api_websocket_route("/c", _socket)
    app.add_api_route("/b", _answer)
    assert _unreachable(app) == ["WebSocket /c", "GET /b"]


def test_included_routes_are_looked_at_where_they_are() -> None:
    router = APIRouter(prefix="/r")
    router.add_api_route("/{x}", _answer)
    router.add_api_route("/me", _answer)
    app = FastAPI()
    app.include_router(router, prefix="/v1")
    app.include_router(router, prefix="/v2")
    app.add_api_route("/docs", _answer)
    assert _unreachable(app) == ["GET /v1/r/me", "GET /v2/r/me", "GET /docs"]


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([("/a", "1"), ("/a", ">=2")], []),
        ([("/a", "1"), ("/a", ">=2"), ("/a", None)], []),
        ([("/a", None), ("/a", ">=2")], ["/a"]),
        ([("/a", "<=2"), ("/a", ">=2")], []),
        ([("/a", ">=2"), ("/a", "3")], ["/a"]),
        ([("/{x}", "1"), ("/{x}", "2"), ("/me", "<3")], ["/me"]),
        ([("/{x}", "1"), ("/me", "<3")], []),
    ],
)
def test_a_route_with_versions_is_unreachable_if_it_is_in_each_of_them(
    routes: list[tuple[str, str | None]], expected: list[str]
) -> None:
    app = FastAPI(openapi_url=None, versioning=Versioning(["1", "2", "3"], by="header", default="3"))
    for path, versions in routes:
        app.add_api_route(path, _answer, versions=versions)
    assert _unreachable(app) == [f"GET {path}" for path in expected]
    outer = _app("/before/{p:path}")
    outer.mount("/m", app)
    assert _unreachable(outer) == [f"GET /m{path}" for path in expected]


def test_routes_of_versions_in_the_path_are_looked_at_below_their_prefix() -> None:
    app = FastAPI(openapi_url=None, versioning=Versioning(["1", "2"]))
    app.add_api_route("/a", _answer, versions="1")
    app.add_api_route("/a", _answer, versions=">=1")
    app.add_api_route("/v2/a", _answer)
    app.add_api_route("/a", _answer)
    assert _unreachable(app) == ["GET /v1/a", "GET /v2/a"]


def test_the_store_has_no_problem(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[1]), *sys.path])
    assert execute(["check", "examples.store.main:app"]) == 0
    assert "no problems" in capsys.readouterr().out


_PROJECT = {
    "main.py": """
import subprocess, time
from asyncio import sleep as nap
from time import sleep as doze
from typing import Annotated
from ferrapi import Depends, FastAPI
from shared import fastapi_things

app = FastAPI()

async def wait():
    doze(1)

async def gentle(time: str = "now"):
    def inner():
        subprocess.run(["true"])
    await nap(0)
    return inner, time.sleep, lambda: open("x")

@app.get("/one")
async def one(_: Annotated[None, Depends(wait)], g: Annotated[None, Depends(gentle)]):
    import subprocess as sp
    from urllib.request import urlopen
    sp.run(["true"])
    urlopen("http://x")
    with open("y") as file:
        return file.read()

@app.get("/two", operation_id="same")
def two(): time.sleep(1)

@app.get("/three", operation_id="same")
async def three(): ...

fastapi_things(app)
""",
    "shared.py": """
import fastapi
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

def fastapi_things(app):
    bearer = HTTPBearer()

    @app.get("/four")
    async def four(q: int = fastapi.Query(1), who: object = fastapi.Depends(bearer)): ...

    @app.exception_handler(fastapi.HTTPException)
    async def handler(request, exc): ...
""",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with empty_project(tmp_path, monkeypatch) as folder:
        write({**_PROJECT, "good.py": "from ferrapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef f(): ..."})
        yield folder


def test_finds_each_kind_of_mistake(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "main:app", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    shown = [(one["rule"], one["place"], one["message"].partition(", and")[0]) for one in found]
    assert [row for row in shown if row[0] == "operation-id"] == [
        ("operation-id", "main.py:32", "the operation id same is that of GET /two, GET /three")
    ]
    assert sorted(row[1:] for row in shown if row[0] == "blocking-call") == [
        ("main.py:12", "main.wait (/one) calls time.sleep"),
        ("main.py:24", "main.one (/one) calls subprocess.run"),
        ("main.py:25", "main.one (/one) calls urllib.request.urlopen"),
        ("main.py:26", "main.one (/one) calls builtins.open"),
    ]
    strangers = {row[2].partition(", which")[0].split()[-1] for row in shown if row[0] == "fastapi-object"}
    assert strangers == {"fastapi.exceptions.HTTPException", "fastapi.params.Query", "fastapi.params.Depends"} | {
        "fastapi.security.http.HTTPBearer"
    }
    assert [(row[1], one["kind"]) for row, one in zip(shown, found, strict=True) if "synchronous" in row[0]] == [
        ("main.py:29", "note")
    ]


def test_notes_count_only_with_strict(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "good:app"]) == 0
    assert execute(["check", "good:app", "--strict"]) == 1
    assert execute(["check", "good:app", "--strict", "--ignore", "synchronous-endpoint"]) == 0
    assert execute(["check", "good:app", "--ignore", "nothing"]) == 2
    said = capsys.readouterr().out
    assert "good.py:3: note [synchronous-endpoint] good.f (/) is synchronous" in said
    assert said.splitlines()[-1].startswith("--ignore: there is no rule nothing; there are unreachable-route, ")


def test_says_why_there_is_no_document(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write({"bad.py": "from ferrapi import FastAPI\napp = FastAPI()\napp.openapi = lambda: 1 / 0"})
    assert execute(["check", "bad:app"]) == 1
    assert "can't be made: ZeroDivisionError: division by zero" in capsys.readouterr().out

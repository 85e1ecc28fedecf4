"""``ferrapi shadow``: recordings without secrets, and where applications answer otherwise."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ferrapi._redaction import REDACTED, Redaction
from ferrapi.cli import execute
from ferrapi.cli._shadow import _first_difference
from ferrapi.shadow import Recorder
from ferrapi.testclient import TestClient
from support.commands import empty_project, served, write
from support.frameworks import Framework


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with empty_project(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("Authorization", True),
        ("Cookie", True),
        ("Set-Cookie", True),
        ("X-API-Key", True),
        ("api_key", True),
        ("accessToken", True),
        ("new_password", True),
        ("PASSWORD", True),
        ("client-secret", True),
        ("userPin", True),
        ("X-XSRF", True),
        ("X-Auth", True),
        ("author", False),
        ("authenticated", False),
        ("www-authenticate", False),
        ("pinned", False),
        ("keyboard", False),
        ("content-type", False),
        ("my field", False),
    ],
)
def test_names_say_what_is_secret(name: str, is_secret: bool) -> None:
    assert Redaction().hides(name) == is_secret
    assert Redaction([name.upper().replace("_", "-")]).hides(name)


def test_secrets_are_left_out_of_bodies() -> None:
    body = {"user": "u", "password": "p", "deep": [{"tokens": ["a", 1], "token": None, "max_tokens": 5}], "pin": 1234}
    shown = json.loads(Redaction().body(json.dumps(body), "application/problem+json"))
    assert shown["user"] == "u"
    assert (shown["password"], shown["pin"]) == (REDACTED, REDACTED)
    assert shown["deep"] == [{"tokens": [REDACTED, 1], "token": None, "max_tokens": 5}]
    untouched = '{"a":  1.0, "a": 2}'
    assert Redaction().body(untouched, "application/json") == untouched
    assert Redaction().body("{", "application/json") == "{"
    assert (
        Redaction().query("a=1&pass%77ord=x&flag&token=") == "a=1&pass%77ord=%5Bredacted%5D&flag&token=%5Bredacted%5D"
    )
    assert Redaction().header("authorization", "Bearer abc") == f"Bearer {REDACTED}"


def test_records_what_was_asked_and_answered(framework: Framework, tmp_path: Path) -> None:
    app = framework.FastAPI()

    @app.post("/login/{name}")
    async def login(name: str, body: dict[str, str]) -> Any:
        return {"token": "t-1", "name": name}

    @app.get("/refuse")
    async def refuse() -> Any:
        raise framework.HTTPException(401, headers={"set-cookie": "a=secret-cookie"})

    @app.post("/raw")
    async def raw(request: framework.Request) -> Any:  # the package's
        return len(await request.body())

    raw.__annotations__["request"] = framework.Request
    file = tmp_path / "traffic.jsonl"
    app.add_middleware(Recorder, file=file, redact=["X-Mine"], max_body=100)
    client = TestClient(app)
    headers = {"authorization": "Bearer s-1", "cookie": "id=s-2", "x-mine": "s-3"}
    client.post("/login/a%20b?key=1&api_key=s-4", json={"password": "s-5"}, headers=headers)
    client.get("/refuse")
    client.post("/raw", content=b"x" * 101)
    client.post("/raw", content=b"\xff")
    client.post("/raw", files={"f": b"s-6"})
    text = file.read_text()
    first, second, *rest = map(json.loads, text.splitlines())
    assert not any(secret in text for secret in ("s-1", "s-2", "s-3", "s-4", "s-5", "s-6", "t-1", "secret-cookie"))
    assert (first["method"], first["path"]) == ("POST", "/login/a%20b")
    assert first["query"] == "key=1&api_key=%5Bredacted%5D"
    assert json.loads(first["answer"]["body"]) == {"token": REDACTED, "name": "a b"}
    assert (second["answer"]["status"], second["body"]) == (401, "")
    assert [one["body"] for one in rest] == [None, None, None]
    assert sys.platform == "win32" or stat.S_IMODE(os.stat(file).st_mode) == 0o600


_SHARED = """
from datetime import datetime
import {package} as package
app = package.FastAPI()

@app.get("/same")
def same(q: int): return {{"q": q}}

@app.post("/body")
def body(value: dict[str, int]): return {{**value, "at": {at!r}, "list": [1, {{"x": {x}}}]}}

@app.get("/status", status_code={status})
def status(): ...

@app.get("/headers")
def headers(response: package.Response): response.headers["x-which"] = {at!r}

@app.get("/raises")
def raises(): raise {error}

@app.get("/me")
def me(authorization: str = package.Header("")): return authorization
"""


def _recorded(*requests: tuple[str, str, str | None]) -> None:
    lines = []
    for method, target, body in requests:
        path, _, query = target.partition("?")
        headers = [["content-type", "application/json"], ["authorization", "Bearer [redacted]"]]
        answer = {"status": 200, "headers": [["content-type", "application/json"]], "body": '{"q":1}'}
        record = {"method": method, "path": path, "query": query, "headers": headers, "body": body, "answer": answer}
        lines.append(json.dumps(record))
    Path("traffic.jsonl").write_text("\n".join(lines) + "\n")


def test_compares_two_applications(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        {
            "old.py": _SHARED.format(package="fastapi", at="a", x=1, status=200, error="KeyError"),
            "new.py": _SHARED.format(package="ferrapi", at="b", x=2, status=201, error="LookupError"),
        }
    )
    _recorded(
        ("GET", "/same?q=1", ""),
        ("GET", "/same?q=x", ""),
        ("POST", "/body", '{"n": 1}'),
        ("GET", "/status", ""),
        ("GET", "/headers", ""),
        ("GET", "/raises", ""),
        ("POST", "/upload", None),
    )
    assert execute(["shadow", "traffic.jsonl", "old:app", "new:app"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said == [
        'traffic.jsonl:3: POST /body: body.at: "a" and "b"',
        "traffic.jsonl:4: GET /status: status 200 and 201",
        "traffic.jsonl:5: GET /headers: headers ['x-which: a'] and ['x-which: b']",
        "traffic.jsonl:6: GET /raises: raised KeyError and LookupError",
        "6 requests: 4 answered differently, 1 not asked again",
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1, "at": 1}, {"at": 2, "a": 1}, None),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, (".a[1].b", 2, 3)),
        ([1], [1, 2], ("[1]", "(nothing)", 2)),
        ({"a": 1}, {}, (".a", 1, "(nothing)")),
        (1, 1.0, ("", 1, 1.0)),
        (True, 1, ("", True, 1)),
    ],
)
def test_finds_the_first_difference_of_json_values(one: Any, other: Any, expected: Any) -> None:
    assert _first_difference(one, other, frozenset({"at"})) == expected


def test_the_same_code_on_fastapi_and_through_the_alias(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write({"shop.py": _SHARED.format(package="fastapi", at="a", x=1, status=200, error="KeyError")})
    write(
        {"which.py": "import sys, fastapi\nfrom shop import app\nprint(fastapi.FastAPI.__module__, file=sys.stderr)\n"}
    )
    _recorded(("GET", "/same?q=1", ""), ("GET", "/me", ""), ("POST", "/body", "{"))
    arguments = [
        "shadow",
        "traffic.jsonl",
        "which:app",
        "which:app",
        "--alias",
        "--header",
        "Authorization: Bearer now",
    ]
    assert execute(arguments) == 0
    assert capsys.readouterr().out == "3 requests: none answered differently, 0 not asked again\n"


def test_compares_with_the_recording(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write({"shop.py": _SHARED.format(package="ferrapi", at="a", x=1, status=200, error="KeyError")})
    _recorded(("GET", "/same?q=1", ""), ("GET", "/same?q=2", ""))
    assert execute(["shadow", "traffic.jsonl", "shop:app", "--ignore-header", "content-length"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "traffic.jsonl:2: GET /same: body.q: 1 and 2".replace("1 and 2", "2 and 1")
    assert len(said) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("traffic.jsonl", 2, "Give a recording, and one application or two"),
        ("absent.jsonl shop:app", 2, "Path does not exist absent.jsonl"),
        ("shop.py shop:app", 2, "shop.py is no recording"),
        (". shop:app", 2, ". can't be read: "),
        ("empty.jsonl shop:app", 2, "empty.jsonl has no requests"),
        ("list.jsonl shop:app", 2, "list.jsonl is no recording: a line is no JSON object"),
        ("traffic.jsonl absent:app", 1, 'Could not import module "absent"'),
        ("traffic.jsonl shop:app --header x", 2, "--header 'x' has no colon"),
        ("--record out.jsonl shop:app other:app", 2, "--record FILE needs the application"),
        ("--record out.jsonl shop:absent", 1, "Could not find app name absent in shop"),
        ("--record absent/out.jsonl shop:app", 2, "--record: there is no folder absent"),
        ("--record . shop:app", 2, "--record: . is a folder"),
    ],
)
def test_refuses_with_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: str, status: int, words: str
) -> None:
    app = "from ferrapi import FastAPI\napp = FastAPI()\n"
    write({"shop.py": app, "empty.jsonl": "", "list.jsonl": "[1]\n"})
    _recorded(("GET", "/", ""))
    assert execute(["shadow", *arguments.split()]) == status
    assert capsys.readouterr().out.startswith(words)


def test_serves_and_records(project: Path) -> None:
    write({"shop.py": _SHARED.format(package="fastapi", at="a", x=1, status=200, error="KeyError")})
    with served("shadow", "--record", "traffic.jsonl", "shop:app") as server:
        server.get("/same?q=1&token=abc").read()
        server.stop()
        server.wait()
    [line] = Path("traffic.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["path"], record["query"]) == ("/same", "q=1&token=%5Bredacted%5D")
    assert record["answer"]["body"] == '{"q":1}'
    assert execute(["shadow", "traffic.jsonl", "shop:app"]) == 0

"""Which route a request comes to in an application with versions, and what the answer says about its version."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ferrapi import APIRouter, FastAPI, HTTPException, Request
from ferrapi.versioning import Versioning
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from support.asgi import Ask, exchange, run

from .shapes import OF_OLD, VERSIONS, WAYS, application, ask, everywhere

FOUND: list[tuple[str, str, Any]] = [
    ("/item", "1", ["old", "1"]),
    ("/item", "2", ["new", "2", 0]),
    ("/item", "3", ["new", "3", 0]),
    ("/outer/inner/first", "1", ["first", "1"]),
    ("/outer/inner/first", "2", None),
    ("/outer/inner/first", "3", None),
    ("/outer/inner/second", "1", None),
    ("/again/inner/first", "1", ["first", "1"]),
    ("/again/inner/first", "2", ["first", "2"]),
    ("/again/inner/first", "3", None),
    ("/again/inner/second", "1", None),
    ("/again/inner/second", "2", ["second", "2"]),
    ("/again/inner/second", "3", None),
    ("/nowhere", "2", None),
]


@pytest.mark.parametrize("way", WAYS)
def test_a_route_answers_in_its_versions_alone(way: str) -> None:
    found = everywhere(lambda fw, log: _open(way), [ask(way, path, version) for path, version, _ in FOUND])
    got = [json.loads(answer.body) if answer.status == 200 else None for answer in found]
    assert got == [expected for _, _, expected in FOUND]
    assert {answer.status for answer in found} == {200, 404}


def _open(way: str, **settings: Any) -> FastAPI:
    return application(**WAYS[way], **settings)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [400, 404, 406])
def test_an_unknown_version_is_refused_with_the_chosen_status(way: str, status: Any) -> None:
    (answer,) = everywhere(lambda fw, log: _open(way, unknown=status), [ask(way, "/item", "9")])
    assert answer.status == status
    assert json.loads(answer.body) == {"detail": "There is no version '9' of the API. There are: 1, 2, 3."}


@pytest.mark.parametrize("way", [way for way in WAYS if way != "path"])
def test_a_request_without_a_version_is_refused_where_one_is_needed(way: str) -> None:
    refused, health, nowhere = everywhere(
        lambda fw, log: _open(way), [Ask(path="/item"), Ask(path="/health"), Ask(path="/nowhere")]
    )
    assert (refused.status, health.status, nowhere.status) == (400, 200, 404)
    assert json.loads(refused.body) == {"detail": "The request has to name a version of the API: 1, 2, 3."}


@pytest.mark.parametrize("way", WAYS)
def test_a_request_without_a_version_meets_the_default_one(way: str) -> None:
    item, inner = everywhere(
        lambda fw, log: _open(way, default="2"), [Ask(path="/item"), Ask(path="/again/inner/second")]
    )
    assert json.loads(item.body) == ["new", "2", 0]
    assert json.loads(inner.body) == ["second", "2"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("default", [None, "1"])
def test_a_route_without_versions_stays_where_it_is(way: str, default: str | None) -> None:
    versions = [None] if way == "path" else [None, "1", "2", "9"]
    found = everywhere(
        lambda fw, log: _open(way, default=default), [ask(way, "/health", version) for version in versions]
    )
    assert [(answer.status, json.loads(answer.body)) for answer in found] == [(200, ["health", None])] * len(versions)
    assert all(name not in (b"deprecation", b"vary") for answer in found for name, _ in answer.headers)


@pytest.mark.parametrize("way", WAYS)
def test_each_answer_of_a_deprecated_version_says_so(way: str) -> None:
    asks = [
        ask(way, "/item", "1"),
        ask(way, "/item", "1", method="POST"),
        ask(way, "/item", "2"),
        ask(way, "/health", None),
    ]
    found = everywhere(lambda fw, log: _open(way), asks)
    assert [answer.status for answer in found] == [200, 405, 200, 200]
    said = [[header for header in answer.headers if header in OF_OLD] for answer in found]
    assert said == [OF_OLD, OF_OLD, [], []]


def test_errors_of_a_deprecated_version_say_so_too() -> None:
    def make(fw: Any, log: Any) -> FastAPI:
        app = FastAPI(versioning=Versioning(VERSIONS))
        app.add_exception_handler(KeyError, lambda request, exc: PlainTextResponse("handled", status_code=418))

        @app.get("/{kind}", versions="1")
        def fail(kind: str, number: int = 0) -> None:
            if kind == "http":
                raise HTTPException(409)
            raise KeyError(kind)

        return app

    asks = [Ask(path="/v1/http"), Ask(path="/v1/key"), Ask(path="/v1/x", query=b"number=x")]
    found = everywhere(make, asks)
    assert [answer.status for answer in found] == [409, 418, 422]
    assert all(set(OF_OLD) <= set(answer.headers) for answer in found)


def test_what_an_endpoint_says_about_its_end_is_left_alone() -> None:
    def make(fw: Any, log: Any) -> FastAPI:
        app = FastAPI(versioning=Versioning(VERSIONS))
        headers = {"Sunset": "Thu, 01 Jan 2032 00:00:00 GMT", "Link": '</own>; rel="alternate"'}
        app.get("/", versions="1")(lambda: PlainTextResponse("x", headers=headers))
        return app

    (answer,) = everywhere(make, [Ask(path="/v1/")])
    said = [(name, value) for name, value in answer.headers if name in (b"sunset", b"link")]
    assert said == [
        (b"sunset", b"Thu, 01 Jan 2032 00:00:00 GMT"),
        (b"link", b'</own>; rel="alternate"'),
        *OF_OLD[2:],
    ]


@pytest.mark.parametrize(
    ("way", "vary"), [("header", b"Accept-Version"), ("own header", b"X-Api"), ("media type", b"Accept")]
)
def test_caches_are_told_which_header_decides(way: str, vary: bytes) -> None:
    asks = [ask(way, path, version) for path in ("/item", "/again/inner/second") for version in ("1", "2", "9", None)]
    found = everywhere(lambda fw, log: _open(way), asks)
    assert [answer.status for answer in found] == [200, 200, 400, 400, 404, 200, 400, 400]
    assert all((b"vary", vary) in answer.headers for answer in found)


def test_a_media_type_that_was_asked_for_by_version_is_answered_with_it() -> None:
    old, new = everywhere(lambda fw, log: _open("own parameter"), [ask("own parameter", "/item", v) for v in "12"])
    assert (b"content-type", b"application/json; v=1") in old.headers
    assert (b"content-type", b"application/json; v=2") in new.headers


ACCEPTED = [
    ("application/json;version=2", "2"),
    ('application/vnd.shop+json; version="2"', "2"),
    ("application/json;version=1;q=0.2, application/json;version=3;q=0.9", "3"),
    ("application/json;version=9, application/json;version=2;q=0.1", "2"),
    ("application/json;version=9, */*;q=0.1", "default"),
    ("text/html, application/json;version=2;q=0.1", "2"),
    ("text/html;q=0.8, application/json;version=2", "2"),
    ("application/json;version=2;q=0, application/json;version=1;q=0.1", "1"),
    ("application/json;version=2;q=0", "default"),
    ("application/json;version=2;q=x", "default"),
    ('a/b;x="1,version=2", */*', "default"),
    ("version", "default"),
    ("application/json;VERSION=2", "2"),
    ("application/json;version=9", None),
    (",,;;=", "default"),
]


@pytest.mark.parametrize(("accept", "version"), ACCEPTED)
def test_the_version_is_that_of_the_best_media_type_that_there_is(accept: str, version: str | None) -> None:
    request = Ask(path="/item", headers=[(b"accept", accept.encode())])
    (answer,) = everywhere(lambda fw, log: _open("media type", default="3"), [request])
    expected = "3" if version == "default" else version
    assert answer.status == (400 if version is None else 200)
    assert version is None or json.loads(answer.body)[1] == expected


def test_a_long_list_of_media_types_is_read_to_a_limit() -> None:
    """A client may send as many as fit into a header."""
    accept = b"a/b;version=9," * 200_000
    (answer,) = everywhere(
        lambda fw, log: _open("media type"), [Ask(path="/item", headers=[(b"accept", accept[:60_000])])]
    )
    assert answer.status == 400


@pytest.mark.parametrize("path", ["/vegetables", "/vx/item", "/v/item", "/v9x", "/v01/item"])
def test_what_only_resembles_a_version_in_a_path_is_not_found_or_unknown(path: str) -> None:
    (answer,) = everywhere(lambda fw, log: _open("path"), [Ask(path=path)])
    assert answer.status == (400 if path[2:3].isdigit() else 404)


@pytest.mark.parametrize("way", ["path", "header"])
def test_websockets_have_versions_too(way: str) -> None:
    app = _open(way)
    found = [
        run(lambda version=version: exchange(app, ask(way, "/socket", version, kind="websocket")))  # type: ignore[misc]  # mypy knows no defaults here
        for version in ("1", "2", "3")
    ]
    sent = [[message for message in answer.messages if isinstance(message, dict)] for answer in found]
    texts = [[message["text"] for message in messages if "text" in message] for messages in sent]
    assert texts == [['"1"'], ['"2"'], []]
    accepted = [messages[0].get("headers", []) for messages in sent[:2]]
    assert [[header for header in headers if header in OF_OLD] for headers in accepted] == [OF_OLD, []]


def test_the_first_declared_route_wins_whether_it_has_versions_or_not() -> None:
    def make(fw: Any, log: Any) -> FastAPI:
        app = FastAPI(versioning=Versioning(["1"], by="header"))
        app.get("/a", versions="1")(lambda: "versioned")
        app.get("/{any}")(lambda: "open")
        app.get("/b", versions="1")(lambda: "never")
        return app

    asks = [ask("header", path, version) for path in ("/a", "/b") for version in ("1", None)]
    assert [json.loads(answer.body) for answer in everywhere(make, asks)] == ["versioned", "open", "open", "open"]


@pytest.mark.parametrize("way", ["path", "header"])
def test_middleware_overrides_and_mounts_are_the_applications(way: str) -> None:
    def make(fw: Any, log: Any) -> FastAPI:
        app = _open(way)

        def given() -> str:
            return "given"

        router = APIRouter()

        @router.get("/needs", versions="2")
        def needs(value: str = fw.Depends(given)) -> str:
            return value

        app.include_router(router)
        app.mount("/mounted", PlainTextResponse("mounted"))
        app.dependency_overrides[given] = lambda: "overridden"
        app.add_middleware(CORSMiddleware, allow_origins=["*"])
        return app

    origin = [(b"origin", b"https://a.test")]
    needs = ask(way, "/needs", "2")
    asks = [Ask(path=needs.path, headers=[*needs.headers, *origin]), Ask(path="/mounted/x", headers=origin)]
    found = everywhere(make, asks)
    assert [answer.body for answer in found] == [b'"overridden"', b"mounted"]
    assert all((b"access-control-allow-origin", b"*") in answer.headers for answer in found)


@pytest.mark.parametrize("way", ["path", "header"])
def test_routes_that_come_later_are_served(way: str) -> None:
    late = APIRouter()
    app = _open(way)
    app.include_router(late)

    async def main() -> list[Any]:
        before = await exchange(app, ask(way, "/late", "2"))
        late.get("/late", versions="2")(lambda: "late")
        app.get("/direct", versions="2")(lambda: "direct")
        after = [await exchange(app, ask(way, path, version)) for path in ("/late", "/direct") for version in "23"]
        return [before.status, *(answer.status for answer in after)]

    assert run(main) == [404, 200, 404, 200, 404]


def test_addresses_are_those_of_a_version() -> None:
    app = _open("path", default="2")
    assert app.url_path_for("new_item") == "/item"
    assert app.url_path_for("new_item", version="3") == "/v3/item"
    assert app.url_path_for("old_item") == "/v1/item"
    assert app.url_path_for("health") == "/health"

    @app.get("/link", versions="2")
    def link(request: Request) -> str:
        return request.url_for("new_item", version="3").path

    answer = run(lambda: exchange(app, Ask(path="/v2/link")))
    assert answer.body == b'"/v3/item"'


def test_a_router_that_matches_itself_can_have_versions_where_it_is_included() -> None:
    class Asked(APIRouter):
        def matches(self, scope: Any) -> Any:
            return super().matches(scope)

    def make(fw: Any, log: Any) -> FastAPI:
        app = FastAPI(versioning=Versioning(VERSIONS))
        asked = Asked()
        asked.get("/asked")(lambda: "asked")
        app.include_router(asked, versions="1")
        return app

    one, two, bare = everywhere(make, [Ask(path="/v1/asked"), Ask(path="/v2/asked"), Ask(path="/asked")])
    assert (one.status, two.status, bare.status) == (200, 404, 404)
    assert set(OF_OLD) <= set(one.headers)

"""`Request.url` and `base_url` are Starlette's, for whatever a client sends and a server puts into a scope."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from ferrapi import FastAPI, Request
from ferrapi._native import plain_url
from ferrapi.requests import LiveRequest
from ferrapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette import requests as starlette_requests
from starlette.datastructures import URL
from starlette.requests import HTTPConnection
from starlette.requests import Request as StarletteRequest

HOSTS = st.sampled_from(
    ["example.org", "EXAMPLE.org:8000", "127.0.0.1:0", "a:00080", "a:65536", "[::1]:80", "[::1", "a_b"]
)
TEXT = st.text(st.sampled_from("aZ09/?#\\%&=+.:;@[]~ \t\n\x00\x7fé€-_"), max_size=8)


def answers(request: HTTPConnection) -> list[Any]:
    """What a request says of its URLs, or what asking for it raises."""
    found: list[Any] = []
    for name in ("url", "base_url"):
        try:
            url = getattr(request, name)
            found += [type(url), str(url), repr(url), url.components, type(url.components), url.path, url.port]
            found.append(url.include_query_params(page=2))
        except Exception as exc:
            found.append((type(exc), str(exc)))
    return found


def scopes() -> st.SearchStrategy[dict[str, Any]]:
    """Scopes of HTTP requests, with what clients and servers may put there."""
    host = (HOSTS | TEXT).map(lambda host: (b"host", host.encode("utf-8")))
    headers = st.lists(host | st.just((b"accept", b"*/*")), max_size=2)
    queries: st.SearchStrategy[Any] = TEXT.map(str.encode) | st.sampled_from([b"a=1&b=%20", b"\xff", "a=1"])
    required = {"path": TEXT.map(lambda path: "/" + path) | TEXT, "headers": headers, "query_string": queries}
    optional: dict[str, st.SearchStrategy[Any]] = {
        "scheme": st.sampled_from(["http", "https", "ws", "HTTP", "ftp"]),
        "server": st.sampled_from([None, ("127.0.0.1", 80), ("::1", 8000), ("/run/a.sock", None)]),
        "root_path": TEXT | st.just("/api"),
        "app_root_path": TEXT | st.just("/api/"),
    }
    made = st.fixed_dictionaries(required, optional=optional)
    return made.map(lambda scope: {"type": "http", "method": "GET", **scope})


@settings(max_examples=300, deadline=None)
@given(scope=scopes())
@example({"type": "http", "path": "/a/b", "headers": [(b"host", b"a:80")], "query_string": b"c=1", "scheme": "https"})
@example({"type": "http", "path": "//a", "headers": [(b"host", b"a")], "query_string": b"", "scheme": "http"})
def test_urls_are_those_of_starlette(scope: dict[str, Any]) -> None:
    assert answers(LiveRequest(scope)) == answers(StarletteRequest(scope))
    plain = plain_url(scope)
    if plain is not None:
        text, parts = plain
        assert (text, parts) == (str(URL(scope=scope)), tuple(urlsplit(text)))


def test_usual_urls_are_plain() -> None:
    scope = {"type": "http", "path": "/a", "headers": [(b"host", b"a.b:80")], "query_string": b"c=1", "scheme": "http"}
    assert plain_url(scope) == ("http://a.b:80/a?c=1", ("http", "a.b:80", "/a", "c=1", ""))
    assert plain_url(scope, "/") == ("http://a.b:80/", ("http", "a.b:80", "/", "", ""))


def test_replaced_methods_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    seen: list[str] = []

    @app.get("/a")
    def read(request: Request) -> str:
        return str(request.url)

    @app.middleware("http")
    async def note(request: Request, call_next: Any) -> Any:
        seen.append(str(request.url))
        return await call_next(request)

    client = TestClient(app)
    assert client.get("/a?b=1").json() == "http://testserver/a?b=1" == seen.pop()
    with monkeypatch.context() as patch:
        patch.setattr(URL, "__str__", lambda self: "replaced")
        assert client.get("/a").json() == "replaced" == seen.pop()
    with monkeypatch.context() as patch:
        patch.setattr(HTTPConnection, "url", property(lambda self: "http://other"))
        assert client.get("/a").json() == "http://other" == seen.pop()
    with monkeypatch.context() as patch:
        patch.setattr(starlette_requests, "URL", lambda scope: "made otherwise")
        assert client.get("/a").json() == "made otherwise" == seen.pop()
    assert client.get("/a").json() == "http://testserver/a" == seen.pop()

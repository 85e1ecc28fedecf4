"""What the documentation pages load is where the pages are, and takes nothing from the application."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, FERRAPI, Framework

Build = Callable[..., Any]


def everything(fw: Framework, **options: Any) -> Any:
    """An application that has an answer for every path."""
    app = fw.FastAPI(**options)
    app.get("/assets/{name}")(lambda name: f"asset {name}")
    app.get("/docs/assets/{name:path}")(lambda name: f"asset {name}")
    app.mount("/docs", PlainTextResponse("mounted"))
    app.get("/{path:path}")(lambda path: f"any {path}")
    return app


def mounted_at_root(fw: Framework, **options: Any) -> Any:
    app = fw.FastAPI(**options)
    app.mount("/", StaticFiles(directory=Path(__file__).parent))
    return app


def front_end(fw: Framework, **options: Any) -> Any:
    app = fw.FastAPI(**options)
    app.frontend("/", directory=str(Path(__file__).parent), fallback=None)
    return app


def plain(fw: Framework, **options: Any) -> Any:
    return fw.FastAPI(**options)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"docs_url": "/"},
    {"redoc_url": "/"},
    {"docs_url": None},
    {"redoc_url": None},
    {"docs_url": "/a/b/", "redoc_url": "/a/b/redoc"},
]
BUILDS: list[Build] = [plain, everything, mounted_at_root, front_end]


def loaded(client: TestClient, page: str) -> list[str]:
    """The URLs of the application's own that a page loads."""
    text = client.get(page).text
    return [url for url in re.findall(r"""(?:src|href)="([^"]+)\"""", text) if url.startswith("/")]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("prefix", ["", "/sub", "/proxied"])
def test_each_page_gets_what_it_loads(build: Build, options: dict[str, Any], prefix: str) -> None:
    app = build(FERRAPI, **options)
    if prefix == "/sub":
        outer = FERRAPI.FastAPI(docs_url=None, redoc_url=None)
        outer.mount("/sub", app)
        client = TestClient(outer)
    elif prefix == "/proxied":
        client = TestClient(app, root_path="/proxied")
    else:
        client = TestClient(app)
    for page in (app.docs_url, app.redoc_url):
        if page is None:
            continue
        urls = loaded(client, prefix + page)
        assert len(urls) >= 2
        for url in urls:
            assert url.startswith(prefix)
            response = client.get(url)
            assert response.status_code == 200
            assert response.headers["content-type"].split(";")[0] in ("text/javascript", "text/css", "image/svg+xml")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_no_route_is_added_for_them(build: Build, options: dict[str, Any]) -> None:
    lists = [
        [(route.path, getattr(route, "name", None)) for route in build(fw, **options).routes if hasattr(route, "path")]
        for fw in BOTH
    ]
    assert lists[0] == lists[1]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_application_has_all_its_paths(options: dict[str, Any]) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return everything(fw, **options)

    paths = ["/assets/x", "/assets/x.js", "/docs/assets/x", "/docs/assets/x/y", "/docs/x", "/a/b/assets/x", "/none"]
    compare(make, [Ask(path=path) for path in paths])


def test_routes_that_were_given_come_first_as_ever() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        answer = PlainTextResponse("given")
        return fw.FastAPI(routes=[Route("/docs/assets/x", lambda request: answer), Mount("/redoc/assets", answer)])

    compare(make, [Ask(path="/docs/assets/x"), Ask(path="/redoc/assets/y")])

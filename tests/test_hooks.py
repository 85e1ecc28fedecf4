"""Functions and methods that other tools replace are called, as often as in FastAPI, whenever they were replaced."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.datastructures import Headers, QueryParams
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import BOTH, FASTAPI, FERRAPI, Framework
from support.replacement import Replacement

TRANSPORTS = ("asgi", "uvicorn", "http11")


class Item(BaseModel):
    size: int


class Subclassed(PlainTextResponse):
    """A response class of the application's own."""


def make(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()
    router = fw.APIRouter()

    def found() -> int:
        return 3

    @app.get("/plain")
    async def plain() -> Any:
        return {"a": 1}

    @app.get("/sync")
    def sync(a: int = 1) -> Any:
        return {"a": a}

    @app.post("/model", response_model=Item)
    async def model(item: Item) -> Any:
        return item

    @app.post("/form")
    async def form(size: int = fw.Form()) -> Any:
        return size

    @app.get("/dependency")
    async def dependency(value: int = fw.Depends(found)) -> Any:
        return Subclassed(str(value))

    @app.get("/error")
    async def error() -> Any:
        raise fw.HTTPException(status_code=418)

    @app.get("/text", response_class=PlainTextResponse)
    async def text() -> Any:
        return "text"

    @app.get("/lines")
    async def lines() -> Any:
        yield {"a": 1}

    @router.get("/included")
    async def included(request: Request) -> Any:
        return request.url.path

    inner = fw.FastAPI()

    @inner.get("/plain")
    async def inner_plain() -> Any:
        return {"a": 2}

    app.include_router(router, prefix="/below")
    app.mount("/inner", inner)
    return app


ASKS = [
    Ask("GET", "/plain"),
    Ask("GET", "/sync", b"a=3"),
    Ask("POST", "/model", headers=[(b"content-type", b"application/json")], body=[b'{"size": 3}']),
    Ask("POST", "/model", headers=[(b"content-type", b"application/json")], body=[b'{"size": "x"}']),
    Ask("POST", "/model", headers=[(b"content-type", b"application/json")], body=[b'{"size": ']),
    Ask("POST", "/form", headers=[(b"content-type", b"application/x-www-form-urlencoded")], body=[b"size=4"]),
    Ask("GET", "/dependency"),
    Ask("GET", "/error"),
    Ask("GET", "/text"),
    Ask("GET", "/lines"),
    Ask("GET", "/below/included"),
    Ask("GET", "/inner/plain"),
    Ask("GET", "/inner/nowhere"),
    Ask("GET", "/nowhere"),
    Ask("POST", "/plain"),
    Ask("GET", "/plain/"),
]

METHODS = [
    (Starlette, "__call__"),
    (ServerErrorMiddleware, "__call__"),
    (ExceptionMiddleware, "__call__"),
    (Router, "__call__"),
    (Route, "handle"),
    (Mount, "handle"),
    (Mount, "matches"),
    (HTTPConnection, "url"),
    (Request, "__init__"),
    (Request, "body"),
    (Request, "json"),
    (Request, "form"),
    (Request, "stream"),
    (Response, "__init__"),
    (Response, "__call__"),
    (Response, "init_headers"),
    (JSONResponse, "render"),
    (PlainTextResponse, "__call__"),
    (StreamingResponse, "__call__"),
    (StreamingResponse, "stream_response"),
]
"""Of classes that both packages share."""

OWN = [
    ("applications", "FastAPI", "__call__"),
    ("routing", "APIRouter", "__call__"),
    ("routing", "APIRouter", "app"),
    ("routing", "APIRouter", "handle"),
    ("routing", "APIRouter", "matches"),
    ("routing", "APIRoute", "handle"),
]
FUNCTIONS = [
    ("routing", "run_endpoint_function"),
    ("routing", "serialize_response"),
    ("routing", "solve_dependencies"),
    ("routing", "run_in_threadpool"),
    ("dependencies.utils", "run_in_threadpool"),
]


def _counts(fw: Framework, replacement: Replacement, when: str, transport: str) -> list[int]:
    """How often a replacement is called for each of the requests."""
    seen: list[int] = []

    def note(app: Any) -> None:
        seen.append(replacement.calls)

    def first(app: Any) -> None:
        if when == "late":
            replacement.install()
        note(app)

    asks = [replace(ask, before=note) for ask in ASKS]
    asks[0] = replace(asks[0], before=first)
    if when == "late":  # all routes have been used before
        asks = [*ASKS, *asks]

    def built(fw: Framework, log: list[Any]) -> Any:
        app = make(fw, log)
        if when == "built":
            replacement.install()
        return app

    if when == "early":
        replacement.install()
    try:
        answers(fw, built, asks, transport)
    finally:
        replacement.remove()
    seen.append(replacement.calls)
    return [after - before for before, after in itertools.pairwise(seen)]


def _check(replacements: dict[str, Callable[[], Replacement]], when: str, transport: str) -> None:
    expected, actual = (_counts(fw, replacements[fw.package](), when, transport) for fw in BOTH)
    shown = [
        (f"{ask.method} {ask.path}", theirs, ours) for ask, theirs, ours in zip(ASKS, expected, actual, strict=True)
    ]
    # A hook is called for the same requests. How often for one of them is FastAPI's own business.
    assert [row for row in shown if bool(row[1]) != bool(row[2])] == []
    assert any(expected), "nothing is shown by this hook"


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    from ferrapi import _hooks

    yield
    _hooks.WATCH.look()
    assert not any(_hooks._touched.values())
    assert not _hooks.replaced("ferrapi.routing")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("when", ["early", "built", "late"])
@pytest.mark.parametrize(("owner", "name"), METHODS, ids=lambda value: getattr(value, "__name__", value))
def test_a_replaced_method_of_starlette_is_called(
    owner: type, name: str, when: str, transport: str, quiet: None
) -> None:
    _check(dict.fromkeys(("fastapi", "ferrapi"), lambda: Replacement(owner, name)), when, transport)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("when", ["early", "built", "late"])
@pytest.mark.parametrize(("module", "owner", "name"), OWN)
def test_a_replaced_method_of_the_package_is_called(
    module: str, owner: str, name: str, when: str, transport: str, quiet: None
) -> None:
    if name == "app" and when != "early":
        pytest.skip("a router binds it when it is made")
    makers: dict[str, Callable[[], Replacement]] = {
        fw.package: functools.partial(_of_class, fw, module, owner, name) for fw in BOTH
    }
    _check(makers, when, transport)


def _of_class(fw: Framework, module: str, owner: str, name: str) -> Replacement:
    return Replacement(getattr(_module(fw, module), owner), name)


def _module(fw: Framework, name: str) -> Any:
    return fw.module(name)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("when", ["early", "built", "late"])
@pytest.mark.parametrize(("module", "name"), FUNCTIONS)
def test_a_replaced_function_is_called(module: str, name: str, when: str, transport: str, quiet: None) -> None:
    _check(
        {fw.package: functools.partial(lambda fw: Replacement(_module(fw, module), name), fw) for fw in BOTH},
        when,
        transport,
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["HTTPBearer", "OAuth2PasswordBearer", "APIKeyHeader"])
def test_a_security_scheme_whose_call_was_replaced_is_called(name: str, transport: str, quiet: None) -> None:
    replacements: list[Replacement] = []

    def make(fw: Framework, log: list[Any]) -> Any:
        app, kind = fw.FastAPI(), getattr(fw.module("security"), name)
        arguments = {"OAuth2PasswordBearer": ("token",), "HTTPBearer": ()}.get(name, ())
        scheme = kind(*arguments) if name != "APIKeyHeader" else kind(name="x-key")
        replacement = Replacement(kind, "__call__")
        replacements.append(replacement)

        @app.get("/")
        async def guarded(said: Any = fw.Depends(scheme)) -> Any:
            return replacement.calls

        return app

    ask = Ask("GET", "/", headers=[(b"authorization", b"Bearer t"), (b"x-key", b"k")])
    install = replace(ask, before=lambda app: replacements[-1].install())
    remove = replace(ask, before=lambda app: replacements[-1].remove())
    answers = compare(make, [ask, install, ask, remove], transport)
    assert [answer.body for answer in answers] == [b"0", b"1", b"2", b"2"]


SAID = {
    "headers": Headers({"x-key": "said", "content-type": "application/json"}),
    "query_params": QueryParams("key=said"),
    "cookies": {"key": "said"},
    "path_params": {"key": "said"},
}
"""What the properties of requests say once they are replaced."""


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", SAID)
def test_parameters_are_what_a_replaced_property_of_requests_says(name: str, transport: str, quiet: None) -> None:
    replacement = Replacement(HTTPConnection, name)
    replacement.replacement = property(lambda self: SAID[name])

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        replacement.remove()

        @app.get("/{key}")
        async def declared(
            key: str,
            query: str = fw.Query("", alias="key"),
            header: str = fw.Header("", alias="x-key"),
            cookie: str = fw.Cookie("", alias="key"),
        ) -> Any:
            return [key, query, header, cookie]

        return app

    headers = [(b"x-key", b"sent"), (b"cookie", b"key=sent")]
    sent = Ask("GET", "/sent", b"key=sent", headers=headers)
    try:
        both = compare(make, [sent, replace(sent, before=replacement.install)], transport)
    finally:
        replacement.remove()
    assert [answer.body.count(b"said") for answer in both] == [0, 1]


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=lambda value: getattr(value, "__name__", value))
def test_answers_are_the_same_while_a_method_is_replaced(owner: type, name: str, quiet: None) -> None:
    replacement = Replacement(owner, name)
    replacement.install()
    try:
        compare(make, ASKS, "asgi")
    finally:
        replacement.remove()


def test_a_method_that_was_replaced_before_ferrapi_was_imported_is_called() -> None:
    import subprocess

    code = """
import asyncio
from starlette.responses import Response
calls = []
original = Response.__init__
def replaced(self, *args, **kwargs):
    calls.append(type(self).__name__)
    original(self, *args, **kwargs)
Response.__init__ = replaced
import ferrapi
app = ferrapi.FastAPI()
@app.get("/")
async def root(): return 1
async def main():
    async def receive(): return {"type": "http.request", "body": b""}
    async def send(message): pass
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    await app(scope, receive, send)
asyncio.run(main())
assert "JSONResponse" in calls, calls
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("fw", BOTH, ids=lambda fw: fw.package)
def test_the_layers_are_made_from_entries_that_can_be_wrapped(fw: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[str] = Counter()
    original = Middleware.__iter__

    def replaced(self: Middleware) -> Iterator[Any]:
        seen[self.cls.__name__] += 1  # type: ignore[attr-defined]
        return original(self)

    monkeypatch.setattr(Middleware, "__iter__", replaced)
    app = fw.FastAPI()
    app.add_middleware(CORSMiddleware)
    app.build_middleware_stack()
    for name in ("ServerErrorMiddleware", "CORSMiddleware", "ExceptionMiddleware", "AsyncExitStackMiddleware"):
        assert seen[name] == 1


def _callables(fw: Framework) -> list[Any]:
    """The ASGI callables of an application, from the outside in."""
    app = make(fw, [])
    app.middleware_stack = app.build_middleware_stack()
    found = [app]
    layer = app.middleware_stack
    while layer is not None and len(found) < 10:
        found.append(layer)
        layer = getattr(layer, "app", None)
        if inspect.ismethod(layer):
            break
    return [*found, app.router, *(route.app for route in app.routes if hasattr(route, "app"))]


@pytest.mark.parametrize("fw", [FASTAPI, FERRAPI], ids=lambda fw: fw.package)
def test_everything_that_serves_is_recognised_as_asgi_3(fw: Framework) -> None:
    for one in _callables(fw):
        assert inspect.iscoroutinefunction(one) or inspect.iscoroutinefunction(one.__call__), one


def test_a_middleware_that_calls_the_next_application_by_its_kind() -> None:
    """OpenTelemetry's and Datadog's take what is no coroutine function for ASGI 2."""

    class Generic:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if inspect.iscoroutinefunction(self.app) or inspect.iscoroutinefunction(self.app.__call__):
                await self.app(scope, receive, send)
            else:
                await self.app(scope)(receive, send)

    def generic(fw: Framework, log: list[Any]) -> Any:
        app = make(fw, log)
        app.add_middleware(Generic)
        return app

    def outside(fw: Framework, log: list[Any]) -> Any:
        return Generic(make(fw, log))

    def around_the_stack(fw: Framework, log: list[Any]) -> Any:
        app = make(fw, log)
        app.middleware_stack = Generic(app.build_middleware_stack())
        return app

    def around_the_router(fw: Framework, log: list[Any]) -> Any:
        app = make(fw, log)
        app.router.middleware_stack = Generic(app.router.middleware_stack)
        return app

    for shape in (generic, outside, around_the_stack, around_the_router):
        compare(shape, ASKS)


def test_a_router_with_a_call_of_its_own_is_called() -> None:
    def replaced(fw: Framework, log: list[Any]) -> Any:
        class Own(fw.APIRouter):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                log.append(scope["type"])
                await super().__call__(scope, receive, send)

        app = fw.FastAPI()
        router = Own()

        @router.get("/plain")
        async def plain() -> Any:
            return 1

        app.router = router
        return app

    compare(replaced, [Ask("GET", "/plain"), Ask("GET", "/nowhere")])


def test_a_class_between_fastapi_and_starlette_is_called() -> None:
    class Between(Starlette):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["between"] = True
            await super().__call__(scope, receive, send)

    def mixed(fw: Framework, log: list[Any]) -> Any:
        class App(fw.FastAPI, Between):
            pass

        app = App()

        @app.get("/")
        async def root(request: Request) -> Any:
            return request.scope.get("between")

        return app

    compare(mixed, [Ask("GET", "/")])


def test_the_last_of_two_handlers_for_server_errors_counts() -> None:
    for keys in ([500, Exception], [Exception, 500]):

        def handled(fw: Framework, log: list[Any], keys: Any = keys) -> Any:
            app = fw.FastAPI()
            for key in keys:
                app.add_exception_handler(key, lambda request, exc, key=key: PlainTextResponse(str(key), 500))

            @app.get("/")
            async def root() -> Any:
                raise KeyError

            return app

        compare(handled, [Ask("GET", "/")])


def test_a_class_that_is_watched_while_its_base_has_a_replaced_method_is_not_touched_afterwards() -> None:
    from ferrapi import _hooks

    replacement = Replacement(Request, "form")
    replacement.install()
    try:
        kind: Any = _hooks.watch(type("Later", (Request,), {}))
        assert _hooks.touches_any((kind,), "form")
    finally:
        replacement.remove()
    try:
        assert _hooks.untouched(kind)
        kind.form = replacement.install
        assert not _hooks.untouched(kind, "form")
    finally:
        del kind.form


def test_a_replaced_handle_is_called_with_routes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    handle, seen = Route.handle, []

    async def counted(self: Route, *args: Any) -> None:
        seen.append((type(self).__name__, self.path, args[0]["method"]))
        await handle(self, *args)

    def build(fw: Framework, log: list[Any]) -> Any:
        router, app, other = fw.APIRouter(), fw.FastAPI(), fw.FastAPI()
        router.get("/x")(lambda: "x")
        app.get("/own")(lambda: "own")
        for around in (app, other):
            around.include_router(router, prefix="/below")
        app.mount("/mounted", other)
        return app

    paths = ("/own", "/below/x", "/mounted/below/x")
    monkeypatch.setattr(Route, "handle", counted)
    found = []
    for fw in BOTH:
        seen.clear()
        answered = answers(fw, build, [Ask(method, path) for path in paths for method in ("GET", "DELETE")])
        found.append(([(one.status, one.body, one.headers) for one in answered], list(seen)))
    assert found[0] == found[1]
    assert [status for status, _, _ in found[0][0]] == [200, 405] * 3

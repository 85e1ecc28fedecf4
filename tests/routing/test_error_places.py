"""Validation errors name the endpoint that they are about, and the way that the request came to it."""

import functools
import warnings
from dataclasses import replace
from typing import Any
from unittest import mock

import fastapi.routing
import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare, registration
from support.frameworks import BOTH
from support.naming import steady_name

JSON = [(b"content-type", b"application/json")]
ERRORS = ("RequestValidationError", "ResponseValidationError", "WebSocketRequestValidationError")


class Item(BaseModel):
    size: int


class _Endpoints:
    def __call__(self, q: int) -> None: ...

    def method(self, q: int) -> None: ...

    @classmethod
    def of_class(cls, q: int) -> None: ...

    @staticmethod
    def static(q: int) -> None: ...


class _Made:
    def __init__(self, q: int) -> None: ...


def _two(q: int, z: int) -> None: ...


@mock.patch.dict({})
def _wrapped(q: int) -> None:
    """A function behind one of another file, whose name and signature it has."""


_written: dict[str, Any] = {}
exec("def written(q: int): ...", _written)

_alive: list[Any] = []


@pytest.fixture(autouse=True)
def _no_places_of_functions_that_are_gone() -> None:
    """FastAPI remembers places by the id of the function, and ids are given again."""
    fastapi.routing._endpoint_context_cache.clear()


ENDPOINTS = {
    "instance": _Endpoints(),
    "method": _Endpoints().method,
    "class-method": _Endpoints.of_class,
    "static": _Endpoints.static,
    "class": _Made,
    "partial": functools.partial(_two, z=1),
    "wrapped": _wrapped,
    "partial-of-wrapped": functools.partial(_wrapped),
    "lambda": lambda q=0: [][q],
    "without-source": _written["written"],
}


def _noting(fw: Any, log: list[Any]) -> Any:
    app = fw.FastAPI()
    _alive.append(app)

    def note(exc: Any) -> None:
        log.append([type(exc).__name__, str(exc), exc.endpoint_function, exc.endpoint_path, exc.endpoint_line])
        log.append([exc.endpoint_file, sorted((exc.endpoint_ctx or {}).keys())])

    async def answer(connection: Any, exc: Any) -> Any:
        note(exc)
        if connection.scope["type"] == "websocket":
            return await connection.close(1008)
        return fw.responses.PlainTextResponse("refused", 422)

    for name in ERRORS:
        app.exception_handler(getattr(fw.exceptions, name))(answer)
    return app


def _declare(fw: Any, target: Any) -> None:
    @target.api_route("/items/{number}", methods=["PUT", "POST", "GET"])
    async def items(number: int, item: Item) -> int:
        return "not a number"  # type: ignore[return-value]

    @target.get("/stream/{number}")
    def stream(number: int) -> None: ...

    @target.websocket("/socket/{number}")
    async def socket(websocket: fw.WebSocket, number: int) -> None: ...


def _nested(fw: Any, log: list[Any]) -> Any:
    """The same routes in an application, an included router, and mounted applications."""
    app, mounted, deeper = (_noting(fw, log) for _ in range(3))
    router = fw.APIRouter(prefix="/router")
    for target in (app, router, mounted, deeper):
        _declare(fw, target)
    app.include_router(router, prefix="/{outer}")
    mounted.mount("/deeper", deeper)
    app.mount("/mount/{place}", mounted)
    return app


@pytest.mark.parametrize("root_path", ["", "/root", "/root/"])
@pytest.mark.parametrize("below", ["", "/x/router", "/mount/1", "/mount/1/deeper"])
def test_errors_name_method_mounts_and_template(root_path: str, below: str) -> None:
    asks = [
        Ask("POST", f"{below}/items/x", headers=JSON, body=(b"{}",)),
        Ask("PUT", f"{below}/items/1", headers=JSON, body=(b'{"size":',)),
        Ask("PUT", f"{below}/items/1", headers=JSON, body=(b'{"size": "x"}',)),
        Ask("POST", f"{below}/items/1", headers=JSON, body=(b'{"size": 1}',)),
        Ask("GET", f"{below}/stream/x"),
        Ask(path=f"{below}/socket/x", kind="websocket"),
    ]
    compare(_nested, [replace(ask, root_path=root_path, path=root_path.rstrip("/") + ask.path) for ask in asks], "asgi")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_errors_name_file_line_and_function(name: str) -> None:
    def make(fw: Any, log: list[Any]) -> Any:
        app = _noting(fw, log)
        app.get("/x")(ENDPOINTS[name])
        return app

    compare(make, [Ask(path="/x", query=b"q=x")])


def test_a_route_class_sees_where_the_request_came_from() -> None:
    def make(fw: Any, log: list[Any]) -> Any:
        class Route(fw.routing.APIRoute):
            def get_route_handler(self) -> Any:
                handler = super().get_route_handler()

                async def noting(request: Any) -> Any:
                    try:
                        return await handler(request)
                    except fw.exceptions.RequestValidationError as exc:
                        log.append(str(exc))
                        raise

                return noting

        app, mounted = _noting(fw, log), fw.FastAPI()
        mounted.router.route_class = Route
        _declare(fw, mounted)
        app.mount("/mount", mounted)
        return app

    compare(make, [Ask("POST", "/mount/items/x", headers=JSON, body=(b"{}",))], "asgi")


@pytest.mark.parametrize("methods", [[], (), set(), "", None, ["get"]], ids=steady_name)
def test_a_route_without_methods_is_refused(methods: Any) -> None:
    theirs, ours = registration(lambda fw, log: fw.FastAPI().api_route("/x", methods=methods)(lambda: 1))
    assert theirs[1:] == ours[1:]
    assert (theirs[0] == "none") == (ours[0] == "none")


def test_the_warning_about_root_path_says_the_same() -> None:
    said = []
    for fw in BOTH:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fw.FastAPI(root_path="/x")
        said.append([(type(one.message).__name__, str(one.message)) for one in caught])
    assert said[0] == said[1]

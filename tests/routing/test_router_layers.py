"""Middleware and exception handlers of routers: inherited by what a router includes, the innermost first."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from ferrapi import APIRouter, Depends, FastAPI, HTTPException, Request, WebSocket
from ferrapi.exceptions import RouteError
from ferrapi.middleware import Middleware
from ferrapi.middleware.cors import CORSMiddleware
from ferrapi.responses import JSONResponse, PlainTextResponse
from ferrapi.staticfiles import StaticFiles
from ferrapi.testclient import TestClient
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from support.asgi import Ask, exchange
from support.wire import Wire, configured

LOG: list[str] = []


@pytest.fixture(autouse=True)
def log() -> list[str]:
    LOG.clear()
    return LOG


class Noting:
    """Notes what comes by, with the status of the response or the exception that has left."""

    made = 0

    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app, self.name = app, name
        Noting.made += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        LOG.append(f"> {self.name} {scope['type']}")

        async def noting(message: Any) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                LOG.append(f"< {self.name} {message['status']}")
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as exc:
            LOG.append(f"! {self.name} {type(exc).__name__}")
            raise


class First(Exception):
    pass


class Second(First):
    pass


def answering(name: str, status: int = 418) -> Callable[..., Any]:
    async def handle(connection: Any, exc: Exception) -> JSONResponse:
        return JSONResponse([name, type(exc).__name__], status_code=status)

    return handle


def raises(exc: BaseException) -> Callable[..., Any]:
    async def endpoint() -> None:
        raise exc

    return endpoint


def nested(
    inner: dict[Any, Any] | None = None, outer: dict[Any, Any] | None = None, app: dict[Any, Any] | None = None
) -> FastAPI:
    """An application that includes a router that includes one, each with middleware and handlers."""
    innermost = APIRouter(prefix="/in", middleware=[noting("in")], exception_handlers=inner)
    for path, exc in {
        "/first": First(),
        "/second": Second(),
        "/404": HTTPException(404),
        "/403": HTTPException(403),
    }.items():
        innermost.get(path)(raises(exc))
    innermost.get("/ok")(lambda: "in")
    between = APIRouter(prefix="/out", middleware=[noting("out 1"), noting("out 2")], exception_handlers=outer)
    between.get("/ok")(lambda: "out")
    between.include_router(innermost)
    made = FastAPI(exception_handlers=app, middleware=[noting("app")])
    made.get("/ok")(lambda: "app")
    made.include_router(between)
    return made


def noting(name: str) -> Middleware:
    return Middleware(Noting, name=name)


async def over_asgi(app: Any, path: str, method: str = "GET") -> tuple[int | None, bytes]:
    answer = await exchange(app, Ask(method, path))
    return answer.status, answer.body


async def over_http11(app: Any, path: str, method: str = "GET") -> tuple[int | None, bytes]:
    wire = Wire(configured(app))
    await wire.feed(f"{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    while wire.state.tasks:
        await asyncio.wait(list(wire.state.tasks))
    await wire.settle()
    await wire.lose()
    head, _, body = wire.written.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


HANDLERS: dict[Any, Any] = {404: answering("in", 404), First: answering("in")}
TRANSPORTS = pytest.mark.parametrize("transport", [over_asgi, over_http11])


@TRANSPORTS
@pytest.mark.parametrize(
    ("path", "layers"),
    [("/ok", ["app"]), ("/out/ok", ["app", "out 1", "out 2"]), ("/out/in/ok", ["app", "out 1", "out 2", "in"])],
)
def test_a_request_comes_through_the_routers_on_its_way_the_outermost_first(
    transport: Any, path: str, layers: Any
) -> None:
    assert asyncio.run(transport(nested(), path))[0] == 200
    assert [f"> {name} http" for name in layers] + [f"< {name} 200" for name in reversed(layers)] == LOG


CASES = [
    ("/first", {First: "in"}, {First: "out"}, {First: "app"}, "in"),
    ("/first", {}, {First: "out"}, {First: "app"}, "out"),
    ("/first", {}, {}, {First: "app"}, "app"),
    ("/second", {First: "in"}, {Second: "out"}, {}, "in"),
    ("/second", {First: "first", Second: "second"}, {}, {}, "second"),
    ("/first", {Second: "in"}, {First: "out"}, {}, "out"),
    ("/second", {Exception: "in"}, {Second: "out"}, {}, "in"),
    ("/first", {500: "in"}, {First: "out"}, {}, "in"),
    ("/404", {404: "in"}, {404: "out"}, {}, "in"),
    ("/404", {HTTPException: "in"}, {404: "out"}, {}, "in"),
    ("/403", {404: "in"}, {HTTPException: "out"}, {}, "out"),
    ("/403", {404: "in"}, {}, {403: "app"}, "app"),
    ("/404", {404: "status", HTTPException: "class"}, {}, {}, "status"),
    ("/404", {First: "in"}, {First: "out"}, {HTTPException: "app"}, "app"),
]


@TRANSPORTS
@pytest.mark.parametrize(("path", "inner", "outer", "app", "expected"), CASES)
def test_the_innermost_router_with_a_handler_answers_where_the_exception_was_raised(
    transport: Any, path: str, inner: Any, outer: Any, app: Any, expected: str
) -> None:
    tables = [{key: answering(name) for key, name in table.items()} for table in (inner, outer, app)]
    status, body = asyncio.run(transport(nested(*tables), "/out/in" + path))
    assert (status, json.loads(body)[0]) == (418, expected)
    assert "< in 418" in LOG
    assert not [line for line in LOG if line.startswith("!")]


@TRANSPORTS
def test_without_a_handler_of_a_router_the_application_answers_as_ever(transport: Any) -> None:
    app = nested({First: answering("in")}, {Second: answering("out")})
    assert asyncio.run(transport(app, "/out/in/403")) == (403, b'{"detail":"Forbidden"}')


@TRANSPORTS
def test_what_nobody_handles_leaves_as_an_exception(transport: Any) -> None:
    app = nested({404: answering("in")})
    asyncio.run(transport(app, "/out/in/first"))
    assert [line for line in LOG if line.startswith("!")] == [f"! {n} First" for n in ("in", "out 2", "out 1", "app")]


@TRANSPORTS
def test_a_routers_middleware_is_outside_of_its_handlers_and_inside_of_those_further_out(transport: Any) -> None:
    async def failing(request: Request, call_next: Any) -> Any:
        raise First

    router = APIRouter(
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=failing)], exception_handlers={First: answering("in")}
    )
    router.get("/x")(lambda: None)
    outer = APIRouter(exception_handlers={First: answering("out")})
    outer.include_router(router)
    app = FastAPI()
    app.include_router(outer)
    assert asyncio.run(transport(app, "/x")) == (418, b'["out","First"]')


@TRANSPORTS
def test_methods_that_a_route_does_not_have_come_to_its_router(transport: Any) -> None:
    app = nested({405: answering("in", 405)})
    assert asyncio.run(transport(app, "/out/in/ok", "DELETE")) == (405, b'["in","HTTPException"]')
    assert "< in 405" in LOG
    LOG.clear()
    assert asyncio.run(transport(nested(), "/out/ok", "DELETE"))[0] == 405
    assert "< out 1 405" in LOG


def test_a_router_may_answer_preflights() -> None:
    router = APIRouter(middleware=[Middleware(CORSMiddleware, allow_origins=["https://a.test"])])
    router.get("/with")(lambda: 1)
    app = FastAPI()
    app.include_router(router)
    app.get("/without")(lambda: 1)
    client = TestClient(app)
    headers = {"origin": "https://a.test", "access-control-request-method": "GET"}
    assert client.options("/with", headers=headers).headers["access-control-allow-origin"] == "https://a.test"
    assert client.options("/without", headers=headers).status_code == 405
    assert "access-control-allow-origin" in client.get("/with", headers=headers).headers
    assert "access-control-allow-origin" not in client.get("/without", headers=headers).headers


@TRANSPORTS
def test_no_route_no_router(transport: Any) -> None:
    assert asyncio.run(transport(nested({404: answering("in")}), "/out/in/none"))[0] == 404
    assert LOG == ["> app http", "< app 404"]


def test_sockets_come_through_and_their_exceptions_are_handled() -> None:
    async def close(socket: WebSocket, exc: Exception) -> None:
        await socket.close(4000, type(exc).__name__)

    router = APIRouter(middleware=[noting("in")], exception_handlers={First: close})

    @router.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        raise Second

    app = FastAPI()
    app.include_router(router, prefix="/in")
    with TestClient(app).websocket_connect("/in/socket") as connection:
        assert connection.receive_text() == "hello"
        assert connection.receive() == {"type": "websocket.close", "code": 4000, "reason": "Second"}
    assert LOG == ["> in websocket"]


@TRANSPORTS
def test_plain_routes_mounts_and_front_ends_come_through(transport: Any, tmp_path: Any) -> None:
    (tmp_path / "page.html").write_text("page")
    router = APIRouter(
        middleware=[noting("in")], exception_handlers={404: answering("in", 404), First: answering("in")}
    )
    router.add_route("/plain", _raise_plainly)
    router.mount("/files", StaticFiles(directory=tmp_path))
    router.frontend("/front", directory=tmp_path)
    app = FastAPI()
    app.include_router(router, prefix="/r")
    answers = {
        path: asyncio.run(transport(app, path))
        for path in ("/r/plain", "/r/files/page.html", "/r/files/none", "/r/front/page.html", "/r/front/none")
    }
    assert answers == {
        "/r/plain": (418, b'["in","First"]'),
        "/r/files/page.html": (200, b"page"),
        "/r/files/none": (404, b'["in","HTTPException"]'),
        "/r/front/page.html": (200, b"page"),
        "/r/front/none": (404, b'["in","HTTPException"]'),
    }
    assert LOG.count("> in http") == 5


async def _raise_plainly(request: Request) -> None:
    raise First


@TRANSPORTS
@pytest.mark.parametrize("is_mounted", [True, False])
def test_a_router_that_stands_alone_or_is_mounted_has_them_around_everything(transport: Any, is_mounted: bool) -> None:
    router = APIRouter(
        middleware=[noting("in")], exception_handlers={First: answering("in"), 404: answering("in", 404)}
    )
    router.get("/first")(raises(First()))
    app: Any = router
    if is_mounted:
        app = FastAPI()
        app.mount("/m", router)
    prefix = "/m" if is_mounted else ""
    assert asyncio.run(transport(app, prefix + "/first")) == (418, b'["in","First"]')
    assert asyncio.run(transport(app, prefix + "/none"))[0] == 404
    assert LOG.count("> in http") == 2


def test_a_router_has_one_instance_of_its_middleware() -> None:
    Noting.made = 0
    router = APIRouter(middleware=[noting("in")])
    router.get("/a")(lambda: 1)
    router.get("/b")(lambda: 1)
    app = FastAPI()
    app.include_router(router, prefix="/1")
    app.include_router(router, prefix="/2")
    client = TestClient(app)
    assert [client.get(path).status_code for path in ("/1/a", "/1/b", "/2/a", "/2/b")] == [200] * 4
    assert Noting.made == 1


def test_routes_that_come_later_have_it_too() -> None:
    router = APIRouter(middleware=[noting("in")])
    app = FastAPI()
    app.include_router(router)
    client = TestClient(app)
    assert client.get("/late").status_code == 404
    router.get("/late")(lambda: 1)
    assert client.get("/late").status_code == 200
    assert LOG == ["> in http", "< in 200"]


def test_a_middleware_may_answer_in_the_place_of_the_route_and_see_its_path() -> None:
    async def refuse(request: Request, call_next: Any) -> Any:
        LOG.append(f"{request.path_params} {request.scope['endpoint'].__name__}")
        return PlainTextResponse("no", 403) if request.path_params["name"] == "b" else await call_next(request)

    router = APIRouter(middleware=[Middleware(BaseHTTPMiddleware, dispatch=refuse)])

    @router.get("/{name}")
    async def read(name: str, doubled: str = Depends(lambda name: name * 2)) -> str:
        return doubled

    app = FastAPI()
    app.include_router(router)
    client = TestClient(app)
    assert [client.get(path).text for path in ("/a", "/b")] == ['"aa"', "no"]
    assert LOG == ["{'name': 'a'} read", "{'name': 'b'} read"]


def test_a_handler_may_be_synchronous_and_a_middleware_may_call_twice() -> None:
    class Again:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def nothing(message: Any) -> None: ...

            await self.app(scope, receive, nothing)
            await self.app(scope, receive, send)

    def handle(request: Request, exc: Exception) -> JSONResponse:
        return JSONResponse("sync", 418)

    app = nested({First: handle})
    outermost = APIRouter(middleware=[Middleware(Again)])
    for route in app.routes:
        outermost.routes.append(route)
    again = FastAPI()
    again.include_router(outermost)
    assert TestClient(again).get("/out/in/first").json() == "sync"
    assert LOG.count("> in http") == 2


@pytest.mark.parametrize(
    "options",
    [
        {"middleware": [Noting]},
        {"middleware": ["no"]},
        {"exception_handlers": {"404": answering("")}},
        {"exception_handlers": {BaseException: answering("")}},
    ],
)
def test_what_is_no_middleware_and_no_handler_is_refused(options: Any) -> None:
    with pytest.raises(RouteError):
        APIRouter(**options)


def test_the_document_is_what_it_is_without_them() -> None:
    paths = nested().openapi()["paths"]
    for path in paths:
        assert paths[path]["get"]["responses"].keys() == {"200"}

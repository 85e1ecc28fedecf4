"""Common middleware on the transport: the same answers as FastAPI's, and natively where there is nothing to decide."""

import asyncio
import itertools
from typing import Any

import ferrapi
import pytest
from ferrapi import FastAPI
from ferrapi.middleware.cors import CORSMiddleware
from ferrapi.middleware.gzip import GZipMiddleware
from ferrapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from ferrapi.middleware.trustedhost import TrustedHostMiddleware
from ferrapi.server._site import Site
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from support.asgi import Ask, run
from support.compare import compare
from support.frameworks import Framework
from support.wire import Wire, configured

LAYERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cors any": ("cors", "CORSMiddleware", {"allow_origins": ["*"]}),
    "cors credentials": ("cors", "CORSMiddleware", {"allow_origins": ["*"], "allow_credentials": True}),
    "cors one": (
        "cors",
        "CORSMiddleware",
        {"allow_origins": ["https://a.example"], "allow_methods": ["GET", "PUT"], "expose_headers": ["x-one"]},
    ),
    "cors pattern": ("cors", "CORSMiddleware", {"allow_origin_regex": r"https://.*\.example"}),
    "gzip": ("gzip", "GZipMiddleware", {"minimum_size": 100}),
    "gzip all": ("gzip", "GZipMiddleware", {"minimum_size": 0, "compresslevel": 1}),
    "hosts": ("trustedhost", "TrustedHostMiddleware", {"allowed_hosts": ["a.example", "*.b.example", "www.c.example"]}),
    "any host": ("trustedhost", "TrustedHostMiddleware", {}),
    "https": ("httpsredirect", "HTTPSRedirectMiddleware", {}),
}

HEADERS = [
    (),
    ((b"origin", b"https://a.example"),),
    ((b"origin", b"https://b.example"), (b"accept-encoding", b"gzip, br")),
    ((b"accept-encoding", b"gzip"),),
    ((b"origin", b"null"), (b"accept-encoding", b"identity")),
    ((b"origin", b"https://a.example"), (b"access-control-request-method", b"PUT")),
    ((b"origin", b"https://z.test"), (b"access-control-request-method", b"DELETE")),
]
HOSTS = [b"a.example", b"x.b.example:8000", b"c.example", b"evil.test", b"A.EXAMPLE", b"[::1]", b"bad host"]


def shape(*names: str) -> Any:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        for name in names:
            module, cls, options = LAYERS[name]
            app.add_middleware(getattr(fw.module(f"middleware.{module}"), cls), **options)
        responses = fw.module("responses")

        @app.get("/small")
        async def small() -> dict[str, int]:
            log.append("small")
            return {"a": 1}

        @app.get("/large")
        def large() -> dict[str, str]:
            return {"text": "abc" * 200}

        @app.post("/small")
        async def made(n: int) -> dict[str, int]:
            return {"n": n}

        @app.get("/vary")
        async def vary(response: fw.Response) -> list[str]:
            response.headers["vary"] = "Accept"
            return ["x" * 150]

        @app.get("/text", response_class=responses.PlainTextResponse)
        async def text() -> str:
            return "t" * 120

        @app.get("/encoded")
        async def encoded() -> Any:
            return responses.Response(b"z" * 120, headers={"content-encoding": "br", "x-one": "1"})

        @app.get("/stream")
        async def stream() -> Any:
            return responses.StreamingResponse(iter(["a" * 90, "b" * 90]), media_type="text/plain")

        @app.get("/denied")
        async def denied() -> None:
            raise fw.HTTPException(403, "d" * 130, headers={"vary": "Cookie"})

        @app.get("/broken")
        async def broken() -> None:
            raise ValueError("no")

        @app.get("/task")
        async def task(tasks: fw.BackgroundTasks) -> str:
            tasks.add_task(log.append, "task")
            return "later"

        add_other_routes(fw, app, log)
        return app

    return make


def add_other_routes(fw: Framework, app: Any, log: list[Any]) -> None:
    """Routes that Starlette or the user serves."""
    responses = fw.module("responses")

    async def plain(request: Any) -> Any:
        log.append(sorted(request.scope.keys() - {"extensions", "fastapi_middleware_astack"}))
        return responses.PlainTextResponse("p" * 130, headers={"x-one": "1"}, background=task)

    async def pieces(request: Any) -> Any:
        return responses.StreamingResponse(iter(["a" * 90, "b" * 90]), media_type="text/plain")

    def refused(request: Any) -> Any:
        raise fw.HTTPException(403, "d" * 130)

    async def fails(request: Any) -> Any:
        raise ValueError("no")

    async def note() -> None:
        log.append("background")

    class Endpoint(HTTPEndpoint):
        async def get(self, request: Any) -> Any:
            return responses.JSONResponse(["e" * 130])

    class Own(fw.routing.APIRoute):
        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            log.append("own")
            await super().handle(scope, receive, send)

    task = BackgroundTask(note)
    for path, endpoint in {
        "plain": plain,
        "pieces": pieces,
        "refused": refused,
        "fails": fails,
        "class": Endpoint,
    }.items():
        app.add_route(f"/route/{path}", endpoint)
    router = fw.APIRouter(route_class=Own)
    router.add_route("/plain", plain)

    @router.get("/own")
    async def own() -> dict[str, str]:
        return {"text": "o" * 130}

    app.include_router(router, prefix="/included")


PATHS = [
    "/small",
    "/large",
    "/vary",
    "/text",
    "/encoded",
    "/stream",
    "/denied",
    "/broken",
    "/task",
    "/missing",
    "/small/",
    "/route/plain",
    "/route/pieces",
    "/route/refused",
    "/route/fails",
    "/route/class",
    "/included/plain",
    "/included/own",
    "/openapi.json",
]


@pytest.mark.parametrize(
    "names",
    [(name,) for name in LAYERS] + list(itertools.permutations(["cors one", "gzip", "hosts"])) + [("gzip", "gzip all")],
    ids=" in ".join,
)
def test_answers(names: tuple[str, ...]) -> None:
    asks = [
        Ask(method=method, path=path, headers=[(b"host", host), *headers])
        for host in (HOSTS if any("host" in name for name in names) else HOSTS[:1])
        for path in (PATHS if host == HOSTS[0] else PATHS[:2])
        for headers in HEADERS
        for method in (("GET", "OPTIONS", "HEAD") if path == "/small" else ("GET",))
    ]
    asks.append(Ask(method="POST", path="/small", query=b"n=x", headers=[(b"host", HOSTS[0])]))
    compare(shape(*names), asks, "http11")


def _app(*middleware: Any) -> FastAPI:
    app = ferrapi.FastAPI()
    for cls, options in middleware:
        app.add_middleware(cls, **options)

    @app.get("/")
    async def root() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"hello": "world"}

    return app


ALL: tuple[tuple[Any, dict[str, Any]], ...] = (
    (CORSMiddleware, {"allow_origins": ["*"]}),
    (GZipMiddleware, {}),
    (TrustedHostMiddleware, {"allowed_hosts": ["a.example"]}),
)


class OwnCORS(CORSMiddleware):
    """May do anything."""


class LookedAt:
    """A configuration that notes how often it is asked for the application."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.times = 0

    def __getattr__(self, name: str) -> Any:
        self.times += name == "loaded_app"
        return getattr(self.config, name)


@pytest.mark.parametrize(
    ("middleware", "request_line", "native"),
    [
        (ALL, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", True),
        (ALL, b"GET / HTTP/1.1\r\nHost: a.example\r\nOrigin: https://x.example\r\n\r\n", True),
        (ALL, b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n", False),
        (ALL, b"OPTIONS / HTTP/1.1\r\nHost: a.example\r\nOrigin: https://x.example\r\n\r\n", False),
        ([(HTTPSRedirectMiddleware, {})], b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", False),
        ([(OwnCORS, {"allow_origins": ["*"]})], b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", False),
        ([*ALL, (OwnCORS, {})], b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", False),
    ],
)
def test_whether_the_application_is_called(middleware: Any, request_line: bytes, native: bool) -> None:
    """Where the middleware has nothing to decide, the route is served without calling it."""

    async def main() -> None:
        wire = Wire(configured(_app(*middleware), proxy_headers=False))
        wire.protocol.config = looked_at = LookedAt(wire.protocol.config)
        wire.protocol.find_site = lambda: Site.of(looked_at.config.loaded_app)
        for number in range(1, 4):
            wire.protocol.data_received(request_line)
            while wire.state.tasks:
                await asyncio.wait(list(wire.state.tasks))
            await asyncio.sleep(0)
            assert looked_at.times == (0 if native else number)
        await wire.lose()

    run(main)

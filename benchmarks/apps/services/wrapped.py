"""One small endpoint under each kind of middleware, and the bookings and the shipments under what services combine."""

import time
import warnings
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any
from uuid import uuid4

from ferrapi import FastAPI, Request, Response
from ferrapi.middleware.cors import CORSMiddleware
from ferrapi.middleware.gzip import GZipMiddleware
from ferrapi.responses import JSONResponse
from ferrapi.routing import APIRoute
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .desk import bookings, manifest
from .freight import Line, calls

FRONTEND = "https://desk.freight.example"


class DepotHeader:
    """Pure ASGI: says which depot answered."""

    def __init__(self, app: ASGIApp, depot: str) -> None:
        self.app = app
        self.header = (b"x-depot", depot.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what is below, and add a header."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_depot(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], self.header]
            await send(message)

        await self.app(scope, receive, send_with_depot)


class RequestId:
    """Pure ASGI: gives a request an id, or takes that of the load balancer, and says it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what is below with the id in the scope's state."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
        request_id = given or uuid4().hex.encode()
        scope.setdefault("state", {})["request_id"] = request_id.decode()

        async def send_with_id(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", request_id))
            await send(message)

        await self.app(scope, receive, send_with_id)


class Audit(BaseHTTPMiddleware):
    """A subclass with a dispatch of its own."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Count what is changed, and say so."""
        calls["audit"] += request.method != "GET"
        response = await call_next(request)
        response.headers["x-audited"] = "yes"
        return response


async def timing(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Say how long it took."""
    started = time.perf_counter()
    response = await call_next(request)
    response.headers["server-timing"] = f"app;dur={(time.perf_counter() - started) * 1000:.2f}"
    return response


async def stamp(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Say which release answered."""
    response = await call_next(request)
    response.headers["x-release"] = "2026.11"
    return response


class StampedRoute(APIRoute):
    """A route class whose handler says which release answered."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, and the header."""
        handle = super().get_route_handler()

        async def stamped(request: Request) -> Response:
            response = await handle(request)
            response.headers["x-release"] = "2026.11"
            return response

        return stamped


class GateShutError(Exception):
    """The gate that was asked for is shut."""

    def __init__(self, gate: int) -> None:
        super().__init__(gate)
        self.gate = gate


async def say_shut(request: Request, exc: GateShutError) -> JSONResponse:
    """The answer where a gate is shut."""
    return JSONResponse({"gate": exc.gate, "free": False}, 409)


def _routed() -> FastAPI:
    app = FastAPI()
    app.router.route_class = StampedRoute
    return _with_gate(app)


def _handled() -> FastAPI:
    app = FastAPI()
    app.add_exception_handler(GateShutError, say_shut)  # type: ignore[arg-type]  # Starlette's type admits no subclass

    @app.get("/calls")
    async def show_calls() -> dict[str, int]:
        return dict(calls)

    @app.get("/gate")
    async def gate() -> dict[str, Any]:
        calls["gate"] += 1
        raise GateShutError(4)

    return app


def _cors(app: FastAPI) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[FRONTEND],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )


def _with_gate(app: FastAPI) -> FastAPI:
    """The endpoint of all of these."""

    @app.get("/calls")
    async def show_calls() -> dict[str, int]:
        return dict(calls)

    @app.get("/gate")
    async def gate() -> dict[str, Any]:
        calls["gate"] += 1
        return {"gate": 4, "free": True}

    return app


def _production() -> FastAPI:
    app = _with_gate(FastAPI())
    app.include_router(bookings)
    app.middleware("http")(timing)
    app.add_middleware(RequestId)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    _cors(app)
    return app


def _compressed() -> FastAPI:
    app = _with_gate(FastAPI())
    app.add_api_route("/manifest", manifest, response_model=list[Line])
    app.add_middleware(GZipMiddleware, minimum_size=500)
    return app


def _mounting() -> FastAPI:
    app = FastAPI()
    app.mount("/yard", _with_gate(FastAPI()))
    app.get("/calls")(lambda: dict(calls))
    return app


def _rooted() -> FastAPI:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parameter is deprecated, and used
        return _with_gate(FastAPI(root_path="/api/v2"))


class Watched(FastAPI):
    """An application with a `__call__` of its own."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note which kind of connection it is, and go on as usual."""
        scope["watched"] = scope["type"]
        await super().__call__(scope, receive, send)


pure = _with_gate(FastAPI())
pure.add_middleware(DepotHeader, depot="HAM-3")
function = _with_gate(FastAPI())
function.middleware("http")(stamp)
routed = _routed()
handled = _handled()
base = _with_gate(FastAPI())
base.add_middleware(Audit)
cors = _with_gate(FastAPI())
_cors(cors)
production = _production()
rooted = _rooted()
mounting = _mounting()
watched = _with_gate(Watched())
compressed = _compressed()

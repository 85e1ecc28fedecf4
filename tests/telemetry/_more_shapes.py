"""More shapes of applications: background tasks, layers around the router, WebSockets, and what is not usual."""

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from support.asgi import Ask
from support.frameworks import Framework

from ._shapes import JSON, Item, Unforeseen, fail, look


def tasks(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """Background tasks of all kinds."""
    app = fw.FastAPI(telemetry=telemetry)

    def work(name: str) -> None:
        look(fw, log, name)

    async def work_later(name: str) -> None:
        look(fw, log, name)

    class Worker:
        async def __call__(self) -> None:
            look(fw, log, "worker")

    def registering(background: fw.BackgroundTasks) -> None:
        background.add_task(work, "of a dependency")

    @app.get("/several", dependencies=[fw.Depends(registering)])
    async def several(background: fw.BackgroundTasks) -> int:
        background.add_task(work, "function")
        background.add_task(work_later, name="coroutine")
        background.add_task(functools.partial(work, "partial"))
        background.add_task(Worker())
        background.add_task(log.append, "built in")
        return 1

    @app.get("/failing", dependencies=[fw.Depends(registering)])
    async def failing(background: fw.BackgroundTasks) -> int:
        background.add_task(fail)
        background.add_task(work, "never")
        return 1

    @app.get("/of-a-response")
    async def of_a_response() -> Any:
        return JSONResponse(1, background=BackgroundTask(work, "of a response"))

    @app.get("/own")
    async def own() -> Any:
        return JSONResponse(1, background=fw.BackgroundTasks([BackgroundTask(work, "own")]))

    return app


TASKS = [Ask(path="/several"), Ask(path="/failing"), Ask(path="/of-a-response"), Ask(path="/own")]


def layers(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """Middleware, exception handlers, custom routes, limits."""
    app = fw.FastAPI(telemetry=telemetry, max_body_size=10)

    class Plain:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            look(fw, log, "in")
            path = scope["path"]
            if path == "/middleware/failure":
                fail()
            if path == "/middleware/answer":
                await PlainTextResponse("here", status_code=502)(scope, receive, send)
            elif path == "/middleware/start":
                await send({"type": "http.response.start", "status": 200, "headers": []})
            else:
                await self.app(scope, receive, send)
            look(fw, log, "out")

    app.add_middleware(Plain)

    @app.middleware("http")
    async def function(request: Request, call_next: Any) -> Any:
        look(fw, log, "function in")
        response = await call_next(request)
        look(fw, log, "function out")
        return response

    async def handled(request: Request, exc: Exception) -> Any:
        look(fw, log, "handler")
        if request.url.path.endswith("again"):
            raise KeyError("handler")
        return JSONResponse({}, status_code=507)

    app.add_exception_handler(ZeroDivisionError, handled)
    app.add_exception_handler(500, handled)

    class Wrapped(fw.routing.APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def wrapping(request: Request) -> Any:
                look(fw, log, "wrapped in")
                response = await handler(request)
                look(fw, log, "wrapped out")
                return response

            return wrapping

    router = fw.APIRouter(route_class=Wrapped)

    @router.post("/wrapped/{size}")
    async def wrapped(size: int, item: Item) -> int:
        return size

    @app.get("/handled")
    @app.get("/handled/again")
    async def zero() -> float:
        return 1 / 0

    @app.get("/unhandled")
    @app.get("/unhandled/again")
    async def unhandled() -> None:
        fail()

    app.include_router(router)
    return app


LAYERS = [
    Ask(path="/middleware/failure"),
    Ask(path="/middleware/answer"),
    Ask(path="/middleware/start"),
    Ask(path="/handled"),
    Ask(path="/handled/again"),
    Ask(path="/unhandled"),
    Ask(path="/unhandled/again"),
    Ask(path="/wrapped/1", method="POST", headers=JSON, body=[b'{"size":1}']),
    Ask(path="/wrapped/one", method="POST", headers=JSON, body=[b'{"size":1}']),
    Ask(path="/wrapped/1", method="POST", headers=JSON, body=[b'{"size": 1234567890}']),
]


def sockets(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """WebSockets, included and mounted, and how they end."""
    app = fw.FastAPI(telemetry=telemetry)
    router = fw.APIRouter(prefix="/rooms/{room}")

    async def opened() -> AsyncIterator[int]:
        look(fw, log, "open")
        yield 1
        look(fw, log, "close")

    def ending(fails: str = "") -> None:
        if fails == "dependency":
            fail()
        if fails == "refusal":
            raise fw.HTTPException(403)

    @router.websocket("/talk")
    async def talk(
        websocket: WebSocket,
        room: int,
        fails: str = "",
        one: int = fw.Depends(opened),
        nothing: None = fw.Depends(ending),
    ) -> None:
        look(fw, log, "talk")
        await websocket.accept()
        if fails == "endpoint":
            fail()
        if fails == "closing":
            raise fw.WebSocketException(code=1008)
        if fails.isdigit():
            raise WebSocketDisconnect(int(fails))
        await websocket.send_text(await websocket.receive_text())
        await websocket.receive_text()

    async def plain(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    child = fw.FastAPI()
    for one in (app, child):
        one.include_router(router)
    app.mount("/child/{tenant}", child)
    app.router.routes.append(WebSocketRoute("/plain/{name}", plain))
    return app


def _socket(path: str, query: bytes = b"") -> Ask:
    return Ask(kind="websocket", path=path, query=query, received=["hello"])


SOCKETS = [
    _socket("/rooms/1/talk"),
    _socket("/rooms/one/talk"),
    *(
        _socket("/rooms/1/talk", b"fails=" + fails)
        for fails in (b"dependency", b"refusal", b"endpoint", b"closing", b"1000", b"1001", b"1005", b"1006")
    ),
    _socket("/child/a/rooms/1/talk"),
    _socket("/child/a/rooms/one/talk", b"token=private"),
    _socket("/child/a/nowhere"),
    _socket("/plain/x"),
    _socket("/nowhere"),
]


def odds(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """What is not usual: response classes that fail, overrides, security, callables, dependencies of a site."""
    app = fw.FastAPI(telemetry=telemetry)

    class Unwritable(JSONResponse):
        def render(self, content: Any) -> bytes:
            raise Unforeseen("rendering")

    def answering(value: Any, **options: Any) -> None:
        async def endpoint(response: fw.Response) -> Any:
            response.status_code = options.get("status")
            return value

        options.setdefault("path", f"/{len(app.routes)}")
        app.get(options.pop("path"), response_class=options.get("response_class", JSONResponse))(endpoint)

    answering(1, path="/unwritable", response_class=Unwritable)
    answering(float("nan"), path="/nan")
    answering(object(), path="/object")
    answering("/elsewhere", path="/redirect", response_class=fw.responses.RedirectResponse)
    answering(1, path="/404", status=404)
    answering(1, path="/500", status=500)

    @app.get("/secured")
    async def secured(credentials: Any = fw.Security(fw.security.HTTPBearer())) -> str:
        return "in"

    async def original() -> str:
        return "original"

    def overriding(q: int) -> Iterator[str]:
        yield "overridden"
        log.append("close")

    async def override_now(late: bool = False) -> None:
        if late:
            app.dependency_overrides[original] = overriding

    @app.get("/overridden")
    async def overridden(now: None = fw.Depends(override_now), value: str = fw.Depends(original)) -> str:
        look(fw, log, value)
        return value

    class Methods:
        def method(self, x: int) -> int:
            return x

        @classmethod
        def of_class(cls, x: int) -> int:
            return x

        async def __call__(self, x: int) -> int:
            return x

    for path, call in (("/method", Methods().method), ("/of-class", Methods.of_class), ("/object-call", Methods())):
        app.get(path)(call)
    app.get("/lambda")(lambda x: x)

    @app.get("/group")
    async def group() -> None:
        raise ExceptionGroup("several", [Unforeseen("one")])

    guarded = fw.APIRouter(dependencies=[fw.Depends(override_now)])
    guarded.frontend("/site", directory="/nowhere", check_dir=False)
    app.include_router(guarded, prefix="/guarded")
    return app


ODDS = [
    *(Ask(path=path) for path in ("/unwritable", "/nan", "/object", "/redirect", "/404", "/500", "/secured", "/group")),
    *(Ask(path=path, query=b"x=1") for path in ("/method", "/of-class", "/object-call", "/lambda")),
    Ask(path="/guarded/site/x"),
    Ask(path="/guarded/site/x", query=b"late=private"),
    Ask(path="/guarded/site/x", method="POST"),
    Ask(path="/secured", headers=[(b"authorization", b"Bearer x")]),
    Ask(path="/overridden"),
    Ask(path="/overridden", query=b"late=1&q=1"),
    Ask(path="/overridden", query=b"q=1"),
    Ask(path="/overridden", query=b"q=private"),
]

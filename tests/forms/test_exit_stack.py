"""The exit stack in the scope that FastAPI closes the files of forms with, and that others push callbacks on."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket
from support.asgi import Ask, exchange, run
from support.compare import compare
from support.frameworks import FERRAPI, Framework

KEY = "fastapi_middleware_astack"
FORM = b'--x\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\n\r\nabc\r\n--x--\r\n'
MULTIPART = [(b"content-type", b"multipart/form-data; boundary=x")]


class Shape:
    """An application whose code pushes callbacks on the stack.

    Parameters:
        fw: the package.
        log: what happens.
        places: what the application has beside its routes: ``middleware``, ``function``, ``router``, ``route``.
    """

    def __init__(self, fw: Framework, log: list[Any], places: str) -> None:
        self.fw, self.log, self.places = fw, log, places.split()
        self.app = fw.FastAPI()
        if "router" in self.places:
            self.app.router = self.own_router()()
        if "route" in self.places:
            self.app.router.route_class = self.own_route()
        if "middleware" in self.places:
            self.app.add_middleware(self.own_middleware())
        if "function" in self.places:
            self.app.middleware("http")(self.function)
        self.add_routes(fw, log)

    def push(self, scope: Any, who: str) -> None:
        """Push a callback that tells how it is called."""
        stack = scope[KEY]
        assert isinstance(stack, AsyncExitStack)

        async def leave(*exc: Any) -> bool:
            self.log.append((who, exc[0] and exc[0].__name__))
            return "swallow" in scope["path"] and who == "endpoint"

        stack.push_async_exit(leave)

    def own_middleware(self) -> Any:
        """A class that passes everything on."""

        class Middleware:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await self.app(scope, receive, send)

        return Middleware

    async def function(self, request: Any, call_next: Any) -> Any:
        """A middleware function."""
        self.log.append(KEY in request.scope)
        response = await call_next(request)
        self.log.append(KEY in request.scope)
        return response

    def own_router(self) -> Any:
        """A router that looks at the stack."""
        shape = self

        class Router(self.fw.APIRouter):  # the package's own
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                if scope["type"] == "http":
                    shape.push(scope, "router")
                await super().__call__(scope, receive, send)

        return Router

    def own_route(self) -> Any:
        """A route class whose handlers look at the stack."""
        shape = self

        class Route(self.fw.routing.APIRoute):  # the package's own
            def get_route_handler(self) -> Any:
                original = super().get_route_handler()

                async def handler(request: Any) -> Any:
                    shape.push(request.scope, "handler before")
                    response = await original(request)
                    shape.push(request.scope, "handler after")
                    return response

                return handler

        return Route

    def add_routes(self, fw: Framework, log: list[Any]) -> None:
        """Endpoints with and without forms."""
        app, push = self.app, self.push

        async def held() -> Any:
            yield
            log.append("dependency")

        async def upload(request: fw.Request, f: fw.UploadFile, tasks: fw.BackgroundTasks) -> None:
            async def look() -> None:
                log.append(("closed", f.file.closed))

            request.scope[KEY].push_async_callback(look)
            push(request.scope, "endpoint")
            tasks.add_task(log.append, "task")

        async def broken(request: fw.Request, f: fw.UploadFile) -> None:
            push(request.scope, "endpoint")
            raise LookupError(f.filename)

        async def plain(request: fw.Request) -> None:
            push(request.scope, "endpoint")

        async def handled(request: Any, exc: Any) -> Any:
            push(request.scope, "exception handler")
            return PlainTextResponse("handled", 400)

        for function in (upload, broken, plain):
            function.__annotations__.update({"request": fw.Request, "f": fw.UploadFile, "tasks": fw.BackgroundTasks})
        app.post("/upload", dependencies=[fw.Depends(held)])(upload)
        if self.places:
            app.post("/broken")(broken)
        if {*self.places} - {"handled"}:
            app.post("/plain")(plain)
        if "handled" in self.places:
            app.exception_handler(LookupError)(handled)


@pytest.mark.parametrize("handled", ["", "handled"])
@pytest.mark.parametrize(
    "places", ["", "middleware", "function", "router", "route", "middleware function router route"]
)
def test_what_is_pushed_on_the_stack_is_called_when_all_else_is_over(places: str, handled: str) -> None:
    asks = [
        Ask(method="POST", path=path, headers=MULTIPART, body=[FORM])
        for path in ("/upload", "/broken", "/plain", "/no")
    ]
    compare(lambda fw, log: Shape(fw, log, f"{places} {handled}".strip()).app, asks)


def test_an_application_that_is_called_twice_with_one_scope_closes_both_forms() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = Shape(fw, log, "").app

        async def twice(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return

            async def whole() -> Any:
                return {"type": "http.request", "body": FORM}

            async def nowhere(message: Any) -> None: ...

            await app(scope, whole, nowhere)
            await app(scope, whole, send)

        return twice

    compare(make, [Ask(method="POST", path="/upload", headers=MULTIPART, body=[FORM])], "asgi")


def test_code_without_a_form_and_without_others_around_it_costs_no_stack() -> None:
    """FastAPI always has a stack there."""
    app = FERRAPI.FastAPI()

    async def look(request: FERRAPI.Request) -> bool:
        return KEY in request.scope

    look.__annotations__["request"] = FERRAPI.Request
    app.get("/")(look)
    answer: Any = run(lambda: exchange(app, Ask(path="/")), "asyncio")
    assert answer.body == b"false"


def test_a_stack_that_was_made_for_a_form_is_not_told_of_exceptions() -> None:
    """FastAPI's is, and may swallow them."""
    log: list[Any] = []
    shape = Shape(FERRAPI, log, "handled")
    shape.app.exception_handlers.pop(LookupError)
    answer: Any = run(
        lambda: exchange(shape.app, Ask(method="POST", path="/broken", headers=MULTIPART, body=[FORM])), "asyncio"
    )
    assert (answer.status, answer.error, log) == (500, "LookupError", [("endpoint", None)])


def sockets(fw: Framework, log: list[Any]) -> Any:
    """WebSockets that push callbacks on the stacks in their scope."""
    app = fw.FastAPI()

    async def leaves(socket: WebSocket) -> Any:
        for key in sorted(key for key in socket.scope if key.endswith("_astack")):
            log.append(key)
            socket.scope[key].push(lambda kind, exc, traceback, key=key: log.append((key, kind)))
        yield
        log.append("left")

    @app.exception_handler(KeyError)
    async def handled(socket: WebSocket, exc: KeyError) -> None:
        log.append("handled")

    @app.websocket("/{end}")
    async def talk(socket: WebSocket, end: str, needed: Any = fw.Depends(leaves)) -> None:
        await socket.accept()
        if end == "handled":
            raise KeyError(end)
        if end == "raised":
            raise ValueError(end)
        await socket.close()

    router = fw.APIRouter()
    router.websocket("/below/{end}")(talk)
    app.include_router(router)
    mounted = fw.FastAPI()
    mounted.websocket("/{end}")(talk)
    app.mount("/mounted", mounted)
    return app


@pytest.mark.parametrize("path", ["", "/below", "/mounted"])
@pytest.mark.parametrize("end", ["closed", "handled", "raised"])
def test_websockets_have_the_stacks(path: str, end: str) -> None:
    found = compare(sockets, [Ask(path=f"{path}/{end}", kind="websocket")])
    assert len(found[0].log) > 5

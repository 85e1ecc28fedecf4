"""Route classes with a handler of their own: what it may do around the engine, and what is around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

Handle = Callable[[Request], Any]
Way = Callable[[Handle, Request, list[Any]], Any]

STACKS = ("fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack")


async def _passes(handle: Handle, request: Request, log: list[Any]) -> Any:
    response = await handle(request)
    response.headers["x-seen"] = "yes"
    return response


async def _catches(handle: Handle, request: Request, log: list[Any]) -> Any:
    try:
        return await handle(request)
    except Exception as exc:
        log.append(type(exc).__name__)
        return JSONResponse({"caught": True}, 418, background=BackgroundTask(log.append, "background"))


async def _raises_before(handle: Handle, request: Request, log: list[Any]) -> Any:
    raise ValueError("before")


async def _raises_after(handle: Handle, request: Request, log: list[Any]) -> Any:
    await handle(request)
    raise LookupError("after")


async def _pushes(handle: Handle, request: Request, log: list[Any]) -> Any:
    async def note(*exc: Any) -> bool:
        log.append(("left", exc[1]))
        return False

    # That of a mounted application is that of the application around it here, which is left later.
    for name in STACKS[1:] if request.scope["root_path"] else STACKS:
        request.scope[name].push_async_callback(note, None, name)
    return await handle(request)


async def _swallows(handle: Handle, request: Request, log: list[Any]) -> Any:
    def swallow(name: str) -> Any:
        async def note(kind: Any, exc: Any, traceback: Any) -> bool:
            log.append((name, kind and kind.__name__))
            return True

        return note

    for name in STACKS[1:]:
        request.scope[name].push_async_exit(swallow(name))
    return await handle(request)


async def _fails_in_stack(handle: Handle, request: Request, log: list[Any]) -> Any:
    async def fail() -> None:
        raise KeyError("in the stack")

    request.scope[request.query_params.get("stack", STACKS[1])].push_async_callback(fail)
    return await handle(request)


async def _streams(handle: Handle, request: Request, log: list[Any]) -> Any:
    first = await handle(request)

    async def pieces() -> Any:
        for part in (first.body, b"!"):
            log.append("piece")
            yield part
        request.scope[STACKS[1]].callback(log.append, "pushed while it was sent")

    return StreamingResponse(pieces(), first.status_code)


async def _twice(handle: Handle, request: Request, log: list[Any]) -> Any:
    await handle(request)
    return await handle(request)


async def _no_response(handle: Handle, request: Request, log: list[Any]) -> Any:
    return {"no": "response"}


async def _no_engine(handle: Handle, request: Request, log: list[Any]) -> Any:
    log.append(sorted(name for name in STACKS if name in request.scope))
    return Response(b"own", 202, {"x-own": "1"}, "text/plain")


async def _replies_itself(handle: Handle, request: Request, log: list[Any]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse(["an application"])(scope, receive, send)

    return app


WAYS: dict[str, Way] = {
    way.__name__.strip("_"): way
    for way in (
        _passes,
        _catches,
        _raises_before,
        _raises_after,
        _pushes,
        _swallows,
        _fails_in_stack,
        _streams,
        _twice,
        _no_response,
        _no_engine,
        _replies_itself,
    )
}
ASKS = [
    Ask(path="/plain"),
    Ask(path="/bound?n=2"),
    Ask(path="/bound?n=x"),
    Ask(path="/fails"),
    Ask(path="/gone"),
    Ask(path="/inner/bound?n=2"),
    Ask(path="/inner/fails"),
    Ask(path=f"/plain?stack={STACKS[2]}"),
    Ask(path=f"/plain?stack={STACKS[0]}"),
    Ask(method="POST", path="/plain"),
]


@pytest.mark.parametrize("around", ["nothing", "function", "handlers"])
@pytest.mark.parametrize("way", WAYS)
def test_handlers_of_routes(way: str, around: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return _application(fw, log, WAYS[way], around)

    compare(make, ASKS)


def _application(fw: Framework, log: list[Any], way: Way, around: str) -> Any:
    class Route(fw.routing.APIRoute):
        def get_route_handler(self) -> Handle:
            handle = super().get_route_handler()

            async def handler(request: Request) -> Any:
                return await way(handle, request, log)

            return handler

    async def outer() -> Any:
        log.append("outer in")
        try:
            yield 1
        except Exception as exc:
            log.append(f"outer {type(exc).__name__}")
            raise
        finally:
            log.append("outer out")

    def inner() -> Any:
        log.append("inner in")
        yield 2
        log.append("inner out")

    router = fw.APIRouter(route_class=Route)

    @router.get("/plain")
    async def plain() -> Any:
        return {"plain": True}

    @router.get("/bound")
    async def bound(n: int, one: int = fw.Depends(outer), two: int = fw.Depends(inner, scope="function")) -> Any:
        log.append("endpoint")
        return [n, one, two]

    @router.get("/fails")
    def fails(one: int = fw.Depends(outer), two: int = fw.Depends(inner, scope="function")) -> Any:
        raise ValueError("endpoint")

    @router.get("/gone")
    async def gone() -> Any:
        raise fw.HTTPException(410)

    app = fw.FastAPI()
    app.include_router(router)
    below = fw.FastAPI()
    below.include_router(router)
    app.mount("/inner", below)
    if around == "function":

        @app.middleware("http")
        async def function(request: Request, call_next: Any) -> Any:
            response = await call_next(request)
            log.append("function")
            return response

    elif around == "handlers":
        for kind, status in ((ValueError, 422), (LookupError, 404)):

            @app.exception_handler(kind)
            def answer(request: Request, exc: Exception, status: int = status) -> Any:
                log.append(("answered", [name for name in STACKS if name in request.scope]))
                return JSONResponse({"handled": type(exc).__name__}, status)

    return app

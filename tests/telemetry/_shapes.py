"""Applications of many shapes, with the requests to them. Each notes what its code sees of telemetry."""

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Host, Mount, Route, Router
from support.asgi import Ask
from support.frameworks import Framework

JSON = ((b"content-type", b"application/json"),)
FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)


class Item(BaseModel):
    size: int


class Unforeseen(Exception):
    pass


def fail() -> None:
    raise Unforeseen("on purpose")


def look(fw: Framework, log: list[Any], where: str) -> None:
    data = fw.telemetry.get_telemetry_data()
    if data is None:
        log.append((where, None))
        return
    values = None if data.values is None else sorted(data.values)
    seen = (data.request is not None, data.websocket is not None, repr(data.body), values, data.errors)
    log.append((where, *seen))


def routes(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """Plain routes, by what their endpoints do."""
    app = fw.FastAPI(telemetry=telemetry)

    @app.get("/items/{item_id}")
    async def read(item_id: int, q: str | None = None) -> Any:
        look(fw, log, "read")
        return {"item_id": item_id, "q": q}

    @app.get("/sync/{item_id:path}")
    def read_sync(item_id: str) -> Any:
        look(fw, log, "sync")
        return item_id

    @app.post("/items")
    async def create(item: Item) -> Item:
        look(fw, log, "create")
        return item

    @app.post("/form")
    def fill(size: int = fw.Form(), name: str = fw.Form("")) -> Any:
        look(fw, log, "form")
        return size

    @app.get("/model", response_model=Item)
    async def model() -> Any:
        return {"length": 1}

    @app.get("/failure")
    async def failure() -> None:
        fail()

    @app.get("/refusal/{status}")
    async def refusal(status: int) -> None:
        raise fw.HTTPException(status, "no")

    @app.get("/response")
    async def response() -> Any:
        return PlainTextResponse("as it is", status_code=503)

    @app.get("/text", response_class=PlainTextResponse)
    def text() -> str:
        return "text"

    @app.get("/nothing", status_code=204)
    async def nothing() -> None:
        return None

    app.get("/partial")(functools.partial(read_sync, item_id="x"))
    app.router.routes.append(Route("/plain/{name}", lambda request: PlainTextResponse("plain")))
    return app


ROUTES = [
    Ask(path="/items/1", query=b"q=1&sig=secret&empty="),
    Ask(path="/items/one"),
    Ask(path="/items/1/"),
    Ask(path="/items/1", method="HEAD"),
    Ask(path="/items/1", method="BREW"),
    Ask(path="/sync/a/b"),
    Ask(path="/items", method="POST", headers=JSON, body=[b'{"size": 1}']),
    Ask(path="/items", method="POST", headers=JSON, body=[b'{"size": "private"}']),
    Ask(path="/items", method="POST", headers=JSON, body=[b"{private"]),
    Ask(path="/items", method="POST", headers=JSON, body=[b"\xff"]),
    Ask(path="/items", method="POST"),
    Ask(path="/form", method="POST", headers=FORM, body=[b"size=1"]),
    Ask(path="/form", method="POST", headers=FORM, body=[b"size=private&name=x"]),
    Ask(path="/model"),
    Ask(path="/failure"),
    Ask(path="/refusal/404"),
    Ask(path="/refusal/503"),
    Ask(path="/response"),
    Ask(path="/text"),
    Ask(path="/nothing"),
    Ask(path="/partial", query=b"item_id=1"),
    Ask(path="/plain/x"),
    Ask(path="/nowhere"),
    Ask(path="/docs"),
    Ask(path="/openapi.json"),
]


def dependencies(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """Dependencies of all kinds, and where they fail."""
    app = fw.FastAPI(telemetry=telemetry)

    def value() -> int:
        look(fw, log, "value")
        return 1

    async def opened(value: int = fw.Depends(value)) -> AsyncIterator[int]:
        log.append("open")
        yield value
        look(fw, log, "close")

    def opened_sync() -> Iterator[int]:
        yield 2
        log.append("close sync")

    async def failing_exit() -> AsyncIterator[None]:
        yield
        fail()

    async def swallowing() -> AsyncIterator[None]:
        try:
            yield
        except Unforeseen:
            log.append("swallowed")

    async def converting() -> AsyncIterator[None]:
        try:
            yield
        except Unforeseen:
            raise fw.HTTPException(418) from None

    def refusing() -> None:
        raise fw.HTTPException(401)

    class Checked:
        def __init__(self, size: int) -> None:
            self.size = size

    @app.get("/values")
    async def values(
        one: int = fw.Depends(opened), two: int = fw.Depends(opened_sync), three: Checked = fw.Depends()
    ) -> Any:
        look(fw, log, "values")
        return one + two + three.size

    def add(path: str, *calls: Any, scope: Any = None, fails: bool = False) -> None:
        async def endpoint(size: int = 0) -> int:
            if fails:
                fail()
            return size

        app.get(path, dependencies=[fw.Depends(call, scope=scope) for call in calls])(endpoint)

    add("/fails", fail)
    add("/refuses", refusing)
    add("/exit", failing_exit)
    add("/exit-early", failing_exit, scope="function")
    add("/swallowed", swallowing, fails=True)
    add("/converted", converting, fails=True)
    add("/thrown", opened, opened_sync, fails=True)
    return app


DEPENDENCIES = [
    Ask(path="/values", query=b"size=3"),
    Ask(path="/values", query=b"size=private"),
    Ask(path="/values"),
    Ask(path="/fails"),
    Ask(path="/refuses"),
    Ask(path="/exit"),
    Ask(path="/exit", query=b"size=x"),
    Ask(path="/exit-early"),
    Ask(path="/swallowed"),
    Ask(path="/converted"),
    Ask(path="/thrown"),
]


def mounts(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """Included routers, mounted applications, front ends."""
    child = fw.FastAPI()
    grandchild = fw.FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    router = fw.APIRouter(prefix="/rooms/{room}")
    inner = fw.APIRouter()

    @inner.get("/chairs/{chair}")
    async def chair(room: str, chair: int, request: Request) -> Any:
        look(fw, log, "chair")
        return {"room": room, "chair": chair}

    @inner.get("/")
    def whole(room: str) -> str:
        return room

    @inner.get("/failure")
    async def failure() -> None:
        fail()

    class Asked(fw.APIRouter):
        def matches(self, scope: Any) -> Any:
            return super().matches(scope)

    asked = Asked()
    asked.get("/asked/{name}")(whole_name)
    router.include_router(inner)
    for app in (child, grandchild):
        app.include_router(router)
    child.mount("/below/{place}", grandchild)

    async def raw(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("failure"):
            fail()
        if not scope["path"].endswith("nothing"):
            await PlainTextResponse("raw")(scope, receive, send)

    top = fw.FastAPI(telemetry=telemetry)
    top.include_router(router, prefix="/api")
    top.include_router(asked, prefix="/ask")
    top.mount("/child/{tenant}", child)
    top.mount("/raw", raw)
    top.mount("/star", Starlette(routes=[Mount("/in", app=child), Route("/own", lambda _: PlainTextResponse("own"))]))
    top.mount("/router", Router(routes=[Route("/x/{y}", lambda _: PlainTextResponse("x"))]))
    top.router.routes.append(Host("other.test", app=child))
    top.frontend("/site", directory="/nowhere", check_dir=False)
    return top


def whole_name(name: str) -> str:
    """The endpoint of a router that is asked whether it matches."""
    return name


MOUNTS = [
    *(
        Ask(path=f"{prefix}/rooms/1{rest}")
        for prefix in ("/api", "/child/a", "/child/a/below/b", "/star/in")
        for rest in ("", "/", "/chairs/2", "/chairs/two", "/failure", "/nowhere")
    ),
    Ask(path="/child/a"),
    Ask(path="/child/a/nowhere"),
    Ask(path="/raw"),
    Ask(path="/raw/x"),
    Ask(path="/raw/failure"),
    Ask(path="/raw/nothing"),
    Ask(path="/star/own"),
    Ask(path="/router/x/y"),
    Ask(path="/rooms/1/chairs/2", headers=[(b"host", b"other.test")]),
    Ask(path="/site/index.html"),
    Ask(path="/ask/asked/me"),
    Ask(path="/api/rooms/1/chairs/2", root_path="/proxy"),
    Ask(path="/proxy/api/rooms/1/chairs/2", root_path="/proxy/"),
    Ask(path="/proxy/child/a/rooms/1/chairs/2", root_path="/proxy"),
    Ask(path="/m/child/a/rooms/1/chairs/2", root_path="/m", extra={"app_root_path": "/outer"}),
]


def streams(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    """Endpoints that yield, and responses that stream."""
    app = fw.FastAPI(telemetry=telemetry)

    @app.get("/lines")
    async def lines() -> AsyncIterator[Item]:
        look(fw, log, "lines")
        yield Item(size=1)

    @app.get("/lines-sync")
    def lines_sync() -> Iterator[Any]:
        yield {"size": 1}

    @app.get("/lines-failing")
    async def lines_failing() -> AsyncIterator[Any]:
        yield 1
        fail()

    @app.get("/events", response_class=fw.sse.EventSourceResponse)
    async def events() -> AsyncIterator[Any]:
        yield {"size": 1}

    async def chunks(fails: bool) -> AsyncIterator[str]:
        yield "a"
        if fails:
            fail()
        look(fw, log, "chunks")

    @app.get("/chunks")
    async def streaming(fails: bool = False) -> Any:
        return StreamingResponse(chunks(fails))

    return app


STREAMS = [
    Ask(path="/lines"),
    Ask(path="/lines-sync"),
    Ask(path="/lines-failing"),
    Ask(path="/events"),
    Ask(path="/chunks"),
    Ask(path="/chunks", query=b"fails=1"),
]

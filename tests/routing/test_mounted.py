"""Applications inside of applications: what a mount says, and who answers what its application raises.

ferrapi goes into its own applications without calling them, so each way of being mounted is asked of both packages.
"""

from typing import Any

import pytest
from starlette.middleware import Middleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

SHOWN = ("root_path", "app_root_path", "path", "path_params")


class Lost(Exception):
    """What no application knows, or only some of them do."""


def show(fw: Framework, app: Any, name: str, *, body: bool = False) -> None:
    """Routes that say where they are."""

    @app.get("/where/{spot}", name=f"{name}-where")
    async def where(spot: str, request: fw.Request, limit: int = 3) -> Any:
        scope = request.scope
        return {
            **{key: scope.get(key) for key in SHOWN},
            "app": scope["app"].title,
            "router": scope["router"] is app.router,
            "endpoint": scope["endpoint"].__name__,
            "route": scope["route"].path,
            "url": str(request.url_for(f"{name}-where", spot="x")),
            "spot": spot,
            "limit": limit,
            "state": getattr(scope["app"].state, "mark", None),
        }

    @app.get("/plain/{spot}")
    async def plain(spot: int, limit: int = 3) -> Any:
        return {"spot": spot, "limit": limit, "name": name}

    @app.post("/orders")
    async def order(order: dict[str, int]) -> Any:
        return order

    @app.get("/refused")
    async def refused() -> Any:
        raise fw.HTTPException(418, name)

    @app.get("/lost")
    async def lost() -> Any:
        raise Lost(name)

    @app.get("/broken")
    async def broken() -> Any:
        raise RuntimeError(name)


def usual(fw: Framework, log: list[Any]) -> Any:
    app, yard, shed = fw.FastAPI(title="app"), fw.FastAPI(title="yard"), fw.FastAPI(title="shed")
    yard.state.mark = "of the yard"
    for one in (app, yard, shed):
        show(fw, one, one.title)
    yard.mount("/shed", shed)
    app.mount("/yard", yard)
    return app


def with_parameters(fw: Framework, log: list[Any]) -> Any:
    app, yard = fw.FastAPI(title="app"), fw.FastAPI(title="yard")
    show(fw, yard, "yard")
    app.mount("/yards/{yard:int}", yard)
    app.mount("/any/{rest:path}/yard", yard)
    app.mount("/{spot}", yard)
    return app


def with_root_paths(fw: Framework, log: list[Any]) -> Any:
    app, yard, shed = fw.FastAPI(title="app"), fw.FastAPI(title="yard"), fw.FastAPI(title="shed")
    app.root_path, yard.root_path = "/api", "/api/yard"
    for one in (app, yard, shed):
        show(fw, one, one.title)
    yard.mount("/shed", shed)
    app.mount("/yard", yard)
    app.mount("/shed", shed)
    return app


def with_handlers(fw: Framework, log: list[Any]) -> Any:
    """The outer application knows an exception that the inner one doesn't, and both have a handler for all."""
    app, yard, shed = fw.FastAPI(title="app"), fw.FastAPI(title="yard"), fw.FastAPI(title="shed")
    for one in (app, yard, shed):
        show(fw, one, one.title)

    @app.exception_handler(Lost)
    async def outer(request: Any, exc: Lost) -> Any:
        log.append(("outer", str(exc), request.scope["app"].title))
        return PlainTextResponse("found", 404)

    @app.exception_handler(Exception)
    async def outermost(request: Any, exc: Exception) -> Any:
        log.append(("outermost", repr(exc)))
        return PlainTextResponse("sorry", 500)

    @yard.exception_handler(404)
    async def nowhere(request: Any, exc: Any) -> Any:
        log.append(("yard", request.url.path))
        return PlainTextResponse("not in the yard", 404)

    @shed.exception_handler(Lost)
    async def inner(request: Any, exc: Lost) -> Any:
        log.append(("shed", str(exc)))
        return PlainTextResponse("in the shed", 410)

    yard.mount("/shed", shed)
    app.mount("/yard", yard)
    return app


def with_middleware_outside(fw: Framework, log: list[Any]) -> Any:
    app = usual(fw, log)

    class Adds:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def adding(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"x-seen", scope["root_path"].encode())]
                await send(message)

            await self.app(scope, receive, adding)

    app.add_middleware(Adds)
    return app


def with_cors_outside(fw: Framework, log: list[Any]) -> Any:
    from starlette.middleware.cors import CORSMiddleware

    app = usual(fw, log)
    app.add_middleware(CORSMiddleware, allow_origins=["https://a.test"])
    return app


def with_middleware_inside(fw: Framework, log: list[Any]) -> Any:
    app, yard = fw.FastAPI(title="app"), fw.FastAPI(title="yard")
    show(fw, yard, "yard")

    @yard.middleware("http")
    async def note(request: StarletteRequest, call_next: Any) -> Any:
        log.append((request.scope["root_path"], request.scope["app"].title))
        return await call_next(request)

    app.mount("/yard", yard)
    return app


def with_a_middleware_of_the_mount(fw: Framework, log: list[Any]) -> Any:
    app, yard = fw.FastAPI(title="app"), fw.FastAPI(title="yard")
    show(fw, yard, "yard")

    class Notes:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            log.append(scope["root_path"])
            await self.app(scope, receive, send)

    app.router.routes.append(Mount("/yard", app=yard, middleware=[Middleware(Notes)]))
    return app


def with_a_wrapper(fw: Framework, log: list[Any]) -> Any:
    """A subclass whose `__call__` is its own is called."""

    class Watched(fw.FastAPI):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            log.append((scope["root_path"], scope["path"]))
            await super().__call__(scope, receive, send)

    app, yard = fw.FastAPI(title="app"), Watched(title="yard")
    show(fw, yard, "yard")
    app.mount("/yard", yard)
    return app


def with_a_mount_of_ones_own(fw: Framework, log: list[Any]) -> Any:
    class Noting(Mount):
        def matches(self, scope: Any) -> Any:
            scope["asked"] = "the mount"
            return super().matches(scope)

        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            log.append(("handle", scope["root_path"], scope["asked"]))
            await super().handle(scope, receive, send)

    app, yard = fw.FastAPI(title="app"), fw.FastAPI(title="yard")
    show(fw, yard, "yard")
    app.router.routes.append(Noting("/yard", app=yard))
    return app


def behind_other_routes(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI(title="app")
    yard = fw.FastAPI(title="yard", redirect_slashes=False)

    @app.post("/yard/where/{spot}")
    async def first(spot: str) -> Any:
        return spot

    @app.websocket("/yard/lost")
    async def socket(socket: fw.WebSocket) -> None:
        await socket.accept()

    show(fw, yard, "yard")
    app.mount("/yard", yard)
    app.mount("", yard)
    return app


def with_dependencies(fw: Framework, log: list[Any]) -> Any:
    app, yard = fw.FastAPI(title="app"), fw.FastAPI(title="yard")

    async def session() -> Any:
        log.append("open")
        try:
            yield "session"
        except Lost:
            log.append("lost")
            raise
        finally:
            log.append("closed")

    @yard.get("/lost")
    async def lost(session: Any = fw.Depends(session)) -> Any:
        raise Lost(session)

    @yard.get("/where/{spot}")
    async def where(spot: int, tasks: fw.BackgroundTasks, session: Any = fw.Depends(session)) -> Any:
        tasks.add_task(log.append, "task")
        return spot

    app.mount("/yard", yard)
    return app


MAKES = (
    usual,
    with_parameters,
    with_root_paths,
    with_handlers,
    with_middleware_outside,
    with_cors_outside,
    with_middleware_inside,
    with_a_middleware_of_the_mount,
    with_a_wrapper,
    with_a_mount_of_ones_own,
    behind_other_routes,
    with_dependencies,
)
ENDS = (
    "/where/here",
    "/where/here?limit=x",
    "/plain/7",
    "/plain/x",
    "/where/here/",
    "/refused",
    "/lost",
    "/broken",
    "/nowhere",
    "/openapi.json",
    "",
    "/",
)
PREFIXES = ("", "/yard", "/yard/shed", "/yards/7", "/any/a/b/yard", "/api/yard")


def asks() -> list[Ask]:
    found = []
    for prefix in PREFIXES:
        for end in ENDS:
            path, _, query = f"{prefix}{end}".partition("?")
            found.append(Ask(path=path or "/", query=query.encode(), headers=[(b"origin", b"https://a.test")]))
        found.append(Ask("DELETE", f"{prefix}/where/here"))
        found.append(Ask("HEAD", f"{prefix}/where/here"))
        found.append(Ask("HEAD", f"{prefix}/nowhere"))
        json = [(b"content-type", b"application/json")]
        found.append(Ask("POST", f"{prefix}/orders", headers=json, body=[b'{"a": 1}']))
        found.append(Ask("POST", f"{prefix}/orders", headers=json, body=[b'{"a": ', b'"x"}']))
        found.append(Ask("POST", f"{prefix}/nowhere", headers=json, body=[b"{}"]))
    return found


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
def test_the_answers_are_fastapis(make: Any) -> None:
    compare(make, asks())


def test_a_root_path_of_the_server_is_in_front_of_all() -> None:
    for make in (usual, with_root_paths, with_parameters):
        found = [
            Ask(path=f"{prefix}{end}", root_path=root)
            for root in ("/outside", "/yard")
            for prefix in ("/outside", "/outside/yard", "/yard/yard", "/yard", "/outside/yards/3")
            for end in ("/where/here", "/nowhere", "/lost")
        ]
        compare(make, found, "asgi")


def _last_mount(app: Any) -> Any:
    return next(route for route in reversed(app.router.routes) if isinstance(route, Mount))


def replace_app(app: Any) -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(f"other {scope['root_path']}")(scope, receive, send)

    _last_mount(app).app = other


def replace_handle(app: Any) -> None:
    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("handled")(scope, receive, send)

    _last_mount(app).handle = handle


def replace_matches(app: Any) -> None:
    from starlette.routing import Match

    _last_mount(app).matches = lambda scope: (Match.NONE, {})


def add_a_route(app: Any) -> None:
    async def added() -> Any:
        return "added"

    _last_mount(app).app.add_api_route("/nowhere", added)


def set_root_path(app: Any) -> None:
    _last_mount(app).app.root_path = "/moved"


def set_outer_root_path(app: Any) -> None:
    app.root_path = "/moved"


EDITS = (replace_app, replace_handle, replace_matches, add_a_route, set_root_path, set_outer_root_path)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_edits_count_from_the_next_request_on(edit: Any) -> None:
    paths = ("/yard/where/here", "/yard/nowhere", "/moved/yard/where/here")
    asked = [Ask(path=path) for path in paths]
    compare(usual, [*asked, *asked, Ask(path=paths[0], before=edit), *asked])


def test_a_mounted_application_takes_middleware_until_its_first_request() -> None:
    """Its middleware stack is made then, and not when the application around it is first asked."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = usual(fw, log)

        @app.get("/late")
        async def late() -> Any:
            yard = _last_mount(app).app
            try:
                yard.add_middleware(Middleware)
            except RuntimeError as exc:
                return str(exc)
            yard.user_middleware.clear()
            return "in time"

        return app

    found = compare(make, [Ask(path="/late"), Ask(path="/yard/plain/1"), Ask(path="/late")])
    assert [answer.status for answer in found] == [200, 200, 200]

"""Applications around the rest of the engine: injected responses, live edits, custom routes, contexts, threads."""

import contextvars
import functools
import threading
from typing import Annotated, Any

from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.routing import Match, Route, Router
from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="unset")


def injected(
    status: Any, returned: str, *, declared: int | None = None, model: bool = False, body: bool = True
) -> Make:
    """An application that sets headers, cookies and a status on the injected response in two dependencies."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def dependency(response: fw.Response) -> None:
            response.headers["X-Dep"] = "é"
            response.set_cookie("a", "b")
            response.status_code = 202

        async def other(tasks: fw.BackgroundTasks, response: fw.Response) -> Any:
            response.headers.append("x-dep", "again")
            tasks.add_task(log.append, "dependency task")
            return response

        options: dict[str, Any] = {} if declared is None else {"status_code": declared}

        @app.get(
            "/", response_model=dict[str, int] if model else None, dependencies=[fw.Depends(dependency)], **options
        )
        async def root(response: fw.Response, tasks: fw.BackgroundTasks, same: Any = fw.Depends(other)) -> Any:
            log.append(same is response)
            if status != "keep":
                response.status_code = status
            response.headers["content-type"] = "text/weird"
            response.set_cookie("c", "d", max_age=5)
            tasks.add_task(log.append, "endpoint task")
            if returned == "value":
                return {"a": 1}
            if returned == "none":
                return None
            if returned == "injected":
                response.body = b"own"
                return response
            background = BackgroundTask(log.append, "own task") if returned.endswith("task") else None
            if returned.startswith("response"):
                return fw.responses.PlainTextResponse("plain", status_code=203, background=background)
            return fw.responses.JSONResponse({"b": 2}, background=background)

        return app

    return make


def statuses(code: int, kind: str) -> Make:
    """An application that answers with a status that may have no body."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        if kind == "declared":

            @app.get("/", status_code=code, response_model=None)
            async def declared() -> Any:
                return None
        elif kind == "declared value":

            @app.get("/", status_code=code, response_model=None)
            async def declared_value() -> Any:
                return {"a": 1}
        elif kind == "injected":

            @app.get("/")
            async def inject(response: fw.Response) -> Any:
                response.status_code = code
                return {"a": 1}
        elif kind == "raised":

            @app.get("/")
            async def raised() -> Any:
                raise fw.HTTPException(code, detail={"a": [1]}, headers={"X-A": "b"})
        elif kind == "returned":

            @app.get("/")
            async def returned() -> Any:
                return fw.responses.JSONResponse({"a": 1}, status_code=code)
        else:

            @app.get("/", status_code=code, response_class=fw.responses.PlainTextResponse, response_model=None)
            async def plain() -> Any:
                return "text"

        return app

    return make


def edits(fw: Framework, log: list[Any]) -> Any:
    """An application that tests edit while it serves."""
    app = fw.FastAPI()
    router = fw.APIRouter()

    def dep() -> str:
        return "dep"

    @app.get("/a")
    async def a(value: str = fw.Depends(dep)) -> Any:
        return ["a", value]

    @app.get("/{name}")
    async def named(name: str) -> Any:
        return ["named", name]

    @router.get("/r")
    async def r(value: str = fw.Depends(dep)) -> Any:
        return ["r", value]

    app.include_router(router, prefix="/in")
    app.state.router = router
    app.state.dep = dep
    app.state.fw = fw
    app.state.log = log
    app.state.known = {getattr(route, "path", None): route for route in [*app.router.routes, *router.routes]}
    return app


def _route(app: Any, path: str) -> Any:
    return app.state.known[path]


async def other_endpoint() -> Any:
    """Another endpoint."""
    return "other"


async def _hello(request: Any) -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("hello")


def _edit_call(path: str) -> Any:
    def edit(app: Any) -> None:
        async def call(**values: Any) -> Any:
            return ["call", sorted(values)]

        _route(app, path).dependant.call = call

    return edit


def _edit_dependencies(app: Any) -> None:
    _route(app, "/a").dependant.dependencies[0].call = lambda: "edited"


def _clear_dependencies(app: Any) -> None:
    _route(app, "/a").dependant.dependencies.clear()


def _append_dependency(app: Any) -> None:
    fw = app.state.fw
    extra = fw.module("dependencies.utils").get_parameterless_sub_dependant(
        depends=fw.Depends(lambda: app.state.log.append("extra")), path="/a"
    )
    _route(app, "/a").dependant.dependencies.append(extra)


def _set_dependencies(app: Any) -> None:
    dependant = _route(app, "/a").dependant
    dependant.dependencies = list(dependant.dependencies) * 2


def _drop_query(app: Any) -> None:
    _route(app, "/{name}").dependant.path_params.clear()


def _path_regex(app: Any) -> None:
    import re

    _route(app, "/a").path_regex = re.compile("^/(?P<extra>aa+)$")


def _param_convertors(app: Any) -> None:
    from starlette.convertors import IntegerConvertor

    _route(app, "/{name}").param_convertors["name"] = IntegerConvertor()


def _late(app: Any) -> None:
    @app.state.router.get("/late")
    async def late() -> Any:
        return "late"


def _handler(app: Any) -> None:
    @app.exception_handler(404)
    async def handler(request: Any, exc: Any) -> Any:
        return app.state.fw.responses.PlainTextResponse("handled")


EDITS: dict[str, Any] = {
    "append": lambda app: app.router.routes.append(Route("/x/y", _hello)),
    "insert": lambda app: app.router.routes.insert(0, Route("/a", _hello)),
    "insert slice": lambda app: app.router.routes.__setitem__(slice(0, 0), [Route("/{any:path}", _hello)]),
    "remove": lambda app: app.router.routes.remove(_route(app, "/{name}")),
    "delete": lambda app: app.router.routes.__delitem__(-1),
    "replace": lambda app: setattr(app.router, "routes", [Route("/a", _hello)]),
    "replace in place": lambda app: app.router.routes.__setitem__(slice(None), [Route("/a", _hello)]),
    "reverse": lambda app: app.router.routes.reverse(),
    "sort": lambda app: app.router.routes.sort(key=lambda route: -len(getattr(route, "path", ""))),
    "iadd": lambda app: app.router.routes.__iadd__([Route("/in/r/x", _hello)]),
    "call": _edit_call("/a"),
    "call included": _edit_call("/r"),
    "dependency call": _edit_dependencies,
    "dependency clear": _clear_dependencies,
    "dependency append": _append_dependency,
    "dependency set": _set_dependencies,
    "path params": _drop_query,
    "path_regex": _path_regex,
    "param_convertors": _param_convertors,
    "endpoint": lambda app: setattr(_route(app, "/a"), "endpoint", other_endpoint),
    "status_code": lambda app: setattr(_route(app, "/a"), "status_code", 299),
    "response_class": lambda app: setattr(
        _route(app, "/a"), "response_class", app.state.fw.responses.PlainTextResponse
    ),
    "response_field": lambda app: setattr(_route(app, "/a"), "response_field", None),
    "methods add": lambda app: _route(app, "/a").methods.add("POST"),
    "methods set": lambda app: setattr(_route(app, "/a"), "methods", {"POST"}),
    "methods clear": lambda app: _route(app, "/a").methods.clear(),
    "app": lambda app: setattr(_route(app, "/a"), "app", Router([Route("/a", _hello)])),
    "path": lambda app: setattr(_route(app, "/a"), "path", "/b"),
    "late": _late,
    "late include": lambda app: app.state.router.include_router(app.state.router.__class__(), prefix="/z"),
    "included routes": lambda app: app.state.router.routes.clear(),
    "included replace": lambda app: setattr(app.state.router, "routes", [Route("/r", _hello)]),
    "prefix": lambda app: setattr(app.state.router, "prefix", "/p"),
    "redirect": lambda app: setattr(app.router, "redirect_slashes", False),
    "default": lambda app: setattr(app.router, "default", Route("/a", _hello).app),
    "handler": _handler,
    "provider": lambda app: setattr(app.router, "dependency_overrides_provider", None),
    "route provider": lambda app: setattr(_route(app, "/a"), "dependency_overrides_provider", None),
    "overrides": lambda app: app.dependency_overrides.update({app.state.dep: lambda: "override"}),
    "overrides none": lambda app: setattr(app, "dependency_overrides", {}),
    "debug": lambda app: setattr(app, "debug", True),
    "root_path": lambda app: setattr(app, "root_path", "/root"),
    "mount": lambda app: app.mount("/m", Router([Route("/n", _hello)])),
    "matches": lambda app: setattr(_route(app, "/a"), "matches", lambda scope: (Match.NONE, {})),
    "handle": lambda app: setattr(_route(app, "/a"), "handle", Router([Route("/a", _hello)])),
    "name": lambda app: setattr(_route(app, "/a"), "name", "renamed"),
}

EDIT_ASKS = [
    Ask(path="/a"),
    Ask("POST", "/a"),
    Ask(path="/aaa"),
    Ask(path="/7"),
    Ask(path="/b"),
    Ask(path="/in/r"),
    Ask(path="/in/late"),
    Ask(path="/in/p/r"),
    Ask(path="/a/"),
    Ask(path="/x/y"),
    Ask(path="/m/n"),
    Ask(path="/none/at/all"),
    Ask("HEAD", "/a"),
]


def edit_asks(names: list[str]) -> list[Ask]:
    """All requests, before the first edit and after each."""
    asks = list(EDIT_ASKS)
    for name in names:
        first, *rest = EDIT_ASKS
        asks += [Ask(first.method, first.path, before=EDITS[name]), *rest]
    return asks


def contexts(fw: Framework, log: list[Any]) -> Any:
    """An application that looks at context variables, tasks and threads."""
    app = fw.FastAPI()
    main = threading.get_ident()

    def where(name: str) -> None:
        log.append((name, VAR.get(), threading.get_ident() == main))

    class Pure:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            VAR.set("middleware")
            await self.app(scope, receive, send)
            where("after")

    app.add_middleware(Pure)

    async def one() -> Any:
        where("one")
        VAR.set("one")

    def two() -> Any:
        where("two")
        VAR.set("two")

    async def three() -> Any:
        where("three in")
        token = VAR.set("three")
        yield
        where("three out")
        VAR.reset(token)
        where("three reset")

    def four() -> Any:
        where("four in")
        VAR.set("four")
        yield VAR.get()
        where("four out")

    async def five() -> Any:
        VAR.set("five")
        yield
        where("five out")

    def task() -> None:
        where("sync task")
        VAR.set("sync task")

    async def async_task() -> None:
        where("async task")
        VAR.set("async task")

    class Model(BaseModel):
        a: int

        def model_post_init(self, context: Any) -> None:
            where("model")

    @app.get("/async", dependencies=[fw.Depends(one), fw.Depends(two), fw.Depends(three), fw.Depends(four)])
    async def asynchronous(tasks: fw.BackgroundTasks, v: Any = fw.Depends(five, scope="function")) -> Model:
        where("endpoint")
        VAR.set("endpoint")
        tasks.add_task(task)
        tasks.add_task(async_task)
        return {"a": 1}  # type: ignore[return-value]

    @app.get("/sync", dependencies=[fw.Depends(five, scope="function"), fw.Depends(two), fw.Depends(one)])
    def synchronous(tasks: fw.BackgroundTasks) -> Model:
        where("endpoint")
        VAR.set("endpoint")
        tasks.add_task(async_task)
        tasks.add_task(task)
        return {"a": 1}  # type: ignore[return-value]

    @app.post("/body")
    def body(model: Model, q: Annotated[int, fw.Query()] = 1) -> Model:
        where("endpoint")
        return model

    @app.get("/fail", dependencies=[fw.Depends(three), fw.Depends(four)])
    def fail() -> None:
        where("endpoint")
        raise KeyError("x")

    @app.exception_handler(KeyError)
    def handler(request: Any, exc: Any) -> Any:
        where("handler")
        VAR.set("handler")
        return fw.responses.PlainTextResponse("handled")

    return app


CONTEXT_ASKS = [
    Ask(path="/async"),
    Ask(path="/sync"),
    Ask("POST", "/body", headers=[(b"content-type", b"application/json")], body=(b'{"a": 1}',)),
    Ask(path="/fail"),
]


def callables(fw: Framework, log: list[Any]) -> Any:
    """An application whose dependencies are callables of all kinds."""
    app = fw.FastAPI()

    class Called:
        def __init__(self, value: str) -> None:
            self.value = value

        def __call__(self, q: str = "q") -> str:
            return self.value + q

        async def method(self, q: str = "m") -> str:
            return self.value + q

        @classmethod
        def of_class(cls, q: str = "c") -> str:
            return cls.__name__ + q

        @staticmethod
        async def static(q: str = "s") -> str:
            return q

    class AsyncCalled:
        async def __call__(self, q: str = "a") -> str:
            return q

    class AsyncGenerating:
        async def __call__(self, q: str = "g") -> Any:
            log.append("open")
            yield q
            log.append("close")

    def plain(p: str, q: str = "d") -> str:
        return p + q

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            log.append("wrapped")
            return function(*args, **kwargs)

        return wrapper

    @decorate
    def decorated(q: str = "w") -> str:
        return q

    def generator(q: str = "y") -> Any:
        yield q

    instance = Called("i")
    found = {
        "instance": instance,
        "method": instance.method,
        "class": Called,
        "classmethod": Called.of_class,
        "static": Called.static,
        "async instance": AsyncCalled(),
        "generating": AsyncGenerating(),
        "partial": functools.partial(plain, "p"),
        "keyword partial": functools.partial(plain, p="k"),
        "partial of generator": functools.partial(generator, q="pg"),
        "partial of async": functools.partial(instance.method),
        "decorated": decorated,
        "partial decorated": functools.partial(decorated),
        "lambda": lambda q="l": q,
        "builtin": dict,
    }
    for name, call in found.items():

        def endpoint(value: Any = fw.Depends(call)) -> Any:
            return repr(type(value)) + repr(getattr(value, "value", value))

        try:
            app.get("/" + name)(endpoint)
        except Exception as exc:
            log.append((name, type(exc).__name__))
    for name in ("instance", "method", "async instance", "partial", "decorated", "generating", "partial decorated"):
        try:
            app.get("/endpoint " + name)(found[name])
        except Exception as exc:
            log.append((name, type(exc).__name__))
    app.state.names = [*found, *(f"endpoint {name}" for name in found)]
    return app


def custom_routes(fw: Framework, log: list[Any]) -> Any:
    """An application with route classes that override what a route does."""
    app = fw.FastAPI()

    class Timed(fw.routing.APIRoute):
        def get_route_handler(self) -> Any:
            original = super().get_route_handler()

            async def handler(request: Any) -> Any:
                log.append(("before", self.path, sorted(request.path_params)))
                try:
                    response = await original(request)
                except fw.exceptions.RequestValidationError as exc:
                    raise fw.HTTPException(422, detail={"body": str(exc.body), "n": len(exc.errors())}) from None
                except ZeroDivisionError:
                    return fw.responses.PlainTextResponse("divided")
                log.append(("after", type(response).__name__, response.status_code))
                response.headers["x-timed"] = "1"
                return response

            return handler

    class Replaced(fw.routing.APIRoute):
        def get_route_handler(self) -> Any:
            original = super().get_route_handler()

            class Upper(fw.Request):
                async def body(self) -> bytes:
                    if not hasattr(self, "_own"):
                        self._own = (await super().body()).upper()
                    return self._own

            async def handler(request: Any) -> Any:
                return await original(Upper(request.scope, request.receive))

            return handler

    class Picky(fw.routing.APIRoute):
        def matches(self, scope: Any) -> Any:
            match, child = super().matches(scope)
            if b"no" in scope["query_string"]:
                return Match.NONE, {}
            return match, {**child, "extra": "picked"}

    class Handled(fw.routing.APIRoute):
        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            log.append(("handle", scope["method"], scope["path"]))
            await super().handle(scope, receive, send)

    async def closing() -> Any:
        log.append("open")
        yield
        log.append("close")

    for name, cls in {"timed": Timed, "replaced": Replaced, "picky": Picky, "handled": Handled}.items():
        router = fw.APIRouter(route_class=cls)

        @router.post("/{x}")
        async def post(
            x: int,
            request: fw.Request,
            tasks: fw.BackgroundTasks,
            body: Any = fw.Body(None),
            d: Any = fw.Depends(closing),
        ) -> Any:
            tasks.add_task(log.append, "task")
            return {
                "x": x,
                "z": 1 // x,
                "body": body,
                "extra": request.scope.get("extra"),
                "cls": type(request).__name__,
            }

        @router.get("/{x}/{y}", dependencies=[fw.Depends(closing)])
        def get(x: str, y: float) -> Any:
            return [x, y]

        inner = fw.APIRouter()
        inner.include_router(router, prefix="/deep/{z}")
        app.include_router(router, prefix=f"/{name}")
        app.include_router(inner, prefix=f"/{name}")
    app.get("/{rest:path}")(lambda rest: ["rest", rest])
    return app


def _custom_asks() -> list[Ask]:
    json = [(b"content-type", b"application/json")]
    asks = []
    for name in ("timed", "replaced", "picky", "handled"):
        for path in (
            f"/{name}/1",
            f"/{name}/0",
            f"/{name}/x",
            f"/{name}/deep/z/2",
            f"/{name}/deep/z/y/2.5",
            f"/{name}/a/2",
        ):
            asks.append(Ask("POST", path, headers=json, body=(b'"te', b'xt"')))
            asks.append(Ask("GET", path))
            asks.append(Ask("POST", path, headers=json, body=(b"{",)))
            asks.append(Ask("POST", path, b"no", headers=json, body=(b"1",)))
            asks.append(Ask("POST", path, headers=json, body=(b"1", b"2"), ends=False))
    return asks


CUSTOM_ASKS = _custom_asks()


def requests(fw: Framework, log: list[Any]) -> Any:
    """An application that uses the request object in all places, and lets the body be read twice."""
    app = fw.FastAPI()

    @app.middleware("http")
    async def noting(request: Any, call_next: Any) -> Any:
        if b"eager" in request.scope["query_string"]:
            log.append(await request.body())
        response = await call_next(request)
        response.headers["x-middleware"] = "1"
        return response

    async def dependency(request: fw.Request) -> Any:
        request.state.seen = True
        return await request.body()

    async def json_body(request: fw.Request) -> Any:
        return await request.json()

    @app.post("/twice")
    async def twice(request: fw.Request, raw: bytes = fw.Depends(dependency), value: Any = fw.Body(None)) -> Any:
        return [len(raw), value, request.state.seen, len(await request.body())]

    @app.post("/json")
    async def as_json(value: Any = fw.Depends(json_body)) -> Any:
        return value

    @app.post("/stream")
    async def stream(request: fw.Request) -> Any:
        return [chunk.decode() async for chunk in request.stream()]

    @app.post("/stream-after")
    async def stream_after(request: fw.Request, value: Any = fw.Body()) -> Any:
        return [chunk.decode() async for chunk in request.stream()]

    @app.post("/form")
    async def form(request: fw.Request, a: Annotated[str, fw.Form()]) -> Any:
        return [a, sorted((await request.form()).keys())]

    @app.post("/connection")
    async def connection(c: fw.requests.HTTPConnection, r: fw.Request) -> Any:
        return [c is r, str(c.url), dict(c.query_params), c.cookies, await r.is_disconnected(), sorted(c.path_params)]

    @app.post("/scope")
    async def scope(r: fw.Request) -> Any:
        keys = sorted(r.scope)
        route = r.scope["route"]
        return [keys, route.path, r.scope["endpoint"].__name__, type(r.scope["router"]).__name__, r.scope["app"] is app]

    @app.exception_handler(fw.exceptions.RequestValidationError)
    async def handler(request: Any, exc: Any) -> Any:
        return fw.responses.JSONResponse({"body": repr(await request.body()), "seen": repr(exc.body)}, status_code=422)

    return app


def _request_asks() -> list[Ask]:
    json = [(b"content-type", b"application/json"), (b"cookie", b"a=b"), (b"host", b"h:1")]
    form = [(b"content-type", b"application/x-www-form-urlencoded")]
    asks = []
    for path in ("/twice", "/json", "/stream", "/stream-after", "/connection", "/scope", "/form"):
        for query in (b"", b"eager", b"q=1&q=2"):
            for body, ends in (((b'{"a"', b": 1}"), True), ((b"",), True), ((b"{",), True), ((b'{"a"',), False)):
                asks.append(Ask("POST", path, query, json, body, ends))
        asks.append(Ask("POST", path, b"", form, (b"a=1&b=2",)))
        asks.append(Ask("POST", path, b"", form, (b"b=2",)))
    return asks


REQUEST_ASKS = _request_asks()


def websockets(fw: Framework, log: list[Any]) -> Any:
    """An application with WebSocket endpoints, dependencies and errors."""
    app = fw.FastAPI()

    async def closing(websocket: fw.WebSocket, q: int = 0) -> Any:
        log.append(("open", q))
        try:
            yield websocket
        except Exception as exc:
            log.append(("saw", type(exc).__name__))
            raise
        finally:
            log.append("close")

    router = fw.APIRouter(dependencies=[fw.Depends(closing)])

    @app.websocket("/echo/{name}")
    async def echo(
        websocket: fw.WebSocket, name: int, q: list[int] = fw.Query([]), same: Any = fw.Depends(closing)
    ) -> None:
        await websocket.accept()
        log.append(same is websocket)
        await websocket.send_json({"name": name, "q": q, "got": await websocket.receive_text()})
        await websocket.close()

    @router.websocket("/fail/{kind}")
    async def fail(websocket: fw.WebSocket, kind: str, c: fw.requests.HTTPConnection) -> None:
        log.append(c is websocket)
        if kind == "accepted":
            await websocket.accept()
        if kind == "ws":
            raise fw.WebSocketException(4001, "why")
        if kind == "http":
            raise fw.HTTPException(403)
        raise KeyError(kind)

    @app.websocket("/header")
    async def header(
        websocket: fw.WebSocket, token: Annotated[str, fw.Header()], sid: Annotated[str, fw.Cookie()]
    ) -> None:
        await websocket.accept()

    app.include_router(router, prefix="/sub")

    @app.get("/echo/{name}")
    async def http(name: str) -> Any:
        return name

    return app


WEBSOCKET_ASKS = [
    Ask(kind="websocket", path="/echo/1", received=("hi",)),
    Ask(kind="websocket", path="/echo/1", query=b"q=1&q=2", received=("hi",)),
    Ask(kind="websocket", path="/echo/x", received=("hi",)),
    Ask(kind="websocket", path="/echo/1", query=b"q=a&q=b"),
    Ask(kind="websocket", path="/echo/1/"),
    Ask(kind="websocket", path="/sub/fail/ws"),
    Ask(kind="websocket", path="/sub/fail/http"),
    Ask(kind="websocket", path="/sub/fail/key"),
    Ask(kind="websocket", path="/sub/fail/accepted"),
    Ask(kind="websocket", path="/header"),
    Ask(kind="websocket", path="/header", headers=[(b"token", b"t"), (b"cookie", b"sid=s")]),
    Ask(kind="websocket", path="/none"),
    Ask(kind="websocket", path="/docs"),
    Ask(path="/echo/1"),
    Ask(path="/sub/fail/ws"),
]

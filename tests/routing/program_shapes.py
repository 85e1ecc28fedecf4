"""Applications whose dependencies are run natively: each has something that programs have an action for."""

import inspect
from typing import Annotated, Any

from ferrapi.serve.programs import program_of
from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework

Log = list[Any]
KINDS = ("async", "sync", "async generator", "generator")
ENDPOINTS = ("async", "sync", "async stream", "stream", "events", "response")


def parameter(name: str, annotation: Any = Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """A keyword parameter."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def declared(function: Any, parameters: tuple[inspect.Parameter, ...]) -> Any:
    """`function`, which takes any keywords, with these parameters."""
    function.__signature__ = inspect.Signature(parameters)
    return function


def dependency(log: Log, kind: str, name: str, *parameters: inspect.Parameter) -> Any:
    """A dependency of a kind that notes what it was given, and when it ends."""

    def work(values: dict[str, Any]) -> str:
        log.append((name, sorted((key, _plain(value)) for key, value in values.items())))
        return f"{name}({', '.join(_plain(values[key]) for key in sorted(values))})"

    async def asynchronous(**values: Any) -> Any:
        return work(values)

    def synchronous(**values: Any) -> Any:
        return work(values)

    async def async_generator(**values: Any) -> Any:
        try:
            yield work(values)
        finally:
            log.append((name, "end"))

    def generator(**values: Any) -> Any:
        try:
            yield work(values)
        finally:
            log.append((name, "end"))

    return declared(
        dict(zip(KINDS, (asynchronous, synchronous, async_generator, generator), strict=True))[kind], parameters
    )


def _plain(value: Any) -> str:
    """A value as text without addresses."""
    kind = type(value).__name__
    return kind if " at 0x" in repr(value) else repr(value)


def endpoint(fw: Framework, log: Log, kind: str, *parameters: inspect.Parameter) -> Any:
    """An endpoint of a kind that shows what it was given."""

    def shown(values: dict[str, Any]) -> Any:
        log.append("endpoint")
        return {key: _plain(values[key]) for key in sorted(values)}

    async def asynchronous(**values: Any) -> Any:
        return shown(values)

    def synchronous(**values: Any) -> Any:
        return shown(values)

    async def async_stream(**values: Any) -> Any:
        for item in shown(values).items():
            yield item
        log.append("streamed")

    def stream(**values: Any) -> Any:
        yield from shown(values).items()
        log.append("streamed")

    async def response(**values: Any) -> Any:
        return fw.responses.JSONResponse(shown(values), 201, {"x-own": "yes"})

    functions = {
        "async": asynchronous,
        "sync": synchronous,
        "async stream": async_stream,
        "stream": stream,
        "events": async_stream,
        "response": response,
    }
    return declared(functions[kind], parameters)


def add(fw: Framework, app: Any, log: Log, kind: str, *parameters: inspect.Parameter, path: str = "/") -> Any:
    """Put such an endpoint at a path."""
    options = {"response_class": fw.sse.EventSourceResponse} if kind == "events" else {}
    return app.get(path, **options)(endpoint(fw, log, kind, *parameters))


def kinds(first: str, second: str, last: str) -> Make:
    """Two dependencies with parameters of their own, the second uses the first."""

    def make(fw: Framework, log: Log) -> Any:
        app = fw.FastAPI()
        one = dependency(
            log,
            first,
            "one",
            parameter("p", int),
            parameter("x_one", Annotated[str, fw.Header()], "none"),
            parameter("q", Annotated[list[int], fw.Query()], []),
        )
        two = dependency(
            log,
            second,
            "two",
            parameter("one", Any, fw.Depends(one)),
            parameter("limit", Annotated[int, fw.Query(ge=1)], 5),
            parameter("c", Annotated[str | None, fw.Cookie()], None),
        )
        depends = (parameter("two", Any, fw.Depends(two)), parameter("one", Any, fw.Depends(one)))
        add(fw, app, log, last, *depends, parameter("r", bool, False), path="/{p}")
        return app

    return make


KINDS_ASKS = [
    Ask(path="/1"),
    Ask(path="/2", query=b"q=1&q=2&limit=7&r=on", headers=[(b"x-one", b"\xe9"), (b"cookie", b"c=d")]),
    Ask(path="/x"),
    Ask(path="/1", query=b"limit=0"),
    Ask(path="/1", query=b"q=a&q=1&q=b&limit=b&r=c"),
    Ask(path="/1", query=b"r=2"),
    Ask("HEAD", path="/1"),
]


def sharing(fw: Framework, log: Log) -> Any:
    """Uses of one dependency that share its call, and uses that don't."""
    app = fw.FastAPI(dependencies=[fw.Depends(dependency(log, "async", "everywhere", parameter("e", int, 0)))])
    shared = dependency(log, "async", "shared", parameter("s", int))
    kept = dependency(log, "generator", "kept", parameter("shared", Any, fw.Depends(shared)))
    scoped = dependency(log, "async", "scoped", parameter("scopes", fw.security.SecurityScopes))
    left = dependency(
        log, "async", "left", parameter("a", Any, fw.Depends(shared)), parameter("b", Any, fw.Depends(kept))
    )
    right = dependency(
        log,
        "sync",
        "right",
        parameter("kept", Any, fw.Depends(kept)),
        parameter("own", Any, fw.Depends(shared, use_cache=False)),
        parameter("other", Any, fw.Depends(kept, use_cache=False)),
        parameter("scoped", Any, fw.Security(scoped, scopes=["right"])),
    )
    router = fw.APIRouter(dependencies=[fw.Depends(kept), fw.Security(scoped, scopes=["router"])])
    depends = (
        parameter("left", Any, fw.Depends(left)),
        parameter("right", Any, fw.Depends(right)),
        parameter("again", Any, fw.Depends(shared)),
        parameter("scoped", Any, fw.Security(scoped, scopes=["end", "right"])),
        parameter("plain", Any, fw.Depends(scoped)),
    )
    add(fw, router, log, "async", *depends, path="/in")
    add(fw, app, log, "sync", *depends, path="/")
    app.include_router(router, prefix="/r", dependencies=[fw.Depends(shared)])
    return app


SHARING_ASKS = [
    Ask(path=path, query=query) for path in ("/", "/r/in") for query in (b"s=1&e=2", b"", b"s=1&e=x", b"s=x")
]


def scopes(first: tuple[str, str | None], second: tuple[str, str | None], last: str) -> Make:
    """Two generators beside each other, each with a scope, and a background task."""

    def make(fw: Framework, log: Log) -> Any:
        app = fw.FastAPI()

        def depends(name: str, kind: str, scope: str | None) -> Any:
            return fw.Depends(dependency(log, kind, name, parameter("fail", str, "")), scope=scope)

        async def failing(tasks: fw.BackgroundTasks, fail: str = "") -> None:
            tasks.add_task(log.append, "task")
            if fail == "http":
                raise fw.HTTPException(409, "conflict")
            if fail == "other":
                raise KeyError("other")

        add(
            fw,
            app,
            log,
            last,
            parameter("one", Any, depends("one", *first)),
            parameter("two", Any, depends("two", *second)),
            parameter("failing", Any, fw.Depends(failing)),
        )
        return app

    return make


SCOPES_ASKS = [Ask(), Ask(query=b"fail=http"), Ask(query=b"fail=other")]


def specials(fw: Framework, log: Log) -> Any:
    """Dependencies that take objects of the request, beside parameters and other dependencies."""
    app = fw.FastAPI()

    async def status(response: fw.Response, code: int = 200) -> fw.Response:
        response.status_code = code
        response.headers["x-code"] = str(code)
        response.set_cookie("seen", "yes")
        return response

    def tasks(background: fw.BackgroundTasks, note: str = "note") -> Any:
        background.add_task(log.append, note)
        return background

    async def seen(
        request: fw.Request, connection: fw.requests.HTTPConnection, scopes: fw.security.SecurityScopes
    ) -> Any:
        log.append((request.url.path, sorted(request.query_params), scopes.scopes, scopes.scope_str))
        request.state.mark = len(connection.headers)
        yield request
        log.append(("after", request.state.mark))

    @app.get("/{p}")
    async def root(
        request: fw.Request,
        answer: fw.Response,
        background: fw.BackgroundTasks,
        scopes: fw.security.SecurityScopes,
        p: str,
        status: Annotated[Any, fw.Depends(status)],
        tasks: Annotated[Any, fw.Depends(tasks)],
        seen: Annotated[Any, fw.Security(seen, scopes=["a", "b"])],
    ) -> Any:
        log.append([status is answer, tasks is background, seen is request, request.state.mark, scopes.scopes])
        background.add_task(log.append, "last")
        answer.headers.append("x-code", "again")
        return {"p": p, "params": request.path_params}

    return app


SPECIALS_ASKS = [
    Ask(path=f"/{p}", query=query) for p in "ab" for query in (b"", b"code=404&note=n", b"code=x", b"code=204")
]


def _schemes(fw: Framework, auto_error: bool) -> dict[str, Any]:
    security = fw.security
    return {
        "password": security.OAuth2PasswordBearer(tokenUrl="token", auto_error=auto_error),
        "bearer": security.HTTPBearer(auto_error=auto_error),
        "basic": security.HTTPBasic(auto_error=auto_error),
        "digest": security.HTTPDigest(auto_error=auto_error),
        "header": security.APIKeyHeader(name="X-Key", auto_error=auto_error),
        "query": security.APIKeyQuery(name="key", auto_error=auto_error),
        "cookie": security.APIKeyCookie(name="key", auto_error=auto_error),
        "connect": security.OpenIdConnect(openIdConnectUrl="/c", auto_error=auto_error),
    }


SCHEMES = ("password", "bearer", "basic", "digest", "header", "query", "cookie", "connect")


def schemes(name: str, auto_error: bool, last: str) -> Make:
    """A security scheme between other dependencies: used directly, and by another one."""

    def make(fw: Framework, log: Log) -> Any:
        app = fw.FastAPI()
        scheme = _schemes(fw, auto_error)[name]
        before = dependency(log, "async generator", "before", parameter("n", int, 0))
        user = dependency(log, "async", "user", parameter("token", Any, fw.Security(scheme)), parameter("m", int, 0))
        add(
            fw,
            app,
            log,
            last,
            parameter("before", Any, fw.Depends(before)),
            parameter("user", Any, fw.Security(user, scopes=["me"])),
            parameter("token", Any, fw.Depends(scheme)),
            parameter("fresh", Any, fw.Depends(scheme, use_cache=False)),
        )
        return app

    return make


_CREDENTIALS: tuple[tuple[bytes, bytes], ...] = (
    (b"authorization", b"Bearer abc"),
    (b"authorization", b"bearer  \xe9 x "),
    (b"authorization", b"Bearer"),
    (b"authorization", b""),
    (b"authorization", b"Basic dTpw"),
    (b"authorization", b"Basic !"),
    (b"authorization", b"Digest x=y"),
    (b"x-key", b"k"),
    (b"x-key", b""),
    (b"x-key", b"\xff\xfe"),
    (b"cookie", b"key=c"),
)
SCHEMES_ASKS = [
    Ask(),
    *(Ask(headers=[header]) for header in _CREDENTIALS),
    Ask(headers=[(b"authorization", b"Bearer 1"), (b"authorization", b"Bearer 2")]),
    Ask(query=b"key=q&m=1"),
    Ask(query=b"n=x"),
    Ask(query=b"m=x", headers=[(b"authorization", b"Bearer abc")]),
]


def names(parameters: list[str]) -> Make:
    """Dependencies that are passed on under these names."""

    def make(fw: Framework, log: Log) -> Any:
        app = fw.FastAPI()
        inner = dependency(log, "async", "inner", parameter("q", str, "none"))
        passed = [parameter(name, Any, fw.Depends(inner)) for name in parameters]
        add(fw, app, log, "async", *passed, path="/async")
        add(fw, app, log, "sync", *passed, path="/sync")
        outer = dependency(log, "generator", "outer", *passed, parameter("request", fw.Request))
        add(fw, app, log, "async stream", parameter("outer", Any, fw.Depends(outer)), path="/outer")
        return app

    return make


def program_at(app: Any, path: str = "/") -> Any:
    """The program of ferrapi's route at a path, if it has one."""
    found = [route for route in app.routes if getattr(route, "path", None) == path]
    return program_of(found[-1].app, None)

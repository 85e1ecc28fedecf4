"""Limits of bodies and forms, wherever they are set: the same answers as FastAPI's."""

import contextlib
from collections.abc import Callable
from typing import Annotated, Any

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from support.asgi import Ask
from support.compare import Make, compare
from support.frameworks import BOTH, Framework
from support.naming import steady_name

JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def _add_endpoints(fw: Framework, app: Any) -> None:
    """Endpoints that read the body in every way there is."""

    @app.post("/json")
    async def from_json(item: dict[str, str]) -> Any:
        return item

    @app.post("/form")
    async def from_form(a: Annotated[str, fw.Form()]) -> Any:
        return len(a)

    @app.post("/nothing")
    def nothing() -> str:
        return "nothing"

    @app.post("/body")
    async def body(request: Request) -> Any:
        return [len(await request.body()), request.scope.get("starlette.max_body_size")]

    @app.post("/pieces")
    async def pieces(request: Request) -> Any:
        return [len(piece) async for piece in request.stream()]

    @app.post("/caught")
    async def caught(request: Request) -> Any:
        try:
            return len(await request.body())
        except HTTPException as exc:
            return [exc.status_code, exc.detail]

    @app.post("/streamed")
    async def streamed(request: Request) -> Any:
        return StreamingResponse(request.stream())

    @app.post("/begun")
    async def begun(request: Request) -> Any:
        async def generate() -> Any:
            yield b"begun "
            async for piece in request.stream():
                yield piece

        return StreamingResponse(generate())

    @app.post("/grouped")
    async def grouped(request: Request) -> Any:
        async with anyio.create_task_group() as group:
            group.start_soon(request.body)

    @app.post("/mixed-group")
    async def mixed_group(request: Request) -> Any:
        try:
            await request.body()
        except HTTPException as exc:
            raise ExceptionGroup("both", [exc, ValueError("other")]) from None

    @app.post("/small", max_body_size=5)
    async def small(request: Request) -> Any:
        return [len(await request.body()), request.scope["starlette.max_body_size"]]

    @app.post("/large", max_body_size=100)
    async def large(request: Request) -> Any:
        return [len(await request.body()), request.scope["starlette.max_body_size"]]

    @app.post("/none", max_body_size=0)
    async def none(request: Request) -> Any:
        return len(await request.body())

    async def read(request: Request) -> Any:
        return len(await request.body())

    @app.post("/dependency")
    async def dependency(size: Annotated[int, fw.Depends(read)]) -> Any:
        return size


async def _plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _plain_group(request: Request) -> PlainTextResponse:
    async with anyio.create_task_group() as group:
        group.start_soon(request.body)
    return PlainTextResponse("read")


def _build(fw: Framework, limit: int | None, prepare: Callable[[Framework, Any], None] | None = None) -> Any:
    app = fw.FastAPI(max_body_size=limit)
    _add_endpoints(fw, app)
    app.add_route("/plain", _plain, methods=["POST"])
    app.add_route("/plain-group", _plain_group, methods=["POST"])
    router = fw.APIRouter(max_body_size=30)
    _add_endpoints(fw, router)
    router.add_route("/plain", _plain, methods=["POST"])
    app.include_router(router, prefix="/router")
    app.include_router(router, prefix="/included", max_body_size=8)
    free = fw.APIRouter()
    _add_endpoints(fw, free)
    app.include_router(free, prefix="/free", max_body_size=8)
    outer = fw.APIRouter(max_body_size=12)
    outer.include_router(free, prefix="/inner")
    app.include_router(outer, prefix="/outer")
    mounted = fw.FastAPI(max_body_size=50)
    _add_endpoints(fw, mounted)
    app.mount("/mounted", mounted)
    unlimited = fw.FastAPI()
    _add_endpoints(fw, unlimited)
    app.mount("/unlimited", unlimited)
    if prepare is not None:
        prepare(fw, app)
    return app


NAMES = ["json", "form", "nothing", "body", "pieces", "caught", "grouped", "mixed-group", "small", "large", "none"]
NAMES += ["dependency", "plain", "plain-group", "nowhere"]
PREFIXES = ["/", "/router/", "/included/", "/free/", "/outer/inner/", "/mounted/", "/unlimited/"]


def _asks(path: str, size: int) -> list[Ask]:
    """A body of this size: in one piece and in three, with and without a true length, with false ones."""
    content = b'{"a":"' + b"x" * (size - 8) + b'"}' if path.endswith("json") else b"a=" + b"x" * (size - 2)
    content = content[:size] if size >= 8 else b"a=" + b"x" * max(size - 2, 0)
    kind = FORM if path.endswith("form") else JSON
    length = (b"content-length", b"%d" % len(content))
    return [
        Ask("POST", path, headers=[kind], body=[content]),
        Ask("POST", path, headers=[kind, length], body=[content]),
        Ask("POST", path, headers=[kind], body=[content[:3], b"", content[3:]]),
        Ask("POST", path, headers=[kind, (b"content-length", b"1")], body=[content]),
        Ask("POST", path, headers=[kind, (b"content-length", b"99999")], body=[content]),
        Ask("POST", path, headers=[kind, (b"content-length", b"many")], body=[content]),
    ]


@pytest.mark.parametrize("limit", [None, 20, 1000])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_body_may_have_as_many_bytes_as_the_innermost_limit_says(limit: int | None, prefix: str) -> None:
    if prefix == "/included/" or limit is None:
        names = [name for name in NAMES if not name.startswith("plain-")]
    else:
        names = NAMES
    asks = [ask for name in names for size in (2, 6, 12, 20, 21, 31, 51, 101) for ask in _asks(prefix + name, size)]
    answers = compare(lambda fw, log: _build(fw, limit), asks)
    assert 413 in {answer.status for answer in answers}


def _with_handler(fw: Framework, app: Any) -> None:
    @app.exception_handler(413)
    async def too_large(request: Request, exc: HTTPException) -> PlainTextResponse:
        return PlainTextResponse(f"handled {exc.detail}", status_code=418)


def _with_group_handler(fw: Framework, app: Any) -> None:
    @app.exception_handler(ExceptionGroup)
    async def group(request: Request, exc: Exception) -> PlainTextResponse:
        return PlainTextResponse("a group", status_code=418)


def _with_middleware(fw: Framework, app: Any) -> None:
    @app.middleware("http")
    async def pass_on(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-passed"] = "yes"
        return response


class _Reading:
    """A middleware that reads the body and passes on what it has read."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await Request(scope, receive).body() if scope["type"] == "http" else b""
        left = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return left.pop() if left else await receive()

        await self.app(scope, again, send)


class _Swallowing:
    """A middleware that reads the body and goes on even if it may not."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            with contextlib.suppress(HTTPException):
                await Request(scope, receive).body()
        await self.app(scope, receive, send)


def _with_swallowing_middleware(fw: Framework, app: Any) -> None:
    app.add_middleware(_Swallowing)


def _with_reading_middleware(fw: Framework, app: Any) -> None:
    app.add_middleware(_Reading)


@pytest.mark.parametrize("limit", [None, 20])
@pytest.mark.parametrize(
    "prepare",
    [_with_handler, _with_group_handler, _with_middleware, _with_reading_middleware],
    ids=lambda f: f.__name__,
)
def test_handlers_and_middleware_meet_the_limit_where_fastapi_has_it(prepare: Any, limit: int | None) -> None:
    names = ["json", "form", "nothing", "body", "grouped", "small", "large", "plain", "nowhere"]
    asks = [ask for name in names for size in (12, 31) for ask in _asks("/" + name, size)[:3]]
    compare(lambda fw, log: _build(fw, limit, prepare), asks)


def test_a_middleware_that_goes_on_after_too_many_bytes_changes_nothing() -> None:
    names = ["json", "form", "nothing", "body", "caught", "small", "large", "plain", "nowhere"]
    asks = [ask for name in names for ask in _asks("/" + name, 31)]
    compare(lambda fw, log: _build(fw, 20, _with_swallowing_middleware), asks)


def test_a_response_that_has_begun_is_not_replaced() -> None:
    # Not over HTTP/1.1: there the response and the endpoint wait for each other's message, in FastAPI for ever.
    paths = ["/streamed", "/begun"]
    asks = [ask for path in paths for size in (12, 31) for ask in _asks(path, size)[:2]]
    compare(lambda fw, log: _build(fw, 20), asks, transport="asgi")


def test_a_custom_route_class_is_limited_too() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        class Noting(fw.routing.APIRoute):
            def get_route_handler(self) -> Any:
                inner = super().get_route_handler()

                async def handle(request: Request) -> Any:
                    response = await inner(request)
                    response.headers["x-noted"] = "yes"
                    return response

                return handle

        app = fw.FastAPI(max_body_size=20)
        app.router.route_class = Noting
        _add_endpoints(fw, app)
        return app

    asks = [
        ask for name in ("json", "form", "small", "large") for size in (4, 12, 31) for ask in _asks("/" + name, size)
    ]
    compare(make, asks)


@pytest.mark.parametrize("value", [-1, True, False, 1.5, "5", [], 0, 7])
@pytest.mark.parametrize("place", ["app", "router", "route", "include"])
def test_a_body_limit_is_a_non_negative_integer(value: Any, place: str) -> None:
    def declare(fw: Framework) -> None:
        if place == "app":
            fw.FastAPI(max_body_size=value)
        elif place == "router":
            fw.APIRouter(max_body_size=value)
        elif place == "route":
            fw.FastAPI().post("/", max_body_size=value)(lambda: None)
        else:
            fw.FastAPI().include_router(fw.APIRouter(), max_body_size=value)

    outcomes = []
    for fw in BOTH:
        try:
            declare(fw)
        except ValueError as exc:
            outcomes.append(str(exc))
        else:
            outcomes.append("accepted")
    assert outcomes[0] == outcomes[1]


BAD_AND_GOOD_FORM_LIMITS: list[Any] = [
    {},
    [],
    5,
    {"max_parts": 1},
    {"max_files": -1},
    {"max_fields": True},
    {"max_fields": "5"},
    {"max_fields": None},
    {"max_fields": float("inf")},
    {"max_part_size": 1.5},
    {"max_files": 0, "max_fields": 0, "max_part_size": 0},
]


@pytest.mark.parametrize(
    "value",
    BAD_AND_GOOD_FORM_LIMITS,
    ids=steady_name,
)
@pytest.mark.parametrize("place", ["app", "router", "route", "include"])
def test_form_limits_are_non_negative_integers_of_known_names(value: Any, place: str) -> None:
    def declare(fw: Framework) -> None:
        if place == "app":
            fw.FastAPI(form_limits=value)
        elif place == "router":
            fw.APIRouter(form_limits=value)
        elif place == "route":
            fw.FastAPI().post("/", form_limits=value)(lambda: None)
        else:
            fw.FastAPI().include_router(fw.APIRouter(), form_limits=value)

    outcomes = []
    for fw in BOTH:
        try:
            declare(fw)
        except ValueError:
            outcomes.append("refused")
        else:
            outcomes.append("accepted")
    assert outcomes[0] == outcomes[1]


PLACES = ["app", "include", "router", "route"]


def _with_form_limits(limits: dict[str, dict[str, int]]) -> Make:
    def make(fw: Framework, log: list[Any]) -> Any:
        async def form(a: Annotated[str, fw.Form()]) -> Any:
            return a

        async def manual(request: Request) -> Any:
            return len(await request.form(max_fields=3))

        app = fw.FastAPI(form_limits=limits.get("app"))
        router = fw.APIRouter(form_limits=limits.get("router"))
        for path, function in (("/", form), ("/manual", manual)):
            router.post(path, form_limits=limits.get("route"))(function)
        app.include_router(router, prefix="/included", form_limits=limits.get("include"))
        mounted = fw.FastAPI(form_limits=limits.get("router"))
        mounted.post("/", form_limits=limits.get("route"))(form)
        mounted.router.routes.append(fw.routing.APIRoute("/direct", form, methods=["POST"]))
        app.mount("/mounted", mounted)
        app.router.routes.append(
            fw.routing.APIRoute("/direct", form, methods=["POST"], form_limits=limits.get("route"))
        )
        return app

    return make


@pytest.mark.parametrize("first", PLACES)
@pytest.mark.parametrize("second", PLACES)
def test_each_form_limit_is_the_innermost_one(first: str, second: str) -> None:
    limits: dict[str, dict[str, int]] = {first: {"max_fields": 2, "max_part_size": 4}}
    limits.setdefault(second, {})["max_fields"] = 1
    forms = [b"a=1", b"a=1&b=2", b"a=1&b=2&c=3", b"a=1&b=2&c=3&d=4", b"a=123", b"a=1234"]
    paths = ["/included/", "/included/manual", "/mounted/", "/mounted/direct", "/direct"]
    compare(
        _with_form_limits(limits), [Ask("POST", path, headers=[FORM], body=[form]) for path in paths for form in forms]
    )


def test_a_thousand_fields_and_files_are_the_default() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.post("/")
        async def form(a: Annotated[list[str], fw.Form()]) -> Any:
            return len(a)

        return app

    mark = (b"content-type", b"multipart/form-data; boundary=c")
    part = b'--c\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
    file = b'--c\r\ncontent-disposition: form-data; name="b"; filename="f"\r\n\r\n1\r\n'
    asks = [Ask("POST", headers=[FORM], body=[b"&".join([b"a=1"] * count)]) for count in (1000, 1001, 100_000)]
    asks += [Ask("POST", headers=[mark], body=[part * count + b"--c--"]) for count in (1000, 1001)]
    asks += [Ask("POST", headers=[mark], body=[part + file * count + b"--c--"]) for count in (1000, 1001)]
    for size in (1024 * 1024, 1024 * 1024 + 1):
        asks.append(Ask("POST", headers=[FORM], body=[b"a=" + b"x" * (size - 1)]))
        asks.append(Ask("POST", headers=[mark], body=[part.replace(b"1\r\n", b"x" * size + b"\r\n") + b"--c--"]))
    answers = compare(make, asks)
    assert [answer.status for answer in answers] == [200, 400, 400, 200, 400, 200, 400, 200, 200, 400, 400]


def test_limits_are_copied_when_they_are_given(framework: Framework) -> None:
    limits = {"max_fields": 1}
    app = framework.FastAPI(form_limits=limits)
    router = framework.APIRouter(form_limits=limits)
    limits["max_fields"] = 0
    assert app.router.form_limits == router.form_limits == {"max_fields": 1}


def test_starlette_routes_of_an_included_router_are_limited() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        router = fw.APIRouter(max_body_size=7)
        router.routes.append(Route("/plain", _plain, methods=["POST"]))
        inner = fw.FastAPI()
        inner.add_route("/plain", _plain, methods=["POST"])
        router.mount("/mounted", inner)
        app.include_router(router)
        app.include_router(router, prefix="/again", max_body_size=9)
        app.mount("/router", router)
        return app

    paths = [place + path for place in ("", "/again", "/router") for path in ("/plain", "/mounted/plain")]
    compare(make, [Ask("POST", path, body=[b"x" * size]) for path in paths for size in (7, 8, 10)])

"""The answers to the exceptions that the application knows."""

import asyncio
import dataclasses
import enum
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import pytest
from _oracle import FERRAPI, Framework, same
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from support import frameworks
from support.asgi import Ask, run
from support.compare import USUAL, Make, answers, compare
from support.naming import steady_name
from support.wire import Wire, configured


def response(framework: Framework, handler: str, error: Any) -> Any:
    answered = asyncio.run(getattr(framework.exception_handlers, handler)(None, error))
    return answered.status_code, answered.body, sorted(answered.raw_headers)


@pytest.mark.parametrize(
    "args",
    [
        (404,),
        (404, {"a": 1}, {"x": "y"}),
        (404, ""),
        (404, "é"),
        (418, ["a", None], {}),
        (100,),
        (204, "text"),
        (205,),
        (304, "text", {"etag": "1"}),
        (200, None),
        (600, "x"),
        (500, float("nan")),
    ],
    ids=steady_name,
)
def test_http_exceptions(args: tuple[Any, ...]) -> None:
    same(lambda framework: response(framework, "http_exception_handler", framework.exceptions.HTTPException(*args)))


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [{"type": "missing", "loc": ("query", "q"), "msg": "Field required", "input": None}],
        [{"ctx": {"error": ValueError("x")}, "input": b"abc"}, {"input": {1, 2}}],
        [{"input": object()}],
    ],
    ids=steady_name,
)
def test_request_validation_errors(errors: Any) -> None:
    def question(framework: Framework) -> Any:
        error = framework.exceptions.RequestValidationError(errors, body="b")
        return response(framework, "request_validation_exception_handler", error)

    same(question)


def test_the_limits_can_be_switched_off_by_another_handler() -> None:
    error = FERRAPI.exceptions.RequestValidationError([{"msg": "x"}] * 2000)
    limited = response(FERRAPI, "request_validation_exception_handler", error)
    unlimited = response(FERRAPI, "unlimited_request_validation_exception_handler", error)
    assert (limited[0], unlimited[0]) == (422, 422)
    assert (limited[1].count(b'"msg"'), unlimited[1].count(b'"msg"')) == (1001, 2000)


def test_websocket_validation_errors_close_the_socket() -> None:
    class Socket:
        closed: Any = None

        async def close(self, **arguments: Any) -> None:
            self.closed = arguments

    def question(framework: Framework) -> Any:
        socket = Socket()
        error = framework.exceptions.WebSocketRequestValidationError([{"loc": ("query", "q"), "input": b"x"}])
        asyncio.run(framework.exception_handlers.websocket_request_validation_exception_handler(socket, error))
        return socket.closed

    assert "1008" in same(question)[2]


PLACES = ("endpoint", "sync endpoint", "dependency", "sync dependency", "inside of yield", "after yield")
AROUND = ("nothing", "own handler", "status handler", "sync handler", "cors", "gzip", "function", "everything")


def raising(error: Callable[[Any], Exception], place: str = "endpoint", around: str = "nothing") -> Make:
    """An application that raises somewhere, and has something around it.

    Parameters:
        error: makes the exception from a package. place: where it is raised. around: middleware or handlers.
    """

    def make(fw: Any, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def wrapper() -> Any:
            try:
                yield
            except Exception as exc:
                log.append(("saw", type(exc).__name__))
                raise
            finally:
                log.append("end")
            if place == "after yield":
                raise error(fw)

        async def failing() -> None:
            if place in ("dependency", "inside of yield"):
                raise error(fw)

        def failing_too() -> None:
            if place == "sync dependency":
                raise error(fw)

        depends = [fw.Depends(failing), fw.Depends(failing_too)]
        if place in ("inside of yield", "after yield", "endpoint"):
            depends.insert(0, fw.Depends(wrapper))

        async def endpoint() -> Any:
            if place == "endpoint":
                raise error(fw)
            return "fine"

        def sync_endpoint() -> Any:
            raise error(fw)

        chosen = sync_endpoint if place == "sync endpoint" else endpoint
        app.api_route("/", methods=["GET", "HEAD", "POST"], dependencies=depends)(chosen)
        surround(fw, app, log, around)
        return app

    return make


def surround(fw: Any, app: Any, log: list[Any], around: str) -> None:
    """Put middleware and handlers around an application."""
    default = fw.exception_handlers.http_exception_handler

    async def own(request: Any, exc: Any) -> Any:
        response = await default(request, exc)
        log.append((isinstance(response, fw.responses.JSONResponse), response.status_code, response.body))
        response.headers["x-handled"] = str(exc)
        return response

    def sync(request: Any, exc: Any) -> Any:
        log.append((request.url.path, exc.headers))
        return asyncio.run(default(request, exc))

    async def noting(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        log.append(sorted(response.headers.items()))
        response.headers["x-noted"] = "yes"
        return response

    if around == "own handler":
        app.add_exception_handler(fw.exceptions.StarletteHTTPException, own)
    if around == "sync handler":
        app.add_exception_handler(fw.exceptions.HTTPException, sync)
    if around == "status handler":
        app.add_exception_handler(401, own)
    if around in ("cors", "everything"):
        app.add_middleware(
            fw.module("middleware.cors").CORSMiddleware,
            allow_origins=["https://a.test"],
            allow_credentials=True,
            expose_headers=["x-a"],
        )
    if around in ("gzip", "everything"):
        app.add_middleware(fw.module("middleware.gzip").GZipMiddleware, minimum_size=20)
    if around in ("function", "everything"):
        app.middleware("http")(noting)


def http_error(*arguments: Any, **named: Any) -> Callable[[Any], Exception]:
    """Makes an `HTTPException` of either package."""

    def make(fw: Any) -> Exception:
        error: Exception = fw.HTTPException(*arguments, **named)
        return error

    return make


ASKS = [
    Ask(),
    Ask("HEAD"),
    Ask(headers=[(b"accept-encoding", b"gzip"), (b"origin", b"https://a.test")]),
    Ask("POST", body=(b"ignored",), headers=[(b"origin", b"https://b.test"), (b"cookie", b"a=b")]),
]


class Plain(BaseModel):
    """A model as a detail."""

    a: int = 1


@dataclasses.dataclass
class Data:
    """A dataclass as a detail."""

    a: int = 1


class Level(enum.IntEnum):
    """A number that is more than that."""

    LOW = 1


class Word(str):
    """A text that is more than that."""

    __slots__ = ()


DETAILS: tuple[Any, ...] = (
    *(None, "", "text", "\u20ac\u0000\u2028</", 0, -1.5, 10**30, True, [], {}, [None, {"a": [1.0]}]),
    *(object(), {1, 2}, float("nan"), [float("-inf")], "\ud800", {"\udfff": 1}, b"bytes", b"\xff", Plain(), Data()),
    *(datetime(2024, 1, 1, tzinfo=UTC), timedelta(1), Decimal("1.5"), Level.LOW, Word("w"), (1, 2), {1: 2}, {None: 1}),
    *({(1, 2): 3}, {"a": {1}}, iter([1]), range(2), OrderedDict(b=1, a=2), defaultdict(int, a=1), {1: "a", "1": "b"}),
    *(ValueError("v"), int, {True: 1, 1.5: 2}, "x" * 70_000, HTTPStatus.OK),
)

HEADERS: tuple[Any, ...] = (
    {},
    {"x-a": "1"},
    {"WWW-Authenticate": "Bearer", "X-a": "\xe9", "Vary": "x"},
    {"X-A": "1", "x-a": "2", "x-A": "3"},
    {"content-type": "text/plain"},
    {"Content-Type": "application/problem+json; charset=utf-8", "X-B": "b"},
    {"CONTENT-LENGTH": "17"},
    {"Content-Length": "3", "content-length": "17"},
    {"content-type": "a/b", "Content-Type": "c/d"},
    {"set-cookie": "a=b; Path=/", "Set-Cookie": "c=d"},
    {"date": "now", "server": "mine", "Server": "yours"},
    {"connection": "close"},
    {"Connection": "keep-alive, x"},
    {"transfer-encoding": "chunked"},
    {"content-encoding": "identity", "vary": "accept-encoding"},
    {"access-control-allow-origin": "https://c.test"},
    {"x-euro": "\u20ac"},
    {"x-\u20ac": "a"},
    {"X-\u0130": "dotted"},
    {"x-a": ""},
    {"x-a": 5},
    {"x-a": None},
    {"x-a": b"bytes"},
    {b"x-a": "1"},
    {5: "1"},
    {"x-a": ["1"]},
    {Word("x-a"): Word("1")},
    MappingProxyType({"X-A": "1"}),
    OrderedDict({"X-B": "2", "X-A": "1"}),
    defaultdict(str, {"X-A": "1"}),
    Headers({"X-A": "1"}),
    MutableHeaders(raw=[(b"x-a", b"1"), (b"x-a", b"2")]),
    MappingProxyType({}),
    [("x-a", "1")],
    (),
    "",
    0,
)
ILLEGAL: tuple[Mapping[str, str], ...] = (
    {"x-a": "a\nb"},
    {"x-a": "a\r\nx-b: c"},
    {"x-a": "a\0"},
    {"x-a": "\x7f"},
    {"x a": "1"},
    {"": "1"},
    {"x-a:": "1"},
    {"x-\xe9": "1"},
    {"x-a\n": "1"},
)


@pytest.mark.usefixtures("quiet")
class TestThroughTheTransports:
    """The default answers, as they are sent."""

    @pytest.mark.parametrize("headers", [None, {"X-A": "1"}, {"content-type": "a/b"}], ids=str)
    @pytest.mark.parametrize(
        "status",
        [
            *(100, 101, 103, 199, 200, 201, 204, 205, 206, 207, 299, 300, 304, 307, 400, 401, 405, 418, 422, 429, 451),
            *(499, 500, 503, 599, 600, 999, HTTPStatus.NOT_FOUND, HTTPStatus.NO_CONTENT, "404", "204"),
        ],
        ids=steady_name,
    )
    def test_statuses(self, status: Any, headers: Any) -> None:
        for place in ("endpoint", "sync dependency"):
            compare(raising(http_error(status, "detail", headers), place), ASKS)

    def test_a_status_that_is_no_integer_is_refused(self) -> None:
        for transport in USUAL:
            answer = answers(frameworks.FERRAPI, raising(http_error(404.0, "detail", None)), ASKS[:1], transport)[0]
            assert answer.error == "InvalidResponseError"

    @pytest.mark.parametrize("detail", DETAILS, ids=lambda detail: repr(detail)[:20].split(" at 0x")[0])
    def test_details(self, detail: Any) -> None:
        for headers in (None, {"X-A": "1"}, MappingProxyType({"X-A": "1"})):
            compare(raising(http_error(400, detail, headers)), ASKS)

    @pytest.mark.parametrize("headers", HEADERS, ids=steady_name)
    def test_headers(self, headers: Any) -> None:
        for status in (401, 304):
            compare(raising(http_error(status, "detail", headers)), ASKS)

    @pytest.mark.parametrize("around", AROUND)
    @pytest.mark.parametrize("place", PLACES)
    def test_what_is_around(self, place: str, around: str) -> None:
        """A 401 with headers of its own, a plain 403, a large one, one without a body, and one that JSON can't hold."""
        errors = (
            http_error(401, "who?", {"WWW-Authenticate": "Bearer", "Vary": "x", "Set-Cookie": "a=b"}),
            http_error(403),
            http_error(400, {"much": ["text"] * 100}),
            http_error(204, headers={"x-a": "1"}),
            http_error(400, object()),
        )
        for error in errors:
            compare(raising(error, place, around), [*ASKS, *ASKS])

    @pytest.mark.parametrize("around", ["nothing", "cors", "everything"])
    @pytest.mark.parametrize("headers", HEADERS, ids=steady_name)
    def test_headers_through_middleware(self, headers: Any, around: str) -> None:
        compare(raising(http_error(401, "detail that is longer than twenty", headers), "dependency", around), ASKS)

    def test_other_classes(self) -> None:
        def starlette(fw: Any) -> Exception:
            error: Exception = fw.exceptions.StarletteHTTPException(402, {"a": 1}, {"X-A": "1"})
            return error

        def bare(fw: Any) -> Exception:
            class Bare(fw.HTTPException):  # a class that is known at run time
                def __init__(self) -> None:
                    self.status_code = 409
                    self.detail = {"bare": True}

            return Bare()

        def dynamic(fw: Any) -> Exception:
            class Dynamic(fw.HTTPException):
                status_code = property(lambda self: 410, lambda self, value: None)
                detail = property(lambda self: "gone", lambda self, value: None)
                headers = property(lambda self: {"X-Gone": "yes"}, lambda self, value: None)

            return Dynamic(404)

        def edited(fw: Any) -> Exception:
            error: Exception = fw.HTTPException(404)
            error.detail, error.status_code, error.headers = ["edited"], 406, {"x-a": "b"}  # type: ignore[attr-defined]
            return error

        for error in (starlette, bare, dynamic, edited):
            for around in AROUND:
                compare(raising(error, "endpoint", around), ASKS)

    @pytest.mark.parametrize("own", [True, False])
    @pytest.mark.parametrize(
        "errors",
        [[], [{"type": "x", "input": b"\xff"}], [{"input": object()}], [{1: {2}}], "text", [3]],
        ids=steady_name,
    )
    def test_validation_errors_that_the_application_raises(self, errors: Any, own: bool) -> None:
        def error(fw: Any) -> Exception:
            made: Exception = fw.exceptions.RequestValidationError(errors, body={"a": 1})
            return made

        def make(fw: Any, log: list[Any]) -> Any:
            app = raising(error, "inside of yield")(fw, log)

            async def handler(request: Any, exc: Any) -> Any:
                log.append(exc.body)
                return await fw.exception_handlers.request_validation_exception_handler(request, exc)

            if own:
                app.add_exception_handler(fw.exceptions.RequestValidationError, handler)
            return app

        compare(make, ASKS)

    @pytest.mark.parametrize("headers", ILLEGAL, ids=steady_name)
    def test_headers_that_http_cannot_carry_are_an_error(self, headers: Mapping[str, str]) -> None:
        for transport in ("http11", "asgi"):
            answer = answers(frameworks.FERRAPI, raising(http_error(400, "detail", headers)), [Ask()], transport)[0]
            assert answer.error == "InvalidResponseError"
            assert answer.status == 500

    @pytest.mark.parametrize("headers", [None, {"x-a": "1"}], ids=str)
    @pytest.mark.parametrize("status", [0, 1, 99, -1, 1000, 12345], ids=str)
    def test_statuses_that_http_cannot_carry_are_an_error(self, status: int, headers: Any) -> None:
        for transport in ("http11", "asgi"):
            answer = answers(frameworks.FERRAPI, raising(http_error(status, "detail", headers)), [Ask()], transport)[0]
            assert answer.error == "InvalidResponseError"
            assert answer.status == 500

    @pytest.mark.parametrize("detail", [None, float("nan")], ids=str)
    @pytest.mark.parametrize("second", ["answers", "answers nothing", "raises", "is cancelled"])
    def test_handlers_that_fail(self, second: str, detail: Any) -> None:
        """What an exception handler raises has a handler of its own, which may not answer."""

        def make(fw: Any, log: list[Any]) -> Any:
            app = fw.FastAPI()

            @app.get("/")
            async def root() -> None:
                raise KeyError("first") if detail is None else fw.HTTPException(400, detail)

            @app.get("/fine")
            async def fine() -> str:
                return "fine"

            @app.exception_handler(KeyError)
            async def fail(request: fw.Request, exc: KeyError) -> Any:
                log.append("one")
                raise ValueError("second") from exc

            @app.exception_handler(ValueError)
            async def handle(request: fw.Request, exc: ValueError) -> Any:
                log.append(("two", type(exc.__context__).__name__))
                if second == "raises":
                    raise LookupError("third")
                if second == "is cancelled":
                    raise asyncio.CancelledError
                return fw.responses.PlainTextResponse("handled", 418) if second == "answers" else None

            return app

        compare(make, [Ask(), Ask(), Ask(path="/fine")])

    @pytest.mark.parametrize("status", [599, 600, 999])
    def test_statuses_that_the_server_has_no_line_for(self, status: int) -> None:
        compare(raising(http_error(status, "detail", None)), [Ask()])

        def make(fw: Any, log: list[Any]) -> Any:
            app = fw.FastAPI()

            @app.get("/plain", status_code=status)
            async def plain() -> dict[str, str]:
                log.append("plain")
                return {"a": "b"}

            @app.get("/response")
            async def response() -> Any:
                return fw.responses.PlainTextResponse("text", status_code=status)

            @app.get("/stream")
            async def stream() -> Any:
                return fw.responses.StreamingResponse(iter(["a"]), status_code=status)

            return app

        compare(make, [Ask(path="/plain"), Ask(path="/response"), Ask(path="/stream")])

    @pytest.mark.parametrize("place", PLACES[:1] + PLACES[2:4])
    def test_after_the_response_has_started(self, place: str) -> None:
        def make(fw: Any, log: list[Any]) -> Any:
            app = fw.FastAPI()

            async def late() -> Any:
                yield
                raise fw.HTTPException(409, "late")

            async def chunks() -> Any:
                yield b"one"
                if place == "endpoint":
                    raise fw.HTTPException(410, "in the stream")

            @app.get("/", dependencies=[fw.Depends(late)] if place != "endpoint" else [])
            async def root() -> Any:
                return fw.responses.StreamingResponse(chunks()) if place != "sync dependency" else "sent"

            return app

        compare(make, [Ask(), Ask()])

    @pytest.mark.parametrize("headers", [None, *HEADERS[11:14], {"x-a": "1"}], ids=steady_name)
    @pytest.mark.parametrize("method", [b"GET", b"HEAD"])
    def test_the_connection_is_kept_or_closed_as_by_uvicorn(self, method: bytes, headers: Any) -> None:
        def make(fw: Any) -> Any:
            app = fw.FastAPI()

            @app.api_route("/", methods=["GET", "HEAD"])
            async def root() -> None:
                raise fw.HTTPException(401, "who", headers)

            return app

        async def main() -> list[Any]:
            seen = []
            for fw, protocol in ((frameworks.FASTAPI, "httptools"), (frameworks.FERRAPI, "ferrapi")):
                wire = Wire(configured(make(fw)), protocol)
                for _ in range(2):
                    await wire.feed(method + b" / HTTP/1.1\r\nhost: unit.test\r\n\r\n")
                lines = wire.written.split(b"\r\n")
                seen.append((wire.closed, [line for line in lines if not line.startswith(b"date: ")]))
                await wire.lose()
            return seen

        theirs, ours = run(main)
        assert ours == theirs

    @pytest.mark.parametrize("own", ["default", "own", "status"])
    @pytest.mark.parametrize("accepted", [False, True])
    @pytest.mark.parametrize("extended", [True, False])
    @pytest.mark.parametrize(
        "arguments",
        [(401, "who", {"X-A": "1"}), (403,), (204,), (400, object()), (404, "x", MappingProxyType({"a": "b"}))],
    )
    def test_websockets(self, arguments: tuple[Any, ...], extended: bool, accepted: bool, own: str) -> None:
        """Before it is accepted, a WebSocket is denied by a response, if the server has the extension."""

        def make(fw: Any, log: list[Any]) -> Any:
            app = fw.FastAPI()

            async def guard(websocket: fw.WebSocket, where: str = "") -> Any:
                if where == "dependency":
                    raise fw.HTTPException(*arguments)
                try:
                    yield
                finally:
                    log.append("end")

            @app.websocket("/")
            async def socket(websocket: fw.WebSocket, guard: Any = fw.Depends(guard)) -> None:
                if accepted:
                    await websocket.accept()
                raise fw.HTTPException(*arguments)

            async def handler(connection: Any, exc: Any) -> Any:
                log.append(type(connection).__name__)
                return await fw.exception_handlers.http_exception_handler(connection, exc)

            if own != "default":
                app.add_exception_handler(fw.exceptions.HTTPException if own == "own" else arguments[0], handler)
            return app

        extra: dict[str, Any] = {"extensions": {"websocket.http.response": {}}} if extended else {}
        compare(make, [Ask(kind="websocket", query=query, extra=extra) for query in (b"", b"where=dependency")], "asgi")

"""Exceptions that handlers of the user's answer, however they do it and whatever is around."""

import sys
from typing import Any

import pytest
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Broken(Exception):
    """Of the application's."""


class Worse(Broken):
    """One of them."""


class Shouting(PlainTextResponse):
    """A response with a way of its own."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it, in capitals."""
        self.body = bytes(self.body).upper()
        await super().__call__(scope, receive, send)


def seen() -> str:
    """The exception that is being handled."""
    return type(sys.exc_info()[1]).__name__


def answers(fw: Framework, log: list[Any]) -> dict[str, Any]:
    """What handlers may answer, by name."""

    def note(text: str) -> None:
        log.append((text, seen()))

    async def pieces() -> Any:
        yield b"handled "
        yield seen()

    async def later(text: str) -> None:
        note(text)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(seen(), 400)(scope, receive, send)

    def tasks() -> Any:
        made = fw.BackgroundTasks()
        made.add_task(later, "behind")
        return made

    return {
        "text": lambda: PlainTextResponse(seen(), 418),
        "no body": lambda: Response(status_code=204),
        "headers": lambda: Response(b"x", 400, {"x-a": "é", "content-type": "text/x"}),
        "no length": lambda: _without_length(Response(b"x", 400)),
        "background": lambda: PlainTextResponse("x", 400, background=tasks()),
        "stream": lambda: StreamingResponse(pieces(), 400),
        "shouting": lambda: Shouting("loud", 400),
        "nothing": lambda: None,
        "data": lambda: {"a": 1},
        "application": lambda: application,
    }


def _without_length(response: Response) -> Response:
    del response.headers["content-length"]
    return response


KINDS = list(answers(Framework("fastapi"), []))


def failing(kind: str, synchronous: bool, register: str) -> Any:
    """A shape: an application whose endpoints fail, and which has a handler."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        answer = answers(fw, log)[kind]

        async def in_loop(request: Any, exc: Exception) -> Any:
            log.append((type(request).__name__, request.url.path, repr(exc), seen(), exc.__context__))
            return answer()

        def in_thread(request: Any, exc: Exception) -> Any:
            log.append((type(request).__name__, request.url.path, repr(exc)))
            return answer()

        registered = {
            "class": Broken,
            "status": 404,
            "http": StarletteHTTPException,
            "invalid": fw.exceptions.RequestValidationError,
            "all": Exception,
        }[register]
        app.add_exception_handler(registered, in_thread if synchronous else in_loop)

        async def session() -> Any:
            try:
                yield 1
            finally:
                log.append("closed")

        @app.get("/broken/{n}", dependencies=[fw.Depends(session)])
        async def broken(n: int, tasks: fw.BackgroundTasks, response: fw.Response) -> None:
            tasks.add_task(log.append, "never")
            response.headers["x-never"] = "1"
            raise Worse(n)

        @app.get("/missing")
        def missing() -> None:
            raise fw.HTTPException(404, {"a": 1}, {"x-b": "c"})

        @app.get("/forbidden")
        async def forbidden() -> None:
            raise fw.HTTPException(403)

        return app

    return make


ASKS = [
    Ask(path=path)
    for path in ("/broken/1", "/broken/x", "/missing", "/forbidden", "/nowhere", "/missing/")
] + [Ask("POST", "/missing"), Ask("HEAD", "/missing")]  # fmt: skip


@pytest.mark.parametrize("register", ["class", "status", "http", "invalid", "all"])
@pytest.mark.parametrize("synchronous", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_handler_answers_is_sent(kind: str, synchronous: bool, register: str) -> None:
    compare(failing(kind, synchronous, register), ASKS)


@pytest.mark.parametrize("raised", [Broken, Worse, StarletteHTTPException, KeyError])
def test_a_handler_that_fails_is_asked_about_once(raised: type[Exception]) -> None:
    """What a handler raises may be for another one, that of a layer further out."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def of_http(request: Any, exc: Any) -> Any:
            log.append("of http")
            raise raised(409) from None

        async def of_broken(request: Any, exc: Any) -> Any:
            log.append("of broken")
            if isinstance(exc, Worse):
                raise raised(410) from None
            return PlainTextResponse("broken")

        app.add_exception_handler(StarletteHTTPException, of_http)
        app.add_exception_handler(Broken, of_broken)

        @app.get("/http")
        async def http() -> None:
            raise fw.HTTPException(404)

        @app.get("/worse")
        async def worse() -> None:
            raise Worse

        below = fw.FastAPI()
        below.add_exception_handler(StarletteHTTPException, of_http)
        app.mount("/below", below)
        below.get("/http")(http)
        return app

    compare(make, [Ask(path=path) for path in ("/http", "/worse", "/nowhere", "/below/http", "/below/nowhere")])


@pytest.mark.parametrize("status", [[], "404", None, 404.0])
def test_a_status_may_be_anything(status: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def handler(request: Any, exc: Any) -> Any:
            log.append("asked")
            return PlainTextResponse("answered")

        app.add_exception_handler(404, handler)

        @app.get("/")
        async def endpoint() -> None:
            exc = fw.HTTPException(404)
            exc.status_code = status
            raise exc

        return app

    compare(make, [Ask()])


def test_handlers_may_be_replaced_while_serving() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/")
        async def endpoint() -> None:
            raise Broken

        async def first(request: Any, exc: Any) -> Any:
            return PlainTextResponse("first")

        app.add_exception_handler(Broken, first)
        return app

    def replace(app: Any) -> None:
        async def second(request: Any, exc: Any) -> Any:
            return PlainTextResponse("second")

        app.exception_handlers[Broken] = second
        app.middleware_stack = app.build_middleware_stack()

    compare(make, [Ask(), Ask(before=replace), Ask()])

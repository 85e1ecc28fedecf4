"""Applications whose code notes the order in which it runs: dependencies, teardown, errors at each phase."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, field_validator
from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework


class Boom(Exception):
    """An error that somebody may have a handler for."""


class Base(BaseException):
    """An error that is no `Exception`. Nothing may swallow it."""


class Strict(BaseModel):
    """A response model that is easy to miss."""

    number: int

    @field_validator("number")
    @classmethod
    def small(cls, value: int) -> int:
        """Refuse large numbers."""
        if value > 100:
            raise ValueError("too large")
        return value


PHASES = (
    "none",
    "first-before",
    "first-after",
    "second-before",
    "second-after",
    "endpoint",
    "model",
    "background",
    "handler",
    "send",
)
ERRORS = ("http", "boom", "value", "validation", "group", "stop")


def make_error(fw: Framework, kind: str) -> Exception:
    """The exception that a name stands for."""
    if kind == "http":
        return fw.HTTPException(418, detail="teapot", headers={"x-tea": "yes"})
    if kind == "boom":
        return Boom("boom")
    if kind == "validation":
        return fw.exceptions.RequestValidationError([{"type": "own", "loc": ("x",), "msg": "own", "input": 1}])
    if kind == "group":
        return ExceptionGroup("several", [ValueError("one"), KeyError("two")])
    if kind == "stop":
        return StopAsyncIteration("stop")
    return ValueError("value")


def _generator(kind: str, name: str, log: list[Any], raise_at: Callable[[str], None], swallow: str) -> Any:
    """A dependency with ``yield`` that notes what happens to it; it may swallow or replace what is thrown into it."""

    def noted(exc: BaseException) -> bool:
        log.append((name, "saw", type(exc).__name__))
        if swallow == "replace":
            raise Boom("replaced") from exc
        return swallow == "swallow" and isinstance(exc, Exception)

    async def asynchronous() -> Any:
        log.append((name, "enter"))
        raise_at(f"{name}-before")
        try:
            yield name
        except BaseException as exc:
            if not noted(exc):
                raise
        finally:
            log.append((name, "exit"))
        raise_at(f"{name}-after")

    def synchronous() -> Any:
        log.append((name, "enter"))
        raise_at(f"{name}-before")
        try:
            yield name
        except BaseException as exc:
            if not noted(exc):
                raise
        finally:
            log.append((name, "exit"))
        raise_at(f"{name}-after")

    return asynchronous if kind == "async" else synchronous


def phases(
    *,
    phase: str,
    error: str,
    first: tuple[str, str | None] = ("async", None),
    second: tuple[str, str | None] = ("sync", "function"),
    swallow: str = "no",
    endpoint: str = "async",
    handlers: str = "boom",
    debug: bool = False,
    middleware: bool = False,
    returned: str = "value",
) -> Make:
    """An application that fails with `error` at one `phase`.

    Parameters:
        first, second: two generators (the second uses the first): their kind and their scope.
        swallow: what they do with an exception: ``no``, ``swallow``, ``replace``.
        endpoint: ``async`` or ``sync``.
        handlers: which exception handlers there are: ``none``, ``boom``, ``all``, ``failing``, ``server``.
        returned: what the endpoint returns: ``value``, ``response``, ``stream``.
    """

    def make(fw: Framework, log: list[Any]) -> Any:
        def raise_at(place: str) -> None:
            if place == phase:
                log.append(("raise", place))
                raise make_error(fw, error)

        one = _generator(first[0], "first", log, raise_at, swallow)
        inner = _generator(second[0], "second", log, raise_at, "no")
        depends_one = fw.Depends(one, scope=first[1]) if first[1] else fw.Depends(one)

        if second[0] == "async":

            async def two(first_value: str = depends_one) -> Any:
                async for value in inner():
                    yield value
        else:

            def two(first_value: str = depends_one) -> Any:
                yield from inner()

        depends_two = fw.Depends(two, scope=second[1]) if second[1] else fw.Depends(two)
        app = fw.FastAPI(debug=debug)
        _add_handlers(fw, app, log, handlers, raise_at)
        if middleware:
            app.add_middleware(_Noting, log=log)

        def work(tasks: Any) -> Any:
            log.append(("endpoint",))
            tasks.add_task(_task, log, raise_at)
            raise_at("endpoint")
            if returned == "response":
                return fw.responses.PlainTextResponse("plain", background=None)
            if returned == "stream":
                return fw.responses.StreamingResponse(_stream(log, raise_at))
            return {"number": 1000 if phase == "model" else 7, "extra": 1}

        model = Strict if returned == "value" else None
        if endpoint == "async":

            @app.get("/", response_model=model)
            async def root(tasks: fw.BackgroundTasks, two: Annotated[str, depends_two]) -> Any:
                return work(tasks)
        else:

            @app.get("/", response_model=model)
            def root_sync(tasks: fw.BackgroundTasks, two: Annotated[str, depends_two]) -> Any:
                return work(tasks)

        return app

    return make


async def _stream(log: list[Any], raise_at: Callable[[str], None]) -> Any:
    log.append(("chunk", 1))
    yield b"one"
    raise_at("send")
    log.append(("chunk", 2))
    yield b"two"


def _task(log: list[Any], raise_at: Callable[[str], None]) -> None:
    log.append(("task",))
    raise_at("background")


def _add_handlers(fw: Framework, app: Any, log: list[Any], kind: str, raise_at: Callable[[str], None]) -> None:
    def handler(request: Any, exc: Exception) -> Any:
        log.append(("handler", type(exc).__name__))
        raise_at("handler")
        if kind == "failing":
            raise KeyError("the handler failed")
        return fw.responses.JSONResponse({"handled": type(exc).__name__}, status_code=499)

    async def asynchronous(request: Any, exc: Exception) -> Any:
        return handler(request, exc)

    if kind in ("boom", "failing"):
        app.add_exception_handler(Boom, handler)
    if kind == "all":
        app.add_exception_handler(Boom, asynchronous)
        app.add_exception_handler(418, handler)
        app.add_exception_handler(ExceptionGroup, handler)
        app.add_exception_handler(fw.exceptions.RequestValidationError, asynchronous)
        app.add_exception_handler(fw.exceptions.ResponseValidationError, handler)
    if kind == "server":
        app.add_exception_handler(Exception, handler)
    if kind == "500":
        app.add_exception_handler(500, asynchronous)


class _Noting:
    """A pure ASGI middleware that notes what passes."""

    def __init__(self, app: Any, log: list[Any]) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            self.log.append(("message", message["type"]))
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except BaseException as exc:
            self.log.append(("middleware saw", type(exc).__name__))
            raise
        self.log.append(("middleware done",))


ASKS = [Ask()]

"""What is no `Exception` and is raised below a middleware function or class comes out as in Starlette."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from support.frameworks import BOTH, Framework


class Stop(BaseException):
    """An exception of the application's own that nobody handles by accident."""


MAKERS: dict[str, Callable[[], BaseException]] = {
    "own": lambda: Stop("now"),
    "group": lambda: BaseExceptionGroup("both", [Stop("now"), ValueError("too")]),
    "generator exit": lambda: GeneratorExit("now"),
    "cancelled": lambda: asyncio.CancelledError("now"),
}
PLACES = ["endpoint", "dependency", "after a wait", "late", "stream", "task"]


def _add_route(fw: Framework, app: Any, place: str, raised: Callable[[], BaseException]) -> None:
    async def checked() -> None:
        if place == "dependency":
            raise raised()

    async def task() -> None:
        raise raised()

    async def endpoint(tasks: Any) -> Any:
        if place == "after a wait":
            await asyncio.sleep(0)
        if place in ("endpoint", "after a wait"):
            raise raised()
        if place == "task":
            tasks.add_task(task)
        if place != "stream":
            return {"a": 1}

        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            raise raised()

        return fw.responses.StreamingResponse(pieces())

    endpoint.__annotations__["tasks"] = fw.BackgroundTasks
    app.add_api_route("/", endpoint, dependencies=[fw.Depends(checked)])


def _make(fw: Framework, layer: str, place: str, raised: Callable[[], BaseException]) -> Any:
    app = fw.FastAPI()
    _add_route(fw, app, place, raised)

    async def dispatch(request: Any, call_next: Any) -> Any:
        try:
            response = await call_next(request)
        except RuntimeError as error:
            if layer != "answers":
                raise
            return fw.responses.PlainTextResponse(str(error))
        if place == "late":
            raise raised()
        response.headers["x-seen"] = "yes"
        return response

    if layer == "class":
        app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    else:
        app.middleware("http")(dispatch)
    return app


def _told(error: BaseException | None) -> Any:
    if isinstance(error, BaseExceptionGroup):
        # Which of two tasks comes to its end first depends on the turns of the event loop that FastAPI takes.
        return type(error).__name__, error.message, sorted(map(_told, error.exceptions), key=repr)
    return None if error is None else (type(error).__name__, error.args)


def _asked(app: Any) -> tuple[list[Any], Any, list[str]]:
    """The messages of the answer, what the application raised, and what the event loop was told of."""
    sent: list[Any] = []
    complaints: list[str] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [],
        "server": ("test", 80),
        "client": ("test", 1),
    }

    async def receive() -> dict[str, Any]:
        if sent or complaints:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append((message["type"], message.get("status"), message.get("body")))

    async def main() -> BaseException | None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
        try:
            await app(scope, receive, send)
        except BaseException as error:
            return error
        return None

    error = asyncio.run(main())
    return sent, _told(error), complaints


@pytest.mark.parametrize("layer", ["function", "class", "answers"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("raised", MAKERS.values(), ids=MAKERS)
def test_comes_out_as_from_a_task_group(layer: str, place: str, raised: Callable[[], BaseException]) -> None:
    expected, actual = (_asked(_make(fw, layer, place, raised)) for fw in BOTH)
    assert actual == expected

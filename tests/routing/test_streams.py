"""Streams of random shapes: what is sent, what is raised and where, what dependencies and background tasks see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTasks
from starlette.middleware.base import BaseHTTPMiddleware
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Strings(BaseModel):
    """Writes what JSON has no number for as text."""

    model_config = ConfigDict(ser_json_inf_nan="strings")
    value: float = 1


class Constants(BaseModel):
    """Writes what JSON has no number for as JavaScript does; has an alias and a default."""

    model_config = ConfigDict(ser_json_inf_nan="constants")
    value: float = Field(2, alias="v")
    other: int | None = None


NAN = float("nan")
ITEMS: list[Any] = [
    1, 1.5, NAN, "x", "é\n", b"x", None, [1, NAN], {"a": NAN}, {1, 2}, Strings(value=NAN), [Strings(value=NAN)],
    Constants(v=NAN), {"m": Constants(v=NAN)}, object(),
]  # fmt: skip
CHUNKS: list[Any] = ["x", b"y", "é", b"", memoryview(b"z"), 1]
ANNOTATIONS: list[Any] = [None, Any, float, dict, Strings, Constants, Strings | Constants, list[Strings]]
RESPONSES = ("lines", "events", "raw", "text")
ERRORS: dict[str, Callable[[Any], BaseException | None]] = {
    "none": lambda fw: None,
    "value": lambda fw: ValueError("in the stream"),
    "http": lambda fw: fw.HTTPException(418, "tea"),
    "base": lambda fw: BaseExceptionGroup("several", [ValueError(), KeyError()]),
}
MIDDLEWARE = ("none", "function", "base")

shapes = st.fixed_dictionaries(
    {
        "response": st.sampled_from(RESPONSES),
        "items": st.lists(st.integers(0, len(ITEMS) - 1), max_size=5),
        "annotation": st.sampled_from(ANNOTATIONS),
        "error": st.sampled_from([*["none"] * 2, *ERRORS]),
        "is_async": st.booleans(),
        "turns": st.sampled_from([0, 0, 1, 3]),
        "status": st.sampled_from([None, None, 201, 204]),
        "scope": st.sampled_from([None, "request", "function", "swallows"]),
        "background": st.booleans(),
        "sse": st.sampled_from(["plain", "data", "raw_data", "comment"]),
        "middleware": st.sampled_from(MIDDLEWARE),
    }
)


def item_of(fw: Framework, shape: dict[str, Any], number: int) -> Any:
    """The item of a stream that a number stands for."""
    if shape["response"] in ("raw", "text"):
        return CHUNKS[number % len(CHUNKS)]
    item = ITEMS[number]
    if shape["response"] != "events" or shape["sse"] == "plain":
        return item
    event = fw.sse.ServerSentEvent
    if shape["sse"] == "data":
        return event(data=item, event="e", id=str(number))
    return event(**{shape["sse"]: f"a{number}\nb"})


def generator(fw: Framework, shape: dict[str, Any], log: list[Any]) -> Any:
    """The endpoint."""
    items = [item_of(fw, shape, number) for number in shape["items"]]
    error = ERRORS[shape["error"]](fw)

    async def yields(tasks: BackgroundTasks) -> Any:
        if shape["background"]:
            tasks.add_task(log.append, "background")
        log.append("stream begins")
        for item in items:
            for _ in range(shape["turns"]):
                await asyncio.sleep(0)
            yield item
        if error is not None:
            raise error

    def yields_in_threads(tasks: BackgroundTasks) -> Any:
        if shape["background"]:
            tasks.add_task(log.append, "background")
        log.append("stream begins")
        yield from items
        if error is not None:
            raise error

    function: Any = yields if shape["is_async"] else yields_in_threads
    function.__annotations__ = {"tasks": BackgroundTasks}
    if shape["annotation"] is not None:
        kind = AsyncIterable if shape["is_async"] else Iterable
        function.__annotations__["return"] = kind[shape["annotation"]]
    return function


def application(fw: Framework, log: list[Any], shape: dict[str, Any]) -> Any:
    """An application with one stream."""
    app = fw.FastAPI()
    options: dict[str, Any] = {}
    if shape["status"] is not None:
        options["status_code"] = shape["status"]
    classes = {
        "events": lambda: fw.sse.EventSourceResponse,
        "raw": lambda: fw.responses.StreamingResponse,
        "text": lambda: fw.responses.PlainTextResponse,
    }
    if shape["response"] in classes:
        options["response_class"] = classes[shape["response"]]()

    async def opened() -> Any:
        try:
            yield
        except BaseException as exc:
            log.append(f"dependency saw {type(exc).__name__}")
            if shape["scope"] != "swallows":
                raise
        finally:
            log.append("dependency closed")

    if shape["scope"] is not None:
        scope = "function" if shape["scope"] == "function" else "request"
        options["dependencies"] = [fw.Depends(opened, scope=scope)]
    app.get("/", **options)(generator(fw, shape, log))

    async def pass_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    if shape["middleware"] == "function":
        app.middleware("http")(pass_on)
    elif shape["middleware"] == "base":
        app.add_middleware(type("Base", (BaseHTTPMiddleware,), {}), dispatch=pass_on)
    return app


@pytest.mark.parametrize("transport", ["asgi", "http11", "uvicorn"])
@settings(max_examples=60, deadline=None)
@given(shape=shapes)
def test_streams(transport: str, shape: dict[str, Any]) -> None:
    # How far a stream gets that a middleware cancels, or that fails below one, is a matter of the loop's turns.
    fails = shape["error"] != "none" and shape["response"] == "events"
    if transport != "asgi" or fails:
        shape = {**shape, "middleware": "none"}
    if fails:  # and what is sent before a worker thread fails, one of how quick that is
        shape = {**shape, "is_async": True}
    if shape["response"] == "events" and (shape["annotation"] is not None or max(shape["items"], default=0) > 3):
        # The same for items that can't be sent. What is sent before one, behind a wait, is listed as a difference.
        shape = {**shape, "is_async": True, "middleware": "none", "turns": 0}
    try:
        compare(lambda fw, log: application(fw, log, shape), [Ask()], transport)
    except BaseExceptionGroup:
        pytest.fail("the application's exception came out of the test")

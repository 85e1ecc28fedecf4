"""The status and headers of streams, and what a function of an event-stream route may return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


def status_and_cookie(response: Any) -> None:
    response.status_code = 203
    response.set_cookie("seen", "yes")


def headers_twice(response: Any) -> None:
    response.headers["x-part"] = "1"
    response.headers.append("x-part", "2")


def headers_of_streams(response: Any) -> None:
    response.headers["cache-control"] = "max-age=3"
    response.headers["content-type"] = "application/x-other"


CHANGES = (status_and_cookie, headers_twice, headers_of_streams)


def response_class(fw: Framework, kind: str) -> Any:
    streaming = fw.responses.StreamingResponse
    return {
        "lines": None,
        "raw": streaming,
        "own": type("Own", (streaming,), {"media_type": "audio/x-own"}),
        "events": fw.sse.EventSourceResponse,
    }[kind]


def streaming_application(fw: Framework, log: list[Any], kind: str, change: Callable[[Any], None], status: Any) -> Any:
    app = fw.FastAPI()
    options: dict[str, Any] = {} if kind == "lines" else {"response_class": response_class(fw, kind)}
    if status is not None:
        options["status_code"] = status

    def early(response: fw.Response) -> None:
        change(response)

    early.__annotations__["response"] = fw.Response

    @app.get("/sync", dependencies=[fw.Depends(early)], **options)
    def sync() -> Iterator[Any]:
        yield "a"

    async def asynchronous(response: Any) -> Any:
        response.headers["x-too-late"] = "1"
        yield "a"

    asynchronous.__annotations__["response"] = fw.Response
    app.get("/async", dependencies=[fw.Depends(early)], **options)(asynchronous)
    return app


@pytest.mark.parametrize("status", [None, 206])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["lines", "raw", "own", "events"])
def test_what_a_dependency_sets_on_the_response_is_sent_with_a_stream(
    kind: str, change: Callable[[Any], None], status: int | None
) -> None:
    compare(
        lambda fw, log: streaming_application(fw, log, kind, change, status), [Ask(path="/sync"), Ask(path="/async")]
    )


class Part(BaseModel):
    """An item of a list."""

    name: str
    size: int = 3


RETURNED: dict[str, Callable[[Framework], Any]] = {
    "list": lambda fw: [1, "x", None, Part(name="p")],
    "tuple of events": lambda fw: (fw.sse.ServerSentEvent(data=1, id="7"), 2),
    "dict": lambda fw: {"a": 1, "b": 2},
    "text": lambda fw: "ab",
    "iterator": lambda fw: iter([1.5]),
    "generator": lambda fw: (number for number in range(2)),
    "nothing": lambda fw: [],
}


def returning_application(fw: Framework, log: list[Any], returned: str, annotation: Any, by_default: bool) -> Any:
    events = fw.sse.EventSourceResponse
    app = fw.FastAPI(default_response_class=events) if by_default else fw.FastAPI()

    def endpoint(response: Any, tasks: Any) -> Any:
        response.headers["x-in-time"] = "1"
        tasks.add_task(log.append, "after")
        return RETURNED[returned](fw)

    endpoint.__annotations__ = {"response": fw.Response, "tasks": fw.BackgroundTasks}
    if annotation is not None:
        endpoint.__annotations__["return"] = annotation
    app.get("/", **({} if by_default else {"response_class": events}))(endpoint)
    return app


@pytest.mark.parametrize("by_default", [False, True])
@pytest.mark.parametrize("annotation", [None, list[Part], Iterable[int]])
@pytest.mark.parametrize("returned", RETURNED)
def test_what_a_synchronous_function_returns_is_sent_as_events(
    returned: str, annotation: Any, by_default: bool
) -> None:
    answers = compare(lambda fw, log: returning_application(fw, log, returned, annotation, by_default), [Ask()])
    assert answers[0].status == 200


def test_a_response_class_gets_a_generator_as_it_is() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        class Joined(fw.Response):  # which class it is depends on the framework
            media_type = "text/x-joined"

            def render(self, content: Any) -> bytes:
                log.append(type(content).__name__)
                return b"" if hasattr(content, "__anext__") else ",".join(content).encode()

        app = fw.FastAPI()

        @app.get("/sync", response_class=Joined)
        def sync() -> Iterator[str]:
            yield from "abc"

        @app.get("/async", response_class=Joined)
        async def asynchronous() -> Any:
            yield "a"

        @app.get("/json", response_class=fw.responses.JSONResponse)
        def json() -> Iterator[str]:
            yield "a"

        return app

    answers = compare(make, [Ask(path=path) for path in ("/sync", "/async", "/json")])
    assert answers[0].body == b"a,b,c"

"""`FastAPI.draining` and `FastAPI.drain`, without a server."""

from __future__ import annotations

import copy
from typing import Any

import anyio
import pytest
from ferrapi import FastAPI, Request
from ferrapi._draining import drain
from ferrapi.sse import EventSourceResponse, ServerSentEvent
from ferrapi.testclient import TestClient
from starlette.routing import Mount


class _Around:
    def __init__(self, app: Any) -> None:
        self.app = app


def test_an_application_drains_with_all_that_is_mounted_in_it() -> None:
    innermost, inner, outer, other = FastAPI(), FastAPI(), FastAPI(), FastAPI()
    inner.mount("/innermost", _Around(innermost))  # type: ignore[arg-type]  # nobody calls it
    outer.mount("/inner", inner)
    outer.router.routes.append(Mount("/again", outer))  # a circle
    assert not outer.draining
    drain(_Around(_Around(outer)))
    assert [app.draining for app in (innermost, inner, outer, other)] == [True, True, True, False]


def test_what_is_no_application_is_left_alone() -> None:
    around = _Around(None)
    around.app = around
    drain(around)
    drain(object())


def test_the_next_start_up_begins_anew() -> None:
    app = FastAPI()
    app.drain()
    assert app.draining
    with TestClient(app):
        assert not app.draining
        app.drain()
        assert app.draining
    assert app.draining


def test_a_copy_does_not_drain() -> None:
    app = FastAPI()
    app.drain()
    assert not copy.deepcopy(app).draining


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("endless", [True, False])
def test_streams_end_with_the_last_event_by_way_of_asgi(backend: str, endless: bool) -> None:
    app = FastAPI()
    app.last_event = ServerSentEvent(event="end", data=1)
    closed = []

    @app.get("/", response_class=EventSourceResponse)
    async def events(request: Request) -> Any:
        try:
            yield 1
            app.drain()
            while endless:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        finally:
            closed.append(True)

    client = TestClient(app, backend=backend)  # type: ignore[arg-type]  # a literal
    assert client.get("/").text == "data: 1\n\nevent: end\ndata: 1\n\n"
    assert closed == [True]


def test_streams_of_an_application_that_does_not_drain_have_no_last_event() -> None:
    app = FastAPI()
    app.last_event = ServerSentEvent(event="end")

    @app.get("/", response_class=EventSourceResponse)
    def events() -> Any:
        yield 1

    assert TestClient(app).get("/").text == "data: 1\n\n"


@pytest.mark.parametrize("last_event", [None, ServerSentEvent(event="end")])
def test_an_error_of_a_stream_comes_out_with_and_without_a_last_event(last_event: ServerSentEvent | None) -> None:
    app = FastAPI()
    app.last_event = last_event

    @app.get("/", response_class=EventSourceResponse)
    async def events() -> Any:
        yield 1
        raise LookupError("mine")

    with pytest.RaisesGroup(pytest.RaisesExc(LookupError, match="mine")):
        TestClient(app).get("/")

"""Differences that were found by hand, each with the rule behind it."""

import asyncio
from typing import Annotated, Any, ForwardRef

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework


def unresolvable(fw: Framework, log: list[Any]) -> Any:
    """Types that can't be known: such a parameter matters only when it is sent."""
    app = fw.FastAPI()

    async def show(q: Any = 5, w: Any = "x") -> dict[str, Any]:
        return {"q": q, "w": w}

    show.__annotations__ = {"q": "Nowhere", "w": Annotated[ForwardRef("Neither"), fw.Query()]}
    app.get("/")(show)
    return app


def test_a_parameter_of_an_unknown_type_has_its_default() -> None:
    found = compare(unresolvable, [Ask(), Ask(query=b"q=7"), Ask(query=b"other=1")])
    assert [answer.status for answer in found] == [200, 500, 200]


@pytest.mark.parametrize("kind", ["events", "lines"])
def test_headers_of_a_stream_in_their_order(kind: str) -> None:
    def make(fw: Framework) -> Any:
        app = fw.FastAPI()

        @app.get("/", **({"response_class": fw.module("sse").EventSourceResponse} if kind == "events" else {}))
        async def stream() -> Any:
            yield {"a": 1}

        return app

    async def headers(app: Any) -> list[Any]:
        found: list[Any] = []

        async def receive() -> Any:
            if found:
                await asyncio.sleep(0)
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            found.extend(message.get("headers", ()))

        scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "path": "/", "root_path": ""}
        await app({**scope, "query_string": b"", "headers": []}, receive, send)
        return found

    theirs, ours = (asyncio.run(headers(make(fw))) for fw in BOTH)
    assert ours == theirs
    assert theirs

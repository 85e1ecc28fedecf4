"""A scope is a dictionary by the ASGI specification; applications that are called with other mappings work, too."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, UserDict
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from support.frameworks import BOTH, Framework

KINDS: dict[str, Callable[[dict[str, Any]], MutableMapping[str, Any]]] = {
    "dictionary": dict,
    "of another class": OrderedDict,
    "other mapping": UserDict,
}


def scope(method: str, path: str) -> dict[str, Any]:
    """An HTTP request's."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"q=1",
        "root_path": "",
        "headers": [(b"host", b"x"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


def answers(fw: Framework, kind: str, middleware: bool) -> list[Any]:
    """What the application sends, and what it raises."""
    app = fw.FastAPI()

    @app.get("/items/{item}")
    async def read(item: int, q: int, request: fw.Request) -> Any:
        return {"item": item, "q": q, "url": request.url.path}

    @app.get("/plain/{item}")
    async def plain(item: int, q: int) -> Any:
        return {"item": item, "q": q}

    @app.post("/items/{item}")
    async def write(item: int, body: dict[str, int]) -> Any:
        return body

    if middleware:

        @app.middleware("http")
        async def pass_on(request: Any, call_next: Any) -> Any:
            return await call_next(request)

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"a":1}', "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    requests = (("GET", "/items/7"), ("GET", "/plain/7"), ("GET", "/items/x"), ("POST", "/items/7"), ("GET", "/no"))

    async def main() -> None:
        for method, path in requests:
            try:
                await app(KINDS[kind](scope(method, path)), receive, send)
            except Exception as error:
                sent.append(repr(error))

    asyncio.run(main())
    return sent


@pytest.mark.parametrize("middleware", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_mappings(kind: str, middleware: bool) -> None:
    theirs, ours = (answers(fw, kind, middleware) for fw in BOTH)
    assert ours == theirs

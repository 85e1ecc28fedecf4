"""The limits of what one request may carry in parameters, each at its edge, and the switch that lifts them."""

import asyncio
import os
import subprocess
import sys
from typing import Annotated, Any

import pytest
from ferrapi import Cookie, Depends, FastAPI, Query


def _cookie(value: Annotated[str | None, Cookie(alias="a")] = None) -> str | None:
    return value


def _application() -> FastAPI:
    app = FastAPI()

    @app.get("/query")
    async def query(a: Annotated[list[str] | None, Query()] = None) -> int:
        return len(a or ())

    @app.get("/cookie")
    async def cookie(value: Annotated[str | None, Depends(_cookie)]) -> bool:
        return value is not None

    return app


async def _ask(path: str, query: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None) -> tuple[int, bytes]:
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": headers or []}
    await _application()(scope, receive, send)
    return messages[0]["status"], messages[1]["body"]


def _cookies(count: int) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", b"; ".join([b"a=1"] * count))]


ROWS: list[tuple[str, bytes, list[tuple[bytes, bytes]], int]] = [
    ("/query", b"&".join([b"a=1"] * 10_000), [], 200),
    ("/query", b"&".join([b"a=1"] * 10_001), [], 400),
    ("/cookie", b"", _cookies(1_000), 200),
    ("/cookie", b"", _cookies(1_001), 400),
    ("/cookie", b"", [(b"cookie", b"a=" + b"x" * (65_536 - 2))], 200),
    ("/cookie", b"", [(b"cookie", b"a=" + b"x" * (65_536 - 1))], 400),
    ("/cookie", b"", [(b"cookie", b"a=1"), (b"cookie", b"b=" + b"x" * 65_531)], 200),
    ("/cookie", b"", [(b"cookie", b"a=1"), (b"cookie", b"b=" + b"x" * 65_532)], 400),
]


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_limits_bite_one_past_their_edge(row: int) -> None:
    path, query, headers, expected = ROWS[row]
    status, body = asyncio.run(_ask(path, query, headers))
    assert status == expected
    assert (b'"detail":' in body) == (expected == 400)


def test_the_environment_lifts_them() -> None:
    code = (
        "import asyncio, sys; sys.path[:0] = sys.argv[1:]; import test_parameter_limits as t; "
        "print([asyncio.run(t._ask(*row[:3]))[0] for row in t.ROWS])"
    )
    environment = {**os.environ, "FERRAPI_PARAMETER_LIMITS": "off"}
    command = [sys.executable, "-c", code, os.path.dirname(__file__)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([200] * len(ROWS))

"""Connections of one test each: requests, a loop to run on, and an application that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ferrapi import FastAPI

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b'HTTP/1.1 200 OK\r\ncontent-length: 17\r\ncontent-type: application/json\r\n\r\n{"hello":"world"}'


def run(function: Callable[[], Awaitable[Any]]) -> Any:
    """Run on a loop of its own."""
    return asyncio.run(function())  # type: ignore[arg-type]


def request(method: str, path: str, body: bytes = b"", *lines: str) -> bytes:
    """A request with a body."""
    head = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


def json_request(body: bytes) -> bytes:
    """A request with a JSON body."""
    return request("POST", "/json", body, "Content-Type: application/json")


class Clock:
    """A clock for the event loop that a test moves."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ahead = 0.0
        time = loop.time
        loop.time = lambda: time() + self.ahead  # type: ignore[method-assign]


class Paused:
    """An application whose handler waits until it is told to go on."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.go = asyncio.Event()
        self.calls = 0
        self.ends: list[str] = []

        @self.app.get("/")
        async def wait() -> dict[str, str]:
            self.calls += 1
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.ends.append("cancelled")
                raise
            self.ends.append("done")
            return {"hello": "world"}

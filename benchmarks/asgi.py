"""Calling an ASGI application in this process, as a server would, with the requests of the cases."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from .cases import Case, Exchange

PEERS = {"ferrapi": "ferrapi_app", "fastapi": "fastapi_app", "asgi": "asgi_app"}
"""The peers and their modules in `benchmarks.apps`."""

Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


GZIP = b"\x1f\x8b\x08"


class WrongAnswer(Exception):
    """A peer answered otherwise than the case says."""


def stable(body: bytes) -> bytes:
    """The body, without the time of its compression if it is compressed."""
    return body[:4] + bytes(4) + body[8:] if body.startswith(GZIP) else body


def peer(name: str) -> ModuleType:
    """Import the module of a peer."""
    return importlib.import_module(f"benchmarks.apps.{PEERS[name]}")


def scope(exchange: Exchange) -> dict[str, Any]:
    """Return a new scope, as uvicorn makes it."""
    path, _, query = exchange.path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40000),
        "scheme": "http",
        "root_path": "",
        "state": {},
        "method": exchange.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:8000")]
        + [(k.lower().encode(), v.encode()) for k, v in exchange.sent_headers.items()],
    }


def _messages(exchange: Exchange) -> list[dict[str, Any]]:
    """The messages that bring the body, the last one first."""
    pieces = exchange.pieces or [b""]
    return [
        {"type": "http.request", "body": piece, "more_body": number > 0}
        for number, piece in enumerate(reversed(pieces))
    ]


class Client:
    """Sends the exchanges of a case to one application, one after the other, and keeps the answers.

    What it costs itself (two small coroutines and a fresh scope per request) is the same for each peer. Checking is
    apart from sending, so that it can stay outside of what is timed.
    """

    def __init__(self, app: Asgi, case: Case) -> None:
        self.app = app
        self.exchanges = case.exchanges
        self.answers: list[list[Any]] = []
        self._scopes = [scope(exchange) for exchange in case.exchanges]
        self._requests = [_messages(exchange) for exchange in case.exchanges]

    async def send_all(self) -> None:
        """Send every exchange once; `answers` holds the messages of each answer."""
        self.answers = [
            await self._send(request, messages) for request, messages in zip(self._scopes, self._requests, strict=True)
        ]

    async def _send(self, request: dict[str, Any], messages: list[dict[str, Any]]) -> list[Any]:
        sent: list[Any] = []
        left = messages[:]

        async def receive() -> Any:
            if left:
                return left.pop()
            return await asyncio.get_running_loop().create_future()  # the client stays, and sends no more

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app({**request, "state": {}}, receive, send)
        return sent

    def check(self) -> None:
        """Raise `WrongAnswer` unless the last answers are those of the case."""
        for exchange, (start, *rest) in zip(self.exchanges, self.answers, strict=True):
            status, body = start["status"], stable(b"".join(message.get("body", b"") for message in rest))
            if (status, body) != (exchange.status, exchange.answer):
                raise WrongAnswer(f"{exchange.method} {exchange.path}: {status} {body!r}, not {exchange.answer!r}")
            headers = {name.decode(): value.decode() for name, value in start["headers"]}
            if missing := exchange.answer_headers.items() - headers.items():
                raise WrongAnswer(f"{exchange.method} {exchange.path}: lacks {missing}")

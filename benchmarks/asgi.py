"""Calling an ASGI application in this process, as a server would, with the requests of the cases."""

import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from .cases import COMMON_HEADERS, Case, Exchange

PEERS = {"ferrapi": "ferrapi_app", "fastapi": "fastapi_app", "asgi": "asgi_app"}
"""The peers and their modules in `benchmarks.apps`."""

Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


class WrongAnswer(Exception):
    """A peer answered otherwise than the case says."""


def peer(name: str) -> ModuleType:
    """Import the module of a peer."""
    return importlib.import_module(f"benchmarks.apps.{PEERS[name]}")


def scope(exchange: Exchange) -> dict[str, Any]:
    """Return a new scope, as uvicorn makes it."""
    path, _, query = exchange.path.partition("?")
    headers = COMMON_HEADERS | exchange.headers
    if exchange.body:
        headers["Content-Length"] = str(len(exchange.body))
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
        "headers": [(b"host", b"127.0.0.1:8000")] + [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }


class Client:
    """Sends exchanges to one application, one after the other, and keeps the last answer.

    What it costs itself (two small coroutines and a fresh scope) is the same for each peer.
    """

    def __init__(self, app: Asgi, case: Case) -> None:
        self.app = app
        self.exchanges = case.exchanges
        self.scopes = [scope(exchange) for exchange in case.exchanges]
        self.sent: list[Any] = []
        self._requests = [{"type": "http.request", "body": e.body, "more_body": False} for e in case.exchanges]

    async def send_all(self) -> None:
        """Send every exchange of the case once, checking the status and the body of each answer."""
        for number in range(len(self.exchanges)):
            await self.send(number)
            self.check(number)

    async def send(self, number: int) -> None:
        """Send one exchange; `sent` holds what the application sent."""
        message = self._requests[number]
        self.sent = sent = []

        async def receive() -> Any:
            return message

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app({**self.scopes[number], "state": {}}, receive, send)

    def check(self, number: int) -> None:
        """Raise `WrongAnswer` unless the last answer is that of the exchange."""
        exchange = self.exchanges[number]
        start, *rest = self.sent
        status, body = start["status"], b"".join(message.get("body", b"") for message in rest)
        if (status, body) != (exchange.status, exchange.answer):
            raise WrongAnswer(f"{exchange.method} {exchange.path}: {status} {body!r}, not {exchange.answer!r}")
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        if missing := exchange.answer_headers.items() - headers.items():
            raise WrongAnswer(f"{exchange.method} {exchange.path}: lacks {missing}")

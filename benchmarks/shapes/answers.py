"""What FastAPI answers is the right answer to a shape, and every peer must give the same before it is measured."""

import asyncio
import gzip
import http.client
import importlib
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..asgi import GZIP, Client, WrongAnswer, stable
from ..cases import Exchange
from ..load.server import HOST, Server
from .cases import Shape
from .websocket import SWITCHING, SocketClient, ask

SERVICES = {"fastapi": "on_fastapi", "ferrapi": "services", "asgi": "bare"}
"""For each package, and for none, the folder of its services in `benchmarks.apps`."""
NOT_COMPARED = frozenset({"date", "server", "sec-websocket-accept"})
SETTLING = 0.05
"""Seconds after which the counters of what comes after an answer stand still."""


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its headers but those of the server, sorted, and its body.

    The time in the head of a compressed body is zero.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes, varying: frozenset[str]) -> "Answer":
        """Leave out what may differ; of headers in `varying` the name stays."""
        kept = sorted(
            (name.lower(), "" if name.lower() in varying else value)
            for name, value in headers
            if name.lower() not in NOT_COMPARED
        )
        return cls(status, tuple(kept), stable(body))

    @property
    def content(self) -> "Answer":
        """The same, for comparing: compressed in which way doesn't matter."""
        if not self.body.startswith(GZIP):
            return self
        headers = tuple(item for item in self.headers if item[0] != "content-length")
        return Answer(self.status, headers, gzip.decompress(self.body))


def module_of(shape: Shape, package: str) -> str:
    """The module in `benchmarks.apps` that has the application of a shape for a package."""
    return f"{SERVICES[package]}.{shape.module}"


def application(shape: Shape, package: str) -> Any:
    """Import the application of a shape for a package."""
    module = importlib.import_module(f"benchmarks.apps.{module_of(shape, package)}")
    return getattr(module, shape.app)


def client_of(shape: Shape, package: str) -> Client | SocketClient:
    """What calls the application of a shape in this process."""
    app = application(shape, package)
    return SocketClient(app, shape) if shape.websocket else Client(app, shape)


def in_process(shape: Shape, package: str) -> list[Answer]:
    """What a package's application answers in this process."""
    client = client_of(shape, package)
    asyncio.run(client.send_all())
    if isinstance(client, SocketClient):
        return [Answer(SWITCHING, (), text.encode()) for text in client.texts]
    answers = []
    for start, *rest in client.answers:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        body = b"".join(message.get("body", b"") for message in rest)
        answers.append(Answer.of(start["status"], headers, body, shape.varying))
    return answers


def _ask(connection: socket.socket, exchange: Exchange, varying: frozenset[str]) -> Answer:
    connection.sendall(exchange.encoded(HOST))
    with http.client.HTTPResponse(connection, method=exchange.method) as response:
        response.begin()
        return Answer.of(response.status, response.getheaders(), response.read(), varying)


def _calls_at_rest(server: Server) -> dict[str, int]:
    calls: dict[str, int] = {}
    while (now := server.calls()) != calls:
        calls = now
        time.sleep(SETTLING)
    return calls


def from_server(shape: Shape, server: Server) -> tuple[list[Answer], dict[str, int]]:
    """What a server answers on one connection, and how often that moved its counters."""
    before = _calls_at_rest(server)
    if shape.websocket:
        headers, texts = ask(shape, server)
        answers = [Answer.of(SWITCHING, headers, text, shape.varying) for text in texts]
    else:
        with socket.create_connection((HOST, server.port)) as connection:
            answers = [_ask(connection, exchange, shape.varying) for exchange in shape.exchanges]
    after = _calls_at_rest(server)
    return answers, {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}


def expect(who: str, shape: Shape, answers: Sequence[Answer], right: Sequence[Answer]) -> None:
    """Raise `WrongAnswer` at the first one that is not as FastAPI's."""
    for exchange, ours, theirs in zip(shape.exchanges, answers, right, strict=True):
        if ours.content != theirs.content:
            raise WrongAnswer(f"{who}, {exchange.method} {exchange.path}: {ours.content}, not {theirs.content}")


def with_answers(shape: Shape, answers: Sequence[Answer], counts: Iterable[str] = ()) -> Shape:
    """The shape with these answers as the right ones."""
    exchanges = [
        replace(exchange, status=answer.status, answer=answer.body)
        for exchange, answer in zip(shape.exchanges, answers, strict=True)
    ]
    return replace(shape, exchanges=tuple(exchanges), counts=frozenset(counts))

"""A client that speaks raw ASGI: every message exactly as given, every message of the answer kept.

`Ask` is a request, `Answer` what came back. Nothing is normalised on the way in, so a test can send what no HTTP
library would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio

Headers = list[tuple[bytes, bytes]]
App = Callable[..., Any]


def normal(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, with the methods of ``Allow`` sorted: they come from a set, whose order changes from run to run."""
    return [(name, b", ".join(sorted(value.split(b", "))) if name == b"allow" else value) for name, value in headers]


@dataclass(frozen=True)
class Ask:
    """One request.

    Parameters:
        method, path, query, headers: as in the ASGI scope; the path is decoded text.
        body: the chunks of the body, each a message of its own.
        ends: whether the body comes to its end; otherwise the client disconnects after the chunks.
        root_path: where the application is mounted.
        before: called right before the request is sent, with the application (to edit it between requests).
        kind: ``"http"`` or ``"websocket"``.
        received: for WebSockets, the texts that the client sends.
        extra: more keys of the scope.
    """

    method: str = "GET"
    path: str = "/"
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: Sequence[bytes] = ()
    ends: bool = True
    root_path: str = ""
    before: Callable[[Any], None] | None = None
    kind: Literal["http", "websocket"] = "http"
    received: Sequence[str] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """A fresh ASGI scope."""
        scope: dict[str, Any] = {
            "type": self.kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "http" if self.kind == "http" else "ws",
            "path": self.path,
            "raw_path": self.path.encode("utf-8", "surrogateescape"),
            "query_string": self.query,
            "root_path": self.root_path,
            "headers": [(name, value) for name, value in self.headers],
            "client": ("192.0.2.1", 40000),
            "server": ("unit.test", 80),
            "state": {},
        }
        if self.kind == "http":
            scope["method"] = self.method
        else:
            scope["subprotocols"] = []
        scope.update(self.extra)
        return scope

    def messages(self) -> list[dict[str, Any]]:
        """What the server will pass to the application."""
        if self.kind == "websocket":
            texts = [{"type": "websocket.receive", "text": text} for text in self.received]
            return [{"type": "websocket.connect"}, *texts, {"type": "websocket.disconnect", "code": 1000}]
        chunks = list(self.body) or [b""]
        sent = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        if self.ends:
            sent[-1]["more_body"] = False
        else:
            sent.append({"type": "http.disconnect"})
        return sent


@dataclass
class Answer:
    """What an application did with a request.

    Attributes:
        status, headers, body: of the response; None and empty if there was none.
        messages: the types of all messages that it sent.
        error: the exception that left the application, as text (its type, or type and message).
        reads: how many messages it received.
        log: what the application's code noted meanwhile.
    """

    status: int | None = None
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    messages: list[Any] = field(default_factory=list)
    error: str | None = None
    reads: int = 0
    log: list[Any] = field(default_factory=list)
    exception: BaseException | None = field(default=None, compare=False, repr=False)


async def exchange(app: App, ask: Ask) -> Answer:
    """Send one request to an ASGI application, in the current task."""
    answer = Answer()
    pending = ask.messages()
    done = anyio.Event()

    async def receive() -> dict[str, Any]:
        if pending:
            answer.reads += 1
            return pending.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        answer.messages.append((message["type"], message.get("more_body", False)))
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], normal(message["headers"])
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
            if not message.get("more_body", False):
                done.set()
        else:
            answer.messages.append({key: value for key, value in message.items() if key != "type"})

    try:
        await app(ask.scope(), receive, send)
    except (Exception, asyncio.CancelledError) as exc:
        answer.exception = exc
        answer.error = type(exc).__name__
    return answer


def run(function: Callable[[], Any], backend: str = "asyncio") -> Any:
    """Run a coroutine function on an event loop of its own."""
    return anyio.run(function, backend=backend)

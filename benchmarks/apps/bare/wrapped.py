"""The small endpoint with what each kind of middleware does for it, by hand."""

import gzip
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ..services.freight import calls
from .desk import book, manifest, show_calls
from .serving import Answer, App, Handler, Receive, Scope, Send, application, header, json_reply, routes

FRONTEND = "https://desk.freight.example"
_CORS = [(b"access-control-allow-origin", FRONTEND.encode()), (b"access-control-allow-credentials", b"true")]
_LEVEL = 9
"""Of the compression, as in Starlette."""


async def gate(scope: Scope, receive: Receive, rest: str) -> Answer:
    """The endpoint."""
    calls["gate"] += 1
    return json_reply({"gate": 4, "free": True})


async def shut(scope: Scope, receive: Receive, rest: str) -> Answer:
    """The endpoint, when the gate is shut."""
    calls["gate"] += 1
    return json_reply({"gate": 4, "free": False}, 409)


def _at(path: str = "/gate", endpoint: Handler = gate) -> App:
    return application(routes([("GET", "/calls", show_calls), ("GET", path, endpoint)]))


def _adding(added: tuple[bytes, bytes]) -> App:
    """The endpoint, with one more header in each answer."""
    below = _at()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append(added)
            await send(message)

        await below(scope, receive, send_more)

    return app


def _may_read(scope: Scope) -> bool:
    return header(scope, b"origin") == FRONTEND


def _takes_gzip(scope: Scope) -> bool:
    return "gzip" in (header(scope, b"accept-encoding") or "")


def _varying(headers: list[tuple[bytes, bytes]], names: Mapping[bytes, bool]) -> None:
    if any(names.values()):
        headers.append((b"vary", b", ".join(name for name, varies in names.items() if varies)))


def _with_cors(handler: Handler) -> Handler:
    async def handle(scope: Scope, receive: Receive, rest: str) -> Answer:
        status, headers, body = await handler(scope, receive, rest)
        if _may_read(scope):
            headers += _CORS
            headers.append((b"vary", b"Origin"))
        return status, headers, body

    return handle


def _in_production(handler: Handler) -> Handler:
    async def handle(scope: Scope, receive: Receive, rest: str) -> Answer:
        started = time.perf_counter()
        request_id = header(scope, b"x-request-id") or uuid4().hex
        scope["state"]["request_id"] = request_id
        status, headers, body = await handler(scope, receive, rest)
        took = (time.perf_counter() - started) * 1000
        headers += [(b"server-timing", f"app;dur={took:.2f}".encode()), (b"x-request-id", request_id.encode())]
        readable, compressed = _may_read(scope), _takes_gzip(scope)
        if readable:
            headers += _CORS
        if compressed and isinstance(body, bytes):
            body = gzip.compress(body, _LEVEL)
            headers = [item for item in headers if item[0] != b"content-length"]
            headers.append((b"content-encoding", b"gzip"))
        _varying(headers, {b"Accept-Encoding": compressed, b"Origin": readable})
        return status, headers, body

    return handle


async def _compressed_manifest(scope: Scope, receive: Receive, rest: str) -> Answer:
    status, headers, body = await manifest(scope, receive, rest)
    if _takes_gzip(scope) and isinstance(body, bytes):
        body = gzip.compress(body, _LEVEL)
        headers = [(b"content-length", b"%d" % len(body)), *headers[1:], (b"content-encoding", b"gzip")]
        headers.append((b"vary", b"Accept-Encoding"))
    return status, headers, body


pure = _adding((b"x-depot", b"HAM-3"))
function = _adding((b"x-release", b"2026.11"))
routed = _adding((b"x-release", b"2026.11"))
handled = _at(endpoint=shut)
base = _adding((b"x-audited", b"yes"))
cors = application(routes([("GET", "/calls", show_calls), ("GET", "/gate", _with_cors(gate))]))
production = application(
    routes(
        [
            ("GET", "/calls", show_calls),
            ("GET", "/gate", _in_production(gate)),
            ("POST", "/bookings", _in_production(book)),
        ]
    )
)
rooted = watched = _at()
mounting = _at("/yard/gate")
compressed = application(routes([("GET", "/calls", show_calls), ("GET", "/manifest", _compressed_manifest)]))

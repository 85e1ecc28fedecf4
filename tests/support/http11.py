"""The HTTP/1.1 transport for `compare`: requests as bytes, through the protocol and back.

The control is FastAPI behind the same protocol: ferrapi's, which calls it by way of ASGI, or uvicorn's, behind which
ferrapi has a short way. The protocols themselves are compared in `tests/server`. What can't be sent in one HTTP/1.1
request (a WebSocket, a root path, a method or header that isn't HTTP) goes the ASGI way. What only ASGI shows, messages
and reads, is left out of the answers.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from .asgi import Answer, Ask, exchange, normal
from .wire import Wire, configured

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})
_OURS = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_CHUNK = re.compile(rb"([0-9a-f]+)\r\n")
_TURNS = 4
"""Of the event loop after an answer. A generator that was left in the middle is closed by then: the loop hears of it in
one turn and closes it in a task of its own. Where a request's task ends in the turn in which it began (Python 3.13),
nothing else would wait."""


@contextmanager
def _noted() -> Iterator[list[BaseException]]:
    """The exceptions that leave an application, in the place of uvicorn's log, which both protocols write them to."""
    log: Any = logging.getLogger("uvicorn.error")
    seen: list[BaseException] = []

    def error(msg: object, *args: object, exc_info: Any = None, **kwargs: Any) -> None:
        if isinstance(exc_info, BaseException):
            seen.append(exc_info)

    log.error = error
    try:
        yield seen
    finally:
        del log.error


def pieces(ask: Ask) -> list[bytes] | None:
    """The request in segments: the head, and each chunk of the body. None if HTTP/1.1 has no way to say it."""
    if (
        ask.kind != "http"
        or ask.method not in _METHODS
        or ask.root_path
        or ask.extra
        or not _QUERY.fullmatch(ask.query)
    ):
        return None
    if not ask.ends:  # what comes first, the answer or the end of the connection, is a matter of time
        return None
    lines = [b"host: unit.test"]
    for name, value in ask.headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            return None
        if name.lower() not in _OURS:
            lines.append(name + b": " + value)
    if ask.body:
        lines.append(b"content-length: %d" % sum(map(len, ask.body)))
    target = quote(ask.path, errors="surrogateescape").encode()
    if not target.startswith(b"/"):
        return None
    if ask.query:
        target += b"?" + ask.query
    head = b"\r\n".join([b"%b %b HTTP/1.1" % (ask.method.encode(), target), *lines, b"", b""])
    return [head, *(chunk for chunk in ask.body if chunk)]


def parsed(written: bytes, answer: Answer, *, is_head: bool) -> None:
    """Put the response in `written` into `answer`."""
    if not written:
        return
    head, _, body = written.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    answer.status = int(status.split(b" ")[1])
    answer.headers = normal((name, value) for name, _, value in (line.partition(b": ") for line in lines))
    if (b"transfer-encoding", b"chunked") in answer.headers and not is_head:
        whole = b""
        while (match := _CHUNK.match(body)) is not None:
            size = int(match[1], 16)
            whole += body[match.end() : match.end() + size]
            body = body[match.end() + size + 2 :]
        body = whole
    answer.body = body


async def _send(wire: Wire, ask: Ask, segments: list[bytes], errors: list[BaseException]) -> Answer:
    before = len(wire.written)
    errors.clear()
    for segment in segments:
        wire.transport.protocol.data_received(segment)
    while wire.state.tasks:
        await asyncio.wait(list(wire.state.tasks))
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    answer = Answer()
    parsed(wire.written[before:], answer, is_head=ask.method == "HEAD")
    if errors:
        answer.exception = errors[0]
        answer.error = type(answer.exception).__name__
    return answer


async def through(app: Any, asks: Sequence[Ask], log: list[Any], neutral: Any, kind: str = "ferrapi") -> list[Answer]:
    """The answers to `asks`, over one connection as long as it lasts, to a protocol of this kind."""
    config = configured(app, proxy_headers=False)
    wire = Wire(config, kind, peer=("192.0.2.1", 40000))
    with _noted() as errors:
        answers = []
        for ask in asks:
            log.clear()
            if ask.before is not None:
                ask.before(app)
            segments = pieces(ask)
            if segments is None:
                answer = await exchange(app, ask)
            else:
                if wire.closed:
                    wire = Wire(config, kind, peer=("192.0.2.1", 40000))
                answer = await _send(wire, ask, segments, errors)
            answer.log = neutral(list(log))
            answers.append(answer)
        await wire.lose()
    return answers

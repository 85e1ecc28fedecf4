"""Recording requests and answers, to ask other applications the same: ``ferrapi shadow`` (docs/command-line.md).

`Recorder` is an ASGI middleware for applications of any kind, FastAPI's too. It writes JSON Lines, one for each request
that was answered. Secrets are left out by their names (`ferrapi._redaction`); what is in paths, in bodies of other
kinds than JSON and urlencoded forms, or under harmless names is written as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._redaction import Redaction

__all__ = ["Recorder"]

_MULTIPART = "multipart/"


class Recorder:
    """Writes down each HTTP request and its answer.

    Bodies that are too long, no text, or forms with files are left out; such a request can't be asked again.

    Parameters:
        app: the application.
        file: where to; written to its end, readable for its owner alone. Processes may share it.
        redact: further names of headers, parameters and JSON members whose values are left out.
        max_body: the longest body that is written, in bytes.
    """

    def __init__(
        self, app: ASGIApp, file: str | os.PathLike[str], *, redact: Iterable[str] = (), max_body: int = 65_536
    ) -> None:
        self.app = app
        self._file = file
        self._redaction = Redaction(redact)
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked, answered = _Body(self._max_body), _Body(self._max_body)
        start: Message = {}

        async def receive_noting() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                asked.add(message)
            return message

        async def send_noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                answered.add(message)
            await send(message)

        try:
            await self.app(scope, receive_noting, send_noting)
        finally:
            if start:
                self._write(self._record(scope, asked, start, answered))

    def _record(self, scope: Scope, asked: _Body, start: Message, answered: _Body) -> dict[str, Any]:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        names = {name for name, _ in headers}
        if "content-length" not in names and "transfer-encoding" not in names:
            asked.is_complete = True
        back = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
        return {
            "method": scope["method"],
            "path": raw_path.decode("latin-1"),
            "query": self._redaction.query(scope["query_string"].decode("latin-1")),
            "headers": self._headers(headers),
            "body": self._shown(asked, headers),
            "answer": {
                "status": start["status"],
                "headers": self._headers(back),
                "body": self._shown(answered, back),
            },
        }

    def _headers(self, headers: list[tuple[str, str]]) -> list[list[str]]:
        return [[name, self._redaction.header(name, value)] for name, value in headers]

    def _shown(self, body: _Body, headers: list[tuple[str, str]]) -> str | None:
        """A body as text; None for one that is left out."""
        media_type = media_type_of(headers)
        text = None if media_type.startswith(_MULTIPART) else body.text()
        return None if text is None else self._redaction.body(text, media_type)

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record).encode() + b"\n"
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


class _Body:
    """A body that comes in pieces.

    Attributes:
        is_complete: whether its end has come.
    """

    def __init__(self, limit: int) -> None:
        self.is_complete = False
        self._limit = limit
        self._pieces: list[bytes] = []
        self._length = 0

    def add(self, message: Message) -> None:
        """Take a piece; what is too long is forgotten."""
        piece = message.get("body", b"")
        self._length += len(piece)
        if self._length <= self._limit:
            self._pieces.append(piece)
        else:
            self._pieces.clear()
        self.is_complete = not message.get("more_body", False)

    def text(self) -> str | None:
        """The whole body, if it is known and text."""
        if not self.is_complete or self._length > self._limit:
            return None
        try:
            return b"".join(self._pieces).decode()
        except UnicodeDecodeError:
            return None


def media_type_of(headers: Iterable[Sequence[str]]) -> str:
    """The media type that headers name, without parameters; empty if there is none."""
    found = next((value for name, value in headers if name.lower() == "content-type"), "")
    return found.partition(";")[0].strip().lower()

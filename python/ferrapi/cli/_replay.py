"""Asking one application what was recorded, in a process of its own: ``python -m ferrapi.cli._replay``.

Arguments: the application, the recording, the file for the answers, seconds per request, JSON with the headers to set,
and ``alias`` if `fastapi` is to mean ferrapi. One line is written per line of the recording: the answer, or null for a
request that can't be asked again.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.types import Message, Receive, Scope, Send

Answer = dict[str, Any]


class _Lifespan:
    """The start-up and the shutdown of an application; one that knows none is served all the same."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._asked: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> dict[str, Any]:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.create_task(self._app(scope, self._asked.get, self._said.put))
        message = await self._tell("lifespan.startup")
        if message.get("type") == "lifespan.startup.failed":
            raise RuntimeError(f"the application doesn't start: {message.get('message', '')}")
        return self.state

    async def __aexit__(self, *_: object) -> None:
        await self._tell("lifespan.shutdown")

    async def _tell(self, kind: str) -> Message:
        if self._task.done():
            return {}
        await self._asked.put({"type": kind})
        said = asyncio.create_task(self._said.get())
        await asyncio.wait({said, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if said.done():
            return said.result()
        said.cancel()
        self._task.exception()
        return {}


def _scope(record: dict[str, Any], headers: dict[str, str], state: dict[str, Any]) -> Scope:
    replaced = {*headers, "content-length", "transfer-encoding"}
    kept = [(name.lower(), value) for name, value in record["headers"] if name.lower() not in replaced]
    if record["body"]:
        kept.append(("content-length", str(len(record["body"].encode()))))
    kept += headers.items()
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": record["method"],
        "scheme": "http",
        "path": unquote(record["path"]),
        "raw_path": record["path"].encode("latin-1"),
        "query_string": record["query"].encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": dict(state),
    }


async def _ask(app: Any, scope: Scope, body: bytes, seconds: float) -> Answer:
    answer: Answer = {"status": None, "headers": [], "body": b"", "end": "nothing was answered"}
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if pending:
            return pending.pop()
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
            raw = message.get("headers", ())
            answer["headers"] = [[name.decode("latin-1").lower(), value.decode("latin-1")] for name, value in raw]
        elif message["type"] == "http.response.body":
            answer["body"] += message.get("body", b"")
            if not message.get("more_body", False):
                answer["end"] = "complete"

    await _call(app, scope, receive, send, seconds, answer)
    answer["body"] = answer["body"].decode("utf-8", "backslashreplace")
    return answer


async def _call(app: Any, scope: Scope, receive: Receive, send: Send, seconds: float, answer: Answer) -> None:
    try:
        async with asyncio.timeout(seconds):
            await app(scope, receive, send)
    except TimeoutError:
        answer["end"] = f"not complete after {seconds:g} s"
    except Exception as exc:
        answer["raised"] = type(exc).__name__


async def _replay(
    app: Any, records: list[dict[str, Any]], seconds: float, headers: dict[str, str]
) -> list[Answer | None]:
    answers: list[Answer | None] = []
    async with _Lifespan(app) as state:
        for record in records:
            answer = None
            if record["body"] is not None:
                answer = await _ask(app, _scope(record, headers, state), record["body"].encode(), seconds)
            answers.append(answer)
    return answers


def main(arguments: list[str]) -> int:
    """Ask, and answer the exit status."""
    name, source, target, seconds, headers, *alias = arguments
    if alias:
        importlib.import_module("ferrapi.as_fastapi")
    from .._discovery import put_on_path
    from ._loading import found, load
    from ._messages import Refused

    put_on_path()
    try:
        app = load(found(name).import_string)
    except Refused as refused:
        print(refused)
        return refused.status
    records = [json.loads(line) for line in Path(source).read_text(encoding="utf-8").splitlines()]
    answers = asyncio.run(_replay(app, records, float(seconds), json.loads(headers)))
    Path(target).write_text("".join(json.dumps(answer) + "\n" for answer in answers), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

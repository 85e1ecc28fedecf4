"""Versions by header: ``Accept-Version: 2`` and a path without a version are what ``/v2`` is.

A path that names its version is left alone. Without the header the first version answers, as long as there is one.
"""

import json
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "Accept-Version"


class AcceptVersion:
    """Middleware that puts the version of the header in front of the path.

    Parameters:
        subjects: the first parts of paths that have versions.
        versions: what the header may say; the first one is meant where it says nothing.
    """

    def __init__(self, app: ASGIApp, subjects: Collection[str], versions: tuple[str, ...]) -> None:
        self.app = app
        self.subjects = frozenset(subjects)
        self.versions = versions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request, under the version's path if it named none."""
        if scope["type"] not in {"http", "websocket"} or not self._is_versioned(scope):
            await self.app(scope, receive, send)
            return
        version = Headers(scope=scope).get(HEADER, self.versions[0])
        if version in self.versions:
            await self.app(_under(scope, f"/v{version}"), receive, _varying(send, version))
        elif scope["type"] == "http":
            await _refuse(send, f"there is no version {version}; there are {', '.join(self.versions)}")
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "there is no such version"})

    def _is_versioned(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path.lstrip("/").partition("/")[0] in self.subjects


def _under(scope: Scope, prefix: str) -> Scope:
    """The same request below a prefix; what the server calls its root stays in front."""
    root = scope.get("root_path", "")
    path = scope["path"].removeprefix(root)
    kept = root if scope["path"].startswith(root) else ""
    raw = scope.get("raw_path") or scope["path"].encode()
    raw = kept.encode() + prefix.encode() + raw.removeprefix(kept.encode())
    return {**scope, "path": kept + prefix + path, "raw_path": raw}


def _varying(send: Send, version: str) -> Send:
    """Says in the answer which version it is, and that the header chose it."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["API-Version"] = version
            headers.add_vary_header(HEADER)
        await send(message)

    return sending


async def _refuse(send: Send, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})

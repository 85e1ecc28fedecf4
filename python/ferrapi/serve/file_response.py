"""Files as responses, with fewer ways to worker threads than Starlette's `FileResponse` has.

Starlette looks at the file, opens it, reads each piece and closes it in a thread each, while a task of a group listens
for the client's leaving. Here a file is looked at, opened and read in one go, and closed there if that was all of it;
only a larger one needs more, and somebody who listens. What is sent is the same, message by message.

Everything that isn't the common case is left to the response itself: ranges, `HEAD`, a file that is missing or can't be
opened, another event loop than asyncio's, and classes and functions that somebody has replaced.
"""

from __future__ import annotations

import os
import stat
from functools import partial
from io import BufferedReader
from typing import Any

import anyio
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from .._facts import has_own_methods
from .._hooks import untouched, watch
from .._scopes import on_asyncio, scope_here
from .._threads import run_in_thread, run_shielded
from .listening import Listening

_OPEN_FILE = anyio.open_file
_METHODS = ("__call__", "__getattribute__", "_handle_simple", "_open_file", "set_stat_headers")
"""What is done here in the place of the response's own."""

watch(FileResponse)
watch(StaticFiles)


def quick(response: Response) -> ASGIApp:
    """What sends a response: the response itself, unless it is a file that can be sent in fewer steps."""
    return partial(_send_file, response) if type(response) is FileResponse else response


def quick_directory(app: ASGIApp) -> ASGIApp:
    """What serves a mounted application: that itself, unless it is a directory of which the files can be sent so."""
    return partial(_serve, app) if type(app) is StaticFiles else app


async def _serve(app: StaticFiles, scope: Scope, receive: Receive, send: Send) -> None:
    if (
        scope["type"] != "http"
        or not app.config_checked
        or not untouched(StaticFiles, "__call__")
        or has_own_methods(app)
    ):
        await app(scope, receive, send)
        return
    response = await app.get_response(app.get_path(scope), scope)
    await quick(response)(scope, receive, send)


def _is_usual(response: FileResponse, scope: Scope) -> bool:
    """Whether a file is sent whole, by the functions that Starlette has written."""
    return (
        scope["type"] == "http"
        and scope["method"] != "HEAD"
        and "http.response.pathsend" not in scope.get("extensions", ())
        and all(name != b"range" for name, _ in scope["headers"])
        and untouched(FileResponse, *_METHODS)
        and not has_own_methods(response)
        and anyio.open_file is _OPEN_FILE
        and on_asyncio()
    )


class _Opened:
    """A file that was opened.

    Attributes:
        result: what the system says of it; None if that was not asked for.
        piece: its first bytes.
        file: the file, behind these; None if they are all of it.
    """

    __slots__ = ("file", "piece", "result")

    def __init__(self, path: Any, size: int, *, asks: bool) -> None:
        self.file: BufferedReader | None = None
        self.result = os.stat(path) if asks else None
        if self.result is not None and not stat.S_ISREG(self.result.st_mode):
            raise IsADirectoryError(path)
        file = open(path, "rb")  # noqa: SIM115
        try:
            self.piece = file.read(size)
        except BaseException:
            file.close()
            raise
        if len(self.piece) == size:
            self.file = file
        else:
            file.close()


def _open(path: Any, size: int, *, asks: bool) -> _Opened | None:
    try:
        return _Opened(path, size, asks=asks)
    except Exception:
        return None  # Starlette knows what to say, and when


async def _send_file(response: FileResponse, scope: Scope, receive: Receive, send: Send) -> None:
    opened: _Opened | None = None
    if _is_usual(response, scope):
        asks = response.stat_result is None
        opened = await run_in_thread(partial(_open, response.path, response.chunk_size, asks=asks))
    if opened is None:
        await response(scope, receive, send)
        return
    if opened.result is not None:
        response.set_stat_headers(opened.result)
    head = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    if opened.file is None:
        await send(head)
        await send({"type": "http.response.body", "body": opened.piece, "more_body": False})
    else:
        await _send_pieces(opened.file, opened.piece, response.chunk_size, head, scope, receive, send)
    if response.background is not None:
        await response.background()


async def _send_pieces(
    file: BufferedReader, piece: bytes, size: int, head: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a file that is not read to its end, whose first piece that is, and close it.

    The client's leaving cancels that, unless the server tells of it by an exception of `send`.
    """
    version = tuple(map(int, scope.get("asgi", {}).get("spec_version", "2.0").split(".")))
    if version >= (2, 4):
        await _pass_on(file, piece, size, head, send)
        return
    listening = Listening(scope_here())
    listening.listen(receive)
    try:
        await _pass_on(file, piece, size, head, send)
    except BaseException as exc:
        await listening.fail(exc, None, None)
    else:
        await listening.end()


async def _pass_on(file: BufferedReader, piece: bytes, size: int, head: Any, send: Send) -> None:
    try:
        await send(head)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        while len(piece) == size:
            piece = await run_shielded(partial(file.read, size))
            await send({"type": "http.response.body", "body": piece, "more_body": len(piece) == size})
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_thread(file.close)

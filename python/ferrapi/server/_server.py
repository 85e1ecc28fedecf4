"""What the connections of one server share."""

from __future__ import annotations

import asyncio
import functools
import http
import logging
import sys
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from .._access_log import access_log
from .._native import NativeServer
from ._registry import know, quicken_tasks
from ._sizes import Limited

LOGGER = logging.getLogger("uvicorn.error")
_ACCESS_LOGGER = logging.getLogger("uvicorn.access")

_new_task: Any = asyncio.Task
if sys.version_info >= (3, 13):  # 3.12 has releases that crash when somebody asks such a task for its coroutine
    _new_task = functools.partial(
        asyncio.Task, eager_start=True
    )  # begins at once, which saves a turn of the event loop

quicken_tasks()

_KEY = "_ferrapi"


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


STATUS_LINES = {status: f"HTTP/1.1 {status} {_phrase(status)}\r\n".encode() for status in range(100, 600)}
"""The first lines of responses, as uvicorn writes them."""


def server_of(kind: type[Limited], config: Config, state: ServerState, loop: Any) -> NativeServer:
    """What is shared by the connections of a server that have the same settings.

    Parameters:
        kind: the class of the connections, which has their limits.
        config: uvicorn's configuration.
        state: what the server's connections share.
        loop: its event loop.

    uvicorn's protocols all know the state of their server, so it is kept there.
    """
    # Not with a factory, which may want to make all tasks, nor with what only looks like a loop.
    makes_tasks = isinstance(loop, asyncio.AbstractEventLoop) and loop.get_task_factory() is None
    resets_context = getattr(config, "reset_contextvars", False)  # newer releases of uvicorn have it
    log = access_log(_ACCESS_LOGGER) if _ACCESS_LOGGER.hasHandlers() else None
    settings = (kind, config, loop, makes_tasks, log)
    attributes = vars(state)
    known: tuple[Any, NativeServer] | None = attributes.get(_KEY)
    if known is not None and known[0] == settings:
        return known[1]
    sizes, (for_head, for_body) = kind.limits()
    server = NativeServer(
        loop,
        _new_task if makes_tasks else None,
        resets_context,
        state,
        STATUS_LINES,
        (LOGGER, log),
        sizes,
        (float(config.timeout_keep_alive), for_head, for_body),
        (config.limit_concurrency, config.asgi_version, config.root_path),
    )
    attributes[_KEY] = (settings, server)
    know(state)
    return server

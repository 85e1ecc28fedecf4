"""What the connections of one server share."""

from __future__ import annotations

import asyncio
import functools
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from .._native import NativeServer
from ._limits import MAX_BODY, MAX_HEAD
from ._registry import know, quicken_tasks

_new_task: Any = asyncio.Task
if sys.version_info >= (3, 13):  # 3.12 has releases that crash when somebody asks such a task for its coroutine
    _new_task = functools.partial(
        asyncio.Task, eager_start=True
    )  # begins at once, which saves a turn of the event loop

quicken_tasks()

_KEY = "_ferrapi"


def server_of(protocol: HttpToolsProtocol) -> NativeServer:
    """What is shared by the connections of the protocol's server that have the same settings.

    uvicorn's protocols all know the state of their server, so it is kept there.
    """
    loop, attributes = protocol.loop, vars(protocol.server_state)
    # Not with a factory, which may want to make all tasks, nor with what only looks like a loop.
    makes_tasks = isinstance(loop, asyncio.AbstractEventLoop) and loop.get_task_factory() is None
    resets_context, is_limited = protocol.config.reset_contextvars, protocol.limit_concurrency is not None
    settings = (loop, makes_tasks, resets_context, protocol.access_log, is_limited)
    known: tuple[Any, NativeServer] | None = attributes.get(_KEY)
    if known is not None and known[0] == settings:
        return known[1]
    server = NativeServer(
        MAX_HEAD,
        MAX_BODY,
        loop,
        _new_task if makes_tasks else None,
        resets_context,
        protocol.tasks,
        attributes,
        STATUS_LINE,
        protocol.access_log,
        is_limited,
    )
    attributes[_KEY] = (settings, server)
    know(protocol.server_state)
    return server

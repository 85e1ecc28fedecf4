"""What ferrapi knows of uvicorn's insides: the releases that it was tested with, and their cycles.

A cycle is a request and its response; the `receive` and `send` of an ASGI application are its methods. Import this
module only where uvicorn is there.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

OLDEST = (0, 54)
"""The first release of uvicorn whose insides are used."""
NEWEST = (0, 54)
"""The last one that was tested."""

_FILE = HttpToolsProtocol.data_received.__code__.co_filename


def is_known(version: str) -> bool:
    """Whether a release of uvicorn is one of those, for instance ``"0.54.0"``."""
    parts = version.split(".")
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return False
    return OLDEST <= (int(parts[0]), int(parts[1])) <= NEWEST


def parts_of_cycle(kind: type) -> tuple[dict[int, bytes] | None, Any, Any] | None:
    """The status lines, `send` and `receive` of a class of cycles, if it is that of a known release of uvicorn.

    Without status lines for the calls of ferrapi's own protocol.
    """
    own = sys.modules.get("ferrapi.server._call")
    if own is not None and kind is own.AsgiCall:
        return None, own.SEND, own.RECEIVE
    if kind is not RequestResponseCycle or not is_known(uvicorn.__version__):
        return None
    send, receive = (vars(kind).get(name) for name in ("send", "receive"))
    # Tracing tools put functions of their own into their places.
    if any(getattr(getattr(method, "__code__", None), "co_filename", None) != _FILE for method in (send, receive)):
        return None
    return STATUS_LINE, send, receive


def log_access(logger: logging.Logger, scope: Any, status: int) -> None:
    """Write a line of the access log, in uvicorn's format and with its arguments.

    Parameters:
        logger: uvicorn's.
        scope: what a scope has of the client, the request line and the version.
        status: the response's.
    """
    logger.info(
        '%s - "%s %s HTTP/%s" %d',
        get_client_addr(scope),
        scope["method"],
        get_path_with_query_string(scope),
        scope["http_version"],
        status,
    )

"""What ferrapi knows of the insides of uvicorn's own protocol: the releases that it was tested with, and its cycles.

A cycle is a request and its response; the `receive` and `send` of an ASGI application are its methods. Import this
module only where that protocol is in use.
"""

from __future__ import annotations

import logging
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


def parts_of_cycle(kind: type) -> tuple[dict[int, bytes], Any, Any] | None:
    """The status lines, `send` and `receive` of a class of cycles, if it is that of a known release of uvicorn."""
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

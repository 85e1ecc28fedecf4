"""uvicorn: the insides of its own protocol, tested with 0.54.

A cycle is a request and its response; the `receive` and `send` of an ASGI application are its methods. With another
uvicorn, or none, no cycle is known: responses go to it in messages. Import this only where its protocol is in use.
"""

from __future__ import annotations

from typing import Any

try:
    from uvicorn import __version__ as _version
    from uvicorn.protocols.http import httptools_impl
except ImportError:
    httptools_impl = None  # type: ignore[assignment]

TESTED = ("0.54", "0.54")
"""The oldest and the newest release that the private names were tested with."""


def is_known(version: str) -> bool:
    """Whether a release of uvicorn is one of those, for instance ``"0.54.0"``."""
    oldest, newest = (tuple(map(int, tested.split("."))) for tested in TESTED)
    parts = version.split(".")
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return False
    return oldest <= (int(parts[0]), int(parts[1])) <= newest


def parts_of_cycle(kind: type) -> tuple[dict[int, bytes], Any, Any] | None:
    """The status lines, `send` and `receive` of a class of cycles, if it is that of a known release of uvicorn."""
    if httptools_impl is None or not is_known(_version):
        return None
    status_lines = getattr(httptools_impl, "STATUS_LINE", None)
    if status_lines is None or kind is not getattr(httptools_impl, "RequestResponseCycle", None):
        return None
    send, receive = (vars(kind).get(name) for name in ("send", "receive"))
    # Tracing tools put functions of their own into their places.
    if any(_file_of(method) != httptools_impl.__file__ for method in (send, receive)):
        return None
    return status_lines, send, receive


def _file_of(method: Any) -> str | None:
    return getattr(getattr(method, "__code__", None), "co_filename", None)

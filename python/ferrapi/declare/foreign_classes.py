"""The classes of the real FastAPI, known by the modules that they say they are from: it is never imported.

What an object of one of them means in an application of ferrapi is decided in `foreign.py`.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ..exceptions import ForeignObjectError

FASTAPI = "fastapi"


def comes_from(cls: type[Any], name: str) -> bool:
    """Whether `cls` is, or comes from, the class of FastAPI that has this full name (`fastapi.params.Depends`)."""
    return any(f"{base.__module__}.{base.__name__}" == name for base in cls.__mro__)


_BETWEEN = frozenset({"copy", "dataclasses", "functools", "pydantic", "typing"})


def refuse_in_fastapi(obj: Any) -> None:
    """Refuse a marker of ferrapi's that FastAPI is about to take for an ordinary default, or for text in an annotation.

    Called when FastAPI has something done with the object: a copy of a default, the schema of an annotation.

    Raises:
        ForeignObjectError: if it is FastAPI that has it done.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        root = str(frame.f_globals.get("__name__")).partition(".")[0]
        if root == FASTAPI:
            raise ForeignObjectError(
                f"{obj!r} is a marker of ferrapi in an application of FastAPI, which would never run it. Make the "
                "application with ferrapi, or take the marker from fastapi."
            )
        frame = frame.f_back if root in _BETWEEN else None


def is_foreign_scheme(obj: Any) -> bool:
    """Whether an object is one of FastAPI's security schemes."""
    return comes_from(type(obj), "fastapi.security.base.SecurityBase")


def is_foreign_event(cls: type[Any]) -> bool:
    """Whether a class is that of FastAPI's server-sent events, or of the response of these."""
    return comes_from(cls, "fastapi.sse.ServerSentEvent") or comes_from(cls, "fastapi.sse.EventSourceResponse")

"""ferrapi: FastAPI's programming model with its hot path compiled.

Change ``from fastapi import FastAPI`` to ``from ferrapi import FastAPI``; the rest of the application stays as it is.

What this module offers is loaded with the first name that somebody takes, and all at once, so that until then tools can
put functions of theirs in the place of Starlette's, and `ferrapi.as_fastapi` itself in the place of FastAPI.
"""

import sys as _sys
from importlib import import_module as _import_module
from importlib.metadata import PackageNotFoundError as _PackageNotFoundError
from importlib.metadata import version as _version
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from ._names import names_of as _names_of

if _TYPE_CHECKING:
    from ._public import APIRouter as APIRouter
    from ._public import BackgroundTasks as BackgroundTasks
    from ._public import Body as Body
    from ._public import Cookie as Cookie
    from ._public import Depends as Depends
    from ._public import FastAPI as FastAPI
    from ._public import File as File
    from ._public import Form as Form
    from ._public import Header as Header
    from ._public import HTTPException as HTTPException
    from ._public import Path as Path
    from ._public import Query as Query
    from ._public import Request as Request
    from ._public import Response as Response
    from ._public import Security as Security
    from ._public import UploadFile as UploadFile
    from ._public import WebSocket as WebSocket
    from ._public import WebSocketDisconnect as WebSocketDisconnect
    from ._public import WebSocketException as WebSocketException
    from ._public import status as status

try:
    __version__ = _version("ferrapi")
except _PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = [
    "APIRouter",
    "BackgroundTasks",
    "Body",
    "Cookie",
    "Depends",
    "FastAPI",
    "File",
    "Form",
    "HTTPException",
    "Header",
    "Path",
    "Query",
    "Request",
    "Response",
    "Security",
    "UploadFile",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketException",
    "status",
]


def _load() -> None:
    """Load what is offered, unless that has been done. Where `fastapi` means ferrapi, that is imported first."""
    alias = _sys.modules.get(f"{_PACKAGE}._alias")
    if alias is not None:
        alias.begin()
    public = _import_module(f"{_PACKAGE}._public")
    for name in __all__:
        globals().setdefault(name, getattr(public, name))


_PACKAGE = __name__

if not _TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    _other_name = _names_of(__name__)

    def __getattr__(name: str) -> _Any:
        if name not in __all__:
            return _other_name(name)
        _load()
        return globals()[name]

    def __dir__() -> list[str]:
        _load()
        return sorted(globals())

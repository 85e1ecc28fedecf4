"""Starlette's request classes, and that of the requests that endpoints get."""

from starlette.requests import HTTPConnection as HTTPConnection
from starlette.requests import Request as Request

from ._disconnect import Request as LiveRequest

__all__ = ["HTTPConnection", "LiveRequest", "Request"]

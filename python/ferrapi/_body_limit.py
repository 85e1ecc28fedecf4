"""`fastapi._body_limit`: the limit of a request's body, for code that imports FastAPI's private module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from ._compat.starlette import MAX_BODY_SIZE_SCOPE_KEY
from ._names import names_of
from .declare.limits import get_body_size_limit, validate_max_body_size
from .serve.limits import body_limit_error as get_body_limit_error
from .serve.limits import limit_body

__all__ = [
    "MAX_BODY_SIZE_SCOPE_KEY",
    "AppBodyLimitMiddleware",
    "get_body_limit_error",
    "get_body_size_limit",
    "validate_max_body_size",
    "wrap_app_with_body_limit",
]


def wrap_app_with_body_limit(app: ASGIApp, max_body_size: int | None) -> ASGIApp:
    """`app`, answering 413 to HTTP requests with more than `max_body_size` bytes; as it is for None."""
    limited: ASGIApp = limit_body(app, max_body_size)
    return limited


class AppBodyLimitMiddleware:
    """An application with a limit.

    Parameters:
        app: what to serve requests with.
        max_body_size: bytes of a body, or None for no limit.
    """

    def __init__(self, app: ASGIApp, max_body_size: int | None) -> None:
        self.app = wrap_app_with_body_limit(app, max_body_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

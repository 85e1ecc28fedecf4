"""What the native engine asks of a transport when it goes on in Python."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .files import leave_stack

if TYPE_CHECKING:
    from .._native import AccessLog


async def wait_for(awaitable: Awaitable[Any]) -> Any:
    """Await what isn't a coroutine."""
    return await awaitable


class Guard:
    """A transport, as the native engine knows it. Each adds `exchange`, which makes the exchange of a request."""

    def guard(
        self, x: Any, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]
    ) -> Coroutine[Any, Any, None]:
        """Await ``function(x, *arguments)``, and answer what that raises."""
        raise NotImplementedError

    @staticmethod
    def parts_of_cycle(kind: type) -> tuple[dict[int, bytes], Any, Any] | None:
        """The status lines, `send` and `receive` of a class of cycles; None unless it is uvicorn's, and known."""
        if kind.__module__ != "uvicorn.protocols.http.httptools_impl":
            return None
        from .._compat.uvicorn import parts_of_cycle

        return parts_of_cycle(kind)

    @staticmethod
    def access_log(logger: Any) -> AccessLog:
        """The access log that one of those writes with a logger."""
        from .._access_log import access_log

        return access_log(logger)

    wait_for = staticmethod(wait_for)
    leave_stack = staticmethod(leave_stack)

    @staticmethod
    async def raise_again(x: Any, exc: BaseException) -> None:
        """Raise what the native engine has no answer to."""
        try:
            raise exc
        finally:
            del exc

    @staticmethod
    async def do_nothing(x: Any) -> None:
        """Leave it to the guard to see that there is no response."""


class Inside(Guard):
    """The transport of requests that have come through something else before: that sees to what is raised."""

    async def guard(self, x: Any, function: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]) -> None:
        """Await ``function(x, *arguments)``."""
        try:
            await function(x, *arguments)
        finally:
            del arguments  # an exception may be one of them


INSIDE = Inside()

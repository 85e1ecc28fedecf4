"""How large requests may be, and how long clients are waited for."""

from __future__ import annotations

from typing import Any, ClassVar

from ..exceptions import FastAPIError

MAX_HEAD = 65_536
"""Bytes of a request head; a longer one is answered with 431."""
MAX_BODY = 65_536
"""Bytes of a body that is collected for a route before it is served; a longer one comes to the application in pieces,
and the client is held back while so much of it waits."""


class Limited:
    """The limits of a protocol; a subclass of the protocol may have others.

    Raises:
        FastAPIError: when a subclass is made whose limit is no positive number.
    """

    limit_head: ClassVar[int] = MAX_HEAD
    """Bytes of a request's head, and of a body's trailers. Beyond, the answer is 431."""
    limit_body: ClassVar[int | None] = None
    """Bytes of a request's body; None for any number. Beyond, the answer is 413, and nothing is called if the length is
    declared."""
    timeout_head: ClassVar[float | None] = None
    """Seconds from a connection's beginning, or the first byte of a later request, to the end of the head; None for any
    time. Beyond, the answer is 408."""
    timeout_body: ClassVar[float | None] = None
    """Seconds between one piece of a body and the next while the client is waited for; None for any time. Beyond, the
    answer is 408, or the end of the connection if there is an answer already."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("limit_head", "limit_body"):
            _check(cls, name, int)
        for name in ("timeout_head", "timeout_body"):
            _check(cls, name, (int, float))

    @classmethod
    def limits(cls) -> tuple[tuple[int, int | None], tuple[float | None, float | None]]:
        """Bytes of a head and a body, and seconds for them."""
        return (cls.limit_head, cls.limit_body), (cls.timeout_head, cls.timeout_body)


def _check(cls: type[Limited], name: str, kinds: Any) -> None:
    value = getattr(cls, name)
    if value is None and name != "limit_head":
        return
    if not isinstance(value, kinds) or isinstance(value, bool) or not 0 < value < 2**63:
        raise FastAPIError(f"{cls.__name__}.{name} is {value!r}: give a positive number")

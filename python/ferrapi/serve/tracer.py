"""`Tracer`: what is told of the steps of a request that somebody wants to follow.

An ASGI layer that wants to follow a request puts a tracer into its scope. The engine calls it around the steps of such
a request (`rust/src/run/machine/tracing.rs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from ..exceptions import RequestValidationError
from .exchange import Exchange


class Tracer(Protocol):
    """What follows one request or connection."""

    def matched(self, template: str, mounted_at: str | None = None) -> None:
        """A router has found the route whose path is `template`; `mounted_at` is the template of a mount's prefix."""

    def started(self, x: Exchange) -> None:
        """The route begins with its work."""

    def read(self, body: Any) -> None:
        """The body was read."""

    def solved(self, values: dict[str, Any], errors: Sequence[Any]) -> None:
        """The dependencies have run, and the endpoint's arguments are `values` or have `errors`."""

    def refused(self, errors: Sequence[Any]) -> None:
        """The request is refused because of `errors`."""

    def step(self, name: str, call: Callable[..., Any]) -> AbstractContextManager[None]:
        """The context of one step: ``"dependencies"``, ``"endpoint"`` or ``"serialization"`` of the endpoint `call`."""


class _Silent:
    """A tracer that follows nothing."""

    def matched(self, template: str, mounted_at: str | None = None) -> None:
        """Nothing."""

    def started(self, x: Exchange) -> None:
        """Nothing."""

    def read(self, body: Any) -> None:
        """Nothing."""

    def solved(self, values: dict[str, Any], errors: Sequence[Any]) -> None:
        """Nothing."""

    def refused(self, errors: Sequence[Any]) -> None:
        """Nothing."""

    def step(self, name: str, call: Callable[..., Any]) -> AbstractContextManager[None]:
        """A context that does nothing."""
        return nullcontext()


SILENT: Tracer = _Silent()


def tell_unread(tracer: Tracer, exc: BaseException) -> None:
    """Tell who follows a request that its body could not be read."""
    if isinstance(exc, RequestValidationError):
        tracer.read(exc.body)
        tracer.refused(exc.errors())

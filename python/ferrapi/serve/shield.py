"""Exit code of ``yield`` dependencies runs to its end when a cancel scope around the request is cancelled.

Observed on FastAPI 0.165.0. While a dependency is left, cancel scopes from outside of the request can't reach it;
those that dependencies hold open themselves can, and so can `Task.cancel`. A cancellation that has come meanwhile is
delivered when the exit code has come to its end without an exception: to the dependency that is left next, or to the
request.

One cancel scope around all dependencies does that: it is a shield while exit code runs. A task that is in no cancel
scope needs none, and most are in none.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import MutableMapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from .._compat.anyio import task_states
from .._scopes import may_be_cancelled_here, on_asyncio

if TYPE_CHECKING:
    from .exchange import Exchange

SHIELD = "ferrapi.exit_shield"
"""The scope's key for the cancel scope of a request, for those that are handed nothing else."""


def in_cancel_scope() -> bool:
    """Whether a cancel scope may be around the current task's code. Under trio there always is one."""
    if "anyio._backends._asyncio" not in sys.modules and "trio" not in sys.modules:
        return False
    if not on_asyncio() or task_states() is None or asyncio.current_task() is None:
        return True
    return may_be_cancelled_here()


class ExitShield:
    """Enters the cancel scope of a request, which `Shielded` uses; None where nothing can be cancelled by scopes.

    Parameters:
        scope: the connection scope, which gets it, too.
    """

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self._scope = scope
        self._shield: anyio.CancelScope | None = None

    def __enter__(self) -> anyio.CancelScope | None:
        if in_cancel_scope():
            self._shield = self._scope[SHIELD] = anyio.CancelScope().__enter__()
        else:
            self._scope.pop(SHIELD, None)  # of an outer application
        return self._shield

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return self._shield is not None and bool(self._shield.__exit__(kind, exc, traceback))


class Shielded(AbstractAsyncContextManager[Any]):
    """A context whose exit code is shielded.

    Parameters:
        context: the context.
        shield: the cancel scope of the request.
    """

    def __init__(self, context: AbstractAsyncContextManager[Any], shield: anyio.CancelScope) -> None:
        self._context = context
        self._shield = shield

    async def __aenter__(self) -> Any:
        return await self._context.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._shield.shield = True
        try:
            swallowed = bool(await self._context.__aexit__(kind, exc, traceback))
        finally:
            self._shield.shield = False
        if exc is None or swallowed:
            await checkpoint_if_cancelled()
        return swallowed


def enter_shield(x: Exchange) -> anyio.CancelScope:
    """Enter the cancel scope of a request that is in one of somebody else's."""
    shield = x.shield = anyio.CancelScope()
    return shield.__enter__()


def leave_shield(x: Exchange, shield: anyio.CancelScope) -> None:
    """Leave it, in the task that has entered it."""
    x.shield = None
    shield.__exit__(None, None, None)


def shielded(context: AbstractAsyncContextManager[Any], x: Exchange) -> AbstractAsyncContextManager[Any]:
    """`context`, with its exit code shielded if there is anything to shield it from."""
    return context if x.shield is None else Shielded(context, x.shield)

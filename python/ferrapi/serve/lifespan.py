"""Start-up and shutdown: lifespan context managers, merged over included routers, and the older event handlers."""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from inspect import isasyncgenfunction, isgeneratorfunction
from typing import Any, Protocol

from starlette.types import Message, Scope, Send

from .._compat.starlette import is_async_callable
from ..concurrency import contextmanager_in_threadpool

LifespanContext = Any
"""A function from the application to an asynchronous context manager, which may give a state (a mapping)."""


class HasHandlers(Protocol):
    """A router with handlers of events."""

    async def _startup(self) -> None:
        """Run those of start-up."""

    async def _shutdown(self) -> None:
        """Run those of shutdown."""


class DefaultLifespan:
    """The lifespan of a router that was given none: runs its start-up and shutdown handlers."""

    def __init__(self, router: HasHandlers) -> None:
        self._router = router

    async def __aenter__(self) -> None:
        await self._router._startup()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: types.TracebackType | None
    ) -> None:
        await self._router._shutdown()

    def __call__(self, app: object) -> DefaultLifespan:
        return self


def as_context(lifespan: Callable[[Any], Any]) -> LifespanContext:
    """A lifespan given as a generator function as a function that makes an asynchronous context manager."""
    if isasyncgenfunction(lifespan):
        return asynccontextmanager(lifespan)
    if isgeneratorfunction(lifespan):
        manager: Callable[[Any], AbstractContextManager[Any]] = contextmanager(lifespan)
        return lambda app: contextmanager_in_threadpool(manager(app))
    return lifespan


def merged(outer: LifespanContext, inner: LifespanContext) -> LifespanContext:
    """Both lifespans, the outer one around the inner one; their states are merged, the outer's values winning."""

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Mapping[str, Any] | None]:
        async with outer(app) as outer_state, inner(app) as inner_state:
            if outer_state is None and inner_state is None:
                yield None
            else:
                yield {**(inner_state or {}), **(outer_state or {})}

    return both


async def run_handlers(handlers: list[Callable[[], Any]]) -> None:
    """Call event handlers in order, awaiting the asynchronous ones."""
    for handler in handlers:
        if is_async_callable(handler):
            await handler()
        else:
            handler()


def look_after_startup(scope: Scope, send: Send) -> Send:
    """`send` for a lifespan: when the application has started, it is decided again whether it records anything."""
    app: Any = scope.get("app")

    async def send_looking(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete" and hasattr(app, "decide_on_telemetry"):
            app.decide_on_telemetry()
        await send(message)

    return send_looking

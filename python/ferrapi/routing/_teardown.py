"""`Teardown`: the contexts that are open while a request is served, closed in reverse.

What `contextlib.AsyncExitStack` and `asynccontextmanager` do, with a short way for the usual end: every generator runs
on to its end. As soon as an exception is on its way, the standard library takes over, since throwing it into one
context after the other has rules of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import AsyncGeneratorType, TracebackType
from typing import Any, Self


class Teardown:
    """The open contexts of a request. An asynchronous context manager itself."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[Any] = []

    async def enter_async_context(self, manager: AbstractAsyncContextManager[Any]) -> Any:
        """Enter a context; it is left with this one."""
        value = await type(manager).__aenter__(manager)
        self._open.append(manager)
        return value

    async def enter_generator(self, generator: AsyncGenerator[Any]) -> Any:
        """Enter the context that `generator` is: what it yields first. As of an `asynccontextmanager`."""
        try:
            value = await anext(generator)
        except StopAsyncIteration:
            raise RuntimeError("generator didn't yield") from None
        self._open.append(generator)
        return value

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        contexts = self._open
        if exc is not None:
            return await self._unwind(exc) if contexts else False
        while contexts:
            context = contexts.pop()
            try:
                if context.__class__ is AsyncGeneratorType:
                    await _run_out(context)
                else:
                    await context.__aexit__(None, None, None)
            except BaseException as error:
                if not await self._unwind(error):
                    raise
        return False

    async def _unwind(self, exc: BaseException) -> bool:
        """Throw `exc` into what is still open; tell whether it was swallowed there."""
        stack = AsyncExitStack()
        for context in self._open:
            is_generator = context.__class__ is AsyncGeneratorType
            stack.push_async_exit(_as_manager(context) if is_generator else context)
        self._open = []
        return await stack.__aexit__(type(exc), exc, exc.__traceback__)


async def _run_out(generator: AsyncGenerator[Any]) -> None:
    """Let a generator run to its end, which has to be next."""
    try:
        await generator.__anext__()
    except StopAsyncIteration:
        return
    try:
        raise RuntimeError("generator didn't stop")
    finally:
        await generator.aclose()


def _as_manager(generator: AsyncGenerator[Any]) -> AbstractAsyncContextManager[Any]:
    """The context manager whose generator this one, already begun, is."""
    return asynccontextmanager(lambda: generator)()

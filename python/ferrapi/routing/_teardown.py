"""`Teardown`: the contexts that are open while a request is served, closed in reverse.

What `contextlib.AsyncExitStack` does, with a short way for what is open most often: generators that were begun here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import AsyncGeneratorType, GeneratorType, TracebackType
from typing import Any, Self

from ..concurrency import LeftInThread


class Teardown:
    """The open contexts of a request. An asynchronous context manager itself.

    Parameters:
        opened: contexts that are open already: generators, run in this thread or in others, and managers.
    """

    __slots__ = ("_open",)

    def __init__(self, opened: Iterable[Any] = ()) -> None:
        self._open: list[Any] = [LeftInThread(one) if one.__class__ is GeneratorType else one for one in opened]

    @classmethod
    async def throw_into(cls, opened: Iterable[Any], exc: BaseException) -> bool:
        """Throw `exc` into generators that are open, the last first; tell whether it was swallowed there."""
        try:
            raise exc  # what they raise may look at the exception that is being handled
        except BaseException:
            return await cls(opened).unwind(exc)

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
        if exc is not None:
            return await self.unwind(exc)
        await self.close()
        return False

    async def close(self) -> None:
        """Leave what is open, the last first. What one of them raises is thrown into the others."""
        contexts = self._open
        failure: BaseException | None = None
        while contexts and failure is None:
            context = contexts.pop()
            try:
                if context.__class__ is not AsyncGeneratorType:
                    await context.__aexit__(None, None, None)
                    continue
                try:
                    await context.__anext__()
                except StopAsyncIteration:
                    continue
                await stop(context)
            except BaseException as error:
                failure = error
        # Outside of the handler, where it would become the context of what is raised by the others.
        if failure is not None and not await self.unwind(failure):
            try:
                raise failure
            finally:
                failure = None  # its traceback has this frame

    async def unwind(self, exc: BaseException) -> bool:
        """Throw `exc` into what is still open; tell whether it was swallowed there."""
        contexts = self._open
        if not contexts:
            return False
        self._open = []
        if len(contexts) == 1:
            context = contexts[0]
            if context.__class__ is AsyncGeneratorType:
                return await _throw(context, exc)
            return bool(await context.__aexit__(type(exc), exc, exc.__traceback__))
        stack = AsyncExitStack()  # which knows what an exception's context is when another one was swallowed before it
        for context in contexts:
            stack.push_async_exit(_begun(context) if context.__class__ is AsyncGeneratorType else context)
        return bool(await stack.__aexit__(type(exc), exc, exc.__traceback__))


async def stop(generator: AsyncGenerator[Any], when: str = "") -> None:
    """Close a generator that has yielded twice, and say so."""
    try:
        raise RuntimeError(f"generator didn't stop {when}".strip())
    finally:
        await generator.aclose()


async def stop_thrown(generator: AsyncGenerator[Any], exc: BaseException) -> None:
    """Close a generator that has yielded once more when `exc` was thrown into it, and say so."""
    try:
        raise exc  # the context of what is raised here
    except BaseException:
        await stop(generator, "after athrow()")


async def _throw(generator: AsyncGenerator[Any], exc: BaseException) -> bool:
    """Leave the context that `generator` is with an exception; tell whether it was swallowed. As `contextlib` does."""
    traceback = exc.__traceback__
    try:
        await generator.athrow(exc)
    except StopAsyncIteration as end:
        return end is not exc
    except BaseException as error:
        # A generator can't raise the exceptions that end an iteration: they come back inside a RuntimeError.
        wrapped = isinstance(exc, (StopIteration, StopAsyncIteration)) and isinstance(error, RuntimeError)
        if error is not exc and not (wrapped and error.__cause__ is exc):
            raise
        exc.__traceback__ = traceback
        return False
    await stop(generator, "after athrow()")
    return False


def as_context(made: Any) -> AbstractAsyncContextManager[Any]:
    """The context that an asynchronous generator is; another context as it is."""
    context: AbstractAsyncContextManager[Any] = _begun(made) if made.__class__ is AsyncGeneratorType else made
    return context


@asynccontextmanager
def _begun(generator: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
    """The context that a generator is, perhaps one that was begun already. It can throw an exception into one."""
    return generator

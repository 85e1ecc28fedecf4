"""What becomes of contexts that are left with an exception: what `contextlib.AsyncExitStack` does.

The engine leaves contexts itself (`rust/src/run/machine/contexts.rs`), also a single asynchronous generator with an
exception.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from ..concurrency import LeftInThread


async def unwind(opened: Iterable[Any], exc: BaseException) -> bool:
    """Throw `exc` into contexts that are open, the last first; tell whether it was swallowed there.

    Parameters:
        opened: generators, run in this thread or in others, and asynchronous context managers.
        exc: what is thrown.
    """
    contexts = [LeftInThread(one) if one.__class__ is GeneratorType else one for one in opened]
    try:
        raise exc  # what they raise may look at the exception that is being handled
    except BaseException:
        if len(contexts) == 1:
            context = contexts[0]
            if context.__class__ is AsyncGeneratorType:
                return await _throw(context, exc)
            return bool(await context.__aexit__(type(exc), exc, exc.__traceback__))
        stack = AsyncExitStack()  # which knows what an exception's context is when another one was swallowed before it
        for context in contexts:
            stack.push_async_exit(as_context(context))
        return bool(await stack.__aexit__(type(exc), exc, exc.__traceback__))
    finally:
        del exc


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
    finally:
        del exc


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

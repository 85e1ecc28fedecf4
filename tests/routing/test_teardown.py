"""Leaving contexts with an exception against `contextlib.AsyncExitStack`: the same order, and what becomes of it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from ferrapi.serve.teardown import unwind
from support.stdlib import CLOSES_GENERATORS

WAYS = ("plain", "finally", "swallows", "raises", "raises after", "changes", "returns", "stop", "cause") + (
    ("yields twice",) if CLOSES_GENERATORS else ()
)


async def generator(way: str, name: int, log: list[Any]) -> AsyncGenerator[int, None]:
    """A context that notes what it sees, and treats exceptions in its own way."""
    log.append(("open", name))
    try:
        yield name
    except BaseException as exc:
        log.append(("saw", name, type(exc).__name__, str(exc)))
        if way == "swallows":
            return
        if way == "changes":
            raise KeyError(name) from None
        if way == "cause":
            raise RuntimeError(name) from exc
        if way == "yields twice":
            yield -1
            return
        raise
    else:
        log.append(("went on", name))
        if way == "raises":
            raise LookupError(name)
        if way == "yields twice":
            yield -1
        if way == "stop":
            raise StopAsyncIteration(name)
    finally:
        log.append(("close", name))
        if way == "raises after":
            raise OSError(name)


class Manager:
    """A context that is no generator."""

    def __init__(self, way: str, name: int, log: list[Any]) -> None:
        self.way, self.name, self.log = way, name, log

    async def __aenter__(self) -> int:
        return self.name

    async def __aexit__(self, kind: Any, exc: Any, traceback: Any) -> bool:
        self.log.append(("left", self.name, str(exc)))
        if self.way == "raises":
            raise LookupError(self.name)
        return self.way == "swallows"


async def with_stack(ways: Any, error: BaseException, log: list[Any]) -> None:
    async with AsyncExitStack() as stack:
        for name, (kind, way) in enumerate(ways):
            manager = Manager(way, name, log) if kind else asynccontextmanager(generator)(way, name, log)
            assert await stack.enter_async_context(manager) == name
        raise error
    log.append("after")


async def with_unwind(ways: Any, error: BaseException, log: list[Any]) -> None:
    opened: list[Any] = []
    for name, (kind, way) in enumerate(ways):
        context: Any = Manager(way, name, log) if kind else generator(way, name, log)
        assert await (context.__aenter__() if kind else anext(context)) == name
        opened.append(context)
    if not await unwind(opened, error):
        raise error
    log.append("after")


def outcome(run: Any, ways: Any, error: type[BaseException]) -> tuple[list[Any], Any]:
    log: list[Any] = []
    try:
        asyncio.run(run(ways, error("cause"), log))
    except BaseException as exc:
        chain = [(type(exc).__name__, str(exc), type(exc.__cause__).__name__, type(exc.__context__).__name__)]
        return log, chain
    return log, None


SINGLE = [(False, way) for way in WAYS] + [(True, way) for way in ("plain", "swallows", "raises")]


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, RuntimeError, StopAsyncIteration])
@pytest.mark.parametrize("depth", [1, 2])
def test_as_an_exit_stack(depth: int, error: type[BaseException]) -> None:
    for ways in itertools.product(SINGLE, repeat=depth):
        assert outcome(with_unwind, ways, error) == outcome(with_stack, ways, error), ways


def test_three_deep() -> None:
    some = [(False, "finally"), (False, "swallows"), (False, "raises"), (False, "changes"), (True, "swallows")]
    for ways in itertools.product(some, repeat=3):
        assert outcome(with_unwind, ways, ValueError) == outcome(with_stack, ways, ValueError), ways

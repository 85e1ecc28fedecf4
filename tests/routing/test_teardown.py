"""`Teardown` against `contextlib.AsyncExitStack`: the same order, exceptions and what becomes of them."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from ferrapi.routing._teardown import Teardown
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


async def with_stack(ways: Any, error: BaseException | None, log: list[Any]) -> None:
    async with AsyncExitStack() as stack:
        for name, (kind, way) in enumerate(ways):
            manager = Manager(way, name, log) if kind else asynccontextmanager(generator)(way, name, log)
            assert await stack.enter_async_context(manager) == name
        if error is not None:
            raise error
    log.append("after")


async def with_teardown(ways: Any, error: BaseException | None, log: list[Any]) -> None:
    async with Teardown() as teardown:
        for name, (kind, way) in enumerate(ways):
            if kind:
                assert await teardown.enter_async_context(Manager(way, name, log)) == name
            else:
                assert await teardown.enter_generator(generator(way, name, log)) == name
        if error is not None:
            raise error
    log.append("after")


def outcome(run: Any, ways: Any, error: type[BaseException] | None) -> tuple[list[Any], Any]:
    log: list[Any] = []
    try:
        asyncio.run(run(ways, None if error is None else error("cause"), log))
    except BaseException as exc:
        chain = [(type(exc).__name__, str(exc), type(exc.__cause__).__name__, type(exc.__context__).__name__)]
        return log, chain
    return log, None


SINGLE = [(False, way) for way in WAYS] + [(True, way) for way in ("plain", "swallows", "raises")]


@pytest.mark.parametrize("error", [None, ValueError, asyncio.CancelledError, RuntimeError, StopAsyncIteration])
@pytest.mark.parametrize("depth", [1, 2])
def test_as_an_exit_stack(depth: int, error: type[BaseException] | None) -> None:
    for ways in itertools.product(SINGLE, repeat=depth):
        assert outcome(with_teardown, ways, error) == outcome(with_stack, ways, error), ways


@pytest.mark.parametrize("error", [None, ValueError])
def test_three_deep(error: type[BaseException] | None) -> None:
    some = [(False, "finally"), (False, "swallows"), (False, "raises"), (False, "changes"), (True, "swallows")]
    for ways in itertools.product(some, repeat=3):
        assert outcome(with_teardown, ways, error) == outcome(with_stack, ways, error), ways


def test_a_generator_that_does_not_yield() -> None:
    async def nothing() -> AsyncGenerator[int, None]:
        return
        yield 1

    async def main() -> None:
        async with Teardown() as teardown:
            await teardown.enter_generator(nothing())

    with pytest.raises(RuntimeError, match="didn't yield"):
        asyncio.run(main())

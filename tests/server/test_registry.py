"""The native way into asyncio's registry of tasks: the set is what it would be.

Since Python 3.14 tasks are in no set, and weak sets have other insides. Then nothing is put in the place of anything,
and what is tested is that asyncio finds the tasks all the same.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
from typing import Any
from weakref import WeakSet, ref

import pytest
from ferrapi import FastAPI
from ferrapi.server._registry import quicken, quicken_tasks
from hypothesis import given
from hypothesis import strategies as st
from support.wire import Wire, configured
from uvicorn.server import ServerState

REGISTRIES = ("_all_tasks", "_scheduled_tasks")
HAS_SET = {"data", "_pending_removals", "_iterating"} <= vars(WeakSet()).keys()
"""Whether weak sets are made of what `quicken` knows."""
needs_set = pytest.mark.skipif(not HAS_SET, reason="this Python keeps its tasks in another way, which is left alone")


class Thing:
    """Something that can be referred to."""


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["add", "again", "free", "discard", "free while iterating", "add while iterating"])),
    max_size=40,
)


def play(operations: list[tuple[str]], quick: bool) -> list[Any]:
    """What a set says after each operation."""
    weak_set: WeakSet[Thing] = WeakSet()
    if quick:
        assert quicken(weak_set)
    things: list[Thing] = []
    seen: list[Any] = []
    for (operation,) in operations:
        if operation == "add":
            things.append(Thing())
            weak_set.add(things[-1])
        elif operation == "again" and things:
            weak_set.add(things[0])
        elif operation == "free" and things:
            del things[0]
        elif operation == "discard" and things:
            weak_set.discard(things.pop())
        elif operation.endswith("while iterating"):
            for thing in weak_set:
                if operation.startswith("free"):
                    things.clear()
                    seen.append(len(weak_set))
                del thing
                break  # adding while a set is gone through is an error
            if operation.startswith("add"):
                iterator = iter(weak_set)
                if next(iterator, None) is not None:
                    seen.append(len(weak_set._pending_removals))  # type: ignore[attr-defined]
                things.append(Thing())
                weak_set.add(things[-1])
                del iterator
        seen.append((len(weak_set), len(weak_set.data), len(weak_set._pending_removals)))  # type: ignore[attr-defined]
        seen.append([thing in weak_set for thing in things])
    return seen


@needs_set
@given(OPERATIONS)
def test_the_set_is_the_same(operations: list[tuple[str]]) -> None:
    assert play(operations, quick=True) == play(operations, quick=False)


@needs_set
def test_what_cannot_be_referred_to_is_refused() -> None:
    weak_set: WeakSet[Any] = WeakSet()
    assert quicken(weak_set)
    with pytest.raises(TypeError, match="cannot create weak reference to 'int' object"):
        weak_set.add(1)


@pytest.mark.parametrize("other", [None, set(), [], object()])
def test_nothing_else_is_touched(other: Any) -> None:
    assert not quicken(other)


def test_a_set_of_another_class_is_not_touched() -> None:
    class Own(WeakSet[Any]):
        """May mean something else by `add`."""

    own = Own()
    assert not quicken(own)
    assert "add" not in vars(own)


def test_tasks_are_known_while_they_run_and_not_longer() -> None:
    assert quicken_tasks() == HAS_SET
    assert quicken_tasks() == HAS_SET

    async def run_one() -> Any:
        before = asyncio.all_tasks()
        task = asyncio.create_task(asyncio.sleep(0))
        during = asyncio.all_tasks() - before
        await task
        assert during == {task}
        assert asyncio.all_tasks() == before
        return ref(task)

    async def main() -> None:
        known = await run_one()
        await asyncio.sleep(0)
        gc.collect()
        assert known() is None

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/", "/mounted/x"], ids=["served by the transport", "handed over"])
def test_tasks_of_requests_are_known_once_while_they_run(path: str) -> None:
    sets = (getattr(asyncio.tasks, name, None) for name in REGISTRIES)
    registry: Any = next(filter(quicken, sets), None)
    go = asyncio.Event()

    def app() -> FastAPI:
        async def wait() -> str:
            await go.wait()
            return "went on"

        app, mounted = FastAPI(), FastAPI()
        app.get("/")(wait)
        mounted.get("/x")(wait)
        app.mount("/mounted", mounted)
        return app

    async def main() -> None:
        before = asyncio.all_tasks()
        wires = [Wire(configured(app())) for _ in range(2)]
        for wire in wires:
            await wire.feed(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        running = [task for wire in wires for task in wire.state.tasks]
        assert len(running) == 2
        assert asyncio.all_tasks() - before == set(running)
        if HAS_SET:
            known = list(registry)
            assert [known.count(task) for task in running] == [1, 1]
            assert len(registry) == len(known)
            assert all(task in registry for task in running)
        go.set()
        await asyncio.wait(running)
        assert asyncio.all_tasks() == before

    asyncio.run(main())


def test_a_second_import_finds_the_tasks_as_well() -> None:
    spec = importlib.util.find_spec("ferrapi.server._registry")
    assert spec is not None
    assert spec.loader is not None
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    assert again.quicken_tasks() == HAS_SET
    seen = []

    async def main() -> None:
        app = FastAPI()

        @app.get("/")
        async def look() -> None:
            await asyncio.sleep(0)
            seen.append(asyncio.current_task() in asyncio.all_tasks())

        state = ServerState()
        again.know(state)
        await Wire(configured(app), state=state).feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    asyncio.run(main())
    assert seen == [True]


@needs_set
def test_sets_made_of_it_are_plain() -> None:
    go = asyncio.Event()

    async def main() -> None:
        app = FastAPI()

        @app.get("/")
        async def wait() -> None:
            await go.wait()

        weak_set: Any = WeakSet()
        assert quicken(weak_set)
        wire = Wire(configured(app))
        weak_set.servers.update([wire.state, other := ServerState()])
        other.tasks.add(object())  # type: ignore[arg-type]  # whatever else somebody puts there
        await wire.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        (task,) = wire.state.tasks
        assert task in weak_set
        assert list(weak_set) == [task]
        assert len(weak_set) == 1
        assert len(weak_set & set()) == 0
        assert task not in weak_set - {task}
        assert task in weak_set.copy()
        assert weak_set.isdisjoint(set())
        go.set()
        await wire.settle()
        assert task not in weak_set
        assert not list(weak_set)
        assert len(weak_set) == 0

    asyncio.run(main())


@needs_set
def test_the_set_can_be_freed() -> None:
    weak_set: WeakSet[Thing] = WeakSet()
    assert quicken(weak_set)
    thing = Thing()
    weak_set.add(thing)
    known = ref(weak_set)
    del weak_set
    gc.collect()
    assert known() is None
    del thing

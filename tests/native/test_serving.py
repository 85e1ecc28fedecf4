"""The native coroutine that serves a request behaves as the coroutines that it stands for.

Both are driven by hand, step by step. The control is FastAPI's application: what is sent and thrown into either comes
to the user's code in the same way, and what that does comes out of either in the same way.
"""

import asyncio
import collections.abc
import gc
import inspect
import itertools
import weakref
from typing import Any

import pytest
from ferrapi import FastAPI
from ferrapi._native import Serving
from support.frameworks import BOTH, Framework
from support.naming import steady_name

OPERATIONS = ("send", "send value", "throw value", "throw cancelled", "throw exit", "close")
HANDLERS = ("returns", "waits", "waits twice", "swallows", "swallows and waits", "raises", "cleans up and waits")


class Wait:
    """An awaitable that yields something to whoever drives the coroutine, and evaluates to what is sent."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __await__(self) -> Any:
        return (yield self.token)


def application(fw: Framework, kind: str, log: list[Any]) -> Any:
    app = fw.FastAPI()

    async def dependency() -> Any:
        log.append("open")
        try:
            yield await Wait("opening")
        finally:
            log.append("closing")
            if kind == "cleans up and waits":
                log.append(await Wait("closing"))
            log.append("closed")

    @app.get("/")
    async def root(value: Any = fw.Depends(dependency)) -> Any:
        log.append(("value", value))
        if kind == "returns":
            return "done"
        try:
            log.append(("sent", await Wait("first")))
            if kind == "waits twice":
                log.append(("sent", await Wait("second")))
        except BaseException as exc:
            log.append(("saw", type(exc).__name__, str(exc)))
            if kind == "swallows and waits":
                log.append(("sent", await Wait("again")))
            if not kind.startswith("swallows"):
                raise
        if kind == "raises":
            raise KeyError("raised")
        return "done"

    return app


def begin(app: Any, log: list[Any]) -> Any:
    """The coroutine of a request."""

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        log.append((message["type"], message.get("status"), message.get("body")))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "root_path": "",
        "server": ("unit.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    return app(scope, receive, send)


def step(coroutine: Any, operation: str) -> Any:
    """What comes out of one operation."""
    actions = {
        "send": lambda: coroutine.send(None),
        "send value": lambda: coroutine.send("value"),
        "throw value": lambda: coroutine.throw(ValueError("thrown")),
        "throw cancelled": lambda: coroutine.throw(asyncio.CancelledError),
        "throw exit": lambda: coroutine.throw(GeneratorExit("thrown")),
        "close": coroutine.close,
    }
    try:
        return ("yielded", actions[operation]())
    except BaseException as exc:
        return (type(exc).__name__, str(exc))


async def outcomes(fw: Framework, kind: str, operations: tuple[str, ...]) -> list[Any]:
    """What happens, in order. In an event loop, which FastAPI looks for; it has nothing to do."""
    log: list[Any] = []
    coroutine = begin(application(fw, kind, log), log)
    for operation in operations:
        log.append((operation, step(coroutine, operation)))
    log.append(step(coroutine, "close"))
    return log


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("kind", HANDLERS)
def test_what_is_sent_and_thrown_goes_in_and_out_as_with_fastapi(kind: str) -> None:
    async def main() -> None:
        # A generator that is left in the middle is closed in a task, which doesn't know what it is to wait for.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        possible: tuple[str, ...] = OPERATIONS
        rest: tuple[str, ...] = ()
        if kind == "cleans up and waits":  # and must not be closed meanwhile
            possible, rest = ("send", "send value", "throw value", "throw cancelled"), ("send",) * 5
        for length in (1, 2, 3):
            for operations in itertools.product(possible, repeat=length):
                expected, actual = [await outcomes(fw, kind, operations + rest) for fw in BOTH]
                assert actual == expected, operations

    asyncio.run(main())


def test_a_request_is_really_served_by_it() -> None:
    app = FastAPI()

    @app.get("/")
    async def root() -> Any:
        return await Wait("first")

    log: list[Any] = []
    coroutine = begin(app, log)
    assert coroutine.send(None) == "first"
    serving = coroutine.cr_await
    assert isinstance(serving, Serving)
    assert isinstance(serving, collections.abc.Coroutine)
    assert inspect.isawaitable(serving)
    assert serving.cr_frame is serving.cr_await.cr_frame
    assert serving.cr_frame.f_code.co_name == "root"
    assert not serving.cr_running
    with pytest.raises(StopIteration):
        coroutine.send({"a": 1})
    assert log[-1] == ("http.response.body", None, b'{"a":1}')
    assert serving.cr_await is None
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        serving.send(None)
    serving.close()


def test_it_can_not_be_entered_twice() -> None:
    app = FastAPI()
    seen: list[Any] = []

    @app.get("/")
    async def root() -> None:
        serving = coroutine
        seen.append(serving.cr_running)
        for enter in (lambda: serving.send(None), lambda: serving.throw(ValueError), serving.close):
            with pytest.raises(ValueError, match="coroutine already executing"):
                enter()

    stack: Any = app.build_middleware_stack()
    coroutine: Any = begin(stack.entrance.serve, [])
    assert isinstance(coroutine, Serving)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert seen == [True]


@pytest.mark.parametrize("result", [(), (1, 2), None, [None], {}, "text"], ids=steady_name)
def test_results_come_through_as_they_are(result: Any) -> None:
    """A coroutine returns by an exception, which unpacks tuples if it is made the wrong way."""
    app = FastAPI()
    seen: list[Any] = []

    async def dependency() -> Any:
        return result

    @app.get("/")
    async def root(value: Any = BOTH[1].Depends(dependency)) -> Any:
        seen.append(value)
        return value

    with pytest.raises(StopIteration):
        begin(app, []).send(None)
    assert seen == [result]
    assert type(seen[0]) is type(result)


def test_one_that_is_dropped_on_the_way_is_freed_with_all_that_it_holds() -> None:
    app = FastAPI()
    held: list[Any] = []

    class Thing:
        pass

    async def dependency() -> Any:
        return thing

    @app.get("/")
    async def root(value: Any = BOTH[1].Depends(dependency)) -> None:
        cycle = [value]
        cycle.append(cycle)
        await Wait("first")

    for _ in range(3):
        thing = Thing()
        held.append(weakref.ref(thing))
        coroutine = begin(app, [])
        coroutine.send(None)
        del thing, coroutine
    thing = Thing()
    gc.collect()
    assert [reference() for reference in held] == [None, None, None]

"""Synchronous streams: each item is asked for in a worker thread, as in Starlette, and what is in memory is not."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from ferrapi import FastAPI
from ferrapi.responses import StreamingResponse
from support.asgi import Ask, run
from support.compare import compare
from support.frameworks import BOTH, Framework
from support.wire import Wire, configured

NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)
KINDS = ("response", "lines", "events", "raw")


def counts(log: list[Any]) -> Iterator[Any]:
    for number in range(3):
        log.append((number, NUMBER.get(), threading.current_thread() is threading.main_thread()))
        NUMBER.set(number + 10)
        yield str(number)
        log.append(("after", NUMBER.get()))


def fails(log: list[Any]) -> Iterator[Any]:
    yield "1"
    raise ValueError("in a thread")


def stops_strangely(log: list[Any]) -> Iterator[Any]:
    yield "1"
    raise StopAsyncIteration


def asks_the_loop(log: list[Any]) -> Iterator[Any]:
    for _ in range(2):
        log.append(anyio.from_thread.run_sync(lambda: threading.current_thread() is threading.main_thread()))
        anyio.from_thread.run(asyncio.sleep, 0)
        limiter = anyio.from_thread.run_sync(anyio.to_thread.current_default_thread_limiter)
        log.append(limiter.borrowed_tokens)
        anyio.from_thread.check_cancelled()
        yield "x"


class Own:
    """An iterable of the user's."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log
        self.left = 2

    def __iter__(self) -> Own:
        self.log.append(("iter", threading.current_thread() is threading.main_thread()))
        return self

    def __next__(self) -> str:
        self.log.append(("next", threading.current_thread() is threading.main_thread()))
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return "own"


class OwnList(list[str]):
    """A list whose iterator is the user's."""

    def __iter__(self) -> Iterator[str]:
        yield from ("a", (threading.current_thread() is threading.main_thread() and "main") or "thread")


SOURCES: dict[str, Callable[[list[Any]], Any]] = {
    "counts": counts,
    "fails": fails,
    "stops strangely": stops_strangely,
    "asks the loop": asks_the_loop,
    "own": Own,
    "own list": lambda log: OwnList(["x"]),
    "list": lambda log: ["a", b"b", "é", b""],
    "long list": lambda log: [b"x"] * 300,
    "tuple": lambda log: ("a", "b"),
    "iterator": lambda log: iter(["a", "b"]),
    "text": lambda log: "abc",
    "bytes in memory": lambda log: io.BytesIO(b"a\nb\nc"),
    "text in memory": lambda log: io.StringIO("a\nb\nc"),
    "keys": lambda log: {"a": 1, "b": 2},
    "numbers": lambda log: [1],
    "nothing": lambda log: [],
    "map": lambda log: map(str, range(3)),
}


CASES = [
    *(("response", source) for source in SOURCES),
    *((kind, source) for kind in KINDS[1:] for source in ("counts", "fails", "asks the loop", "list")),
]


@pytest.mark.parametrize(("kind", "source"), CASES)
def test_items_come_alike(quiet: None, kind: str, source: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        NUMBER.set(1)

        def response() -> Any:
            return fw.responses.StreamingResponse(SOURCES[source](log), media_type="text/plain")

        def yields() -> Any:
            yield from SOURCES[source](log)

        classes = {"raw": fw.responses.StreamingResponse, "events": fw.sse.EventSourceResponse}
        options = {"response_class": classes[kind]} if kind in classes else {}
        app.get("/", **options)(response if kind == "response" else yields)
        return app

    compare(make, [Ask()])
    if source != "asks the loop":
        compare(make, [Ask()], "trio")


@pytest.mark.parametrize("kind", KINDS)
def test_one_token_is_enough_for_several_streams(kind: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/", **({"response_class": fw.sse.EventSourceResponse} if kind == "events" else {}))
        def stream() -> Any:
            yield from range(5)

        return app

    async def main(fw: Framework) -> list[bytes]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        app = make(fw, [])
        bodies = [b"", b"", b""]

        async def one(index: int) -> None:
            async def receive() -> Any:
                await asyncio.sleep(3600)

            async def send(message: Any) -> None:
                bodies[index] += message.get("body", b"")

            await app(Ask(extra={"asgi": {"version": "3.0", "spec_version": "2.3"}}).scope(), receive, send)

        await asyncio.gather(*(one(index) for index in range(3)))
        assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
        return bodies

    theirs, ours = (asyncio.run(main(fw)) for fw in BOTH)
    assert ours == theirs


@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
@pytest.mark.parametrize("way", ["response", "lines", "events"])
def test_the_generator_is_closed_in_a_thread_when_the_client_leaves(way: str, kind: str) -> None:
    """A call in a thread is not abandoned: the generator comes to its next item, and may ask before that."""

    def seen(fw: Framework) -> Any:
        log: list[Any] = []
        begun, goes_on = threading.Event(), threading.Event()

        def items() -> Any:
            try:
                yield "1"
                begun.set()
                goes_on.wait()
                try:
                    anyio.from_thread.check_cancelled()
                except BaseException as exc:
                    log.append(type(exc).__name__)
                yield "2"
                log.append("went on")
            finally:
                log.append(("closed", threading.current_thread() is threading.main_thread()))

        app = fw.FastAPI()
        if way == "response":
            app.get("/")(lambda: fw.responses.StreamingResponse(items()))
        else:
            options = {"response_class": fw.sse.EventSourceResponse} if way == "events" else {}

            def yields() -> Any:
                yield from items()

            app.get("/", **options)(yields)

        async def main() -> None:
            wire = Wire(configured(app), kind)
            wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while not begun.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            losing = asyncio.create_task(wire.lose())
            for _ in range(20):
                await asyncio.sleep(0)
            goes_on.set()
            await losing
            gc.collect()  # FastAPI leaves some generators to that

        run(main)
        return log

    theirs, ours = (seen(fw) for fw in BOTH)
    assert ours[0] == theirs[0] == "CancelledError"
    assert ours[1:] == [("closed", False)]


def test_what_is_in_memory_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    from ferrapi.serve import listening as _listening

    asked: list[Any] = []

    async def next_in_thread(iterator: Any) -> Any:
        asked.append(iterator)
        raise StopAsyncIteration

    monkeypatch.setattr(_listening, "run_shielded", next_in_thread)
    app = FastAPI()

    @app.get("/")
    async def stream(kind: str) -> StreamingResponse:
        return StreamingResponse(["a", "b"] if kind == "list" else (letter for letter in "ab"))

    def body(kind: str) -> bytes:
        bodies = []

        async def send(message: Any) -> None:
            bodies.append(message.get("body", b""))

        async def main() -> None:
            never: Any = asyncio.Event().wait
            await app(Ask(query=b"kind=" + kind.encode()).scope(), never, send)

        asyncio.run(main())
        return b"".join(bodies)

    assert body("list") == b"ab"
    assert not asked
    assert body("generator") == b""
    assert len(asked) == 1


def test_each_item_is_on_the_wire_before_the_next_is_asked_for() -> None:
    app = FastAPI()
    gates = [threading.Event() for _ in range(4)]
    asked = 0

    @app.get("/")
    def stream() -> StreamingResponse:
        def items() -> Iterator[str]:
            nonlocal asked
            for number, gate in enumerate(gates):
                asked = number + 1
                gate.wait()
                yield f"<{number}>"

        return StreamingResponse(items())

    async def main() -> None:
        wire = Wire(configured(app), "ferrapi")
        wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for number, gate in enumerate(gates):
            while asked <= number:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            assert wire.written.count(b"<") == number
            gate.set()
        await asyncio.wait(list(wire.state.tasks))
        assert wire.written.count(b"<") == len(gates)

    run(main)

"""The native layers around middleware: what a server gets to see, and when, of a response that comes in messages."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from support.frameworks import BOTH, FERRAPI, Framework
from support.wire import Wire, configured

PROTOCOLS = ("httptools", "ferrapi")
GET = b"GET %s HTTP/1.1\r\nhost: unit.test\r\n\r\n"


class Passing:
    """Pure ASGI: passes each message on from a function of its own, after a wait if there is one."""

    def __init__(self, app: ASGIApp, wait: Callable[[Message], Any] | None = None) -> None:
        self.app = app
        self.wait = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def passing(message: Message) -> None:
            await send(message)
            if self.wait is not None:
                await self.wait(message)

        await self.app(scope, receive, passing)


def application(fw: Framework, **options: Any) -> Any:
    app = fw.FastAPI()

    @app.get("/json")
    async def json() -> dict[str, int]:
        return {"a": 1}

    @app.get("/none", status_code=204)
    async def none() -> None:
        return None

    @app.get("/response")
    async def response() -> Response:
        return PlainTextResponse("text", 201, {"x-a": "b"})

    @app.get("/long")
    async def long() -> Response:
        return Response(b"x" * 100_000)

    @app.get("/wrong")
    async def wrong() -> Response:
        return Response(b"abc", headers={"content-length": "2"})

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("no")

    async def sub(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("mounted")(scope, receive, send)

    app.mount("/sub", sub)
    app.add_middleware(Passing, **options)
    return app


def without_date(written: bytes) -> list[bytes]:
    return sorted(line for line in written.split(b"\r\n") if not line.lower().startswith((b"date:", b"server:")))


async def written(fw: Framework, path: str, protocol: str, method: bytes = b"GET") -> tuple[list[bytes], bool]:
    wire = Wire(configured(application(fw)), protocol)
    await wire.feed((GET % path.encode()).replace(b"GET", method, 1))
    answer = without_date(wire.written), wire.closed
    await wire.lose()
    return answer


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("path", ["/json", "/none", "/response", "/long", "/wrong", "/fails", "/sub", "/nowhere"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
def test_a_server_gets_the_same_bytes_behind_code_that_passes_messages(path: str, protocol: str, method: bytes) -> None:
    theirs, ours = (asyncio.run(written(fw, path, protocol, method)) for fw in BOTH)
    assert ours == theirs


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_head_does_not_wait_for_a_body_that_has_to_be_waited_for(protocol: str) -> None:
    async def main() -> list[bool]:
        passed, may_go_on = [], asyncio.Event()

        async def wait(message: Message) -> None:
            if message["type"] == "http.response.start":
                await may_go_on.wait()

        wire = Wire(configured(application(FERRAPI, wait=wait)), protocol)
        await wire.feed(GET % b"/response")
        passed.append(b"201 Created" in wire.written and b"text" not in wire.written.split(b"\r\n\r\n")[1])
        may_go_on.set()
        await wire.settle()
        passed.append(wire.written.endswith(b"\r\n\r\ntext"))
        await wire.lose()
        return passed

    assert asyncio.run(main()) == [True, True]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_head_of_a_stream_is_sent_before_its_first_chunk_is_there(protocol: str) -> None:
    async def main() -> tuple[bytes, bytes]:
        app, there = application(FERRAPI), asyncio.Event()

        async def chunks() -> Any:
            await there.wait()
            yield b"first"

        app.get("/stream")(lambda: StreamingResponse(chunks(), media_type="text/plain"))
        wire = Wire(configured(app), protocol)
        wire.transport.protocol.data_received(GET % b"/stream")
        while b"\r\n\r\n" not in wire.written:  # noqa: ASYNC110  # the endpoint runs in a thread
            await asyncio.sleep(0.001)
        head = wire.written
        there.set()
        await wire.settle()
        rest = wire.written[len(head) :]
        await wire.lose()
        return head, rest

    head, rest = asyncio.run(main())
    assert b"200 OK" in head
    assert b"first" not in head
    assert b"first" in rest


def test_headers_that_are_edited_after_they_were_sent_are_sent_as_they_were() -> None:
    async def main(fw: Framework) -> list[bytes]:
        async def edit(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-late", b"1"))

        wire = Wire(configured(application(fw, wait=edit)), "httptools")
        await wire.feed(GET % b"/response")
        lines = without_date(wire.written)
        await wire.lose()
        return lines

    theirs, ours = (asyncio.run(main(fw)) for fw in BOTH)
    assert ours == theirs

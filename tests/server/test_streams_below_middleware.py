"""Streams below middleware that the HTTP/1.1 transport knows: they go natively where it leaves their pieces alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ferrapi import FastAPI
from ferrapi.middleware.cors import CORSMiddleware
from ferrapi.middleware.gzip import GZipMiddleware
from ferrapi.middleware.trustedhost import TrustedHostMiddleware
from ferrapi.responses import StreamingResponse
from support.asgi import Ask, run
from support.compare import compare
from support.frameworks import Framework
from support.wire import Transport, Wire, configured

REQUESTS: dict[str, list[tuple[bytes, bytes]]] = {
    "plain": [],
    "origin": [(b"origin", b"https://a.b")],
    "another origin": [(b"origin", b"https://c.d")],
    "gzip": [(b"accept-encoding", b"gzip, br")],
    "both": [(b"origin", b"https://a.b"), (b"accept-encoding", b"gzip"), (b"cookie", b"a=b")],
}
KINDS: dict[str, dict[str, Any]] = {
    "text": {"media_type": "text/plain"},
    "image": {"media_type": "image/png"},
    "encoded": {"media_type": "text/plain", "headers": {"content-encoding": "br"}},
    "partial": {"media_type": "text/plain", "status_code": 206},
    "varying": {"media_type": "text/plain", "headers": {"vary": "Cookie", "access-control-allow-origin": "x"}},
    "nothing": {"status_code": 204},
}
STACKS = (("cors",), ("gzip",), ("cors", "gzip"), ("gzip", "cors", "hosts"), ("hosts",))


def add(app: Any, stack: tuple[str, ...]) -> None:
    for name in stack:
        if name == "cors":
            app.add_middleware(CORSMiddleware, allow_origins=["https://a.b"], allow_credentials=True)
        elif name == "gzip":
            app.add_middleware(GZipMiddleware, minimum_size=5)
        else:
            app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("stack", STACKS, ids="-".join)
def test_what_is_sent(quiet: None, stack: tuple[str, ...], request_: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/response/{kind}")
        async def response(kind: str) -> Any:
            async def pieces() -> Any:
                log.append("begins")
                for _ in range(3):
                    yield b"some of it, "
                    await asyncio.sleep(0)

            return fw.responses.StreamingResponse(pieces(), **KINDS[kind])

        @app.get("/lines")
        async def lines() -> Any:
            yield {"a": 1}
            await asyncio.sleep(0)
            yield {"a": 2}

        @app.get("/events", response_class=fw.sse.EventSourceResponse)
        async def events() -> Any:
            yield {"a": 1}
            await asyncio.sleep(0.001)
            yield {"a": 2}

        @app.get("/threads")
        def in_threads() -> Any:
            yield from ("a", "b")

        add(app, stack)
        return app

    paths = [*(f"/response/{kind}" for kind in KINDS), "/lines", "/events", "/threads"]
    asks = [Ask(path=path, headers=REQUESTS[request_]) for path in paths]
    for transport in ("http11", "uvicorn", "asgi"):
        compare(make, asks, transport)


@pytest.mark.parametrize("stack", [("gzip",), ("cors", "gzip"), ("gzip", "cors", "hosts")], ids="-".join)
def test_streams_that_end_early_or_have_large_pieces(quiet: None, stack: tuple[str, ...]) -> None:
    """Nothing of a response has begun while GZip holds its head back, and large pieces are compressed in a thread."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.exception_handler(Exception)
        async def failed(request: Any, exc: Exception) -> Any:
            return fw.responses.PlainTextResponse(f"failed: {exc}", 500)

        @app.exception_handler(KeyError)
        async def missing(request: Any, exc: Exception) -> Any:
            return fw.responses.PlainTextResponse("missing", 404)

        @app.get("/{kind}")
        async def response(kind: str, waits: bool = False) -> Any:
            async def pieces() -> Any:
                if waits:
                    await asyncio.sleep(0)
                if kind == "error":
                    raise ValueError("no")
                if kind == "handled":
                    raise KeyError("no")
                if kind == "empty":
                    return
                if kind == "large":
                    yield b"ab" * 100_000
                yield b""
                yield "some"
                yield memoryview(b"of it")
                if kind == "later":
                    raise ValueError("no")
                if kind == "large-later":
                    yield b"abc" * 100_000
                    yield b"cd" * 100_000
                yield b"end"

            return fw.responses.StreamingResponse(pieces(), media_type="text/plain")

        add(app, stack)
        return app

    kinds = ("error", "handled", "empty", "usual", "large", "large-later", "later")
    asks = [
        Ask(path=f"/{kind}", query=query, headers=REQUESTS[request])
        for kind in kinds
        for query in (b"", b"waits=1")
        for request in ("plain", "both")
    ]
    for transport in ("http11", "uvicorn", "asgi"):
        compare(make, asks, transport)


def test_a_compressed_stream_leaves_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pieces are compressed natively, and Starlette's class does not send it."""

    async def refuse(*arguments: Any) -> None:
        raise AssertionError("Starlette sends it")

    app = below((GZipMiddleware, {"minimum_size": 5, "exclude_content_types": ()}))

    async def main() -> list[bytes]:
        writes: list[bytes] = []
        monkeypatch.setattr(Transport, "write", lambda self, data: writes.append(bytes(data)))
        monkeypatch.setattr("ferrapi.server._http_exchange.HttpExchange.run", refuse)
        wire = Wire(configured(app), "ferrapi")
        wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
        await asyncio.gather(*wire.state.tasks)
        return writes

    writes = run(main)
    assert len(writes) == 1
    assert b"content-encoding: gzip\r\n" in writes[0]


def below(*layers: tuple[Any, dict[str, Any]]) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def stream(gate: int = 0) -> StreamingResponse:
        async def pieces() -> Any:
            for number in range(3):
                yield f"<{number}>"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    for kind, options in layers:
        app.add_middleware(kind, **options)
    return app


@pytest.mark.parametrize("encoding", [b"", b"Accept-Encoding: gzip\r\n"])
def test_a_stream_that_middleware_leaves_alone_is_sent_natively(
    monkeypatch: pytest.MonkeyPatch, encoding: bytes
) -> None:
    """Its pieces leave in one write, and Starlette's class does not send it."""

    async def refuse(*arguments: Any) -> None:
        raise AssertionError("Starlette sends it")

    app = below(
        (GZipMiddleware, {"minimum_size": 5}),
        (CORSMiddleware, {"allow_origins": ["*"]}),
        (TrustedHostMiddleware, {"allowed_hosts": ["x"]}),
    )

    async def main() -> bytes:
        wire = Wire(configured(app), "ferrapi")
        monkeypatch.setattr("ferrapi.server._http_exchange.HttpExchange.run", refuse)
        head = b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.b\r\n" + encoding + b"\r\n"
        wire.transport.protocol.data_received(head)
        await asyncio.gather(*wire.state.tasks)
        return wire.written

    written = run(main)
    assert b"access-control-allow-origin: *\r\n" in written
    assert written.endswith(b"3\r\n<0>\r\n3\r\n<1>\r\n3\r\n<2>\r\n0\r\n\r\n")


def test_settings_of_the_middleware_may_change() -> None:
    app = below((GZipMiddleware, {"minimum_size": 5}))

    async def main() -> tuple[bytes, bytes]:
        written = []
        for excluded in (None, ("image/png",)):
            if excluded is not None:
                layer: Any = app.middleware_stack
                while not isinstance(layer, GZipMiddleware):
                    layer = layer.app
                layer.exclude_content_types = excluded
            wire = Wire(configured(app), "ferrapi")
            wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            await asyncio.gather(*wire.state.tasks)
            written.append(wire.written)
        return written[0], written[1]

    before, after = run(main)
    assert b"content-encoding" not in before
    assert b"content-encoding: gzip" in after

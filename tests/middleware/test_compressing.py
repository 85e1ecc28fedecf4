"""Native compression sends what Starlette's responders send, message for message."""

import asyncio
import copy
import gzip
from typing import Any

import pytest
from ferrapi import FastAPI, Request, Response
from ferrapi._native import Compressing
from ferrapi.middleware._remembered import RememberingGZip
from ferrapi.responses import StreamingResponse
from ferrapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Message

_NAMES = (b"content-type", b"content-encoding", b"content-length", b"vary", b"Vary", b"x-other")
_VALUES = (
    b"text/html; charset=utf-8",
    b" Image/PNG ",
    b"video/mp4;a=b",
    b"application/grpc+proto",
    b"text/event-stream",
    b"caf\xe9/\x1f",
    b"",
    b"12",
    b"gzip",
    b"Origin",
)
_header = st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES))
_headers = st.one_of(st.lists(_header, max_size=5), st.lists(_header.map(list), max_size=2))
_body = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"a" * 99, b"ab" * 3000, bytearray(b"x" * 50)]))


def _without_none(message: Message) -> Message:
    return {name: value for name, value in message.items() if value is not None}


_start = st.builds(
    lambda **keys: _without_none({"type": "http.response.start", **keys}),
    status=st.sampled_from([200, 204, 206, 404]),
    headers=st.one_of(st.none(), _headers),
    trailers=st.sampled_from([None, False, True]),
)
_piece = st.builds(
    lambda **keys: _without_none({"type": "http.response.body", **keys}),
    body=st.one_of(st.none(), _body),
    more_body=st.sampled_from([None, False, True, True]),
)
_other = st.sampled_from(
    [
        {"type": "http.response.trailers", "headers": []},
        {"type": "http.response.early_hint", "links": []},
        {"type": "http.response.pathsend", "path": "/nowhere"},
        {"type": "http.response.debug", "info": {}},
    ]
)
_messages = st.lists(st.one_of(_start, _piece, _piece, _piece, _other), max_size=6)


def _until_the_end(messages: list[Message]) -> list[Message]:
    """Without what no server takes: messages behind the last piece or the file, a head or a file behind a piece."""
    kept: list[Message] = []
    for message in messages:
        has_body = any(m["type"] == "http.response.body" for m in kept)
        if has_body and message["type"] in ("http.response.pathsend", "http.response.start"):
            continue
        kept.append(message)
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if is_last or message["type"] == "http.response.pathsend":
            break
    return kept


_responses = st.builds(lambda start, rest: [start, *rest], _start, _messages)
_settings = st.fixed_dictionaries(
    {
        "minimum_size": st.sampled_from([0, 20, 500]),
        "compresslevel": st.sampled_from([0, 1, 5, 9]),
        "thread_minimum_size": st.sampled_from([0, 60, 5000]),
    },
    optional={"exclude_content_types": st.sampled_from([(), ("text/*", "image/png"), ("caf\xe9/*",)])},
)


def _sent(app_around: Any, accepted: bytes, messages: list[Message]) -> list[Any]:
    """What goes to the server, and what is raised, when an application sends these messages."""
    said: list[Any] = []

    async def send(message: Message) -> None:
        said.append(copy.deepcopy(dict(message)))
        await asyncio.sleep(0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in copy.deepcopy(messages):
            try:
                await send(message)
            except Exception as exc:
                said.append((type(exc), str(exc)))
                return

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept-encoding", accepted)]}
    asyncio.run(app_around(app)(scope, None, send))
    return said


@given(
    messages=st.one_of(_responses, _messages).map(_until_the_end),
    settings=_settings,
    accepted=st.sampled_from([b"gzip, br", b"br"]),
)
@example(
    messages=[
        {"type": "http.response.start", "status": 200, "headers": [(b"vary", b"Origin"), (b"vary", b"Cookie")]},
        {"type": "http.response.body", "body": b"a" * 40, "more_body": True},
        {"type": "http.response.body", "body": b"b" * 9000, "more_body": True},
        {"type": "http.response.body", "body": b"c"},
    ],
    settings={"minimum_size": 500, "compresslevel": 9, "thread_minimum_size": 60},
    accepted=b"gzip",
)
def test_the_messages_are_starlettes(messages: list[Message], settings: dict[str, Any], accepted: bytes) -> None:
    def right(app: Any) -> Any:
        return GZipMiddleware(app, **settings)

    assert _sent(lambda app: RememberingGZip(right(app)), accepted, messages) == _sent(right, accepted, messages)


def _is_native(middleware: GZipMiddleware) -> bool:
    sends = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sends.append(send)

    middleware.app = app
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept-encoding", b"gzip")]}
    asyncio.run(RememberingGZip(middleware)(scope, None, None))  # type: ignore[arg-type]
    return isinstance(sends[0], Compressing)


def test_usual_settings_are_native_and_odd_ones_are_not() -> None:
    app = FastAPI()
    assert _is_native(GZipMiddleware(app))
    assert not _is_native(GZipMiddleware(app, compresslevel=0))
    assert not _is_native(GZipMiddleware(app, minimum_size=0.5))  # type: ignore[arg-type]

    class Louder(GZipMiddleware):
        pass

    assert not _is_native(Louder(app))


@pytest.mark.parametrize("is_outside", [True, False])
def test_whole_responses_and_streams_behind_other_middleware(is_outside: bool) -> None:
    app = FastAPI()
    if not is_outside:
        app.add_middleware(GZipMiddleware, minimum_size=100)

    @app.middleware("http")
    async def mark(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-marked"] = "yes"
        return response

    if is_outside:
        app.add_middleware(GZipMiddleware, minimum_size=100)

    @app.get("/whole/{size}")
    async def whole(size: int) -> dict[str, str]:
        return {"text": "a" * size}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> Any:
            for number in range(5):
                yield f"piece {number}; ".encode()

        return StreamingResponse(pieces(), media_type="text/plain")

    client = TestClient(app)
    for size in (5, 5000, 200_000):
        response = client.get(f"/whole/{size}")
        assert response.json() == {"text": "a" * size}
        # What a function passes on comes in pieces, which are compressed however small they are.
        assert response.headers.get("content-encoding") == ("gzip" if is_outside or size > 100 else None)
        assert client.get(f"/whole/{size}", headers={"accept-encoding": "br"}).json() == {"text": "a" * size}
    with client.stream("GET", "/stream") as response:
        raw = b"".join(response.iter_raw())
    assert gzip.decompress(raw) == b"".join(f"piece {number}; ".encode() for number in range(5))

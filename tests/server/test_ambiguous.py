"""No request is read in two ways, none is answered twice, and nothing is lost in a pipeline."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
from support.wire import Wire, configured, each_byte, split

from .ambiguous import READ, REFUSED
from .bench import Bench, Outcome, statuses
from .differences import HTTPTOOLS, LENIENT
from .requests import CANARY, REQUESTS


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("uvicorn.error")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


async def outcomes(bench: Bench, data: bytes) -> list[Outcome]:
    """What becomes of `data`, whole, byte by byte, and cut at each place."""
    cuts = [[data], each_byte(data), *([data[:at], data[at:]] for at in range(1, len(data)))]
    return [await bench.send("ferrapi", pieces) for pieces in cuts]


@pytest.mark.parametrize("request_bytes", REFUSED, ids=lambda data: ascii(data)[2:80])
def test_what_can_be_read_in_two_ways_is_refused(request_bytes: bytes) -> None:
    """With one answer, the end of the connection, and nothing called, however it is cut."""

    async def main() -> None:
        first, *others = await outcomes(Bench(), request_bytes + CANARY)
        assert (first.answered, first.calls) == ((b"", True), [])
        assert all(other == first for other in others)

    asyncio.run(main())


@pytest.mark.parametrize(("request_bytes", "expected", "calls"), READ, ids=lambda what: ascii(what)[2:80])
def test_what_is_read_is_read_in_one_way(request_bytes: bytes, expected: list[int], calls: list[str]) -> None:
    """The same answers to the same calls, however it is cut."""

    async def main() -> None:
        first, *others = await outcomes(Bench(), request_bytes + CANARY)
        assert (first.statuses, first.calls) == (expected, calls)
        assert all(other == first for other in others)

    asyncio.run(main())


def test_what_two_parsers_read_in_two_ways_is_refused() -> None:
    """Whatever httptools and h11 both serve, but not in the same way, is refused from there on."""
    bench = Bench()
    differing = 0

    async def main() -> None:
        nonlocal differing
        for data in [*REQUESTS.values(), *REFUSED, *(request for request, _, _ in READ)]:
            whole = data + CANARY
            found, one, other = [await bench.send(kind, [whole]) for kind in ("ferrapi", "httptools", "h11")]
            pairs = zip(one.calls, other.calls, strict=False)
            same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
            is_one_way = same == min(len(one.calls), len(other.calls))
            if is_one_way or any(rule.search(whole) for rule in (*HTTPTOOLS.values(), *LENIENT.values())):
                continue
            differing += 1
            assert found.calls[same:] == [], whole

    asyncio.run(main())
    assert differing


def _numbered(rng: random.Random, number: int) -> tuple[bytes, bytes]:
    """A request with a number of its own, and the body of its answer."""
    kind = rng.choice(("get", "head", "length", "chunks", "expect", "unread"))
    path = f"/{kind}/{number}".encode()
    content = bytes(rng.choices(b"ab\r\n0;:", k=rng.randrange(1, 40)))
    line = b"GET" if kind == "get" else b"HEAD" if kind == "head" else b"POST"
    head = b"%b %b HTTP/1.1\r\nHost: x\r\n" % (line, path)
    if kind in ("get", "head"):
        return head + b"\r\n", b"" if kind == "head" else path + b" "
    if kind == "chunks":
        half = len(content) // 2
        pieces = [piece for piece in (content[:half], content[half:]) if piece]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + body, path + b" " + content
    expects = b"Expect: 100-continue\r\n" if kind == "expect" else b""
    request = head + expects + b"Content-Length: %d\r\n\r\n" % len(content) + content
    return request, path + b" " + (b"" if kind == "unread" else content)


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    """Says which request this is, and what came with it unless it is not asked for."""
    content, more = b"", not scope["path"].startswith("/unread")
    while more:
        message = await receive()
        content += message["body"]
        more = message["more_body"]
    answer = scope["path"].encode() + b" " + content
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


def _answers(written: bytes, requests: list[bytes]) -> list[bytes]:
    """The bodies of the answers to `requests`."""
    found = []
    rest = written.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    for request in requests:
        head, _, rest = rest.partition(b"\r\n\r\n")
        assert statuses(head + b"\r\n") == [200]
        size = 0 if request.startswith(b"HEAD") else int(head.rpartition(b"content-length: ")[2])
        found.append(rest[:size])
        rest = rest[size:]
    assert rest == b""
    return found


@pytest.mark.parametrize("seed", range(40))
def test_a_pipeline_is_answered_request_by_request(seed: int) -> None:
    """Each once, in order, whatever the bodies hold and however the bytes are cut."""
    rng = random.Random(seed)
    requests, expected = zip(*(_numbered(rng, number) for number in range(rng.randrange(2, 30))), strict=True)
    data = b"".join(requests)

    async def main() -> None:
        config = configured(_echo)
        some = rng.sample(range(1, len(data)), min(len(data) - 1, rng.randrange(1, 20)))
        for pieces in ([data], each_byte(data), split(data, some)):
            wire = Wire(config)
            await wire.feed(*pieces)
            await wire.settle()
            assert _answers(wire.written, list(requests)) == list(expected)
            assert not wire.closed
            assert wire.state.total_requests == len(requests)
            await wire.lose()

    asyncio.run(main())

"""The protocol reads HTTP/1.1 as uvicorn's httptools does, or refuses, however the bytes are cut.

The yardstick is `HttpToolsProtocol` given the same pieces. Given two requests at once, the second malformed, it may
refuse the second before it has answered the first. ferrapi's answers in order, as httptools does when it has time
between bytes; so some of the first bytes may also come one by one.

Where the two differ, ferrapi's is the stricter one: it answers the same requests in the same way up to one that it
refuses, and closes the connection. So there is nothing that it reads and httptools doesn't, and nothing that it reads
as another message. `OWN_WAY` has the exceptions.

``FERRAPI_MUTANTS=100000`` asks for more than the usual number of mutated requests, ``FERRAPI_SEED`` for others.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from support.wire import each_byte

from .ambiguous import READ, REFUSED
from .bench import Bench, Outcome, accept, statuses
from .differences import DIFFERENCES, HTTPTOOLS, LENIENT, without_empty_lines
from .requests import CANARY, REQUESTS

MUTANTS = int(os.environ.get("FERRAPI_MUTANTS", "2000"))
SEED = int(os.environ.get("FERRAPI_SEED", "20261123"))


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("uvicorn.error")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def run(function: Callable[[], Awaitable[Any]]) -> Any:
    """Run on a loop of its own."""
    return asyncio.run(function())  # type: ignore[arg-type]


OWN_WAY: dict[str, tuple[str, list[int], list[str]]] = {
    "target http://x": ("httptools finds no path there, and uvicorn raises an exception", [200, 200], ["root"]),
    "target http://x?limit=1": ("the same", [200, 200], ["root"]),
    "whole GET /stream HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n": (
        "HTTP/1.0 has no chunks, so a body without a length ends with the connection (RFC 9112, section 6.1)",
        [200],
        ["stream"],
    ),
}
"""Requests that are answered and not in httptools' way, with the statuses and the first handler."""


@pytest.mark.parametrize("name", OWN_WAY)
def test_what_is_answered_in_a_way_of_its_own(name: str) -> None:
    _, statuses, calls = OWN_WAY[name]
    data = REQUESTS[name] + CANARY
    bench = Bench()

    async def main() -> None:
        whole = await bench.send("ferrapi", [data])
        assert (whole.summary[0], whole.calls[:1]) == (statuses, calls)
        assert b"transfer-encoding" not in whole.written
        for at in range(1, len(data)):
            assert await bench.send("ferrapi", [data[:at], data[at:]]) == whole

    run(main)


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in OWN_WAY])
def test_the_protocol_answers_as_httptools_does(name: str) -> None:
    """The same bytes, the same handlers, the same end, whole and split before every byte."""
    request = REQUESTS[name]
    data = request + CANARY
    bench = Bench()

    async def main() -> None:
        patient = await bench.send("httptools", each_byte(data))
        few = range(1, len(data), 1 + len(data) // 300)
        for cuts in [(), range(1, len(data)), (len(request),), *((at,) for at in few)]:
            await accept(bench, data, cuts, patient)

    run(main)


_SCRAPS = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\xff",
    b"\x7f",
    b"/",
    b"?",
    b"#",
    b"%",
    b"%2",
    b"chunked",
    b"0\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Host: x\r\n",
    b"5",
    b",",
    b"HTTP/1.1",
    b"GET / HTTP/1.1\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n\r\n",
    b"Connection: Upgrade\r\n",
    b"\r\n ",
]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """`data` with one to three small changes."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(out) + 1)
        change = rng.randrange(6)
        if change == 0:
            out[at:at] = rng.choice(_SCRAPS)
        elif change == 1:
            out[at : at + rng.randint(1, 3)] = b""
        elif change == 2:
            out[at : at + 1] = bytes([rng.randrange(256)])
        elif change == 3:
            other = rng.randrange(len(out) + 1)
            out[at:at] = out[other : other + rng.randint(1, 30)]
        elif change == 4:
            lines = bytes(out).split(b"\r\n")
            rng.shuffle(lines)
            out = bytearray(b"\r\n".join(lines))
        else:
            out[at : at + 1] = bytes(out[at : at + 1]).swapcase()
    return bytes(out)


def mutants(rng: random.Random) -> Iterator[bytes]:
    """Requests of the tables, alone and in pairs, changed at random, and the canary behind them."""
    table = [data for name, data in REQUESTS.items() if len(data) < 400 and name not in OWN_WAY]
    sources = [*table, *REFUSED, *(request for request, _, _ in READ)]
    for _ in range(MUTANTS):
        data = rng.choice(sources)
        if rng.random() < 0.2:
            data += rng.choice(sources)
        yield mutated(rng, data) + CANARY


def test_mutated_requests_are_answered_as_httptools_does() -> None:
    """Also what nobody has thought of: requests of the table, changed at random, whole, cut once and byte by byte."""
    rng = random.Random(SEED)
    bench = Bench()
    handled = 0

    async def main() -> None:
        nonlocal handled
        for data in mutants(rng):
            if any(rule.search(data) for rule in HTTPTOOLS.values()):
                continue
            patient = await bench.send("httptools", each_byte(data))
            handled += bool(patient.calls)
            for cuts in [(), (rng.randrange(len(data)),), range(1, len(data))]:
                await accept(bench, data, cuts, patient)

    run(main)
    assert handled > MUTANTS / 10  # the changes leave enough to serve


def is_h11s(found: Outcome, expected: Outcome) -> bool:
    """Whether `found` is h11's `expected`, or that up to a refusal."""
    before, is_refused = found.answered
    count = len(statuses(before))
    is_same = expected.statuses[:count] == found.statuses[:count]
    is_prefix = is_refused and is_same and expected.calls[: len(found.calls)] == found.calls
    return is_prefix or found.summary == expected.summary


def is_answered_first(found: Outcome, expected: Outcome) -> bool:
    """Whether there is an answer in the place of h11's refusal of the body.

    A handler that doesn't wait for it has answered before it is looked at where tasks begin at once (Python 3.13).
    """
    *before, refused = expected.statuses or [0]
    is_first = sys.version_info >= (3, 13) and refused == 400 and len(found.statuses) == len(expected.statuses)
    return is_first and before == found.statuses[:-1] and expected.summary[1:] == found.summary[1:]


def test_mutated_requests_are_answered_as_h11_does_or_refused() -> None:
    """As many of h11's answers as there are before a refusal; `LENIENT` names what h11 doesn't do."""
    rng = random.Random(SEED + 1)
    bench = Bench()
    equal = 0

    async def main() -> None:
        nonlocal equal
        for data in mutants(rng):
            found = await bench.send("ferrapi", [data])
            before = await bench.send("h11", [data])
            equal += found.summary == before.summary
            if (
                is_h11s(found, before)
                or is_answered_first(found, before)
                or any(rule.search(data) for rule in LENIENT.values())
            ):
                continue
            others = [await bench.send("h11", [other]) for other in without_empty_lines(data)]
            assert any(is_h11s(found, other) for other in others), (data, found, before)

    run(main)
    assert equal > MUTANTS / 2


def test_trailers_are_not_headers() -> None:
    """What comes after a body can't pass for a header that was looked at before it (RFC 9110, section 6.5.1)."""
    head = b"POST /trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + b"5\r\nhello\r\n0\r\nX-Token: forged\r\n\r\n"
    bench = Bench()

    async def main() -> None:
        for pieces in ([data], each_byte(data), [head, data[len(head) :]]):
            outcome = await bench.send("ferrapi", pieces)
            assert outcome.written.endswith(b'{"headers":[["host","x"],["transfer-encoding","chunked"]]}')

    run(main)


def test_h11_differs_only_where_it_is_explained() -> None:
    """The same statuses, handlers and end as with uvicorn's other protocol, but for the rules in `DIFFERENCES`."""
    explained = {name for names in DIFFERENCES.values() for name in names}
    bench = Bench()
    found = set()

    async def main() -> None:
        for name, request in REQUESTS.items():
            data = [request + CANARY]
            one, other = [await bench.send(kind, data) for kind in ("ferrapi", "h11")]
            refused = [400 if status in (431, 501, 505) else status for status in one.statuses]  # h11 has one for all
            if (refused, *one.summary[1:]) != other.summary and not is_answered_first(one, other):
                found.add(name)

    run(main)
    assert found == explained

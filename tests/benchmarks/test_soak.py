"""The soak finds what it is for: growth, losses, open sessions and errors in the log, and nothing else."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import misbehaviour, soak  # noqa: E402  # needs the path above
from benchmarks.cases import BY_NAME  # noqa: E402

HELLO = BY_NAME["hello"].exchanges[3]
FLAT = [(float(second), 50_000 + (9_000 if second < 0 else 0)) for second in range(-10, 60)]
UVICORNS = """ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/x/uvicorn/protocols/http/httptools_impl.py", line 524, in send
    self.transport.write(b"".join(content))
RuntimeError: unable to perform operation on <TCPTransport closed=True reading=False 0x56>; the handler is closed
"""
OTHER = UVICORNS.replace("RuntimeError: unable", "ValueError: unable")


def result(**changed: Any) -> dict[str, Any]:
    """What a faultless soak records, but for some of it."""
    return {"load": {"requests": 9, "wrong": 0, "failed": 0}, "lost": [], "samples": FLAT, **changed}


def test_a_faultless_soak_has_no_faults() -> None:
    assert soak.faults(result(), {"session opened": 3, "session closed": 3}, "WARNING:  Invalid HTTP request\n") == []


@pytest.mark.parametrize(
    ("changed", "calls", "log"),
    [
        ({"samples": [(float(n), 50_000 + 40 * n) for n in range(-10, 60)]}, {}, ""),
        ({"lost": ["pipeline: GET /hello"]}, {}, ""),
        ({"load": {"requests": 9, "wrong": 1, "failed": 0}}, {}, ""),
        ({"load": {"requests": 9, "wrong": 0, "failed": 2}}, {}, ""),
        ({"load": {}}, {}, ""),
        ({}, {"session opened": 4, "session closed": 3}, ""),
        ({}, {"stream opened": 4, "stream closed": 3}, ""),
        ({}, {"tasks": 3}, ""),
        ({}, {}, "Traceback (most recent call last):\n"),
    ],
)
def test_each_kind_of_fault_is_one(changed: dict[str, Any], calls: dict[str, int], log: str) -> None:
    assert len(soak.faults(result(**changed), calls, log)) == 1


def test_only_uvicorns_own_trouble_is_taken_out_of_the_log() -> None:
    log = f"WARNING:  Invalid\n{UVICORNS}INFO:     x\n{OTHER}WARNING:  y\n{UVICORNS}"
    assert soak.CLOSED_UNDER_UVICORN.subn("", log) == (f"WARNING:  Invalid\nINFO:     x\n{OTHER}WARNING:  y\n", 2)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n%b" % (len(HELLO.answer), HELLO.answer),
    ],
)
def test_anything_but_the_right_answer_is_lost(answer: bytes) -> None:
    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(answer)
        reader.feed_eof()
        await misbehaviour.expect(reader, HELLO)

    with pytest.raises(misbehaviour.Lost):
        asyncio.run(read())


def test_requests_are_whole() -> None:
    head, _, body = misbehaviour.encoded(BY_NAME["order"].exchanges[0]).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /orders HTTP/1.1\r\nHost: ")
    assert b"Content-Length: %d" % len(body) in head

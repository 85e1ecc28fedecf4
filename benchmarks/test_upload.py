"""Reading forms: an upload of 64 MiB in pieces of 64 KiB, and forms of a hundred fields.

Timed: from the ASGI messages to the `FormData`, as each framework does it for an endpoint. Control, in the same run:
`request.form()` of Starlette with python-multipart, which is what FastAPI calls. "parse" has files that keep nothing,
so that the parsers alone are compared; "to disk" is the whole upload, of which writing the file is most.

As a test it runs once on 4 MiB.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import starlette.formparsers
from ferrapi.declare.limits import FormBounds
from ferrapi.serve import form as _form
from ferrapi.serve.exchange import Exchange
from pytest_benchmark.fixture import BenchmarkFixture
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

PIECE = 64 * 1024
MULTIPART = b"multipart/form-data; boundary=cut"
URLENCODED = b"application/x-www-form-urlencoded"
HEAD = b'--cut\r\ncontent-disposition: form-data; name="file"; filename="large"\r\n\r\n'
END = b"\r\n--cut--\r\n"
COUNT = 100

Read = Callable[[bytes, list[bytes]], Awaitable[FormData]]


class Nowhere:
    """A temporary file that keeps nothing but its size."""

    _rolled = False

    def __init__(self, max_size: int = 0) -> None:
        self._max_size = max_size
        self.size = 0

    def write(self, data: bytes) -> int:
        """Counts the bytes."""
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Where nothing would be written next."""
        return 0

    def seek(self, position: int) -> int:
        """Goes nowhere."""
        return position

    def close(self) -> None:
        """Has nothing to close."""


def _scope(content_type: bytes) -> dict[str, Any]:
    headers = [(b"content-type", content_type)]
    return {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b"", "app": object()}


def _receive(pieces: list[bytes]) -> Callable[[], Any]:
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        + [{"type": "http.request", "body": b"", "more_body": False}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    return receive


async def _send(message: Any) -> None:
    raise AssertionError(message)


async def _ferrapi(content_type: bytes, pieces: list[bytes]) -> FormData:
    return await _form.parse_form(Exchange(_scope(content_type), _receive(pieces), _send), FormBounds())


async def _fastapi(content_type: bytes, pieces: list[bytes]) -> FormData:
    return await Request(_scope(content_type), _receive(pieces)).form()


READERS = pytest.mark.parametrize("read", [_ferrapi, _fastapi], ids=["ferrapi", "fastapi"])


def _drive(reading: Awaitable[FormData]) -> FormData:
    """Run what never waits, without the costs of an event loop."""
    try:
        reading.__await__().send(None)
    except StopIteration as stop:
        form: FormData = stop.value
        return form
    raise AssertionError("it waits")


def _time(benchmark: BenchmarkFixture, run: Any, read: Read, sent: tuple[bytes, list[bytes]], rounds: int) -> FormData:
    """Measure `read`, closing the forms between the rounds; the last form is the caller's to close."""
    forms: list[FormData] = []

    def close() -> None:
        while forms:
            for _, value in forms.pop().multi_items():
                if isinstance(value, UploadFile):
                    value.file.close()

    def once() -> None:
        forms.append(run(read(*sent)))

    benchmark.pedantic(once, setup=close, rounds=rounds, warmup_rounds=1 if rounds > 1 else 0)
    return forms.pop()


def _file(form: FormData) -> UploadFile:
    file = form["file"]
    assert isinstance(file, UploadFile)
    return file


@pytest.fixture
def upload(benchmark: BenchmarkFixture) -> list[bytes]:
    """The pieces of an upload: bytes of all values, so that the parsers meet line breaks too.

    A few pieces come again and again. What a server hands over is in the processor's cache too, having just been read.
    """
    blocks = [os.urandom(PIECE) for _ in range(4)]
    return [HEAD, *blocks * (256 if benchmark.enabled else 16), END]


@READERS
def test_parse_upload(
    benchmark: BenchmarkFixture, read: Read, upload: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark.group = "upload of 64 MiB, parse"
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1 << 40)
    monkeypatch.setattr(starlette.formparsers, "SpooledTemporaryFile", Nowhere)
    monkeypatch.setattr(_form, "SpooledTemporaryFile", Nowhere)
    file = _file(_time(benchmark, _drive, read, (MULTIPART, upload), 40))
    assert file.file.size == file.size == sum(map(len, upload)) - len(HEAD + END)  # type: ignore[attr-defined]


@READERS
def test_upload_to_disk(benchmark: BenchmarkFixture, read: Read, upload: list[bytes]) -> None:
    benchmark.group = "upload of 64 MiB, to disk"
    with asyncio.Runner() as runner:
        file = _file(_time(benchmark, runner.run, read, (MULTIPART, upload), 5))
    content = file.file.read()
    file.file.close()
    assert b"".join(upload) == HEAD + content + END


@READERS
def test_urlencoded_fields(benchmark: BenchmarkFixture, read: Read) -> None:
    benchmark.group = "100 fields, urlencoded"
    body = b"&".join(b"field%d=a+value+%%C3%%A9+%d" % (number, number) for number in range(COUNT))
    form = _time(benchmark, _drive, read, (URLENCODED, [body]), 500)
    assert form.multi_items() == [(f"field{number}", f"a value é {number}") for number in range(COUNT)]


@READERS
def test_multipart_fields(benchmark: BenchmarkFixture, read: Read) -> None:
    benchmark.group = "100 fields, multipart"
    part = '--cut\r\nContent-Disposition: form-data; name="field{0}"\r\n\r\na value é {0}\r\n'
    body = "".join(part.format(number) for number in range(COUNT)) + "--cut--\r\n"
    form = _time(benchmark, _drive, read, (MULTIPART, [body.encode()]), 500)
    assert form.multi_items() == [(f"field{number}", f"a value é {number}") for number in range(COUNT)]

"""Uploaded files: where they are kept, who closes them, where they are read from."""

import asyncio
import gc
import os
import threading
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from ferrapi.serve import files as _files
from ferrapi.serve import form as _form
from ferrapi.serve.form_values import read_keeping_position
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser
from support.asgi import Ask, exchange, run
from support.compare import compare
from support.frameworks import FERRAPI, Framework

MARK = (b"content-type", b"multipart/form-data; boundary=cut")
END = b"\r\n--cut--\r\n"
LARGE = MultiPartParser.spool_max_size + 1


def file_head(name: str, filename: str = "f") -> bytes:
    """The beginning of a part that is a file."""
    return f'--cut\r\ncontent-disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'.encode()


def pieces(body: bytes, size: int = 65536) -> list[bytes]:
    """A body as a server hands it over."""
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The temporary files that the native reader has made."""
    made: list[Any] = []
    original = _form.SpooledTemporaryFile

    def make(*args: Any, **kwargs: Any) -> Any:
        made.append(original(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(_form, "SpooledTemporaryFile", make)
    return made


@pytest.fixture(autouse=True)
def no_open_files() -> Iterator[None]:
    """No test leaves a descriptor open."""
    descriptors = Path("/proc/self/fd")
    before = len(os.listdir(descriptors)) if descriptors.exists() else 0
    yield
    gc.collect()
    after = len(os.listdir(descriptors)) if descriptors.exists() else 0
    assert after <= before


def keeping(fw: Framework, kept: list[UploadFile]) -> Any:
    """An application whose endpoints keep the files they get."""
    app = fw.FastAPI()

    @app.post("/")
    async def keep(p: list[fw.UploadFile], number: Annotated[int, fw.Form()] = 0) -> Any:
        kept.extend(p)
        return [[file.filename, file.size, file._in_memory, file.file.tell()] for file in p]

    @app.post("/fails")
    async def fails(p: fw.UploadFile) -> Any:
        kept.append(p)
        raise RuntimeError("failed")

    @app.post("/refused")
    async def refused(p: fw.UploadFile, number: Annotated[int, fw.Form()]) -> Any:
        kept.append(p)

    @app.post("/background")
    async def background(p: fw.UploadFile, tasks: fw.BackgroundTasks) -> Any:
        def note() -> None:
            kept.append(p)
            assert not p.file.closed

        tasks.add_task(note)

    return app


@pytest.mark.parametrize("path", ["/", "/fails", "/refused", "/background"])
@pytest.mark.parametrize("size", [0, 10, LARGE])
def test_files_are_closed_when_the_request_is_over(
    framework: Framework, opened: list[Any], path: str, size: int
) -> None:
    kept: list[UploadFile] = []
    body = file_head("p") + b"x" * size + b"\r\n" + file_head("p", "g") + b"y" + END
    answer = run(lambda: exchange(keeping(framework, kept), Ask("POST", path, headers=[MARK], body=pieces(body))))
    assert answer.status == {"/": 200, "/background": 200, "/fails": 500, "/refused": 422}[path]
    assert all(file.file.closed for file in kept)
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("size", [0, 1, LARGE - 1, LARGE, 3 * LARGE])
def test_files_beyond_the_threshold_are_on_disk_and_at_their_beginning(framework: Framework, size: int) -> None:
    body = file_head("p") + b"x" * size + END
    answer = run(lambda: exchange(keeping(framework, []), Ask("POST", headers=[MARK], body=pieces(body))))
    expected = f'[["f",{size},{"false" if size >= LARGE else "true"},0]]'
    assert answer.body.decode() == expected


def test_what_was_sent_is_what_is_read(framework: Framework) -> None:
    app = framework.FastAPI()
    content = os.urandom(2 * LARGE)

    @app.post("/")
    async def read(p: framework.UploadFile, q: Annotated[bytes, framework.File()]) -> Any:
        return [await p.read() == content, q == content[::-1], await p.read() == b""]

    body = file_head("p") + content + b"\r\n" + file_head("q") + content[::-1] + END
    for size in (1000, 65536, len(body)):
        answer = run(lambda size=size: exchange(app, Ask("POST", headers=[MARK], body=pieces(body, size))))  # type: ignore[misc]  # mypy knows no defaults here
        assert answer.body == b"[true,true,true]"


def test_the_threshold_is_starlettes_and_may_be_changed(framework: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 5)
    body = file_head("p") + b"123456" + b"\r\n" + file_head("p") + b"12345" + END
    answer = run(lambda: exchange(keeping(framework, []), Ask("POST", headers=[MARK], body=[body])))
    assert answer.body == b'[["f",6,false,0],["f",5,true,0]]'


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ([file_head("p") + b"x" * LARGE], False),
        ([file_head("p") + b"x" * LARGE], True),
        ([file_head("p") + b"x" * LARGE + b"\r\n--cut\r\nX: 1\r\n\r\n"], True),
        ([file_head("p") + b"x" * LARGE + b"\r\n--cut  y"], True),
        ([b"".join(file_head(f"n{number}") + b"1\r\n" for number in range(1001))], True),
    ],
    ids=["disconnect", "cut short", "nameless part", "no form", "too many"],
)
def test_a_form_that_fails_closes_its_files(opened: list[Any], body: list[bytes], ends: bool) -> None:
    ask = Ask("POST", headers=[MARK], body=pieces(body[0]), ends=ends)
    answer = run(lambda: exchange(keeping(FERRAPI, []), ask))
    assert answer.status in (400, 422)
    assert opened
    assert all(file.closed for file in opened)


class _Slow:
    """A client that sends the beginning of an upload and then nothing."""

    def __init__(self, body: bytes) -> None:
        self.left = pieces(body)

    async def receive(self) -> dict[str, Any]:
        if not self.left:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": self.left.pop(0), "more_body": True}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_upload_closes_its_files(opened: list[Any], backend: str) -> None:
    async def main() -> None:
        app = keeping(FERRAPI, [])
        client = _Slow(file_head("p") + b"x" * LARGE)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        with anyio.move_on_after(0.2):
            await app(Ask("POST", headers=[MARK]).scope(), client.receive, send)

    run(main, backend)
    assert opened
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_endpoint_closes_its_files(opened: list[Any], backend: str) -> None:
    app = FERRAPI.FastAPI()

    @app.post("/")
    async def wait(p: FERRAPI.UploadFile) -> None:
        await anyio.sleep_forever()

    async def main() -> None:
        with anyio.move_on_after(0.2):
            await exchange(app, Ask("POST", headers=[MARK], body=pieces(file_head("p") + b"x" * LARGE + END)))

    run(main, backend)
    assert opened
    assert all(file.closed for file in opened)


def test_writing_a_large_file_leaves_the_event_loop_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No write to disk happens in the loop's own thread, and what is written at once is bounded."""
    written: list[tuple[bool, int]] = []
    original: Any = _form.SpooledTemporaryFile

    class Watched(original):
        def writelines(self, lines: Any) -> None:
            lines = list(lines)
            written.append((threading.current_thread() is threading.main_thread(), sum(map(len, lines))))
            super().writelines(lines)

        def rollover(self) -> None:
            assert threading.current_thread() is not threading.main_thread()
            super().rollover()

    monkeypatch.setattr(_form, "SpooledTemporaryFile", Watched)
    size = 8 * LARGE
    body = file_head("p") + b"x" * size + END
    run(lambda: exchange(keeping(FERRAPI, []), Ask("POST", headers=[MARK], body=pieces(body))))
    assert not any(in_loop for in_loop, _ in written)
    assert sum(amount for _, amount in written) > size - LARGE
    assert max(amount for _, amount in written) <= _form.WRITE_SIZE + 65536


def test_memory_is_bounded_however_large_the_file() -> None:
    chunk = b"x" * 65536
    count = 800

    async def main() -> int:
        sent = [file_head("p"), END]
        number = 0

        async def receive() -> dict[str, Any]:
            nonlocal number
            number += 1
            body = sent[0] if number == 1 else sent[1] if number > count else chunk
            return {"type": "http.request", "body": body, "more_body": number <= count}

        async def send(message: Any) -> None:
            return None

        app = keeping(FERRAPI, [])
        tracemalloc.start()
        await app(Ask("POST", headers=[MARK]).scope(), receive, send)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert run(main) < 8 * 1024 * 1024


def test_a_field_that_never_ends_is_refused_early() -> None:
    """Neither kind of form collects more of a field than it may have."""
    app = FERRAPI.FastAPI()

    @app.post("/")
    async def form(a: Annotated[str, FERRAPI.Form()]) -> None:
        return None

    for header, head in (
        (MARK, b'--cut\r\ncontent-disposition: form-data; name="a"\r\n\r\n'),
        ((b"content-type", b"application/x-www-form-urlencoded"), b"a="),
    ):
        ask = Ask("POST", headers=[header], body=[head, *[b"x" * 65536] * 100])
        answer = run(lambda ask=ask: exchange(app, ask))  # type: ignore[misc]  # mypy knows no defaults here
        assert answer.status == 400
        assert answer.reads < 20


def positions(fw: Framework, log: list[Any]) -> Any:
    """Dependencies and endpoint read the same file in different ways."""
    app = fw.FastAPI()

    def content(p: Annotated[bytes, fw.File()]) -> bytes:
        return p

    def contents(p: Annotated[list[bytes], fw.File()]) -> list[bytes]:
        return p

    async def start(p: fw.UploadFile) -> bytes:
        return await p.read(2)

    @app.post("/whole")
    async def whole(first: Annotated[bytes, fw.Depends(content)], p: fw.UploadFile) -> Any:
        return [len(first), p.file.tell(), len(await p.read()), await p.read() == b""]

    @app.post("/rest")
    async def rest(
        first: Annotated[bytes, fw.Depends(start)],
        second: Annotated[bytes, fw.Depends(content)],
        p: fw.UploadFile,
        again: Annotated[bytes, fw.File(alias="p")],
    ) -> Any:
        return [first.decode(), len(second), p.file.tell(), second == again]

    @app.post("/lists")
    async def lists(first: Annotated[list[bytes], fw.Depends(contents)], p: Annotated[list[bytes], fw.File()]) -> Any:
        return [[len(item) for item in first], first == p]

    return app


@pytest.mark.parametrize("size", [0, 5, LARGE])
def test_reading_a_file_for_one_leaves_it_for_the_others(size: int) -> None:
    body = file_head("p") + b"x" * size + b"\r\n" + file_head("p") + b"y" * size + END
    compare(positions, [Ask("POST", path, headers=[MARK], body=pieces(body)) for path in ("/whole", "/rest", "/lists")])


def test_a_file_that_fails_to_be_read_stays_where_it_was() -> None:
    class Failing(UploadFile):
        async def read(self, size: int = -1) -> bytes:
            self.file.read(1)
            raise OSError("broken")

    async def main() -> int:
        file = Failing(file=BytesIO(b"hello"))
        file.file.seek(2)
        with pytest.raises(OSError, match="broken"):
            await read_keeping_position(file)
        position = file.file.tell()
        await file.close()
        return position

    assert run(main) == 2


def test_closing_a_form_that_is_cancelled_closes_the_rest() -> None:
    class Stuck(UploadFile):
        async def close(self) -> None:
            raise asyncio.CancelledError

    async def main() -> list[bool]:
        files = [Stuck(file=BytesIO()), UploadFile(file=BytesIO())]
        with pytest.raises(asyncio.CancelledError):
            await _files.close_form(FormData([("a", file) for file in files]))
        return [file.file.closed for file in files]

    assert run(main) == [True, True]


def test_a_full_disk_is_a_body_that_cannot_be_read(opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_form._Incoming, "_flush", full)
    ask = Ask("POST", headers=[MARK], body=pieces(file_head("p") + b"x" * 2 * LARGE + END))
    answer = run(lambda: exchange(keeping(FERRAPI, []), ask))
    assert (answer.status, answer.body) == (400, b'{"detail":"There was an error parsing the body"}')
    assert all(file.closed for file in opened)


def test_aborted_uploads_leave_nothing_behind() -> None:
    """Descriptors are counted by the fixture of this module."""
    app = keeping(FERRAPI, [])

    async def main() -> None:
        for _ in range(50):
            await exchange(app, Ask("POST", headers=[MARK], body=pieces(file_head("p") + b"x" * LARGE), ends=False))

    run(main)

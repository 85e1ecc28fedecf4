"""Files as responses: what is sent is what Starlette's own classes send, in fewer ways to threads."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import starlette.responses
from ferrapi import FastAPI
from ferrapi.responses import FileResponse
from ferrapi.serve import file_response as _file_response
from ferrapi.staticfiles import StaticFiles
from starlette.background import BackgroundTask
from support.asgi import Ask, run
from support.compare import USUAL, answers
from support.frameworks import BOTH, Framework
from support.wire import Wire, configured

PIECE = FileResponse.chunk_size
SIZES = {"empty": 0, "small": 700, "almost": PIECE - 1, "piece": PIECE, "more": PIECE + 1, "pieces": 3 * PIECE}
_BOUNDARY = re.compile(rb"[0-9a-f]{26,}")


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """Requests that fail are logged; that is tested elsewhere."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with files of all sizes."""
    for name, size in SIZES.items():
        file = tmp_path / f"{name}.txt"
        file.write_bytes(bytes(number % 251 for number in range(size)))
        os.utime(file, (1_700_000_000, 1_700_000_000))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("<p>index</p>")
    (tmp_path / "404.html").write_text("<p>nothing</p>")
    return tmp_path


def make(fw: Framework, log: list[Any], site: Path) -> Any:
    """Files by endpoints of all kinds, and directories."""
    app = fw.FastAPI()
    file_response = fw.responses.FileResponse

    class Own(file_response):  # type: ignore[misc]  # the same class in both
        chunk_size = 100

    @app.api_route("/file/{name}", methods=["GET", "HEAD", "POST"])
    async def file(name: str) -> Any:
        return file_response(site / name, background=BackgroundTask(log.append, "background"))

    @app.get("/sync/{name}")
    def in_thread(name: str) -> Any:
        return file_response(str(site / name), filename="é.txt", status_code=203, headers={"x-own": "1"})

    @app.get("/known/{name}")
    async def known(name: str) -> Any:
        return file_response(site / name, stat_result=os.stat(site / name))

    @app.get("/wrong/{name}")
    async def wrong(name: str) -> Any:
        return file_response(site / name, headers={"content-length": "3"})

    @app.get("/own/{name}")
    async def own(name: str) -> Any:
        return Own(site / name)

    @app.get("/patched/{name}")
    async def patched(name: str) -> Any:
        response = file_response(site / name)
        response.chunk_size = 100
        return response

    @app.get("/class/{name}", response_class=file_response)
    async def by_class(name: str) -> Any:
        return str(site / name)

    app.mount("/static", fw.staticfiles.StaticFiles(directory=site))
    app.mount("/html", fw.staticfiles.StaticFiles(directory=site, html=True))
    router = fw.APIRouter(prefix="/inner")
    router.mount("/static", fw.staticfiles.StaticFiles(directory=site))
    app.include_router(router)
    return app


def alike(site: Path, asks: list[Ask], ways: Sequence[str] = USUAL) -> None:
    for way in ways:
        theirs, ours = (answers(fw, lambda fw, log: make(fw, log, site), asks, way) for fw in BOTH)
        for ask, expected, actual in zip(asks, theirs, ours, strict=True):
            for answer in (expected, actual):
                answer.body = _BOUNDARY.sub(b"boundary", answer.body)
                answer.headers = [(name, _BOUNDARY.sub(b"boundary", value)) for name, value in answer.headers]
            assert actual == expected, (way, ask)


PLACES = ("file", "sync", "known", "own", "patched", "class", "static", "html", "inner/static")


@pytest.mark.parametrize("place", PLACES)
def test_files_of_all_sizes(site: Path, place: str) -> None:
    alike(site, [Ask(path=f"/{place}/{name}.txt") for name in SIZES], (*USUAL, "trio"))


@pytest.mark.parametrize("place", ["file", "known", "static", "html"])
@pytest.mark.parametrize(
    "headers",
    [
        [(b"range", b"bytes=0-9")],
        [(b"range", b"bytes=-5")],
        [(b"range", b"bytes=1-2,5-9")],
        [(b"range", b"bytes=900000-")],
        [(b"range", b"lines=1-2")],
        [(b"range", b"bytes=0-9"), (b"if-range", b'"other"')],
        [(b"if-none-match", b'"other"')],
        [(b"if-none-match", b"*")],
        [(b"if-modified-since", b"Tue, 14 Nov 2023 22:13:20 GMT")],
        [(b"if-modified-since", b"Mon, 13 Nov 2023 22:13:20 GMT")],
    ],
    ids=lambda headers: " ".join(value.decode() for _, value in headers),
)
def test_ranges_and_conditions(site: Path, place: str, headers: list[tuple[bytes, bytes]]) -> None:
    alike(site, [Ask(path=f"/{place}/{name}.txt", headers=headers) for name in ("small", "pieces")])


@pytest.mark.parametrize(
    "path",
    [
        "/file/none", "/file/folder", "/known/folder", "/class/none", "/static/none", "/static/folder", "/html/folder",
        "/html/folder/", "/html/none", "/html/", "/static/", "/static/..%2Fx", "/static/\0", "/static/" + "x" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_file(site: Path, path: str) -> None:
    alike(site, [Ask(path=path)])


@pytest.mark.parametrize("name", ["small.txt", "pieces.txt"])
def test_a_length_that_is_wrong_is_passed_on(site: Path, name: str) -> None:
    """Servers differ in what they do then."""
    asks = [Ask(path=f"/wrong/{name}")]
    theirs, ours = (answers(fw, lambda fw, log: make(fw, log, site), asks, "asgi")[0] for fw in BOTH)
    assert ours == theirs


def test_other_methods_and_extensions(site: Path) -> None:
    pathsend: dict[str, Any] = {"extensions": {"http.response.pathsend": {}}}
    for path in ("/file/small.txt", "/static/small.txt", "/file/pieces.txt"):
        alike(site, [Ask("HEAD", path), Ask("POST", path)])
        asks = [Ask(path=path, extra=pathsend)]
        theirs, ours = (answers(fw, lambda fw, log: make(fw, log, site), asks, "asgi")[0] for fw in BOTH)
        assert ours == theirs


def test_a_file_that_cant_be_opened(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found out when the head has been sent, as ever."""
    import builtins

    real = builtins.open

    def refusing(file: Any, *arguments: Any, **options: Any) -> Any:
        if str(file).endswith("small.txt"):
            raise PermissionError(13, "refused")
        return real(file, *arguments, **options)

    monkeypatch.setattr(builtins, "open", refusing)
    alike(site, [Ask(path="/file/small.txt"), Ask(path="/static/small.txt")])


def test_replaced_methods_are_called(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    app.mount("/static", StaticFiles(directory=site))
    called: list[str] = []

    async def simple(self: Any, send: Any, *arguments: Any) -> None:
        called.append(self.path)
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"own"})

    def status() -> Any:
        return answers(BOTH[1], lambda fw, log: app, [Ask(path="/static/small.txt")])[0].status

    assert status() == 200
    monkeypatch.setattr(FileResponse, "_handle_simple", simple)
    assert status() == 299
    monkeypatch.undo()
    assert status() == 200
    monkeypatch.setattr(StaticFiles, "file_response", lambda *arguments: FileResponse(site / "empty.txt"))
    assert answers(BOTH[1], lambda fw, log: app, [Ask(path="/static/small.txt")])[0].body == b""
    assert called == [str((site / "small.txt").resolve())]


@pytest.mark.parametrize("place", ["file", "static"])
@pytest.mark.parametrize("kind", ["ferrapi", "httptools"])
def test_a_large_file_waits_for_the_client_and_is_closed_when_that_leaves(site: Path, kind: str, place: str) -> None:
    (site / "large.txt").write_bytes(b"x" * PIECE * 100)
    app = FastAPI()
    app.mount("/static", StaticFiles(directory=site))
    background: list[str] = []

    @app.get("/file/{name}")
    async def file(name: str) -> FileResponse:
        return FileResponse(site / name, background=BackgroundTask(background.append, "ran"))

    def open_files() -> int:
        names = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
        return sum(name.endswith("large.txt") for name in names)

    async def main() -> None:
        wire = Wire(configured(app), kind)
        protocol: Any = wire.transport.protocol
        protocol.data_received(f"GET /{place}/large.txt HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while len(wire.written) < 2 * PIECE:  # noqa: ASYNC110
            await asyncio.sleep(0)
        protocol.pause_writing()
        for _ in range(50):
            await asyncio.sleep(0.001)
        held = len(wire.written)
        assert held < 10 * PIECE
        assert open_files() == 1
        tasks = list(wire.state.tasks)
        await wire.lose()
        await asyncio.wait(tasks)
        assert not any(task.exception() for task in tasks)
        assert open_files() == 0

    run(main)
    assert background == (["ran"] if place == "file" else [])


@pytest.mark.parametrize("place", ["file", "sync", "known", "static"])
def test_a_small_file_takes_one_way_to_a_thread(site: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """A directory takes another before, in which Starlette looks for the file."""
    begun: list[Any] = []
    run_in_thread = _file_response.run_in_thread

    async def counting(function: Any) -> Any:
        begun.append(function)
        return await run_in_thread(function)

    app = make(BOTH[1], [], site)
    ask = Ask(path=f"/{place}/small.txt")
    answers(BOTH[1], lambda fw, log: app, [ask])
    monkeypatch.setattr(_file_response, "run_in_thread", counting)
    answer = answers(BOTH[1], lambda fw, log: app, [ask])[0]
    assert len(answer.body) == SIZES["small"]
    assert [function.func for function in begun] == [_file_response._open]


def test_who_opens_files_is_asked(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    open_file = starlette.responses.FileResponse._open_file

    def noting(self: Any) -> Any:
        opened.append(self.path)
        return open_file(self)

    monkeypatch.setattr(starlette.responses.FileResponse, "_open_file", noting)
    for fw in BOTH:
        opened.clear()
        answer = answers(fw, lambda fw, log: make(fw, log, site), [Ask(path="/file/small.txt")])[0]
        assert (len(answer.body), len(opened)) == (SIZES["small"], 1)

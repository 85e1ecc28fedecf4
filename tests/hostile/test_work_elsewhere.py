"""Where work is done, and how much: what a client can't make the event loop, the disk or the log do."""

import gzip
import logging
import os
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from ferrapi.middleware._compression import _writes_the_same
from jinja2 import Environment
from support.asgi import Answer, Ask
from support.compare import USUAL, answers, compare
from support.frameworks import BOTH, FERRAPI, Framework

MULTIPART = [(b"content-type", b"multipart/form-data; boundary=cut")]


def part(head: bytes, content: bytes) -> bytes:
    return b"--cut\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize("transport", USUAL)
def test_a_large_body_is_compressed_outside_of_the_event_loop(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    compressobj = zlib.compressobj
    assert _writes_the_same(9)  # which is asked once in a process

    def noting(*args: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return compressobj(*args)

    monkeypatch.setattr(zlib, "compressobj", noting)

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.add_middleware(fw.module("middleware.gzip").GZipMiddleware)

        @app.get("/")
        async def large() -> str:
            return "0123456789" * 100_000

        return app

    answer = answers(FERRAPI, make, [Ask(headers=[(b"accept-encoding", b"gzip")])], transport)[0]
    assert gzip.decompress(answer.body) == b'"' + b"0123456789" * 100_000 + b'"'
    assert threads
    assert not any(threads)


ENCODINGS = [b"gzip;q=0", b"*", b"br, gzip", b"GZIP", b"x" * 65_000, b"gzip," * 10_000, b"", b"\xff"]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda value: repr(value[:12]))
def test_what_a_client_says_of_encodings(encoding: bytes) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.add_middleware(fw.module("middleware.gzip").GZipMiddleware, minimum_size=10)

        @app.get("/")
        async def text() -> str:
            return "a" * 100

        return app

    compare(make, [Ask(headers=[(b"accept-encoding", encoding)])])


UNSERVABLE = ["//host/share", "/%5C%5Chost%5Cshare", "//etc/passwd", "///etc/passwd"]


@pytest.mark.parametrize("path", UNSERVABLE)
def test_an_absolute_path_is_not_looked_for(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would leave the directory; on Windows, just to look at a network path gives the password's hash away."""
    asked: list[str] = []
    stat = os.stat

    def noting(target: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(str(target))
        return stat(target, *args, **kwargs)

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.mount("/static", fw.staticfiles.StaticFiles(directory=tmp_path))
        return app

    monkeypatch.setattr(os, "stat", noting)
    for fw in BOTH:
        answer = answers(fw, make, [Ask(path="/static" + path)], "asgi")[0]
        assert answer.status == 404
    assert all(target.startswith(str(tmp_path)) for target in asked if "/etc" in target or "host" in target)


def test_the_cost_of_ranges_grows_with_their_number(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(1000))

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.mount("/", fw.staticfiles.StaticFiles(directory=tmp_path))
        return app

    def seconds(count: int) -> float:
        header = b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(count))
        begin = time.process_time()
        answers(FERRAPI, make, [Ask(path="/x", headers=[(b"range", header)])], "asgi")
        return time.process_time() - begin

    few, many = (min(seconds(count) for _ in range(3)) for count in (4_000, 32_000))
    assert many <= 30 * few + 0.05


def _form_shape(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    @app.post("/")
    async def take(files: list[fw.UploadFile], a: str = fw.Form("")) -> dict[str, int]:
        return {"files": len(files), "open": len(os.listdir("/proc/self/fd"))}

    return app


def _posted(body: bytes, transport: str) -> Answer:
    return answers(FERRAPI, _form_shape, [Ask("POST", "/", headers=MULTIPART, body=(body,))], transport)[0]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
@pytest.mark.parametrize("transport", USUAL)
def test_a_thousand_small_files_open_none(transport: str) -> None:
    def opened(count: int) -> int:
        body = b"".join(part(b'name="files"; filename="f%d"' % n, b"x") for n in range(count)) + b"--cut--\r\n"
        answer = _posted(body, transport)
        assert answer.body.startswith(b'{"files":%d,' % count)
        return int(answer.body.partition(b'"open":')[2].rstrip(b"}"))

    assert opened(1000) <= opened(1) + 2


@pytest.mark.parametrize("where", ["before", "after"])
def test_what_surrounds_a_form_is_not_logged(where: str, caplog: pytest.LogCaptureFixture) -> None:
    form = part(b'name="files"; filename="f"', b"x") + b"--cut--\r\n"

    def records(size: int) -> int:
        caplog.clear()
        junk = b"\r\nabc" * (size // 5)
        with caplog.at_level(logging.DEBUG):
            answer = _posted(junk + b"\r\n" + form if where == "before" else form + junk, "asgi")
        assert answer.status in (200, 400)
        return len(caplog.records)

    assert records(200_000) == records(200)


@pytest.mark.parametrize("transport", USUAL)
def test_templates_escape(transport: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>{{ name }}</p>")

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        templates = fw.module("templating").Jinja2Templates(directory=tmp_path)
        assert isinstance(templates.env, Environment)

        @app.get("/")
        async def page(request: fw.Request, name: str) -> Any:
            return templates.TemplateResponse(request, "page.html", {"name": name})

        return app

    found = compare(make, [Ask(query=b"name=%3Cscript%3E")], transport)
    assert found[0].body == b"<p>&lt;script&gt;</p>"


@pytest.mark.parametrize("transport", USUAL)
def test_the_failure_of_a_background_task_reaches_the_server(transport: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def fail() -> None:
            raise LookupError("later")

        @app.get("/")
        async def root(tasks: fw.BackgroundTasks) -> str:
            tasks.add_task(fail)
            return "now"

        return app

    found = compare(make, [Ask(), Ask()], transport)
    assert [(answer.status, answer.body, answer.error) for answer in found] == [(200, b'"now"', "LookupError")] * 2


def test_json_types_through_each_transport() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.post("/")
        async def take(value: dict[str, int]) -> dict[str, int]:
            return value

        return app

    types = [b"text/plain", b"application/jsonx", b"application/json,text/plain", b"json", b"application/a+json;x"]
    asks = [Ask("POST", "/", headers=[(b"content-type", kind)], body=(b'{"a": 1}',)) for kind in types]
    compare(make, [*asks, Ask("POST", "/", body=(b'{"a": 1}',))])

"""Static files, file responses and ranges: nothing outside of the directory, no range that costs more than it gives.

The classes are Starlette's. What is tested is that a request reaches them unchanged, and that they are what protects.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from support.asgi import Answer, Ask
from support.compare import USUAL, Make, answers
from support.frameworks import BOTH, FERRAPI, Framework

SIZE = 3000
CONTENT = bytes(range(250)) * (SIZE // 250)
_BOUNDARY = re.compile(rb"[0-9a-f]{26,}")


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """Refused requests are logged; that is tested elsewhere."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with files, beside another of almost the same name, which is nobody's business."""
    site, other = tmp_path / "static", tmp_path / "static2"
    for directory in (site, other, site / "sub"):
        directory.mkdir()
        (directory / "x").write_bytes(CONTENT)
    (tmp_path / "secret").write_text("secret")
    (site / "out").symlink_to(tmp_path / "secret")
    (site / "..hidden").write_text("hidden")
    for file in site.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    return site


def serving(site: Path) -> Make:
    """Applications that serve the directory, and one file of it, in every way."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/file")
        async def file() -> Any:
            return fw.responses.FileResponse(site / "x")

        @app.post("/file")
        async def posted() -> Any:
            return fw.responses.FileResponse(site / "x")

        @app.get("/partly")
        async def partly() -> Any:
            return fw.responses.FileResponse(site / "x", status_code=203)

        @app.get("/named")
        async def named(name: str) -> Any:
            return fw.responses.FileResponse(site / "x", filename=name)

        @app.get("/missing")
        async def missing() -> Any:
            return fw.responses.FileResponse(site / "missing")

        app.mount("/static", fw.staticfiles.StaticFiles(directory=site))
        return app

    return make


def alike(make: Make, ask: Ask) -> Answer:
    """Assert that both frameworks answer the same, through each transport; give ferrapi's answer through the last."""
    for transport in USUAL:
        theirs, ours = (_with_fixed_boundary(answers(fw, make, [ask], transport)[0]) for fw in BOTH)
        assert ours == theirs, transport
    return ours


def _with_fixed_boundary(answer: Answer) -> Answer:
    """The boundary between ranges is random."""
    kind = dict(answer.headers).get(b"content-type", b"")
    if kind.startswith(b"multipart/byteranges"):
        boundary = kind.partition(b"boundary=")[2]
        answer.body = answer.body.replace(boundary, b"BOUNDARY")
        answer.headers = [(name, value.replace(boundary, b"BOUNDARY")) for name, value in answer.headers]
    return answer


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret",
        "/static/../static2/x",
        "/static/..",
        "/static/sub/../../secret",
        "/static/%2e%2e/secret",
        "/static/..\\secret",
        "/static//etc/passwd",
        "/static/C:",
        "/static/C:\\x",
        "/static/\\\\host\\share",
        "/static///host/share",
        "/static/CON",
        "/static/NUL.txt",
        "/static/out",
        "/static/x\0",
        "/static/\0",
        "/static/x\0/../../secret",
        "/static/" + "x" * 5000,
        "/static/" + "../" * 500 + "etc/passwd",
        "/static/x/y",
        "/static/sub",
        "/static2/x",
        "/staticx",
        "/static",
    ],
    ids=lambda path: ascii(path[:30]),
)
def test_nothing_outside_of_the_directory(site: Path, path: str) -> None:
    answer = alike(serving(site), Ask(path=path))
    assert answer.status in (307, 404), answer
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "path", ["/static/x", "/static/sub/x", "/static/sub/../x", "/static/..hidden", "/static/./x", "/static/x/"]
)
def test_what_is_inside_is_served(site: Path, path: str) -> None:
    assert alike(serving(site), Ask(path=path)).status == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/static/x", "/static/missing", "/file"])
def test_methods(site: Path, method: str, path: str) -> None:
    alike(serving(site), Ask(method, path, headers=[(b"range", b"bytes=0-1")]))


def ranges(count: int) -> bytes:
    """A header with as many ranges, of one byte each and apart."""
    return b"bytes=" + b",".join(b"%d-%d" % (3 * number, 3 * number) for number in range(count))


RANGES: list[tuple[bytes, int]] = [
    (b"bytes=0-0", 206),
    (b"bytes=0-", 206),
    (b"bytes=-5", 206),
    (b"bytes=-0", 416),
    (b"bytes=-99999", 206),
    (b"bytes=2999-99999", 206),
    (b"bytes=3000-", 416),
    (b"bytes=99999-", 416),
    (b"bytes=5-2", 400),
    (b"bytes=a-b", 400),
    (b"bytes=--5", 416),
    (b"bytes=", 400),
    (b"bytes", 400),
    (b"", 400),
    (b"items=0-5", 400),
    (b"BYTES=0-5", 206),
    (b"bytes=0-5,", 206),
    (b"bytes=,,0-5", 206),
    (b"bytes= 0-5 , 10-20 ", 206),
    (b"bytes=0-5,3-9", 206),
    (b"bytes=0-5,6-9", 206),
    (b"bytes=10-20,0-5", 206),
    (b"bytes=0-5,99999-", 416),
    (b"bytes=0-5,5-2", 400),
    (b"bytes=" + b"9" * 5000 + b"-", 400),
    (b"bytes=0-" + b"9" * 5000, 400),
    (b"bytes=\xb2-", 400),
    (ranges(100), 206),
    (ranges(101), 200),
    (b"bytes=" + b"0-," * 16_000, 200),
    (b"bytes=" + b"," * 65_536, 200),
    (b"bytes=" + b"0-0,2-2," * 8_000, 200),
]


@pytest.mark.parametrize("path", ["/file", "/static/x"])
@pytest.mark.parametrize("row", RANGES, ids=lambda row: ascii(row[0][:30]))
def test_ranges(site: Path, path: str, row: tuple[bytes, int]) -> None:
    header, status = row
    answer = alike(serving(site), Ask(path=path, headers=[(b"range", header)]))
    assert answer.status == status
    assert len(answer.body) <= 2 * SIZE + 100 * 120
    if status == 416:
        assert (b"content-range", b"bytes */3000") in answer.headers


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/partly", []),
        ("/file", [(b"if-range", b'W/"weak"')]),
        ("/file", [(b"if-range", b'"other"')]),
        ("/file", [(b"if-range", b"Tue, 14 Nov 2023 22:13:19 GMT")]),
        ("/file", [(b"if-range", b"")]),
    ],
)
def test_ranges_that_do_not_count(site: Path, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    answer = alike(serving(site), Ask(path=path, headers=[(b"range", b"bytes=0-1"), *headers]))
    assert (answer.status, len(answer.body)) == (203 if path == "/partly" else 200, SIZE)


def test_the_condition_of_a_range_may_be_the_tag_or_the_date(site: Path) -> None:
    headers = dict(alike(serving(site), Ask(path="/file")).headers)
    for name in (b"etag", b"last-modified"):
        asked = [(b"range", b"bytes=0-1"), (b"if-range", headers[name])]
        assert alike(serving(site), Ask(path="/file", headers=asked)).status == 206
    weak = [(b"range", b"bytes=0-1"), (b"if-range", b"W/" + headers[b"etag"])]
    assert alike(serving(site), Ask(path="/file", headers=weak)).status == 200


@pytest.mark.parametrize(
    "header", [b"Tue, 14 Nov 2023 22:13:20 GMT", b"x", b"", b"(" * 100_000, b"(a)" * 20_000, b"9" * 10_000]
)
def test_dates_that_are_none_are_no_condition(site: Path, header: bytes) -> None:
    answer = alike(serving(site), Ask(path="/static/x", headers=[(b"if-modified-since", header)]))
    assert answer.status == (304 if header.startswith(b"Tue") else 200)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\r\nX: y", "a;b", "é", "\ud800", "a\0b", "../../x", "a" * 5000, ""])
def test_a_file_name_is_one_parameter_of_its_header(site: Path, name: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/")
        async def named() -> Any:
            return fw.responses.FileResponse(site / "x", filename=name)

        return app

    answer = alike(make, Ask())
    for header, value in answer.headers:
        assert header != b"x"
        assert not set(value) & set(b"\r\n\0")
        if header == b"content-disposition":
            assert re.fullmatch(rb"attachment; filename(=\"[^\";\\]*\"|\*=utf-8''[^\";\\]*)", value)


@pytest.mark.parametrize("header", [b"bytes=0-2999", b"bytes=0-999,2000-2999", None])
def test_a_file_that_becomes_shorter_while_it_is_sent_ends(site: Path, header: bytes | None) -> None:
    """The answer breaks off; nothing waits for bytes that don't come."""

    def make(fw: Framework, log: list[Any]) -> Any:
        class Cut(fw.responses.FileResponse):
            chunk_size = 100

            def set_stat_headers(self, stat_result: os.stat_result) -> None:
                super().set_stat_headers(stat_result)
                os.truncate(site / "x", 500)

        app = fw.FastAPI()

        @app.get("/")
        async def cut() -> Any:
            return Cut(site / "x")

        return app

    headers = [] if header is None else [(b"range", header)]
    answer = answers(FERRAPI, make, [Ask(headers=headers)])[0]
    assert len(answer.body) < SIZE


def test_a_file_that_is_missing_is_an_error_of_the_application(site: Path) -> None:
    answer = alike(serving(site), Ask(path="/missing"))
    assert (answer.status, answer.error) == (500, "RuntimeError")

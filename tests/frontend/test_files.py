"""Which file answers a request: paths, fallbacks, methods, conditional requests and ranges."""

import errno
from pathlib import Path
from typing import Any

import pytest
from starlette.staticfiles import StaticFiles
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import BOTH, FERRAPI

from . import asking
from .asking import PAGE

PATHS = [
    *("/", "", "/main.js", "/index.html", "/.well-known/it", "/with space.txt", "/missing", "/missing.js", "/é"),
    *("/cart", "/cart/", "/cart//", "/cart/index.html", "/cart/index.html/", "/pictures", "/pictures/", "/pipe"),
    *("/main.js/", "/main.js/more", "//main.js", "//", "/./main.js", "/cart/../main.js", "/cart/..", "/alias.js"),
    *("main.js", "cart", "*", "@evil.example", "//evil.example/..", "/%63art", "/main.js\n", "/MAIN.JS"),
]
HOSTILE = [
    *("/../outside.txt", "/..", "/../", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/..%5coutside.txt"),
    *("/\\..\\outside.txt", "/..\\outside.txt", "/../shop-old/leak.txt", "/cart/../../outside.txt", "/escape.txt"),
    *(
        "//etc/passwd",
        "/etc/passwd",
        "///etc/passwd",
        "//host/share",
        "\\\\host\\share",
        "/C:/x",
        "C:",
        "/CON",
        "/NUL.txt",
    ),
    *("/a\0b", "/\0", "/" + "n" * 300, "/" + "n" * 5_000, "/" + "d/" * 2_500, "/.../outside.txt", "/\udcff"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "get"]


@pytest.mark.parametrize("fallback", ["auto", "index.html", None])
def test_paths(sites: Path, fallback: Any) -> None:
    make = asking.site(sites / "shop", fallback=fallback)
    compare(make, [Ask(path=path, headers=headers) for path in PATHS for headers in (PAGE, [])])


@pytest.mark.parametrize("fallback", ["auto", "index.html", None])
def test_never_leaves_the_directory(sites: Path, fallback: Any) -> None:
    asks = [Ask(method, path, headers=PAGE) for path in HOSTILE for method in ("GET", "HEAD", "POST")]
    for answer in compare(asking.site(sites / "shop", fallback=fallback), asks):
        assert answer.body in (b"<h1>shop</h1>", b"") or answer.status in (404, 405), answer
        assert not any(secret in answer.body for secret in (b"outside", b"leak", b"root:"))


@pytest.mark.parametrize("directory", ["shop", "desk", "lost", "bare", "empty", "odd"])
@pytest.mark.parametrize("fallback", ["auto", "index.html", "404.html", None])
def test_fallbacks(sites: Path, directory: str, fallback: Any) -> None:
    """By directory and fallback mode. A fallback file that is missing is an error, whose class is checked elsewhere."""
    make = asking.site(sites / directory, fallback=fallback, check_dir=False)
    asks = [
        Ask(method, path, headers=headers)
        for path in ("/", "/missing")
        for method in ("GET", "HEAD", "POST")
        for headers in (PAGE, [], [(b"accept", b"*/*")])
    ]
    theirs, ours = (answers(fw, make, asks) for fw in BOTH)
    for expected, actual in zip(theirs, ours, strict=True):
        assert isinstance(actual.exception, RuntimeError) == isinstance(expected.exception, RuntimeError)
        actual.error = expected.error
        assert actual == expected


def test_missing_fallback_is_named(sites: Path) -> None:
    make = asking.site(sites / "bare", fallback="404.html", check_dir=False)
    [answer] = answers(FERRAPI, make, [Ask(path="/missing")])
    assert answer.status == 500
    assert "'404.html'" in str(answer.exception)
    assert str(sites / "bare") in str(answer.exception)


@pytest.mark.parametrize("directory", ["absent", "outside.txt"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_directory_that_is_missing_at_a_request(sites: Path, directory: str, method: str) -> None:
    compare(asking.site(sites / directory, check_dir=False), [Ask(method, "/main.js")])


def test_directory_that_appears_later(tmp_path: Path) -> None:
    def build(app: Any) -> None:
        (tmp_path / "dist").mkdir(exist_ok=True)
        (tmp_path / "dist/index.html").write_text("built")

    for fw in BOTH:
        (tmp_path / "dist/index.html").unlink(missing_ok=True)
        (tmp_path / "dist").rmdir() if (tmp_path / "dist").exists() else None
        make = asking.site(tmp_path / "dist", check_dir=False)
        before, after = answers(fw, make, [Ask(), Ask(before=build)])
        assert (before.status, after.status, after.body) == (500, 200, b"built")


@pytest.mark.parametrize("method", METHODS)
def test_methods(sites: Path, method: str) -> None:
    asks = [Ask(method, path, headers=PAGE) for path in [*PATHS, *HOSTILE]]
    compare(asking.site(sites / "shop"), asks)


CONDITIONS = [
    *("if-none-match: *", 'if-none-match: "other"', "if-modified-since: Tue, 14 Nov 2023 22:13:20 GMT"),
    *("if-modified-since: Mon, 13 Nov 2023 22:13:20 GMT", "if-modified-since: yesterday"),
    *(
        "range: bytes=0-1",
        "range: bytes=2-",
        "range: bytes=-2",
        "range: bytes=99-",
        "range: bytes=2-1",
        "range: lines=1-2",
    ),
    *("range: bytes=0-1\nif-range: other", "range: bytes=0-1\nif-none-match: *"),
]


@pytest.mark.parametrize("directory", ["shop", "desk"])
@pytest.mark.parametrize("path", ["/", "/note.txt", "/main.js", "/cart/", "/missing"])
def test_conditions_and_ranges(sites: Path, directory: str, path: str) -> None:
    """Also of fallback pages, those with status 404 included."""
    asks = [
        Ask(method, path, headers=PAGE + [asking.header(line) for line in condition.splitlines()])
        for condition in CONDITIONS
        for method in ("GET", "HEAD", "POST")
    ]
    compare(asking.site(sites / directory), asks)


def test_entity_tag_comes_back(sites: Path) -> None:
    make = asking.site(sites / "shop")
    [first] = answers(FERRAPI, make, [Ask(path="/main.js")])
    tag = dict(first.headers)[b"etag"]
    [again] = answers(FERRAPI, make, [Ask(path="/main.js", headers=[(b"if-none-match", tag)])])
    assert (again.status, again.body) == (304, b"")


def test_several_ranges(sites: Path) -> None:
    """The separator is random, so the parts are compared without it."""
    make = asking.site(sites / "shop")
    bodies = []
    for fw in BOTH:
        [answer] = answers(fw, make, [Ask(path="/main.js", headers=[(b"range", b"bytes=0-0,2-3")])])
        boundary = dict(answer.headers)[b"content-type"].partition(b"boundary=")[2]
        bodies.append((answer.status, answer.body.replace(boundary, b"")))
    assert bodies[0] == bodies[1]
    assert bodies[0][0] == 206


ACCEPT = [
    *(
        "text/html",
        "TEXT/Html",
        " text/html ",
        "text / html",
        "text/*",
        "*/*",
        "application/xhtml+xml",
        "application/xml",
    ),
    *("text/html;q=0", "text/html;q=0.000", "text/html;q=-0", "text/html;q=0.5", "text/html;q=-1", "text/html;q=1e-9"),
    *("text/html;q=", "text/html;q", "text/html;q=x", "text/html;q=nan", "text/html;q=0_0", "text/html; Q = 0"),
    *("text/html;level=1", "text/html;level=1;q=0", "text/html;q=0;q=1", "text/html;q=1;q=0", 'text/html;a="b,c;q=0"'),
    *(
        "image/png, text/html",
        "image/png,text/html;q=0,application/xhtml+xml",
        "text/html,text/html;q=0",
        "text/html;q=0,*/*",
    ),
    *("", ",", ";", ",text/html", "text/htmlx", '"text/html"', "html", "*/*;q=0,text/html", "text/html\t;q=1"),
]


@pytest.mark.parametrize("accept", ACCEPT)
def test_accept_decides_about_the_index(sites: Path, accept: str) -> None:
    """It doesn't decide about files, directories and the 404 page."""
    headers = [(b"accept", accept.encode())]
    asks = [Ask(method, path, headers=headers) for path in ("/missing", "/", "/main.js") for method in ("GET", "HEAD")]
    for directory in ("shop", "desk"):
        compare(asking.site(sites / directory), asks)


def test_first_of_several_accept_headers_decides(sites: Path) -> None:
    page, picture = (b"accept", b"text/html"), (b"accept", b"image/png")
    asks = [Ask(path="/missing", headers=headers) for headers in ([page, picture], [picture, page], [])]
    theirs = compare(asking.site(sites / "shop"), asks)
    assert [answer.status for answer in theirs] == [200, 404, 404]


@pytest.mark.parametrize(
    "error", [PermissionError(), ValueError(), OSError(errno.ENAMETOOLONG, ""), OSError(errno.EIO, "broken disk")]
)
def test_errors_of_the_file_system(sites: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Starlette looks files up in both packages, so both see its error."""

    def lookup_path(files: Any, path: str) -> Any:
        raise error

    monkeypatch.setattr(StaticFiles, "lookup_path", lookup_path)
    compare(asking.site(sites / "shop"), [Ask(method, "/main.js", headers=PAGE) for method in ("GET", "HEAD", "POST")])


def test_redirect_to_a_directory_keeps_query_and_origin(sites: Path) -> None:
    asks = [
        Ask(path="/cart", query=b"a=1&b=%20"),
        Ask(path="/cart", headers=[(b"host", b"shop.example:8443")]),
        Ask(path="/cart", headers=[(b"host", b"evil.example/x?")]),
        Ask(path="//cart"),
        Ask(path="/\\cart"),
    ]
    compare(asking.site(sites / "shop"), asks)

"""Forms that other parsers stumbled over: FastAPI's decisions and values, at a cost that grows with the body.

Cost is compared between a body and one eight times as long: a quadratic parser takes sixty-four times as long, and the
factor that is allowed leaves room for a busy machine.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from ferrapi._native import FormParser, FormRefused
from support.asgi import Answer, Ask
from support.compare import answers, compare
from support.frameworks import FERRAPI, Framework

MULTIPART = b"multipart/form-data; boundary=cut"
URLENCODED = b"application/x-www-form-urlencoded"
END = b"\r\n--cut--\r\n"
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """Refused requests are logged; that is tested elsewhere."""


def receiving(fw: Framework, log: list[Any]) -> Any:
    """An application that shows the whole of a form, and one that declares what it takes."""
    app = fw.FastAPI()

    @app.post("/all")
    async def everything(request: fw.Request) -> Any:
        async with request.form() as form:
            return [
                [name, value] if isinstance(value, str) else [name, value.filename, value.size, value.content_type]
                for name, value in form.multi_items()
            ]

    @app.post("/declared")
    async def declared(a: Annotated[str, fw.Form()], x: Annotated[str, fw.Form()] = "") -> Any:
        log.append("called")
        return [len(a), a[:50], x]

    @app.post("/file")
    async def file(a: fw.UploadFile) -> Any:
        log.append("called")
        return [a.filename, a.size, a.content_type, (await a.read(50)).decode("latin-1")]

    @app.post("/files")
    async def files(a: list[fw.UploadFile]) -> Any:
        return len(a)

    @app.post("/limited", max_body_size=10 * MIB)
    async def limited(request: fw.Request) -> Any:
        async with request.form() as form:
            return len(form.multi_items())

    @app.post("/limited declared", max_body_size=10 * MIB)
    async def limited_declared(a: Annotated[list[str], fw.Form()]) -> Any:
        return len(a)

    return app


def part(content: bytes = b"1", disposition: bytes = b'form-data; name="a"', *lines: bytes) -> bytes:
    """One part, with the delimiter before it and the line break after it."""
    return b"\r\n".join([b"--cut", b"Content-Disposition: " + disposition, *lines, b"", content, b""])


def whole(*parts: bytes) -> bytes:
    """A body of these parts."""
    return b"".join(parts) + b"--cut--\r\n"


def post(path: str, body: bytes, content_type: bytes = MULTIPART, size: int = 65536) -> Ask:
    """The body as a server hands it over."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return Ask("POST", path, headers=[(b"content-type", content_type)], body=pieces)


def alike(path: str, body: bytes, content_type: bytes = MULTIPART) -> Answer:
    """Assert that both frameworks answer the same; give the answer."""
    return compare(receiving, [post(path, body, content_type)])[0]


FILENAMES = [
    b"../../etc/passwd", b"..%2f..%2fx", b"%2e%2e/x", b"C:\\dir\\x.txt", b"\\\\host\\share\\x", b"c:/x", b"/etc/passwd",
    b"a\0b", b"\xe2\x88\x95x", b"\xef\xbc\x8fx", b"\xff\xfe", b"", b".", b"..", b"a;b", b"a\\\"b", b"x" * 4000,
    b"a\tb", b"\xc3\xa9", b"CON", b"a=b", b"'a'", b"a b ",
]  # fmt: skip


@pytest.mark.parametrize("filename", FILENAMES, ids=lambda name: ascii(name[:20]))
def test_a_file_name_is_what_was_sent(filename: bytes) -> None:
    body = whole(part(b"content", b'form-data; name="a"; filename="' + filename + b'"'))
    assert alike("/file", body).status in (200, 422)
    alike("/all", body)


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (b"form-data; name=\"a\"; filename=\"ok.txt\"; filename*=UTF-8''evil.php", b'["ok.txt",'),
        (b"form-data; filename*=UTF-8''evil.php; name=\"a\"; filename=\"ok.txt\"", b'["ok.txt",'),
        (b"form-data; name*=UTF-8''b; name=\"a\"; filename=\"ok.txt\"", b'["ok.txt",'),
        (b"form-data; name=\"a\"; filename*=UTF-8''evil.php", None),
        (b'attachment; name="a"; filename="x"', b'["x",'),
        (b'form-data; name="a"; filename="x"; filename="y"', b'["y",'),
        (b'form-data; NAME="a"; FileName="x"', b'["x",'),
        (b'form-data; name=a; filename=x', b'["x",'),
        (b'form-data; name="a; filename="x"', None),
        (b'form-data; name="b"; name="a"; filename="x"', b'["x",'),
    ],
)  # fmt: skip
def test_options_of_a_part(disposition: bytes, expected: bytes | None) -> None:
    answer = alike("/file", whole(part(b"content", disposition)))
    if expected is None:
        assert answer.status in (400, 422)
    else:
        assert answer.body.startswith(expected)


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data; boundary=" + b"b" * 256,
        b"multipart/form-data; boundary=" + b"b" * 257,
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary=""',
        b"multipart/form-data",
        b"multipart/form-data; charset=utf-8",
        b"multipart/form-data; boundary=cut; boundary=other",
        b"multipart/form-data; BOUNDARY=cut",
        b'multipart/form-data; boundary="cut"; x=\'',
        b"multipart/form-data;" + b" a=b;" * 16_000,
        b'application/x-www-form-urlencoded; !="' + b"\\" * 65_536,
        b'multipart/form-data; x="' + b'\\"' * 32_768,
        b"multipart/form-data; boundary=cut;" + b'"' * 65_535,
        b"multipart/form-data; boundary*=utf-8''cut",
    ],
    ids=lambda value: ascii(value[:60]),
)
def test_content_types(content_type: bytes) -> None:
    boundary = content_type.rpartition(b"boundary=")[2] if content_type.count(b"boundary=b") else b"cut"
    alike("/all", whole(part()).replace(b"cut", boundary), content_type)
    alike("/declared", whole(part()).replace(b"cut", boundary), content_type)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"X-%d: 1" % number for number in range(7)], 200),
        ([b"X-%d: 1" % number for number in range(8)], 400),
        ([b"X: " + b"x" * (4224 - 3)], 200),
        ([b"X: " + b"x" * (4224 - 2)], 400),
        ([b"X" * 5000], 400),
        ([b"X" * MIB + b": 1"], 400),
        ([b"X y: 1"], 400),
        ([b": 1"], 400),
        ([b"X : 1"], 400),
        ([b"X: a", b" folded"], 400),
        ([b"X: \0"], 200),
        ([b"Content-Disposition: form-data"], 400),
        ([b'Content-Disposition: form-data; name="x"'], 422),
        ([b"Content-Transfer-Encoding: base64"], 200),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_headers_of_a_part(lines: list[bytes], status: int) -> None:
    assert alike("/declared", whole(part(b"aGVsb=", b'form-data; name="a"', *lines))).status == status


@pytest.mark.parametrize("count", [1000, 1001])
@pytest.mark.parametrize("kind", ["fields", "files", "urlencoded"])
def test_a_thousand_of_each(count: int, kind: str) -> None:
    bodies = {
        "fields": (whole(part() * count), MULTIPART),
        "files": (whole(part(b"1", b'form-data; name="a"; filename="f"') * count), MULTIPART),
        "urlencoded": (b"&".join([b"a=1"] * count), URLENCODED),
    }
    path = "/files" if kind == "files" else "/declared"
    for each in ("/all", path):
        assert alike(each, *bodies[kind]).status == (200 if count == 1000 else 400)


@pytest.mark.parametrize("size", [MIB, MIB + 1])
@pytest.mark.parametrize("kind", ["multipart", "urlencoded"])
def test_a_field_of_one_mebibyte(size: int, kind: str) -> None:
    body, content_type = (whole(part(b"x" * size)), MULTIPART)
    if kind == "urlencoded":
        body, content_type = (b"a=" + b"x" * (size - 1), URLENCODED)
    assert alike("/declared", body, content_type).status == (200 if size == MIB else 400)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (whole(part(b"x" * 50 * MIB)), MULTIPART),
        (b"a=" + b"x" * 50 * MIB, URLENCODED),
        (b"&".join([b"a=1"] * 1_000_000), URLENCODED),
        (part() * 100_000, MULTIPART),
        (b"--cut\r\nX: " + b"x" * 10 * MIB, MULTIPART),
        (b"x" * 10 * MIB, MULTIPART),
    ],
    ids=["field", "urlencoded field", "urlencoded fields", "fields", "header", "no boundary"],
)
def test_what_is_too_much_is_refused_while_it_arrives(body: bytes, content_type: bytes) -> None:
    answer = answers(FERRAPI, receiving, [post("/declared", body, content_type)])[0]
    assert (answer.status, answer.log) == (400, [])
    assert answer.reads * 65536 <= 1.2 * MIB


@pytest.mark.parametrize("path", ["/limited", "/limited declared"])
@pytest.mark.parametrize("announced", [None, b"5", b"0"])
def test_the_size_of_a_form_counts_as_a_whole_whatever_was_announced(path: str, announced: bytes | None) -> None:
    body = whole(part(b"x" * (MIB - 100)) * 20)
    headers = [(b"content-type", MULTIPART)] + ([] if announced is None else [(b"content-length", announced)])
    ask = Ask("POST", path, headers=headers, body=[body[at : at + 65536] for at in range(0, len(body), 65536)])
    answer = compare(receiving, [ask], "asgi")[0]
    assert answer.status == 413
    ours = answers(FERRAPI, receiving, [ask])[0]
    assert ours.reads == 10 * MIB // 65536 + 1


@pytest.mark.parametrize(
    "body",
    [
        b"a=user&x=;a=admin",
        b"a=1;b=2&x=3",
        b"a=%",
        b"a=%zz&x=%4",
        b"a=%00&x=%FF",
        b"a=\xff\xfe",
        b"a=%ED%A0%80",
        b"=a&a=1&=",
        b"&&&a=1&&&",
        b"a" * 1000,
        b"a=1&a=2&a=",
        b"a[b]=1&a=1&a.b=2",
        b"a=1\r\n",
        b"a=+%2B+",
        b";" * 1000 + b"a=1",
    ],
    ids=lambda value: ascii(value[:30]),
)
def test_urlencoded_bodies(body: bytes) -> None:
    alike("/all", body, URLENCODED)
    alike("/declared", body, URLENCODED)


@pytest.mark.parametrize(
    "body",
    [
        whole(part()) + b"epilogue" * 100_000,
        whole(part()) + b"\r\n" * 100_000,
        whole(part()) + whole(part(b"2")),
        b"\r\n" * 50_000 + whole(part()),
        b"\r\n" + whole(part()),
        b"preamble\r\n" + whole(part()),
        b"--cut--\r\n",
        b"--cut",
        b"",
        part()[:-2],
        part(),
        part() + b"--cut-",
        part() + b"--cut--",
        part() + b"--cut \t \r\n" + part()[7:] + b"--cut--",
        part() + b"--cut x",
        whole(part(b"\r\n--cu\r\n--cux\r\n--")),
        whole(part(b"\r\r\r\n\r\n\n\r")),
        whole(part()).replace(b"\r\n", b"\n"),
        whole(part()).replace(b"\r\n", b"\r"),
        whole(part()).replace(b"Content-Disposition: ", b"content-disposition:"),
        whole(b"--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n"),
        whole(b"--cut\r\n\r\nx\r\n"),
    ],
    ids=range(22),
)
def test_multipart_bodies(body: bytes) -> None:
    alike("/all", body)
    alike("/declared", body)


@pytest.mark.parametrize("cut", [0, 2, 5, 7, 20, 60, 70])
def test_a_body_that_ends_early_is_a_form_without_its_last_part(cut: int) -> None:
    body = whole(part(b"whole", b'form-data; name="x"'), part(b"half"))
    alike("/declared", body[: len(body) - cut])


HOSTILE: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    "carriage returns": lambda n: (MULTIPART, part(b"\r" * n, b'form-data; name="a"; filename="f"')),
    "line breaks": lambda n: (MULTIPART, part(b"\r\n" * (n // 2), b'form-data; name="a"; filename="f"')),
    "almost delimiters": lambda n: (MULTIPART, part(b"\r\n--cu" * (n // 6), b'form-data; name="a"; filename="f"')),
    "no delimiters": lambda n: (MULTIPART, part(b"\r\n--cutx" * (n // 8), b'form-data; name="a"; filename="f"')),
    "preamble": lambda n: (MULTIPART, b"\r\n" * (n // 2)),
    "epilogue": lambda n: (MULTIPART, whole(part()) + b"\r\n--cut" * (n // 7)),
    "semicolons": lambda n: (URLENCODED, b"a;" * (n // 2)),
    "ampersands": lambda n: (URLENCODED, b"&" * n),
    "escapes": lambda n: (URLENCODED, b"a=" + b"%" * n),
}  # fmt: skip


def cost(content_type: bytes, body: bytes, piece: int) -> float:
    """Processor seconds for the body in such pieces: the best of three."""

    def once() -> float:
        parser = FormParser(content_type, 1000, 1000, 1 << 40)
        begin = time.process_time()
        try:
            for at in range(0, len(body), piece):
                parser.feed(body[at : at + piece])
            parser.finish()
        except FormRefused:
            pass
        return time.process_time() - begin

    return min(once() for _ in range(3))


@pytest.mark.parametrize("piece", [1, 7, 65536])
@pytest.mark.parametrize("kind", HOSTILE)
def test_the_cost_of_a_form_grows_with_its_size(kind: str, piece: int) -> None:
    size = 30_000 if piece == 1 else 200_000 if piece == 7 else 2 * MIB
    small, large = (cost(*HOSTILE[kind](each), piece) for each in (size, 8 * size))
    assert large <= 30 * small + 0.05  # what sixteen fresh MiB of memory may cost by themselves


def test_the_cost_of_a_content_type_grows_with_its_size() -> None:
    def seconds(count: int) -> float:
        header = b'application/x-www-form-urlencoded; x="' + b'\\";' * count
        begin = time.process_time()
        for _ in range(5):
            FormParser(header, 1, 1, 1)
        return time.process_time() - begin

    small, large = (min(seconds(count) for _ in range(3)) for count in (100_000, 800_000))
    assert large <= 30 * small + 0.01

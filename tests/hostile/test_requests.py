"""What hostile requests get. Rows are input and expected answer; where FastAPI has the same answer, both run."""

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from ferrapi.compile.large_values import LARGE
from support.asgi import Answer, Ask
from support.compare import Make, answers, compare
from support.frameworks import FERRAPI, Framework

JSON = [(b"content-type", b"application/json")]


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """Refused requests are logged; that is tested elsewhere."""


@pytest.fixture
def ours() -> Iterator[Framework]:
    """ferrapi, for the answers that it gives on purpose and FastAPI doesn't."""
    return FERRAPI


def one(fw: Framework, make: Make, ask: Ask) -> Answer:
    """The answer to one request."""
    return answers(fw, make, [ask])[0]


def echo(fw: Framework, log: list[Any]) -> Any:
    """An application that takes one of everything."""
    app = fw.FastAPI()

    @app.get("/path/{p}")
    async def path(p: str) -> Any:
        return p

    @app.get("/int/{p}")
    async def integer(p: int) -> Any:
        return p

    @app.get("/conv/{p:int}")
    async def convertor(p: int) -> Any:
        return p

    @app.get("/query")
    async def query(q: list[str] = fw.Query([]), n: int = 0) -> Any:
        return [q[:3], n]

    @app.get("/header")
    async def header(x_auth: Annotated[str | None, fw.Header()] = None) -> Any:
        return x_auth

    @app.get("/cookie")
    async def cookie(
        sid: Annotated[str | None, fw.Cookie()] = None, host: str | None = fw.Cookie(None, alias="__Host-x")
    ) -> Any:
        return [sid, host]

    @app.post("/items")
    async def items(body: list[int]) -> Any:
        log.append("called")
        return len(body)

    @app.post("/any")
    async def anything(body: Any = fw.Body()) -> Any:
        log.append("called")
        return body

    @app.post("/model")
    async def model(body: dict[str, int]) -> Any:
        log.append("called")
        return body

    @app.get("/url")
    async def url(request: fw.Request) -> Any:
        return [str(request.url), request.url.path, request.url.hostname]

    return app


class TestContentTypes:
    """A body is JSON only if the client says so: a form or a text of another site must not be read as one."""

    @pytest.mark.parametrize(
        "content_type",
        [
            b"text/plain",
            b"application/x-www-form-urlencoded",
            b"multipart/form-data",
            b"application/jsonx",
            b"application/json,text/plain",
            b"text/plain; application/json",
            b"\xff/json",
            b"json",
            b"",
            None,
        ],
    )
    def test_refused(self, framework: Framework, content_type: bytes | None) -> None:
        headers = [] if content_type is None else [(b"content-type", content_type)]
        answer = one(framework, echo, Ask("POST", "/model", headers=headers, body=(b'{"a": 1}',)))
        assert (answer.status, answer.log) == (422, [])

    @pytest.mark.parametrize(
        "content_type",
        [b"application/vnd.api+json", b"APPLICATION/JSON", b"application/json;charset=utf-16", b"application/a+json;x"],
    )
    def test_accepted(self, framework: Framework, content_type: bytes) -> None:
        answer = one(
            framework, echo, Ask("POST", "/model", headers=[(b"content-type", content_type)], body=(b'{"a": 1}',))
        )
        assert (answer.status, answer.log) == (200, ["called"])


class TestPaths:
    """A path means what it says and no more."""

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/path/a\n", 200),
            ("/path/..", 200),
            ("/path/a/../b", 404),
            ("/path/", 404),
            ("//path/a", 404),
            ("/PATH/a", 404),
            ("/path/a\x00", 200),
            ("/int/1\n", 200),
            ("/conv/1\n", 200),  # Starlette's patterns end in `$`, which a newline may follow
            ("/header\n", 200),
            ("/conv/\u0661", 404),
            ("/conv/-1", 404),
            ("/path\n/a", 404),
            ("path/a", 404),
            ("/int/" + "9" * 4301, 422),
            ("@evil.test", 404),
            ("//evil.test/query", 404),
        ],
    )
    def test_status(self, framework: Framework, path: str, status: int) -> None:
        assert one(framework, echo, Ask(path=path)).status == status

    @pytest.mark.parametrize(
        "path",
        ["//evil.test/query/", "/\\evil.test/", "/%2fevil.test/..%2f/", "//evil.test//", "@evil.test/", "///query/"],
    )
    def test_no_redirect_to_another_host(self, path: str) -> None:
        answer = compare(echo, [Ask(path=path, headers=[(b"host", b"good.test")])])[0]
        location = dict(answer.headers).get(b"location", b"http://good.test/")
        assert location.startswith(b"http://good.test/")

    @pytest.mark.parametrize(
        "host",
        [
            b"x/abc?bar=",
            b"a b",
            b"a\\b",
            b"a@b",
            b"[::1",
            b"a:99999",
            b"a:b",
            b",",
            b"",
            b"[::1]:8000",
            b"good.test:80",
        ],
    )
    def test_a_host_never_changes_the_path(self, host: bytes) -> None:
        answer = compare(echo, [Ask(path="/url", headers=[(b"host", host)])])[0]
        assert json.loads(answer.body)[1] == "/url"


class TestQueries:
    """Queries that are long, odd or repeated."""

    @pytest.mark.parametrize(
        "query",
        [
            b"q=a;n=1",
            b"q=%00",
            b"q=%FF%FE",
            b"q=\xff",
            b"q=%",
            b"q=%u0041",
            b"q[]=1",
            b"n=" + b"9" * 4300,
            b"n=" + b"9" * 4301,
            b"=&==&q",
            b"&" * 5000,
            b"q=" + b"%41" * 5000,
            b"+=+",
            b"n=0x10",
            b"n=1e5",
            b"n=%E2%80%AF1",
            b"n=inf",
        ],
    )
    def test_same_as_fastapi(self, query: bytes) -> None:
        compare(echo, [Ask(path="/query", query=query)])

    def test_at_most_10_000_parameters(self, ours: Framework) -> None:
        fits = one(ours, echo, Ask(path="/query", query=b"&".join([b"q=1"] * 10_000)))
        over = one(ours, echo, Ask(path="/query", query=b"&".join([b"q=1"] * 10_001)))
        assert fits.status == 200
        assert over.status == 400
        assert json.loads(over.body).keys() == {"detail"}

    def test_the_limit_counts_what_nobody_declared(self, ours: Framework) -> None:
        answer = one(ours, echo, Ask(path="/query", query=b"&".join(b"x%d=" % number for number in range(20_000))))
        assert answer.status == 400

    def test_a_route_without_query_parameters_is_not_concerned(self, ours: Framework) -> None:
        assert one(ours, echo, Ask(path="/path/a", query=b"&" * 50_000)).status == 200


class TestHeaders:
    """Header names and values are taken as they are."""

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ([(b"x_auth", b"1")], None),
            ([(b"x-auth", b"1"), (b"x-auth", b"2")], "1"),
            ([(b"x-auth", b"\xff\x00")], "\xff\x00"),
            ([(b"x-auth", b"")], ""),
            ([(b"x-auth", b"a, b")], "a, b"),
            ([(b"x-auth ", b"1")], None),
            ([(b"", b"1")], None),
        ],
    )
    def test_values(self, framework: Framework, headers: list[tuple[bytes, bytes]], expected: str | None) -> None:
        assert json.loads(one(framework, echo, Ask(path="/header", headers=headers)).body) == expected


class TestCookies:
    """Cookies: nothing takes the place of a protected name, and their number is limited."""

    @pytest.mark.parametrize(
        ("cookie", "expected"),
        [
            (b"=__Host-x=2", [None, None]),
            (b"__Host-x=1; =__Host-x=2", [None, "1"]),
            (b"sid=1; sid=2", ["2", None]),
            (b'sid="a;b"', ['"a', None]),
            (b'sid="\\073"', [";", None]),
            (b"sid", [None, None]),
            (b" sid = 1 ", ["1", None]),
            (b"sid=a=b", ["a=b", None]),
            (b"SID=1", [None, None]),
            (b"\x00sid=1", [None, None]),
            (b"sid=\xe9", ["\xe9", None]),
        ],
    )
    def test_values(self, framework: Framework, cookie: bytes, expected: list[Any]) -> None:
        assert json.loads(one(framework, echo, Ask(path="/cookie", headers=[(b"cookie", cookie)])).body) == expected

    def test_at_most_1_000_cookies_of_64_kib(self, ours: Framework) -> None:
        rows = [
            ([b"; ".join([b"a=1"] * 1_000)], 200),
            ([b"; ".join([b"a=1"] * 1_001)], 400),
            ([b"; ".join([b"a=1"] * 600)] * 2, 400),
            ([b"a=" + b"x" * (64 * 1024 - 2)], 200),
            ([b"a=" + b"x" * (64 * 1024 - 1)], 400),
            ([b"a=" + b"x" * 40_000] * 2, 400),
        ]
        for values, status in rows:
            answer = one(ours, echo, Ask(path="/cookie", headers=[(b"cookie", value) for value in values]))
            assert answer.status == status
            if status == 400:
                assert json.loads(answer.body).keys() == {"detail"}

    def test_a_route_without_cookies_is_not_concerned(self, ours: Framework) -> None:
        assert one(ours, echo, Ask(path="/header", headers=[(b"cookie", b"a=1;" * 50_000)])).status == 200

    def test_quoted_values_cost_their_length(self, ours: Framework) -> None:
        """Undoing escapes is one pass (CVE-2024-7592 was one pass for each): counted in bytes of Python's own work."""
        steps = [_lines_run(lambda size=size: _cookie(ours, size)) for size in (1_000, 2_000, 16_000)]
        assert steps[1] <= 2.2 * steps[0]
        assert steps[2] <= 2.2 * steps[0]


def _cookie(fw: Framework, size: int) -> Answer:
    return one(fw, echo, Ask(path="/cookie", headers=[(b"cookie", b'sid="' + b"\\" * size + b'"')]))


def _lines_run(function: Any) -> int:
    """How many lines of Python a call runs: a count that repeats, unlike seconds."""
    function()
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)
    return count


class TestJson:
    """JSON is what the standard library says it is; reports of errors are bounded and can always be written."""

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b'{"a": 1, "a": 2}', 200),
            ('{"a": 1}'.encode("utf-16"), 200),
            ('{"a": 1}'.encode("utf-32-be"), 200),
            (b'\xef\xbb\xbf{"a": 1}', 200),
            (b'{"a": 1', 422),
            (b'{"a": ' + b"9" * 4300 + b"}", 200),
            (b'{"a": ' + b"9" * 4301 + b"}", 400),
            (b"\xff", 400),
            (b"[" * 100_000, 400),
        ],
    )
    def test_status(self, framework: Framework, body: bytes, status: int) -> None:
        assert one(framework, echo, Ask("POST", "/model", headers=JSON, body=(body,))).status == status

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            (b'["\\ud800"]', b'"input":"\\ud800"'),
            (b"[NaN]", b'"input":null'),
            (b"[-Infinity]", b'"input":null'),
            (b"[1e400]", b'"input":null'),
        ],
    )
    def test_a_report_that_fastapi_cannot_write(self, ours: Framework, body: bytes, shown: bytes) -> None:
        answer = one(ours, echo, Ask("POST", "/items", headers=JSON, body=(body,)))
        assert answer.status == 422
        assert shown in answer.body
        json.loads(answer.body)

    @pytest.mark.parametrize("size", [400, 1_000, 1_600, 5_000, 50_000])
    def test_a_report_has_at_most_1_000_errors_and_four_times_the_body(self, ours: Framework, size: int) -> None:
        body = json.dumps(["x"] * size).encode()
        answer = one(ours, echo, Ask("POST", "/items", headers=JSON, body=(body,)))
        detail = json.loads(answer.body)["detail"]
        assert answer.status == 422
        assert len(answer.body) <= min(1024 * 1024, max(64 * 1024, 4 * len(body)))
        if size == 400:
            assert len(detail) == size
            return
        assert len(detail) <= 1_001
        assert detail[-1]["type"] == "errors_truncated"
        if len(body) <= LARGE:  # or nobody has counted them
            assert detail[-1]["ctx"] == {"left_out": size - len(detail) + 1}

    def test_a_report_does_not_repeat_a_large_input_for_each_error(self, ours: Framework) -> None:
        body = json.dumps([{"x": "y" * 2_000}] * 500).encode()
        answer = one(ours, echo, Ask("POST", "/items", headers=JSON, body=(body,)))
        assert answer.status == 422
        assert len(answer.body) <= 1024 * 1024 + 1024

    def test_body_chunks_are_read_once_each(self, framework: Framework) -> None:
        counts = []
        for chunks in (100, 200, 1_600):
            answer = one(framework, echo, Ask("POST", "/any", headers=JSON, body=(b"[", *[b" "] * chunks, b"]")))
            assert (answer.status, answer.reads) == (200, chunks + 2)
            counts.append(_lines_run(lambda chunks=chunks: _chunked(framework, chunks)) / chunks)
        assert counts[2] <= 1.1 * counts[0]


def _chunked(fw: Framework, chunks: int) -> Answer:
    return one(fw, echo, Ask("POST", "/any", headers=JSON, body=(b"[", *[b" "] * chunks, b"]")))


class TestManyHeaders:
    """The work for headers grows with their number, not faster."""

    def test_equal_headers(self, ours: Framework) -> None:
        def ask(count: int) -> Answer:
            return one(ours, echo, Ask(path="/header", headers=[(b"x-auth", b"1")] * count))

        counts = [_lines_run(lambda count=count: ask(count)) for count in (1_000, 2_000, 20_000)]
        assert counts[1] <= 2.2 * counts[0]
        assert counts[2] <= 22 * counts[0]

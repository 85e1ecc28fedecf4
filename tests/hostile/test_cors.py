"""Cross-origin requests: who may read an answer is decided by the origin as a whole, and caches are told so."""

from typing import Any

import pytest
from support.asgi import Ask
from support.compare import USUAL, Make, compare
from support.frameworks import Framework

OPTIONS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "anybody": {"allow_origins": ["*"]},
    "anybody with credentials": {"allow_origins": ["*"], "allow_credentials": True},
    "one": {"allow_origins": ["https://a.example.com"]},
    "one with credentials": {"allow_origins": ["https://a.example.com"], "allow_credentials": True},
    "pattern": {"allow_origin_regex": r"https://.*\.example\.com"},
    "pattern with credentials": {"allow_origin_regex": r"https://.*\.example\.com", "allow_credentials": True},
    "null": {"allow_origins": ["null"]},
    "methods": {"allow_origins": ["*"], "allow_methods": ["GET", "PUT"]},
    "all methods": {"allow_origins": ["*"], "allow_methods": ["*"]},
    "headers": {"allow_origins": ["https://a.example.com"], "allow_headers": ["X-One"], "allow_methods": ["*"]},
    "all headers": {"allow_origins": ["*"], "allow_headers": ["*"], "allow_credentials": True, "allow_methods": ["*"]},
    "exposed": {"allow_origins": ["*"], "expose_headers": ["X-One", "X-Two"], "max_age": 0},
    "private network": {"allow_origins": ["*"], "allow_private_network": True},
}
ORIGINS = [
    None,
    b"https://a.example.com",
    b"https://b.example.com",
    b"https://a.example.com.evil.com",
    b"https://a.example.com\n",
    b"http://a.example.com",
    b"https://A.example.com",
    b"null",
    b"",
    b"*",
    b"\xff",
    b"https://" + b"a." * 30_000 + b"example.co",
]
PREFLIGHTS: list[tuple[tuple[bytes, bytes], ...]] = [
    ((b"access-control-request-method", b"PUT"),),
    ((b"access-control-request-method", b"GET"), (b"access-control-request-headers", b"x-one, Content-Type")),
    ((b"access-control-request-method", b"GET"), (b"access-control-request-headers", b"x-other")),
    ((b"access-control-request-method", b"BAD\x01"),),
    ((b"access-control-request-method", b"GET"), (b"access-control-request-private-network", b"true")),
    ((b"access-control-request-method", b"GET"), (b"access-control-request-headers", b",".join([b"x-one"] * 5000))),
]


def shared(name: str) -> Make:
    """An application with one policy; its endpoint sets a ``Vary`` and a cookie of its own."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.add_middleware(fw.module("middleware.cors").CORSMiddleware, **OPTIONS[name])

        @app.get("/")
        async def varied(response: fw.Response) -> str:
            log.append("called")
            response.headers["vary"] = "Accept"
            response.set_cookie("a", "b")
            return "answer"

        @app.get("/fails")
        async def fails() -> str:
            raise fw.HTTPException(403)

        return app

    return make


@pytest.mark.parametrize("transport", USUAL)
@pytest.mark.parametrize("name", OPTIONS)
def test_every_policy_answers_every_origin_alike(name: str, transport: str) -> None:
    headers = [[] if origin is None else [(b"origin", origin)] for origin in ORIGINS]
    cookie = (b"cookie", b"a=b")
    simple = [Ask(path=path, headers=[*each, cookie]) for each in headers for path in ("/", "/fails", "/missing")]
    preflights = [Ask("OPTIONS", headers=[*each, *asked]) for each in headers for asked in PREFLIGHTS]
    compare(shared(name), [*simple, *preflights], transport)


@pytest.mark.parametrize("name", ["one", "one with credentials", "pattern", "pattern with credentials"])
def test_who_may_read_is_told_to_caches_and_to_nobody_else(name: str) -> None:
    for origin in ORIGINS:
        headers = [] if origin is None else [(b"origin", origin)]
        answer = compare(shared(name), [Ask(headers=headers)])[0]
        allowed = dict(answer.headers).get(b"access-control-allow-origin")
        matching = "pattern" in name and origin in (b"https://b.example.com", b"https://A.example.com")
        good = origin == b"https://a.example.com" or matching
        assert allowed == (origin if good else None)
        assert not good or b"Origin" in dict(answer.headers)[b"vary"]

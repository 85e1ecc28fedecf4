"""Which credentials each scheme accepts, and how it refuses: header by header as in FastAPI."""

import asyncio
import base64
from typing import Any

import pytest
from _oracle import Framework, same
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection, Request


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


HEADERS: list[str | None] = [
    None, "", " ", "Bearer", "Bearer ", "Bearer  x", "bearer x", "BEARER x y", "Bearer x ", " Bearer x", "Bearer\tx",
    "Bearer,x", "Basic", "Basic ", "Basic x", "basic " + encoded("u:p"), "Basic " + encoded("u:p"),
    "Basic " + encoded("u"), "Basic " + encoded("u:p:q"), "Basic " + encoded(":"), "Basic " + encoded("é:ü"),
    "Basic " + encoded(b"\xe9:\xfc"), "Basic " + encoded(b"\xff:\xff"), "Basic " + encoded("user:pass")[:-1],
    "Basic  " + encoded("u:p"), "Basic " + encoded("u:p") + " ", "Basic " + encoded("u:p") + "=", "Basic !!!!",
    "Basic é", "Basic u\tp", "Basic " + encoded("a\0b:c"), "Digest", "Digest x", 'digest username="a"', "DIGEST x",
    "Other x", "Other", "Negotiate abc def", "x" * 100, "ß x", "Bearer ÿþ",
]  # fmt: skip

SCHEMES: dict[str, Any] = {
    "base": lambda security, **options: security.HTTPBase(scheme="Other", **options),
    "base of two words": lambda security, **options: security.HTTPBase(scheme="foo bar", **options),
    "basic": lambda security, **options: security.HTTPBasic(**options),
    "basic with a realm": lambda security, **options: security.HTTPBasic(realm="the realm", **options),
    "basic with an empty realm": lambda security, **options: security.HTTPBasic(realm="", **options),
    "bearer": lambda security, **options: security.HTTPBearer(**options),
    "digest": lambda security, **options: security.HTTPDigest(**options),
    "oauth2": lambda security, **options: security.OAuth2(**options),
    "password": lambda security, **options: security.OAuth2PasswordBearer("token", **options),
    "code": lambda security, **options: security.OAuth2AuthorizationCodeBearer("authorize", "token", **options),
    "openid": lambda security, **options: security.OpenIdConnect(openIdConnectUrl="/openid", **options),
    "query": lambda security, **options: security.APIKeyQuery(name="key", **options),
    "header": lambda security, **options: security.APIKeyHeader(name="X-Key", **options),
    "cookie": lambda security, **options: security.APIKeyCookie(name="key", **options),
}
AUTHORIZATION = [name for name in SCHEMES if name not in ("query", "header", "cookie")]


class Names:
    """The names of `security` and of its modules in one place."""

    def __init__(self, framework: Framework) -> None:
        self._framework = framework

    def __getattr__(self, name: str) -> Any:
        module = self._framework.security
        return getattr(module, name, None) or getattr(module.http, name)


def connection(headers: list[tuple[str, str]], query: bytes = b"", kind: str = "http") -> HTTPConnection:
    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "query_string": query,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    return Request(scope) if kind == "http" else HTTPConnection(scope)


def decision(scheme: str, request: HTTPConnection, **options: Any) -> Any:
    """What a scheme makes of a request: a value, or the error with its headers and cause."""

    def question(framework: Framework) -> Any:
        dependency = SCHEMES[scheme](Names(framework), **options)
        try:
            return asyncio.run(dependency(request))
        except Exception as error:
            shown = type(error).__module__, type(error).__name__, getattr(error, "status_code", None)
            return shown, str(error), getattr(error, "headers", None), type(error.__cause__).__name__

    return question


@pytest.mark.parametrize("auto_error", [True, False])
@pytest.mark.parametrize("scheme", AUTHORIZATION)
def test_authorization_headers(scheme: str, auto_error: bool) -> None:
    for header in HEADERS:
        headers = [] if header is None else [("Authorization", header)]
        for kind in ("http", "websocket"):
            assert same(decision(scheme, connection(headers, kind=kind), auto_error=auto_error))[0] == "value"


@pytest.mark.parametrize("scheme", AUTHORIZATION)
def test_the_first_of_several_headers_counts(scheme: str) -> None:
    headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    same(decision(scheme, connection(headers)))


credentials = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20)


@given(
    scheme=st.sampled_from(AUTHORIZATION),
    header=credentials
    | st.builds(
        "{}{}{}".format, st.sampled_from(["Basic", "bearer", "Digest"]), st.sampled_from([" ", "  ", "\t"]), credentials
    )
    | st.binary(max_size=12).map(lambda raw: "Basic " + encoded(raw)),
    auto_error=st.booleans(),
)
def test_any_authorization_header(scheme: str, header: str, auto_error: bool) -> None:
    same(decision(scheme, connection([("Authorization", header)]), auto_error=auto_error))


KEYS: list[tuple[list[tuple[str, str]], bytes]] = [
    ([], b""),
    ([], b"key=a"),
    ([], b"key="),
    ([], b"key=a&key=b"),
    ([], b"Key=a"),
    ([], b"key=%00%ff"),
    ([("x-key", "v")], b""),
    ([("x-key", "")], b""),
    ([("x-key", "a"), ("x-key", "b")], b""),
    ([("cookie", "key=v")], b""),
    ([("cookie", "key=")], b""),
    ([("cookie", 'key="a b"')], b""),
    ([("cookie", "key=a; key=b")], b""),
]


@pytest.mark.parametrize("auto_error", [True, False])
@pytest.mark.parametrize("scheme", ["query", "header", "cookie"])
def test_api_keys(scheme: str, auto_error: bool) -> None:
    for headers, query in KEYS:
        assert same(decision(scheme, connection(headers, query), auto_error=auto_error))[0] == "value"


def test_non_ascii_credentials_are_refused_and_not_an_error() -> None:
    for header in ("Basic w7w6cA==", "Basic é"):
        assert "401" in same(decision("basic", connection([("Authorization", header)])))[2]


@pytest.mark.parametrize("header", [*HEADERS, "a b c", "  x"])
def test_the_parts_of_a_header(header: str | None) -> None:
    same(lambda framework: framework.security.utils.get_authorization_scheme_param(header))

"""The attributes of spans and metrics, of requests as no HTTP library would send them."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.asgi import Ask
from support.frameworks import Framework

from ._record import compare

HOSTS = [
    *(b"Shop.Example", b"shop.example:8443", b"shop.example:", b":80", b"[2001:db8::1]", b"[2001:db8::1]:90", b"[::1"),
    *(b"::1", b"a:0", b"a:65536", b"a:-1", b"a:+1", b"a:b", b"user@a", b"user:word@a", b"a/b", b"a?b", b"a#b", b""),
    *(b"a b", b"a\xff", b"a\tb", b"a,b", b"[1.2.3.4]", b"[v1.x]", b"1.2.3.4:0080"),
]
QUERIES = [
    *(b"a=1&a=2&b=&c", b"&", b"=", b"a=%ff", b"a=\xff", b"a=1;b=2", b"a+b=c%20d", b"%73ig=1", b"sig", b"SIG=kept"),
    b"X-Amz-Signature=1&X-Amz-Credential=2&X-Amz-Security-Token=3&X-Goog-Signature=4&AWSAccessKeyId=5&Signature=6",
]


def _make(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    app = fw.FastAPI(telemetry=telemetry)

    @app.get("/{path:path}")
    async def read(path: str) -> str:
        log.append(fw.telemetry.get_telemetry_data() is not None)
        return path

    return app


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("scheme", ["http", "https", "HTTPS", "ws", "wss", "other"])
def test_the_server_is_the_one_that_the_client_has_asked(kind: Any, scheme: str) -> None:
    extra = {"scheme": scheme}
    compare(_make, [Ask(path="/x", kind=kind, headers=[(b"host", host)], extra=extra) for host in HOSTS])


def test_without_a_host_it_is_the_one_that_listens() -> None:
    servers = [("unit.test", 80), ("/run/socket", None), None, ("::1", 0)]
    asks = [Ask(path="/x", extra={"server": server}) for server in servers]
    compare(_make, [*asks, Ask(path="/x", headers=[(b"Host", b"upper")]), _twice(b"host", b"a", b"b")])


def _twice(name: bytes, *values: bytes) -> Ask:
    return Ask(path="/x", headers=[(name, value) for value in values])


def test_queries_are_shown_without_secrets() -> None:
    recorded = compare(_make, [Ask(path="/x", query=query) for query in QUERIES])
    assert "secret" not in str(recorded)


@settings(max_examples=40, deadline=None)
@given(query=st.binary(max_size=20), host=st.binary(max_size=12), path=st.text(max_size=6))
@example(query=b"sig=%00", host=b"[", path="\x00")
def test_any_bytes_are_described_the_same_way(query: bytes, host: bytes, path: str) -> None:
    ask = Ask(path="/" + path, query=query, headers=[(b"host", host)], extra={"raw_path": None})
    compare(_make, [ask])


def test_unknown_methods_and_versions() -> None:
    methods = ["GET", "get", "QUERY", "TRACE", "CONNECT", "PROPFIND", "_OTHER", "HTTP", "X" * 200]
    versions = ["1.0", "2", "3", "", None]
    asks = [Ask(path="/x", method=method) for method in methods]
    compare(_make, [*asks, *(Ask(path="/x", extra={"http_version": version}) for version in versions)])


TRACE = b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-0"


@pytest.mark.parametrize("name", [b"traceparent", b"Traceparent"])
@pytest.mark.parametrize("value", [TRACE + b"1", TRACE + b"0", b"00-x", b"\xff", b""])
def test_the_trace_goes_on_that_the_client_has_begun(name: bytes, value: bytes) -> None:
    asks = [Ask(path="/x", headers=[(name, value), (b"baggage", b"k=v")]), _twice(name, value, TRACE + b"1")]
    compare(_make, asks)

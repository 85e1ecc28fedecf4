"""Applications of any kind, called by the protocol: the same bytes as from uvicorn's own protocol, whatever they do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compare import run
from support.wire import Wire, configured
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

App = Callable[[Any, Any, Any], Awaitable[Any]]
GET = b"GET /a%20b?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
HEAD = b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def start(headers: Any = (), status: Any = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(content: Any = b"", more: Any = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


LENGTH = [(b"content-length", b"2")]
ACTIONS: dict[str, Any] = {
    "start": start(LENGTH),
    "start as a list of lists": start([[b"Content-Length", b"2"], [b"X-A", b"b"]]),
    "start as a tuple": start(((b"content-length", b"2"),)),
    "start without headers": {"type": "http.response.start", "status": 200},
    "start without a length": start([(b"x-a", b"b")]),
    "start and close": start([*LENGTH, (b"connection", b"close")]),
    "start chunked": start([(b"transfer-encoding", b"chunked")]),
    "start with two lengths": start([*LENGTH, *LENGTH]),
    "start with a bad header": start([(b"x y", b"z")]),
    "start with a bad value": start([(b"x", b"a\r\nb: c")]),
    "start with 204": start([], 204),
    "start with 999": start(LENGTH, 999),
    "start with an unknown key": {**start(LENGTH), "trailers": False},
    "two": body(b"ab"),
    "two more": body(b"ab", True),
    "one more": body(b"a", True),
    "nothing": body(),
    "nothing more": body(b"", True),
    "three": body(b"abc"),
    "a body without a body": {"type": "http.response.body"},
    "unknown": {"type": "http.response.unknown"},
    "wait": None,
    "receive": "receive",
    "raise": "raise",
    "return": "return",
}


def application(actions: list[str], log: list[Any]) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> Any:
        shown = {key: value for key, value in scope.items() if key not in ("client", "server", "state")}
        log.append(shown)
        for name in actions:
            action = ACTIONS[name]
            if action is None:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            elif action == "receive":
                log.append(await receive())
            elif action == "raise":
                raise LookupError("raised")
            elif action == "return":
                return 1
            else:
                try:
                    await send({**action})
                except Exception as exc:
                    log.append((type(exc).__name__, str(exc)))
                    raise
        return None

    return app


def answers(kind: str, actions: list[str], requests: list[bytes]) -> tuple[bytes, list[Any], list[str]]:
    log: list[Any] = []
    said: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    async def main() -> bytes:
        config = configured(application(actions, log), proxy_headers=False)
        logger, handler = logging.getLogger("uvicorn.error"), Noting()
        logger.addHandler(handler)
        try:
            wire = Wire(config, kind)
            await wire.feed(*requests)
            written = wire.written
            await wire.lose()
        finally:
            logger.removeHandler(handler)
        return written

    return run(main), log, said


def compare(actions: list[str], requests: list[bytes]) -> None:
    expected, actual = (answers(kind, actions, requests) for kind in ("httptools", "ferrapi"))
    assert actual == expected, actions


@pytest.mark.parametrize("request_line", [GET, POST, HEAD, LAST])
@pytest.mark.parametrize("first", [name for name in ACTIONS if name.startswith("start")])
@pytest.mark.parametrize("second", [name for name in ACTIONS if not name.startswith("start")])
def test_two_actions(first: str, second: str, request_line: bytes) -> None:
    compare([first, second], [request_line])


@given(
    # Who asks for the disconnect waits for it; uvicorn tells it to the last request that came, not to all of them.
    st.lists(st.sampled_from(list(ACTIONS)), max_size=6).filter(lambda actions: actions.count("receive") < 2),
    st.lists(st.sampled_from([GET, POST, HEAD, LAST]), min_size=1, max_size=3),
)
def test_any_actions(actions: list[str], requests: list[bytes]) -> None:
    compare(actions, requests)


def test_the_head_does_not_wait_for_the_body() -> None:
    async def main() -> None:
        told = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start(LENGTH))
            await told.wait()
            await send(body(b"ab"))

        wire = Wire(configured(app, proxy_headers=False))
        wire.protocol.data_received(GET)
        for _ in range(5):
            await asyncio.sleep(0)
        assert wire.written.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not wire.written.endswith(b"ab")
        told.set()
        await wire.settle()
        assert wire.written.endswith(b"ab")
        await wire.lose()

    run(main)


@pytest.mark.parametrize("headers", [LENGTH, [(b"transfer-encoding", b"chunked")]])
@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none_whatever_is_sent(
    monkeypatch: pytest.MonkeyPatch, status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    """What uvicorn writes behind such a head, the client takes for the beginning of the next response."""
    monkeypatch.setitem(ACTIONS, "start without room", start(headers, status))
    actions = ["start without room", "two"]
    expected, actual = (answers(kind, actions, [GET, GET])[0] for kind in ("httptools", "ferrapi"))
    head, body_of_uvicorn = expected[: len(expected) // 2].split(b"\r\n\r\n", 1)
    assert b"ab" in body_of_uvicorn
    assert actual == (head + b"\r\n\r\n") * 2


@pytest.mark.parametrize("peer", [("127.0.0.1", 40000), ("192.0.2.7", 40000), None])
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"X-Forwarded-For: 9.8.7.6\r\n",
        b"X-Forwarded-Proto: https\r\n",
        b"x-forwarded-proto: wss\r\nx-forwarded-for: 9.8.7.6, 127.0.0.1\r\n",
        b"X-Forwarded-For: \r\n",
        b"X-Forwarded-Host: elsewhere\r\nForwarded: for=9.8.7.6\r\n",
    ],
)
def test_what_a_trusted_proxy_says_is_believed(said: bytes, peer: Any) -> None:
    async def sent(kind: str) -> list[Any]:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append({key: scope[key] for key in ("client", "scheme", "server", "path", "headers")})
            await send(start(LENGTH))
            await send(body(b"ab"))

        wire = Wire(configured(app, forwarded_allow_ips="127.0.0.1"), kind, peer=peer)
        await wire.feed(b"GET /a HTTP/1.1\r\nHost: a\r\n" + said + b"\r\n", GET)
        return seen

    assert run(lambda: sent("ferrapi")) == run(lambda: sent("httptools"))


def test_uvicorns_middleware_for_proxies_is_called_for_what_a_proxy_says_alone() -> None:
    calls = []

    class Watched(ProxyHeadersMiddleware):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            calls.append(scope["path"])
            await super().__call__(scope, receive, send)

    async def main() -> None:
        config = configured(application(["start", "two"], []), proxy_headers=False)
        for layer in (ProxyHeadersMiddleware(config.loaded_app), Watched(config.loaded_app)):
            config.loaded_app = layer
            await Wire(config).feed(GET, b"GET /of-proxy HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n")

    run(main)
    assert calls == ["/a b", "/of-proxy"]  # a class of somebody's own is always called

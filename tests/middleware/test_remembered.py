"""CORS, trusted hosts and GZip answer as in FastAPI, however often they are asked and whatever was asked before."""

from collections.abc import Callable
from typing import Any

import pytest
from ferrapi.middleware._remembered import LONGEST, MOST, Memory, headers_of_cors
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from support.asgi import Ask
from support.compare import Make, compare
from support.frameworks import Framework

Settings = tuple[type, dict[str, Any]]

ORIGINS = ["https://a.example", "https://b.example", "null", "*", "https://A.example"]
HEADERS: dict[bytes, list[bytes]] = {
    b"origin": [origin.encode() for origin in ORIGINS] + [b"", b"\xff\xfe", b"https://c.example"],
    b"access-control-request-method": [b"GET", b"PUT", b"get", b""],
    b"access-control-request-headers": [b"x-one", b"X-One, content-type", b"x-other", b""],
    b"access-control-request-private-network": [b"true", b"false"],
    b"host": [b"a.example", b"A.example:8000", b"x.b.example", b"example", b"", b"bad host", b"[::1]:80"],
    b"accept-encoding": [b"gzip", b"br, gzip;q=0", b"identity", b""],
    b"Origin": [b"https://a.example"],
}
CORS = st.fixed_dictionaries(
    {},
    optional={
        "allow_origins": st.lists(st.sampled_from(ORIGINS), max_size=3),
        "allow_origin_regex": st.sampled_from([r"https://.*\.example", "null"]),
        "allow_credentials": st.booleans(),
        "allow_methods": st.lists(st.sampled_from(["GET", "PUT", "*"]), max_size=2),
        "allow_headers": st.lists(st.sampled_from(["X-One", "x-two", "*"]), max_size=2),
        "allow_private_network": st.booleans(),
        "expose_headers": st.lists(st.sampled_from(["X-One", "x-two"]), max_size=2),
        "max_age": st.integers(0, 900),
    },
).map(lambda options: (CORSMiddleware, options))
HOSTS = st.fixed_dictionaries(
    {"allowed_hosts": st.lists(st.sampled_from(["a.example", "*.b.example", "www.example", "*"]), max_size=3)},
    optional={"www_redirect": st.booleans()},
).map(lambda options: (TrustedHostMiddleware, options))
GZIP = st.fixed_dictionaries(
    {"minimum_size": st.sampled_from([0, 20, 200])}, optional={"compresslevel": st.integers(1, 9)}
).map(lambda options: (GZipMiddleware, options))
REQUESTS = st.builds(
    lambda method, path, names: Ask(method=method, path=path, headers=names),
    st.sampled_from(["GET", "GET", "OPTIONS", "HEAD"]),
    st.sampled_from(["/", "/vary", "/allowed", "/stream", "/none", "/broken"]),
    st.lists(
        st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]))),
        max_size=5,
    ),
)


def shape(stack: list[Settings]) -> Make:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        responses = fw.module("responses")

        @app.get("/")
        async def root() -> dict[str, str]:
            return {"text": "abc" * 20}

        @app.get("/vary")
        async def vary() -> Any:
            return responses.PlainTextResponse("v" * 30, headers={"vary": "Cookie", "x-one": "1"})

        @app.get("/allowed")
        async def allowed(response: fw.Response) -> int:
            response.headers["access-control-allow-origin"] = "https://own.example"
            response.headers.append("vary", "Accept")
            return 1

        @app.get("/stream")
        async def stream() -> Any:
            return responses.StreamingResponse(iter(["a" * 30, "b" * 30]), media_type="text/plain")

        @app.get("/broken")
        async def broken() -> None:
            raise ValueError("no")

        for cls, options in stack:
            app.add_middleware(cls, **options)
        return app

    return make


@given(st.lists(st.one_of(CORS, HOSTS, GZIP), min_size=1, max_size=3), st.lists(REQUESTS, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_settings_and_requests(stack: list[Settings], asks: list[Ask]) -> None:
    compare(shape(stack), [*asks, *asks], "asgi")


class Origins:
    """Origins that are looked up somewhere else."""

    def __init__(self) -> None:
        self.asked = 0

    def __iter__(self) -> Any:
        return iter(())

    def __contains__(self, origin: object) -> bool:
        self.asked += 1
        return self.asked % 2 == 0 and origin != "*"


def from_a(
    before: Callable[[Any], None] | None = None, method: str = "GET", origin: bytes = b"https://a.example"
) -> Ask:
    headers = [(b"origin", origin), (b"access-control-request-method", b"GET"), (b"host", b"a.example")]
    return Ask(method=method, path="/", headers=headers, before=before)


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_edited_lists_count_at_once(method: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = shape([])(fw, log)
        app.state.origins = ["https://b.example"]
        app.add_middleware(CORSMiddleware, allow_origins=app.state.origins, allow_credentials=True)
        return app

    asks = [
        from_a(method=method),
        from_a(lambda app: app.state.origins.append("https://a.example"), method),
        from_a(method=method),
        from_a(lambda app: app.state.origins.clear(), method),
    ]
    compare(make, asks)


def layer_of(app: Any, kind: type) -> Any:
    layer = app.middleware_stack
    while type(layer) is not kind:
        layer = layer.app
    return layer


def test_edited_settings_count_at_once() -> None:
    asks = [
        from_a(),
        from_a(lambda app: setattr(layer_of(app, CORSMiddleware), "allow_all_origins", True)),
        from_a(lambda app: layer_of(app, CORSMiddleware).simple_headers.update({"X-More": "1"})),
        from_a(lambda app: setattr(layer_of(app, CORSMiddleware), "is_allowed_origin", lambda origin: True)),
        from_a(lambda app: setattr(layer_of(app, TrustedHostMiddleware), "allowed_hosts", ["z.example"])),
        from_a(lambda app: setattr(layer_of(app, TrustedHostMiddleware), "allow_any", True)),
        from_a(lambda app: setattr(layer_of(app, GZipMiddleware), "minimum_size", 1)),
    ]
    stack: list[Settings] = [
        (GZipMiddleware, {"minimum_size": 100}),
        (CORSMiddleware, {"allow_origins": ["https://b.example"]}),
        (TrustedHostMiddleware, {"allowed_hosts": ["a.example"]}),
    ]
    compare(shape(stack), asks, "asgi")


def test_a_collection_of_the_users_is_asked_each_time() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return shape([(CORSMiddleware, {"allow_origins": Origins()})])(fw, log)

    compare(make, [from_a() for _ in range(5)])


class Own(CORSMiddleware):
    """Decides anew each time."""

    asked = 0

    def is_allowed_origin(self, origin: str) -> bool:
        self.asked += 1
        return self.asked % 2 == 1


def test_a_subclass_is_asked_each_time() -> None:
    compare(shape([(Own, {})]), [from_a(method=method) for method in ("GET", "OPTIONS") * 3])


@pytest.mark.parametrize("name", ["is_allowed_origin", "send", "preflight_response", "__call__"])
def test_replaced_methods_are_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original = getattr(CORSMiddleware, name)

    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(self, *args, **kwargs)

    def make(fw: Framework, log: list[Any]) -> Any:
        log.extend(calls)
        return shape([(CORSMiddleware, {"allow_origins": ["https://a.example"]})])(fw, log)

    def replace(app: Any) -> None:
        monkeypatch.setattr(CORSMiddleware, name, replaced)

    asks = [from_a(), from_a(replace), from_a(method="OPTIONS"), from_a(lambda app: monkeypatch.undo()), from_a()]
    counts = []
    for way in ("asgi", "uvicorn", "http11"):
        compare(make, asks, way)
        counts.append(len(calls))
    assert counts == [counts[0], counts[0] * 2, counts[0] * 3]
    assert counts[0] % 2 == 0  # as many calls with both packages
    assert counts[0] > 0


@pytest.mark.parametrize("way", ["asgi", "uvicorn", "http11"])
def test_what_is_replaced_during_a_request_counts_for_later_ones(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def replaced(self: CORSMiddleware, message: Any, send: Any, request_headers: Any) -> None:
        await send(message)

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/")
        async def replace() -> str:
            monkeypatch.setattr(CORSMiddleware, "send", replaced)
            return "a" * 30

        app.add_middleware(GZipMiddleware, minimum_size=10)
        app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
        return app

    def undo(app: Any) -> None:
        monkeypatch.undo()

    compare(make, [from_a(undo), from_a(), from_a(undo)], way)
    monkeypatch.undo()


def test_what_is_remembered_is_bounded() -> None:
    asked: list[Any] = []

    def ask(middleware: Any, key: Any) -> Any:
        asked.append(key)
        return headers_of_cors(middleware, key)

    uncalled: Any = None
    memory = Memory(CORSMiddleware(uncalled, allow_origins=["*"], allow_credentials=True), ask)
    for number in range(3 * MOST):
        origin = b"https://%d.example" % number
        assert (b"access-control-allow-origin", origin) in memory.of(origin)
        assert len(memory.answers) <= MOST
    memory.of(b"https://%d.example" % (3 * MOST - 1))
    assert len(asked) == 3 * MOST
    for _ in range(2):
        memory.of(b"h" * (LONGEST + 1))
    assert len(asked) == 3 * MOST + 2

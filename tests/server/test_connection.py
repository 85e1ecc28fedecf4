"""One connection of the HTTP/1.1 transport: what is held, handed over, timed, refused and written, in which order."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import weakref
from typing import Any

import pytest
from ferrapi import BackgroundTasks, Body, FastAPI, Form, Request
from ferrapi._native import InFlightRequest, Serving
from ferrapi.responses import Response, StreamingResponse
from ferrapi.server import MAX_BODY, MAX_HEAD, HttpProtocol
from ferrapi.server._http_exchange import HttpExchange
from support.wire import Transport, Wire, configured, each_byte
from uvicorn.server import ServerState

from .application import make
from .bench import statuses
from .connections import HELLO, OK, Paused, json_request, request, run


def test_a_plain_request_is_served_by_the_protocol() -> None:
    async def main() -> None:
        wire = Wire(configured(make()))
        await wire.feed(HELLO)
        assert wire.written == OK
        assert wire.state.total_requests == 1
        assert not wire.state.tasks

    run(main)


def test_what_comes_while_a_request_is_in_flight_is_held_and_answered_in_order() -> None:
    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO + HELLO[:5], HELLO[5:], HELLO)
        assert (paused.calls, wire.written) == (1, b"")
        paused.go.set()
        await wire.settle()
        assert (paused.calls, wire.written) == (3, OK * 3)

    run(main)


def test_bytes_that_come_right_after_a_response_wait_for_those_that_are_held() -> None:
    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO + b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        paused.go.set()
        while not wire.protocol.is_resuming:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        wire.protocol.data_received(b"TP/1.1\r\nHost: x\r\n\r\n")  # before the event loop's next turn
        await wire.settle()
        assert wire.written.startswith(OK + b"HTTP/1.1 404")
        assert wire.written.endswith(OK)

    run(main)


def test_the_client_is_held_back_when_much_is_held() -> None:
    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        much = HELLO * (1 + MAX_BODY // len(HELLO))
        await wire.feed(HELLO, much)
        assert not wire.transport.reading
        paused.go.set()
        while wire.state.tasks or wire.protocol.is_resuming:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        assert wire.written == OK * (1 + much.count(b"GET"))
        assert wire.transport.reading

    run(main)


@pytest.mark.parametrize("size", [0, 1, MAX_BODY - 1, MAX_BODY, MAX_BODY + 1, 10 * MAX_BODY])
@pytest.mark.parametrize("piece", [700, MAX_BODY, 10**9])
def test_bodies_of_all_sizes_in_pieces(size: int, piece: int) -> None:
    text = b'{"t":"' + b"x" * max(0, size - 8) + b'"}' if size > 1 else b""[:size] or b""
    data = json_request(text) + HELLO

    async def main() -> None:
        app = make()
        config = configured(app)
        for _ in range(2):  # the first request to a route may be served otherwise
            wire = Wire(config)
            await wire.feed(*[data[at : at + piece] for at in range(0, len(data), piece)])
            while wire.state.tasks or wire.protocol.is_resuming:  # noqa: ASYNC110  # very large ones are read in a thread
                await asyncio.sleep(0)
            assert wire.written.endswith(OK)
            assert wire.written.startswith(b"HTTP/1.1 200" if text else b"HTTP/1.1 422")
            assert text in wire.written
            await wire.lose()

    run(main)


def test_a_body_is_waited_for_only_by_routes_that_read_it_first() -> None:
    async def main() -> None:
        app = make()
        config = configured(app)
        for path, starts in (("/json", False), ("/early", True), ("/raw", True)):
            wire = Wire(config)
            await wire.feed(request("POST", path, b"{}", "Content-Type: application/json"))  # compiles the route
            app.state.calls.clear()
            await wire.feed(request("POST", path, b"{}", "Content-Type: application/json")[:-1])
            assert bool(wire.state.tasks or app.state.calls) is starts, path
            await wire.feed(b"}")
            assert wire.written.count(b"HTTP/1.1 200") == 2
            await wire.lose()

    run(main)


def test_early_answers_do_not_make_a_request_of_the_body() -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        data = request("POST", "/early", inner)
        await wire.feed(data[: -len(inner)])
        assert wire.written.count(b"HTTP/1.1 200") == 1  # answered already
        await wire.feed(inner, HELLO)
        assert wire.written.endswith(OK)
        assert app.state.calls == ["early", "root"]

    run(main)


def test_a_client_that_leaves_before_its_body_is_complete_runs_nothing() -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        await wire.feed(json_request(b'{"a": 1}'))
        await wire.feed(json_request(b'{"b": 2}')[:-1])
        await wire.lose()
        assert app.state.calls == ["json {'a': 1}"]
        assert not wire.state.connections

    run(main)


@pytest.mark.parametrize("rest", [b"", b"user=a", b"user=a&x="])
def test_half_a_form_is_no_form(rest: bytes) -> None:
    """What has come might pass for all of it."""

    async def main() -> None:
        calls: list[str] = []
        app = FastAPI()

        @app.post("/login")
        async def login(user: str = Form("nobody")) -> None:
            calls.append(user)

        whole = request("POST", "/login", b"user=a&x=1", "Content-Type: application/x-www-form-urlencoded")
        wire = Wire(configured(app))
        await wire.feed(whole, whole)  # the route is known from here on
        await wire.feed(whole.removesuffix(b"user=a&x=1") + rest)
        await wire.lose()
        assert calls == ["a", "a"]

    run(main)


def test_a_client_that_leaves_does_not_cancel_the_handler() -> None:
    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO)
        wire.transport.closed = True
        wire.protocol.connection_lost(None)
        paused.go.set()
        await wire.lose()
        assert (paused.ends, wire.written) == (["done"], b"")

    run(main)


def test_a_handler_can_see_that_the_client_has_left() -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        await wire.feed(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n")
        await wire.lose()
        assert app.state.calls == ["waits", "gone"]

    run(main)


def test_shutdown_lets_the_request_in_flight_end_and_closes() -> None:
    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO)
        wire.protocol.shutdown()
        assert not wire.closed
        paused.go.set()
        await wire.settle()
        assert wire.written == OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        assert wire.closed

    run(main)


@pytest.mark.parametrize("before", [b"", HELLO, HELLO[:7], HELLO + HELLO[:7]])
def test_shutdown_closes_an_idle_connection(before: bytes) -> None:
    async def main() -> None:
        wire = Wire(configured(make()))
        await wire.feed(before)
        wire.protocol.shutdown()
        assert wire.closed

    run(main)


UPGRADE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
BEHIND: list[tuple[bytes, int]] = [
    (HELLO, 2),
    (HELLO * 3, 4),
    (HELLO * 3 + HELLO[:-1], 4),
    (HELLO[:-1], 1),
    (HELLO + json_request(b"{}")[:-1], 2),
    (HELLO + b"\0", 2),
    (UPGRADE + HELLO, 1),
    (HELLO + UPGRADE, 2),
]


@pytest.mark.parametrize(("behind", "count"), BEHIND)
def test_shutdown_answers_the_requests_that_have_come_whole(behind: bytes, count: int) -> None:
    """The last of the answers says that the connection closes."""

    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO + behind)
        wire.protocol.shutdown()
        assert not wire.closed
        paused.go.set()
        await wire.settle()
        assert wire.written == OK * (count - 1) + OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        assert wire.closed
        assert paused.calls == wire.state.total_requests == count
        await wire.lose()
        assert not wire.state.tasks | wire.state.connections

    run(main)


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(("behind", "count"), BEHIND)
def test_shutdown_between_two_requests_answers_the_others(behind: bytes, count: int, reads: bool) -> None:
    """Even if the client reads the answers later only."""

    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO + behind)
        paused.go.set()
        if not reads:
            wire.protocol.pause_writing()
            await wire.settle()
        while not wire.written:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        wire.protocol.shutdown()
        if not reads:
            wire.protocol.resume_writing()
        await wire.settle()
        assert wire.written.count(OK[:15]) == count
        assert wire.closed
        await wire.lose()

    run(main)


def test_shutdown_while_a_body_is_on_its_way_waits_for_it() -> None:
    async def main() -> None:
        wire = Wire(configured(make()))
        await wire.feed(json_request(b'{"a":1}'))
        await wire.feed(json_request(b'{"b":2}')[:-1])
        wire.protocol.shutdown()
        assert not wire.closed
        await wire.feed(b"}")
        assert wire.written.endswith(b'{"b":2}')
        assert b"connection: close" in wire.written
        assert wire.closed

    run(main)


def test_behind_a_stream_the_connection_goes_on() -> None:
    async def main() -> None:
        wire = Wire(configured(make()))
        await wire.feed(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" + HELLO)
        assert b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n" + OK in wire.written
        assert wire.state.total_requests == 2

    run(main)


def test_a_stream_waits_for_a_slow_reader() -> None:
    async def main() -> None:
        app = FastAPI()
        sent: list[int] = []

        @app.get("/")
        async def stream() -> StreamingResponse:
            async def pieces() -> Any:
                for number in range(10):
                    sent.append(number)
                    if number == 5:
                        wire.protocol.pause_writing()
                    yield b"x" * 10

            return StreamingResponse(pieces())

        wire = Wire(configured(app))
        await wire.feed(HELLO)
        assert sent == list(range(6))
        assert wire.written.count(b"x") == 50
        wire.protocol.resume_writing()
        await wire.settle()
        assert wire.written.endswith(b"0\r\n\r\n")
        assert wire.written.count(b"x") == 100

    run(main)


def test_while_the_client_does_not_read_no_request_is_begun() -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        wire.protocol.pause_writing()
        await wire.feed(HELLO * 100)
        assert (wire.written, app.state.calls, wire.transport.reading) == (b"", [], False)
        wire.protocol.resume_writing()
        while wire.state.tasks or wire.protocol.is_resuming:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(0)
        assert wire.written == OK * 100
        assert wire.transport.reading

    run(main)


def test_a_client_that_has_read_all_may_send_another_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The response that was too much for it was the last one that was known, and written at once."""

    async def main() -> None:
        write = Transport.write

        def pausing(self: Transport, data: bytes) -> None:
            write(self, data)
            self.protocol.pause_writing()

        monkeypatch.setattr(Transport, "write", pausing)
        wire = Wire(configured(make()))
        missing = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
        await wire.feed(missing[:-1], missing[-1:])
        assert (statuses(wire.written), wire.transport.reading) == ([404], True)
        await wire.feed(missing)
        assert (statuses(wire.written), wire.transport.reading) == ([404], False)
        wire.protocol.resume_writing()
        await wire.settle()
        assert (statuses(wire.written), wire.transport.reading) == ([404, 404], True)

    run(main)


class Records(logging.Handler):
    """Keeps the arguments of what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record.msg, record.args))


def test_the_access_log_has_uvicorns_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["/items/5?limit=%41", "/stream", "/headers", "/nowhere", "/none", "/items/%C3%A9%20"]
    logger = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "level", logging.INFO)

    async def main(kind: str, peer: Any) -> None:
        wire = Wire(configured(make(), access_log=True, forwarded_allow_ips="127.0.0.1"), kind, peer=peer)
        for path in paths:
            await wire.feed(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await wire.feed(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 9.8.7.6\r\n\r\n".encode())

    for peer in (("127.0.0.1", 40000), ("10.0.0.1", 40000), None):
        seen = []
        for kind in ("httptools", "ferrapi"):
            records = Records()
            monkeypatch.setattr(logger, "handlers", [records])
            asyncio.run(main(kind, peer))
            seen.append(records.seen)
        assert seen[0] == seen[1]
        assert len(seen[1]) == 2 * len(paths)


def test_default_headers_follow_the_servers_list() -> None:
    async def main() -> None:
        state = ServerState()
        state.default_headers = [(b"date", b"today"), (b"Server", b"x")]
        wire = Wire(configured(make()), state=state)
        await wire.feed(HELLO)
        assert wire.written == OK.replace(b"OK\r\n", b"OK\r\ndate: today\r\nserver: x\r\n")
        state.default_headers = [(b"date", b"tomorrow")]
        await wire.feed(HELLO)
        assert wire.written.endswith(OK.replace(b"OK\r\n", b"OK\r\ndate: tomorrow\r\n"))

    run(main)


def test_beyond_the_limit_of_concurrency_uvicorn_answers_503() -> None:
    async def main() -> None:
        app = make()
        config = configured(app, limit_concurrency=2)
        state = ServerState()
        wire = Wire(config, state=state)
        await wire.feed(HELLO)
        other = Wire(config, state=state)
        await other.feed(HELLO)
        assert other.written.startswith(b"HTTP/1.1 503")
        assert app.state.calls == ["root"]

    run(main)


@pytest.mark.parametrize("piece", [1000, 10**9])
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * MAX_HEAD,
        b"GET /" + b"y" * MAX_HEAD,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: yyyyyyyy\r\n" * (MAX_HEAD // 12),
        b"\r\nGET / HTTP/1.1\r\nHost: x\r\n" + b"X: yyyyyyyy\r\n" * (MAX_HEAD // 12),
        b"\r\nGET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * MAX_HEAD,
        b"\r\nGET /" + b"y" * MAX_HEAD + b" HTTP/1.1\r\nHost: x\r\n",
    ],
    ids=lambda head: head[:30],
)
def test_a_head_has_a_largest_size_whoever_reads_it(head: bytes, piece: int) -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        data = head + b"\r\n\r\n"
        await wire.feed(*[data[at : at + piece] for at in range(0, len(data), piece)])
        assert wire.written.startswith(b"HTTP/1.1 431")
        assert wire.closed
        assert not app.state.calls

    run(main)


def test_trailers_have_a_largest_size() -> None:
    async def main() -> None:
        wire = Wire(configured(make()))
        await wire.feed(b"POST /raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")
        await wire.feed(*[b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"] * (MAX_HEAD // 40))
        assert wire.closed
        await wire.lose()

    run(main)


def test_a_task_that_is_cancelled_is_answered_as_uvicorn_does() -> None:
    async def main() -> None:
        paused = Paused()
        wire = Wire(configured(paused.app))
        await wire.feed(HELLO)
        next(iter(wire.state.tasks)).cancel()
        await wire.settle()
        assert paused.ends == ["cancelled"]
        assert wire.written.startswith(b"HTTP/1.1 500")
        assert wire.closed

    run(main)


@pytest.mark.parametrize("reset", [False, True])
def test_context_variables_do_not_pass_from_one_request_to_the_next(reset: bool) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen = []
    app = FastAPI()

    @app.get("/")
    async def look() -> None:
        seen.append(variable.get())
        variable.set("from a request")

    async def main() -> None:
        variable.set("from the server")
        wire = Wire(configured(app, reset_contextvars=reset))
        await wire.feed(HELLO * 3, HELLO)

    run(main)
    assert seen == ["unset" if reset else "from the server"] * 4


def test_the_lifespan_state_is_copied_for_each_request() -> None:
    app = FastAPI()
    seen = []

    @app.get("/")
    async def count(request: Request) -> None:
        seen.append(dict(request.scope["state"]))
        request.scope["state"]["new"] = 1

    async def main() -> None:
        wire = Wire(configured(app))
        wire.protocol.app_state["shared"] = "yes"
        await wire.feed(HELLO * 3)

    run(main)
    assert seen == [{"shared": "yes"}] * 3


def test_an_application_with_middleware_is_called() -> None:
    app = make()

    @app.middleware("http")
    async def add(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-added"] = "yes"
        return response

    async def main() -> None:
        config = configured(app)
        for _ in range(3):
            wire = Wire(config)
            await wire.feed(HELLO, HELLO)
            assert wire.written.count(b"x-added: yes") == 2
            await wire.lose()

    run(main)


def test_middleware_that_is_added_between_requests_is_not_passed_over() -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        await wire.feed(HELLO)
        app.middleware_stack = None

        @app.middleware("http")
        async def refuse(request: Request, call_next: Any) -> Response:
            return Response("refused", status_code=403)

        await wire.feed(HELLO)
        assert wire.written.startswith(OK + b"HTTP/1.1 403")

    run(main)


def _kept() -> int:
    kinds = (InFlightRequest, HttpExchange, HttpProtocol, Serving, Request, asyncio.Task)
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


def test_nothing_is_left_for_the_garbage_collector() -> None:
    app = make()

    @app.post("/mixed")
    async def mixed(request: Request, tasks: BackgroundTasks, content: dict[str, int] = Body()) -> Response:
        await request.body()
        return Response(b"x")

    pieces = [
        HELLO,
        json_request(b'{"a":1}'),
        request("POST", "/mixed", b'{"a":1}', "Content-Type: application/json"),
        *(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in ("/headers", "/stream", "/none", "/late")),
    ]

    async def main() -> None:
        config = configured(app)
        wire = Wire(config)
        await wire.feed(*pieces)
        gc.collect()
        gc.disable()
        try:
            before = _kept()
            for _ in range(20):
                await wire.feed(*pieces)
            assert _kept() <= before + 1  # the last exchange stays until the next one
            for _ in range(20):
                other = Wire(config)
                await other.feed(*pieces)
                known = weakref.ref(other.protocol)
                await other.lose()
                del other.transport.protocol, other
                assert known() is None
            assert _kept() <= before + 1
        finally:
            gc.enable()

    run(main)


@pytest.mark.parametrize("waits", ["a route", "an application", "a body"])
def test_a_client_that_leaves_leaves_nothing_for_the_garbage_collector(waits: str) -> None:
    app: Any = FastAPI()

    @app.post("/")
    async def wait(request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    body = b"{" if waits == "a body" else b"{}"
    piece = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n" + body

    async def main() -> None:
        config = configured(plain if waits == "an application" else app)
        gc.collect()
        gc.disable()
        try:
            wire = Wire(config)
            wire.transport.protocol.data_received(piece)
            for _ in range(3):
                await asyncio.sleep(0)
            known = weakref.ref(wire.protocol)
            await wire.lose()
            del wire.transport.protocol, wire
            await asyncio.sleep(0)
            assert known() is None
        finally:
            gc.enable()

    run(main)


def test_every_byte_of_a_pipeline_alone() -> None:
    async def main() -> None:
        app = make()
        wire = Wire(configured(app))
        await wire.feed(*each_byte((HELLO + json_request(b'{"a":1}')) * 5))
        assert app.state.calls == ["root", "json {'a': 1}"] * 5
        assert wire.written.count(b"HTTP/1.1 200 OK") == 10

    run(main)

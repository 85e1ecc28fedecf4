"""The access log: the same bytes as uvicorn's own, whatever the logger is like, and whenever that changes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import logging.config
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from ferrapi import FastAPI, Request
from ferrapi._access_log import access_log, find_handler
from starlette.responses import PlainTextResponse
from support.wire import Wire, configured
from uvicorn.config import LOGGING_CONFIG
from uvicorn.logging import AccessFormatter

PATHS = ("/", "/items/5?limit=%41", "/nowhere", "/items/%C3%A9%20", "/refused", "/items/x", "/stream", "/%00%0A%25s")
PEERS = (("127.0.0.1", 40000), ("::1", 1), None)


class Stream(io.StringIO):
    """Notes each write and flush."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def write(self, text: str) -> int:
        self.calls.append(text)
        return super().write(text)

    def flush(self) -> None:
        self.calls.append("flush")


class Rejecting(Stream):
    """Takes no line about one path."""

    def write(self, text: str) -> int:
        if "nowhere" in text:
            raise ValueError("no")
        return super().write(text)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """uvicorn's, which is put back afterwards."""
    logger = logging.getLogger("uvicorn.access")
    before = dict(vars(logger))
    try:
        yield logger
    finally:
        vars(logger).clear()
        vars(logger).update(before)
        logger.manager._clear_cache()  # type: ignore[attr-defined]  # as `setLevel` does


def use(logger: logging.Logger, stream: Any, *, colors: bool | None = None, form: str | None = None) -> None:
    """Configure it as uvicorn does."""
    config = deepcopy(LOGGING_CONFIG)
    config["loggers"] = {"uvicorn.access": config["loggers"]["uvicorn.access"]}
    config["handlers"]["access"]["stream"] = stream
    config["formatters"]["access"]["use_colors"] = colors
    if form is not None:
        config["formatters"]["access"]["fmt"] = form
    logging.config.dictConfig(config)


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def root() -> str:
        return "root"

    @app.get("/items/{item}")
    async def item(item: str, request: Request, limit: int | str = 3) -> Any:
        return {"item": item, "limit": limit, "url": str(request.url)}

    @app.get("/stream")
    async def stream() -> PlainTextResponse:
        return PlainTextResponse("x", status_code=299)

    return app


async def ask(kind: str, peer: Any, paths: tuple[str, ...] = PATHS, each: Callable[[int], None] | None = None) -> None:
    wire = Wire(configured(make(), access_log=True, forwarded_allow_ips="127.0.0.1"), kind, peer=peer)
    for number, path in enumerate(paths):
        if each is not None:
            each(number)
        for more in (b"", b"X-Forwarded-For: 9.8.7.6\r\n"):
            await wire.feed(b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (path.encode(), more))


def by_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no line be made without the logger."""
    monkeypatch.setattr("ferrapi._access_log._is_uvicorns", lambda formatter: False)


FORMATS: dict[str, str | None] = {
    "uvicorn's": None,
    "short": "%(client_addr)s %(status_code)s %(request_line)s",
    "with a time": "%(asctime)s %(request_line)s",
    "with a width": "%(client_addr)30s|%(status_code)s",
    "with a message": "%(levelname)s %(name)s: %(message)s and %(levelprefix)s",
    "with a percent sign": "100%% %(request_line)s",
}


@pytest.mark.parametrize("colors", [None, True, False])
@pytest.mark.parametrize("form", FORMATS)
def test_the_lines_are_uvicorns(form: str, colors: bool | None, logger: logging.Logger) -> None:
    for peer in PEERS:
        seen = []
        for kind in ("h11", "httptools", "ferrapi"):
            stream = Stream()
            use(logger, stream, colors=colors, form=FORMATS[form])
            # A time is made to stand still.
            for handler in logger.handlers:
                if handler.formatter is not None and handler.formatter.usesTime():
                    handler.formatter.formatTime = lambda record, datefmt=None: "now"  # type: ignore[method-assign]
            asyncio.run(ask(kind, peer))
            seen.append(stream.getvalue())
        assert seen[0] == seen[1] == seen[2]
        assert seen[0].count("\n") == 2 * len(PATHS)


def test_the_usual_logger_is_not_called(logger: logging.Logger) -> None:
    stream = Stream()
    use(logger, stream)
    assert find_handler(logger) is not None
    use(logger, stream, form=FORMATS["with a time"])
    assert find_handler(logger) is None


def test_the_lines_of_a_turn_are_written_at_once_and_before_the_loop_waits(logger: logging.Logger) -> None:
    stream = Stream()
    use(logger, stream)

    async def main() -> None:
        wires = [Wire(configured(make(), access_log=True)) for _ in range(3)]
        for _ in range(2):  # the first request of an application makes its middleware stack, which is an edit
            stream.calls.clear()
            for wire in wires:
                wire.transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await wires[0].settle()

    asyncio.run(main())
    line = 'INFO:     127.0.0.1:40000 - "GET / HTTP/1.1" 200 OK\n'
    assert stream.calls == [line * 3, "flush"]


class Counting(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.seen.append(record.getMessage())
        return len(self.seen) % 2 == 0


class Keeping(logging.Handler):
    """A handler that keeps what it is given, as a test's does."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())


def _patched(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, seen: list[Any]) -> None:
    original = getattr(kind, name)

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(name)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(kind, name, patched)


def filter_of_logger(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    counting = Counting()
    counting.seen = seen
    logger.addFilter(counting)


def filter_of_handler(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    counting = Counting()
    counting.seen = seen
    logger.handlers[0].addFilter(counting)


def another_handler(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    keeping = Keeping()
    keeping.seen = seen
    logger.addHandler(keeping)


def instead_of_the_handler(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    keeping = Keeping()
    keeping.seen = seen
    logger.handlers[0] = keeping


def no_handler(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.removeHandler(logger.handlers[0])


def level_of_logger(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.setLevel(logging.WARNING)


def level_of_handler(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.handlers[0].setLevel(logging.WARNING)


def disabled(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.disabled = True


def disabled_for_all(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    monkeypatch.setattr(logger.manager, "_disable", logging.INFO)
    logger.manager._clear_cache()


def method_of_the_logger(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    monkeypatch.setattr(logger, "info", lambda *args: seen.append(args))


def method_of_the_class(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    _patched(monkeypatch, logging.Logger, "callHandlers", seen)


def method_of_the_handler(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    _patched(monkeypatch, logging.StreamHandler, "emit", seen)


def method_of_the_formatter(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    _patched(monkeypatch, AccessFormatter, "formatMessage", seen)


def formatter(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.handlers[0].setFormatter(logging.Formatter("%(message)s!"))


def colors(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.handlers[0].formatter.use_colors = not logger.handlers[0].formatter.use_colors


def form(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.handlers[0].formatter._style._fmt = "%(request_line)s"


def name_of_the_level(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    monkeypatch.setitem(logging.__dict__["_levelToName"], logging.INFO, "NOTE")


def record_factory(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = logging.LogRecord(*args, **kwargs)
        if record.name == "uvicorn.access":
            seen.append(record.getMessage())
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", factory)


def stream(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    logger.handlers[0].setStream(Collecting(seen))


class Collecting(io.StringIO):
    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self.seen = seen

    def write(self, text: str) -> int:
        self.seen += text.splitlines()
        return len(text)


def propagating(logger: Any, monkeypatch: pytest.MonkeyPatch, seen: list[Any]) -> None:
    keeping = Keeping()
    keeping.seen = seen
    monkeypatch.setattr(logging.getLogger("uvicorn"), "handlers", [keeping])
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", False)
    logger.propagate = True


EDITS = (
    filter_of_logger,
    filter_of_handler,
    another_handler,
    instead_of_the_handler,
    no_handler,
    level_of_logger,
    level_of_handler,
    disabled,
    disabled_for_all,
    method_of_the_logger,
    method_of_the_class,
    method_of_the_handler,
    method_of_the_formatter,
    formatter,
    colors,
    form,
    name_of_the_level,
    record_factory,
    stream,
    propagating,
)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("when", [0, 3])
def test_an_edit_counts_from_the_next_line_on(edit: Any, when: int, logger: logging.Logger) -> None:
    results = []
    for kind in ("h11", "httptools", "ferrapi"):
        written = Stream()
        seen: list[Any] = []
        use(logger, written)
        with pytest.MonkeyPatch.context() as monkeypatch, contextlib.redirect_stderr(io.StringIO()):

            def each(number: int, monkeypatch: pytest.MonkeyPatch = monkeypatch, seen: list[Any] = seen) -> None:
                if number == when:
                    edit(logger, monkeypatch, seen)

            asyncio.run(ask(kind, PEERS[0], each=each))
        results.append((written.getvalue(), seen))
        logger.filters.clear()
        vars(logger).pop("info", None)
    assert results[0] == results[1] == results[2]


def test_a_line_that_can_not_be_written_keeps_no_other_from_it(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    results = []
    for kind in ("h11", "ferrapi"):
        written = Rejecting()
        use(logger, written)

        async def main(kind: str = kind) -> None:
            wires = [Wire(configured(make(), access_log=True), kind) for _ in range(3)]
            for wire, path in zip(wires, (b"/", b"/nowhere", b"/items/1"), strict=True):
                wire.transport.protocol.data_received(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            for wire in wires:
                await wire.settle()

        asyncio.run(main())
        results.append((sorted(written.getvalue().splitlines()), "Logging error" in capsys.readouterr().err))
    assert results[0] == results[1]
    assert len(results[0][0]) == 2
    assert results[0][1]


def test_there_is_one_log_for_a_logger(logger: logging.Logger) -> None:
    assert access_log(logger) is access_log(logger)

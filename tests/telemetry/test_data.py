"""`get_telemetry_data`: what is known of a request, to whom, and for how long."""

import gc
import weakref
from typing import Any

import anyio.lowlevel
import pytest
from opentelemetry import context
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor
from support.asgi import Ask, exchange, run
from support.compare import _neutral as neutral
from support.frameworks import BOTH, Framework

from ._record import Recorder

JSON = ((b"content-type", b"application/json"),)


def _ask(app: Any, *asks: Ask) -> list[Any]:
    async def main() -> list[Any]:
        return [await exchange(app, ask) for ask in asks]

    answers: list[Any] = run(main)
    return answers


@pytest.mark.parametrize("framework", BOTH, ids=str)
@pytest.mark.parametrize("settings", [{}, {"tracing": False}, {"operation_spans": False}], ids=str)
def test_nothing_is_known_of_a_request_that_is_over(framework: Framework, settings: dict[str, Any]) -> None:
    recorder = Recorder(**settings)
    app = framework.FastAPI(telemetry=recorder.settings)
    kept: list[Any] = []

    @app.post("/{fails}")
    async def endpoint(fails: int, request: framework.Request) -> None:
        assert framework.telemetry.get_telemetry_data().request is request
        kept.append((context.get_current(), weakref.ref(request)))
        await request.body()
        if fails:
            raise ValueError

    _ask(app, Ask(method="POST", path="/0"), Ask(method="POST", path="/1"))
    recorder = None  # type: ignore[assignment]  # it keeps the exception
    del app
    gc.collect()
    assert len(kept) == 2
    for retained, _ in kept:
        assert framework.telemetry.get_telemetry_data(retained) is None
    assert framework.telemetry.get_telemetry_data() is None


@pytest.mark.parametrize("framework", BOTH, ids=str)
def test_requests_at_the_same_time_know_of_themselves(framework: Framework) -> None:
    app = framework.FastAPI(telemetry=Recorder().settings)
    seen: list[Any] = []

    def dependency(name: str) -> str:
        data = framework.telemetry.get_telemetry_data()
        assert data.request.path_params == {"name": name}
        return name

    @app.get("/{name}")
    async def endpoint(name: str, again: str = framework.Depends(dependency)) -> None:
        data = framework.telemetry.get_telemetry_data()
        await anyio.lowlevel.checkpoint()
        assert framework.telemetry.get_telemetry_data() is data
        seen.append((name, data.values))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(exchange, app, Ask(path=f"/{number}"))

    run(main)
    assert len(seen) == 50
    assert all(values == {"name": name, "again": name} for name, values in seen)


class _Noting(SpanProcessor, LogRecordProcessor):
    """Notes what is known when a span begins or ends, and when something is logged."""

    def __init__(self, fw: Framework, notes: list[Any]) -> None:
        self.fw = fw
        self.notes = notes

    def _note(self, event: str, given: Any = None) -> None:
        data = self.fw.telemetry.get_telemetry_data(given)
        known = None if data is None else (data.request is not None, data.body, data.values, data.errors)
        self.notes.append((event, neutral(known)))

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._note(f"start {span.name} {sorted(span.attributes)}", parent_context)

    def on_end(self, span: Any) -> None:
        self._note(f"end {span.name}")

    def on_emit(self, log_record: Any) -> None:
        self._note(log_record.log_record.event_name, log_record.log_record.context)

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True


def test_processors_see_the_same_at_each_event() -> None:
    found = []
    for fw in BOTH:
        notes: list[Any] = []
        recorder = Recorder()
        noting = _Noting(fw, notes)
        recorder.settings["tracer_provider"].add_span_processor(noting)
        recorder.settings["logger_provider"].add_log_record_processor(noting)
        app = fw.FastAPI(telemetry=recorder.settings)

        def dependency() -> int:
            return 1

        @app.post("/items/{size}")
        async def endpoint(size: int, item: dict[str, int], one: int = fw.Depends(dependency)) -> Any:
            if size == 2:
                raise ValueError("on purpose")
            return item

        app.post("/two")(lambda a: None)
        bodies = [b'{"a":1}', b'{"a":"b"}', b"{", b"", b"[]", b"null"]
        asks = [
            Ask(method="POST", path=path, headers=JSON, body=[body])
            for path in ("/items/1", "/items/2", "/items/x", "/two")
            for body in bodies
        ]
        _ask(app, *asks)
        found.append(neutral(notes))
    assert found[0] == found[1]

"""What is recorded around an application's own spans, by samplers and propagators of the application's own."""

from typing import Any

import pytest
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from support.asgi import Ask
from support.frameworks import BOTH, Framework

from . import _more_shapes, _shapes
from ._record import Recorder, compare, record

REQUESTS = (Ask(path="/a/1"), Ask(path="/a/x"), Ask(path="/a/0"), Ask(path="/none"))


def _make(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
    app = fw.FastAPI(telemetry=telemetry)
    tracer = telemetry["tracer_provider"].get_tracer("own")

    class Pure:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            with tracer.start_as_current_span("pure"):
                await self.app(scope, receive, send)

    @app.middleware("http")
    async def function(request: Any, call_next: Any) -> Any:
        with tracer.start_as_current_span("function"):
            return await call_next(request)

    app.add_middleware(Pure)

    @app.get("/a/{size}")
    async def divide(size: int) -> float:
        with tracer.start_as_current_span("inside"):
            return 1 / size

    return app


def _exemplars(own: Framework) -> list[set[str]]:
    recorder = Recorder()
    record(own, lambda fw, _, log: _make(fw, recorder.settings, log), REQUESTS)
    return recorder.exemplars("http.server.request.duration")


@pytest.mark.usefixtures("quiet")
def test_logs_and_metrics_belong_to_the_span_that_is_current() -> None:
    recorded = compare(_make, REQUESTS)
    assert "function" in {log["span"] for log in recorded["logs"]}
    found = []
    for fw in BOTH:
        found.append(_exemplars(fw))
    assert found[1] == found[0]
    assert {"pure"} in found[0]


class _Sampling(Sampler):
    def should_sample(self, *given: Any, attributes: Any = None, **named: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE, {"asked with": str(sorted((attributes or {}).items()))})

    def get_description(self) -> str:
        return "with attributes of its own"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("make", "asks"),
    [(_shapes.mounts, _shapes.MOUNTS), (_more_shapes.sockets, _more_shapes.SOCKETS)],
    ids=["requests", "sockets"],
)
def test_spans_have_in_the_end_what_a_sampler_has_taken_away(make: Any, asks: Any) -> None:
    def sampled(fw: Framework, telemetry: dict[str, Any], log: list[Any]) -> Any:
        telemetry["tracer_provider"].sampler = _Sampling()
        return make(fw, telemetry, log)

    recorded = compare(sampled, asks)
    assert all("asked with" in span["attributes"] for span in recorded["spans"])
    assert all("url.scheme" in span["attributes"] for span in recorded["spans"] if span["kind"] == "SERVER")


class _Propagator(TextMapPropagator):
    fields: set[str] = set()

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Context:
        self.seen.append((type(carrier), context, carrier.get("X-One"), sorted(getter.keys(carrier))))
        self.seen.append([getter.get(carrier, name) for name in ("x-one", "X-One", "none")])
        parent = SpanContext(trace_id=1, span_id=2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        return set_span_in_context(NonRecordingSpan(parent), Context())

    def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_propagators_are_given_the_headers(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [(b"x-one", b"1"), (b"X-One", b"2"), (b"host", b"a\xff")]
    seen = []
    for fw in BOTH:
        propagator = _Propagator()
        monkeypatch.setattr(propagate, "get_global_textmap", lambda propagator=propagator: propagator)
        monkeypatch.setattr(propagate, "propagator", propagator, raising=False)
        recorded = record(fw, _make, [Ask(kind=kind, path="/a/1", headers=headers)])
        seen.append((propagator.seen, recorded["spans"]))
    assert seen[1] == seen[0]
    assert seen[0][0]
    assert hex(2) in {span["parent"] for span in seen[0][1]}

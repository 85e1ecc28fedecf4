"""opentelemetry-instrumentation-fastapi, and the ASGI middleware alone: the spans of requests."""

from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from traced import ask_one_by_one, make

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))


def show() -> None:
    spans = exporter.get_finished_spans()
    if any(span.name.startswith("GET /stream http") for span in spans):
        # Of a stream that waits, the span of `receive` ends when nobody listens to it any more (docs/compatibility.md).
        spans = tuple(span for span in spans if not span.name.startswith("GET /stream http"))
    for span in spans:
        attributes = sorted((key, str(value)) for key, value in (span.attributes or {}).items() if "port" not in key)
        events = [(event.name, (event.attributes or {}).get("exception.type")) for event in span.events]
        print("   ", span.name, span.kind.name, span.status.status_code.name, attributes, events, bool(span.parent))
    exporter.clear()


instrumented = make()
FastAPIInstrumentor.instrument_app(instrumented, tracer_provider=provider)
ask_one_by_one(instrumented, show)
plain = make()
plain.add_middleware(OpenTelemetryMiddleware, tracer_provider=provider)
ask_one_by_one(plain, show)

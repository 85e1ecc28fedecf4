"""What both packages record of the same requests: spans, logs and metrics, as plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.asgi import Ask, exchange, run
from support.compare import _neutral as neutral
from support.frameworks import BOTH, Framework

_PLACE = re.compile(r'  File "[^"]*", line \d+, in \w+\n')
"""Where an endpoint is. FastAPI remembers that by the function's address, which may have been another one's before."""

Make = Callable[[Framework, dict[str, Any], list[Any]], Any]
"""Builds an application from a framework, telemetry settings, and a list in which its code may note something."""


class Recorder:
    """Providers that keep what they get.

    Parameters:
        settings: more of the settings.
    """

    def __init__(self, **settings: Any) -> None:
        self._spans = InMemorySpanExporter()
        tracer_provider = TracerProvider(shutdown_on_exit=False)
        tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self._logs = InMemoryLogRecordExporter()
        logger_provider = LoggerProvider(shutdown_on_exit=False)
        logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self._metrics = InMemoryMetricReader()
        self.settings: dict[str, Any] = {
            "tracer_provider": tracer_provider,
            "meter_provider": MeterProvider(metric_readers=[self._metrics], shutdown_on_exit=False),
            "logger_provider": logger_provider,
            **settings,
        }

    def spans(self) -> list[Any]:
        """All spans so far, in the order of their ends."""
        spans = self._spans.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans if span.context is not None}
        return [
            {
                "name": span.name,
                "kind": span.kind.name,
                "parent": None if span.parent is None else names.get(span.parent.span_id, hex(span.parent.span_id)),
                "status": span.status.status_code.name,
                "attributes": dict(span.attributes or {}),
                "events": len(span.events),
                "scope": _scope(span.instrumentation_scope),
            }
            for span in spans
        ]

    def logs(self) -> list[Any]:
        """All log records so far."""
        spans = self._spans.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans if span.context is not None}
        return [self._log(data, names) for data in self._logs.get_finished_logs()]

    @staticmethod
    def _log(data: Any, names: dict[int, str]) -> dict[str, Any]:
        record = data.log_record
        attributes = dict(record.attributes or {})
        trace = attributes.pop("exception.stacktrace", None)
        if "exception.message" in attributes:
            attributes["exception.message"] = _PLACE.sub("", attributes["exception.message"])
        assert record.timestamp <= record.observed_timestamp
        return {
            "event": record.event_name,
            "severity": (record.severity_number, record.severity_text),
            "body": record.body,
            "attributes": attributes,
            "span": names.get(record.span_id, record.span_id),
            "raised at": None if trace is None else trace.rstrip().splitlines()[-1],
            "scope": _scope(data.instrumentation_scope),
        }

    def metrics(self) -> list[Any]:
        """All points so far, but for the durations themselves."""
        data = self._metrics.get_metrics_data()
        found = [] if data is None else data.resource_metrics
        return [
            (metric.name, metric.unit, metric.description, type(metric.data).__name__, _points(metric.data.data_points))
            for resource in found
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def exemplars(self, metric_name: str) -> list[set[str]]:
        """For each point of a metric the spans that it was recorded in."""
        data = self._metrics.get_metrics_data()
        spans: Any = self._spans.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans}
        points = [
            point
            for resource in ([] if data is None else data.resource_metrics)
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == metric_name
            for point in metric.data.data_points
        ]
        points.sort(key=lambda point: str(sorted((point.attributes or {}).items(), key=str)))
        return [{names.get(one.span_id, "another") for one in point.exemplars} for point in points]

    def all(self) -> dict[str, Any]:
        """Everything."""
        return {"spans": self.spans(), "logs": self.logs(), "metrics": self.metrics()}


def _scope(scope: Any) -> tuple[Any, ...]:
    return (scope.name, scope.version, scope.schema_url)


def _points(points: Iterable[Any]) -> list[Any]:
    found = []
    for point in points:
        count = getattr(point, "count", None)
        value = (point.value,) if count is None else (count, point.explicit_bounds)
        found.append((sorted(point.attributes.items(), key=str), value))
    return sorted(found, key=str)


def record(fw: Framework, make: Make, asks: Sequence[Ask], backend: str = "asyncio", **settings: Any) -> Any:
    """What one framework records of the requests, and what it answers."""
    recorder = Recorder(**settings)
    log: list[Any] = []
    app = make(fw, recorder.settings, log)

    async def main() -> list[Any]:
        answers = []
        for ask in asks:
            answer = await exchange(app, ask)
            answers.append((answer.status, answer.messages, answer.error))
        return answers

    answers = run(main, backend)
    return neutral({"answers": answers, "log": log, **recorder.all()})


def compare(make: Make, asks: Sequence[Ask], backend: str = "asyncio", **settings: Any) -> dict[str, Any]:
    """Assert that both record the same; give what FastAPI records."""
    expected, actual = (record(fw, make, asks, backend, **settings) for fw in BOTH)
    for part, theirs in expected.items():
        ours = actual[part]
        for index, (one, other) in enumerate(zip(theirs, ours, strict=False)):
            assert other == one, f"\n{part} {index}\nfastapi: {one}\nferrapi: {other}"
        assert len(ours) == len(theirs), f"\n{part}\nfastapi: {theirs}\nferrapi: {ours}"
    return expected

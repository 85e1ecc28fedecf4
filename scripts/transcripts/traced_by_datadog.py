"""Datadog's ddtrace: the spans of requests."""

import os
from typing import Any

os.environ.update(
    DD_TRACE_STARTUP_LOGS="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_TRACE_AGENT_URL="http://127.0.0.1:1",
)
from ddtrace import patch
from ddtrace.trace import TraceFilter, tracer

traces: list[Any] = []


class Noting(TraceFilter):
    def process_trace(self, trace: list[Any]) -> None:
        traces.append(trace)


tracer.configure(trace_processors=[Noting()])
patch(fastapi=True, starlette=True)
from traced import ask_one_by_one, make  # noqa: E402  # what it imports has to be patched


def show() -> None:
    for trace in traces:
        for span in trace:
            tags = sorted(
                (key, value) for key, value in span.get_tags().items() if key.startswith(("http", "error.type"))
            )
            print("   ", span.name, span.service, span.resource, span.error, tags, bool(span.parent_id))
    traces.clear()


ask_one_by_one(make(), show)

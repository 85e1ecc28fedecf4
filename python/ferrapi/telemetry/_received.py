"""Whether anybody receives what an application records.

Without a provider that records, nothing of OpenTelemetry is imported, and the stack is what it is without telemetry.
Providers count that were passed, and global ones; those that belong to OpenTelemetry's API, not to an implementation of
it, record nothing. Global providers have to be set before the first request, or while the application starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, NamedTuple

from ._config import Settings

Signal = Literal["tracing", "metrics", "logs"]


class _Source(NamedTuple):
    """Where the provider of a signal comes from."""

    setting: Literal["tracer_provider", "meter_provider", "logger_provider"]
    module: str
    getter: str
    variable: str


_SOURCES: dict[Signal, _Source] = {
    "tracing": _Source("tracer_provider", "opentelemetry.trace", "get_tracer_provider", "OTEL_PYTHON_TRACER_PROVIDER"),
    "metrics": _Source("meter_provider", "opentelemetry.metrics", "get_meter_provider", "OTEL_PYTHON_METER_PROVIDER"),
    "logs": _Source("logger_provider", "opentelemetry._logs", "get_logger_provider", "OTEL_PYTHON_LOGGER_PROVIDER"),
}


def is_wanted(settings: Settings) -> bool:
    """Whether an application with these settings has something to record, and somebody who receives it."""
    signals = [signal for signal in _SOURCES if settings[signal]]
    return bool(signals) and (settings["auto_configure"] or any(_is_received(settings, signal) for signal in signals))


def _is_received(settings: Settings, signal: Signal) -> bool:
    """Whether there is a provider that does something with what is recorded."""
    source = _SOURCES[signal]
    provider: Any = settings[source.setting]
    if provider is None:
        if source.module not in sys.modules and source.variable not in os.environ:
            return False
        try:
            get: Callable[[], Any] = getattr(import_module(source.module), source.getter)
        except ImportError:
            return False
        provider = get()
    return records(provider, signal)


def records(provider: Any, signal: Signal) -> bool:
    """Whether a provider is more than one of OpenTelemetry's API."""
    own, module = _SOURCES[signal].module, type(provider).__module__
    return module != own and not module.startswith(f"{own}.")

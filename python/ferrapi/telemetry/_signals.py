"""`Signals`: where an application's spans, metrics and logs are made.

A provider that was passed is used for ever. The global ones are asked for at each request, because they may be set
late; what was made from one is remembered as long as it stays the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import Logger
from opentelemetry.metrics import Histogram, UpDownCounter
from opentelemetry.trace import Tracer

from ._config import Settings
from ._received import Signal, records

NAME = "fastapi"
VERSION = "0.165.0"
"""Spans, metrics and logs carry the name and version of what they look like: dashboards filter by them."""
SCHEMA = "https://opentelemetry.io/schemas/1.44.0"

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Of the buckets of durations, in seconds, as the semantic conventions advise."""

T = TypeVar("T")


@dataclass(frozen=True)
class Instruments:
    """What measures HTTP requests."""

    duration: Histogram
    active: UpDownCounter


class _Remembered(Generic[T]):
    """What was made from the last provider of a signal; None if that is one that records nothing."""

    def __init__(self, signal: Signal, make: Callable[[Any], T]) -> None:
        self._signal: Signal = signal
        self._make = make
        self._provider: Any = None
        self._made: T | None = None

    def of(self, provider: Any) -> T | None:
        """What is made from `provider`."""
        if provider is not self._provider:
            self._made = self._make(provider) if records(provider, self._signal) else None
            self._provider = provider
        return self._made


class Sinks(NamedTuple):
    """What makes spans, measures requests and makes logs; None where nobody would receive it."""

    tracer: Tracer | None
    instruments: Instruments | None
    logger: Logger | None


class Signals:
    """The signals of an application.

    Parameters:
        settings: its settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tracer = _Remembered("tracing", _tracer)
        self._instruments = _Remembered("metrics", _instruments)
        self._logger = _Remembered("logs", _logger)

    def sinks(self) -> Sinks:
        """What records now."""
        wanted = self.settings
        return Sinks(
            self._tracer.of(wanted["tracer_provider"] or trace.get_tracer_provider()) if wanted["tracing"] else None,
            self._instruments.of(wanted["meter_provider"] or metrics.get_meter_provider())
            if wanted["metrics"]
            else None,
            self._logger.of(wanted["logger_provider"] or _logs.get_logger_provider()) if wanted["logs"] else None,
        )


def _tracer(provider: trace.TracerProvider) -> Tracer:
    return provider.get_tracer(NAME, VERSION, schema_url=SCHEMA)


def _logger(provider: _logs.LoggerProvider) -> Logger:
    return provider.get_logger(NAME, VERSION, schema_url=SCHEMA)


def _instruments(provider: metrics.MeterProvider) -> Instruments:
    meter = provider.get_meter(NAME, VERSION, schema_url=SCHEMA)
    return Instruments(
        duration=meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        ),
        active=meter.create_up_down_counter(
            "http.server.active_requests", unit="{request}", description="Number of active HTTP server requests."
        ),
    )

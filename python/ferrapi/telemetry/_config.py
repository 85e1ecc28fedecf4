"""`TelemetryConfig`: the settings of ``FastAPI(telemetry={...})``, and their defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

from annotated_doc import Doc
from starlette.types import Scope

from ..exceptions import TelemetryError

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider
else:
    LoggerProvider = MeterProvider = TracerProvider = Any  # OpenTelemetry may not be installed

AUTO_CONFIGURE = "FASTAPI_OTEL_AUTO_CONFIGURE"
"""The environment variable that turns `auto_configure` on: ``true``, in any case of letters."""


class TelemetryConfig(TypedDict, total=False):
    """What an application records with OpenTelemetry, and where it goes. What is left out has its default."""

    tracer_provider: Annotated[TracerProvider | None, Doc("Makes the spans; the global provider if there is none.")]
    meter_provider: Annotated[MeterProvider | None, Doc("Makes the metrics; the global provider if there is none.")]
    logger_provider: Annotated[LoggerProvider | None, Doc("Makes the logs; the global provider if there is none.")]
    tracing: Annotated[bool, Doc("Whether requests and WebSocket connections become spans. True by default.")]
    metrics: Annotated[bool, Doc("Whether HTTP requests are counted and timed. True by default.")]
    logs: Annotated[
        bool,
        Doc(
            "Whether unhandled exceptions, with message and stack trace, and failures of validation are logged. "
            "True by default."
        ),
    ]
    operation_spans: Annotated[
        bool,
        Doc("Whether dependencies, endpoint, serialisation and background tasks become spans, too. True by default."),
    ]
    auto_configure: Annotated[
        bool,
        Doc(
            "Whether to add exporters for the OTLP endpoints that environment variables name. False by default, unless "
            "`FASTAPI_OTEL_AUTO_CONFIGURE` is `true`."
        ),
    ]
    exclude: Annotated[
        Callable[[Scope], bool] | None,
        Doc("Called with the ASGI scope; nothing is recorded for a request for which it returns True."),
    ]


class Settings(TypedDict):
    """A `TelemetryConfig` in which nothing is left out."""

    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None
    logger_provider: LoggerProvider | None
    tracing: bool
    metrics: bool
    logs: bool
    operation_spans: bool
    auto_configure: bool
    exclude: Callable[[Scope], bool] | None


def complete(given: Mapping[str, Any] | None) -> Settings:
    """The settings with `given` in the place of the defaults.

    Raises:
        TelemetryError: when `given` is no mapping.
    """
    defaults: Settings = {
        "tracer_provider": None,
        "meter_provider": None,
        "logger_provider": None,
        "tracing": True,
        "metrics": True,
        "logs": True,
        "operation_spans": True,
        "auto_configure": os.environ.get(AUTO_CONFIGURE, "").lower() == "true",
        "exclude": None,
    }
    if given is None:
        return defaults
    if not isinstance(given, Mapping):
        raise TelemetryError(f"FastAPI(telemetry=...) takes a dictionary of settings, not {given!r}")
    return cast(Settings, {**defaults, **given})

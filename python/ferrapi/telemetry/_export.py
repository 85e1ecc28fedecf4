"""`Exporting`: exporters for the OTLP endpoints that environment variables name, added when an application starts.

Off unless `auto_configure` is set. For each signal that is recorded and has an endpoint
(``OTEL_EXPORTER_OTLP_ENDPOINT``, or the one of the signal) the provider in use gets one more exporter; where there is
no global provider, one of the SDK is made. Either all of them are added or, with a warning that says why, none is.
What was added is flushed when the application ends, and shut down when the process does: other applications may use it.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pkgutil import resolve_name
from types import ModuleType
from typing import Any, Literal
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from opentelemetry import _logs, metrics, trace
from starlette.types import ASGIApp, Receive, Scope, Send

from .._threads import run_in_thread
from ..exceptions import TelemetryError
from ..logger import logger
from ._config import Settings
from ._received import Signal

_LEAVE_OUT = "pass telemetry={'auto_configure': False} to FastAPI()."
_INSTEAD = f"and {_LEAVE_OUT}"


@dataclass(frozen=True)
class _Kind:
    """How exporters of one signal are added. Classes are named, as ``module:name``: they may not be installed."""

    name: str
    setting: Literal["tracer_provider", "meter_provider", "logger_provider"]
    api: ModuleType
    getter: str
    setter: str
    adder: str
    sdk_provider: str
    component: str
    """A span processor, a metric reader or a log record processor, made from an exporter."""
    exporter: str

    def variable(self, which: str) -> str | None:
        """What the environment says: for this signal, else for all of them."""
        own = os.environ.get(f"OTEL_EXPORTER_OTLP_{self.name.upper()}_{which}")
        return own or os.environ.get(f"OTEL_EXPORTER_OTLP_{which}") or None

    def current(self) -> Any:
        """The global provider."""
        return getattr(self.api, self.getter)()

    def new_provider(self) -> Any:
        """A provider of the SDK, which is the global one from now on."""
        provider = resolve_name(self.sdk_provider)(shutdown_on_exit=False)  # what was added to it is shut down
        getattr(self.api, self.setter)(provider)
        return provider

    def component_maker(self) -> Callable[[], Any]:
        """Makes what is to be added to a provider."""
        component, exporter = resolve_name(self.component), resolve_name(self.exporter)
        return lambda: component(exporter())


_KINDS: dict[Signal, _Kind] = {
    "tracing": _Kind(
        name="traces",
        setting="tracer_provider",
        api=trace,
        getter="get_tracer_provider",
        setter="set_tracer_provider",
        adder="add_span_processor",
        sdk_provider="opentelemetry.sdk.trace:TracerProvider",
        component="opentelemetry.sdk.trace.export:BatchSpanProcessor",
        exporter="opentelemetry.exporter.otlp.proto.http.trace_exporter:OTLPSpanExporter",
    ),
    "metrics": _Kind(
        name="metrics",
        setting="meter_provider",
        api=metrics,
        getter="get_meter_provider",
        setter="set_meter_provider",
        adder="add_metric_reader",
        sdk_provider="opentelemetry.sdk.metrics:MeterProvider",
        component="opentelemetry.sdk.metrics.export:PeriodicExportingMetricReader",
        exporter="opentelemetry.exporter.otlp.proto.http.metric_exporter:OTLPMetricExporter",
    ),
    "logs": _Kind(
        name="logs",
        setting="logger_provider",
        api=_logs,
        getter="get_logger_provider",
        setter="set_logger_provider",
        adder="add_log_record_processor",
        sdk_provider="opentelemetry.sdk._logs:LoggerProvider",
        component="opentelemetry.sdk._logs.export:BatchLogRecordProcessor",
        exporter="opentelemetry.exporter.otlp.proto.http._log_exporter:OTLPLogExporter",
    ),
}

_ADDED: MutableMapping[Any, Any] = WeakKeyDictionary()
"""What was added to each provider of the process."""


class Exporting:
    """The exporters of one application.

    Parameters:
        settings: its settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._added: list[Any] = []

    async def during(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the exporters from the start of an application to its end."""
        if self.settings["auto_configure"]:
            self.add()
        try:
            await app(scope, receive, send)
        finally:
            for component in self._added:
                await run_in_thread(component.force_flush)

    def add(self) -> None:
        """Add the exporters that are not there yet. What is wrong is logged: it keeps no application from starting."""
        if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return
        try:
            wanted = [kind for signal, kind in _KINDS.items() if self.settings[signal] and _is_wanted(kind)]
            places = [(kind, self._place(kind)) for kind in wanted]
            missing = [(kind, place) for kind, place in places if place is None or place not in _ADDED]
            makers = [kind.component_maker() for kind, _ in missing]
            self._added = [_ADDED[place] for _, place in places if place is not None and place in _ADDED]
            for (kind, place), make in zip(missing, makers, strict=True):
                component = make()
                provider = kind.new_provider() if place is None else place
                getattr(provider, kind.adder)(component)
                atexit.register(component.shutdown)
                _ADDED[provider] = component
                self._added.append(component)
        except ImportError:
            _warn(
                "Automatic OpenTelemetry export requires ferrapi[opentelemetry]. "
                f"Install the extra, configure providers yourself, or {_LEAVE_OUT}"
            )
        except Exception as error:  # the SDK refuses settings of its own, each in its way
            _warn(str(error))

    def _place(self, kind: _Kind) -> Any:
        """The provider that an exporter is to be added to; None if there is none yet."""
        given: Any = self.settings[kind.setting]
        provider = kind.current() if given is None else given
        if given is None and type(provider).__name__.lstrip("_").startswith("Proxy"):
            return None
        if not hasattr(provider, kind.adder):
            named = kind.setting.replace("_", " ")
            raise TelemetryError(
                f"The configured OpenTelemetry {named} does not support adding an OTLP exporter. "
                f"Configure environment export through that provider {_INSTEAD}"
            )
        return provider


def _is_wanted(kind: _Kind) -> bool:
    """Whether the environment names an endpoint for this signal.

    Raises:
        TelemetryError: when it says something that can't be done.
    """
    endpoint = kind.variable("ENDPOINT")
    variable = f"OTEL_{kind.name.upper()}_EXPORTER"
    exporter = os.environ.get(variable, "").strip().lower() or "otlp"
    if endpoint is None or exporter == "none":
        return False
    if exporter != "otlp":
        raise TelemetryError(
            f"FastAPI automatic telemetry supports {variable}=otlp or none. "
            f"Configure other exporters explicitly {_INSTEAD}"
        )
    if (kind.variable("PROTOCOL") or "http/protobuf").strip().lower() != "http/protobuf":
        raise TelemetryError(
            "FastAPI automatic telemetry requires the OTLP http/protobuf protocol. "
            f"Configure other transports explicitly {_INSTEAD}"
        )
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise TelemetryError(f"Invalid OTLP {kind.name} endpoint. Use an absolute HTTP or HTTPS URL.")
    return True


def _warn(reason: str) -> None:
    logger.warning("FastAPI automatic telemetry configuration failed: %s", reason)

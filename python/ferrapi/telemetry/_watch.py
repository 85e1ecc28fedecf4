"""`Watch`: what is recorded of one request or connection, from its arrival until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException, WebSocketException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from ..exceptions import RequestValidationError
from ..serve.exchange import TRACER, Exchange
from ._attributes import Attributes, error_type, function_name, of_request, of_socket
from ._config import Settings
from ._data import TelemetryData
from ._signals import Sinks

_KEY = contexts.create_key("ferrapi.watch")
_EXPECTED = (HTTPException, RequestValidationError, WebSocketException)
"""Exceptions that are answers, not failures."""
_NORMAL_CLOSURE = frozenset({1000, 1001})


class _Place:
    """Where a context has the watch. It is empty when the request is over: contexts may be kept for longer."""

    def __init__(self, watch: Watch | None) -> None:
        self.watch = watch


def watch_in(context: Context | None = None) -> Watch | None:
    """The watch over the request that `context`, or the current one, belongs to; None if there is none any more."""
    place = contexts.get_value(_KEY, context)
    return place.watch if isinstance(place, _Place) else None


def data_in(context: Context | None = None) -> TelemetryData | None:
    """What is known of that request."""
    watch = watch_in(context)
    return None if watch is None else watch.data


@contextmanager
def unwatched() -> Iterator[None]:
    """A context in which nobody watches, for a request that is excluded; it may come from inside of another one."""
    token = contexts.attach(contexts.set_value(_KEY, _Place(None)))
    try:
        yield
    finally:
        contexts.detach(token)


class _HeaderGetter(Getter[Headers]):
    """Reads headers for OpenTelemetry's propagators."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        return carrier.getlist(key) or None

    def keys(self, carrier: Headers) -> list[str]:
        return carrier.keys()


_HEADERS = _HeaderGetter()


def is_expected(exc: BaseException) -> bool:
    """Whether an exception is an answer, or the usual end of a connection."""
    if isinstance(exc, WebSocketDisconnect):
        return exc.code in _NORMAL_CLOSURE
    return isinstance(exc, _EXPECTED)


def mark_failed(span: Span, kind: str) -> None:
    """Note on a span why it failed."""
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


class Watch:
    """Over one request or connection; the `Tracer` of the engine.

    Parameters:
        settings: the application's.
        sinks: what makes spans, metrics and logs.
        scope: the ASGI scope.
    """

    verb: str
    steady: Attributes
    """What the span has from its begin, and is given again at its end: a sampler may have taken it away."""
    own: Attributes
    """What the span has from its begin, besides."""
    exception_event: str
    exception_body: str

    def __init__(self, settings: Settings, sinks: Sinks, scope: Scope) -> None:
        self.settings = settings
        self.sinks = sinks
        self.scope = scope
        self.data = TelemetryData()
        self.template: str | None = None
        self.error: str | None = None
        self._logged: BaseException | None = None
        self._base = scope.get("app_root_path", scope.get("root_path", "")).rstrip("/")
        self._place = _Place(self)

    @classmethod
    def uses(cls, sinks: Sinks) -> bool:
        """Whether anything of it would be recorded."""
        return sinks.tracer is not None or sinks.logger is not None

    # The whole

    async def follow(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        """Let `app` answer."""
        self.context, self.span = self._begin()
        token = contexts.attach(self.context)
        self.scope[TRACER] = self
        try:
            await app(self.scope, receive, send)
            self.answered()
        except BaseException as exc:
            if isinstance(exc, Exception):
                self.raised(exc)
            else:
                self.error = error_type(exc)
            raise
        finally:
            self.end()
            contexts.detach(token)
            self.scope.pop(TRACER, None)
            self._place.watch = None
            self._logged = None
            self.data = TelemetryData()  # the request that is in it refers back here

    def _begin(self) -> tuple[Context, Span | None]:
        tracer = self.sinks.tracer
        if tracer is None:
            return contexts.set_value(_KEY, self._place), None
        parent = propagate.extract(Headers(scope=self.scope), getter=_HEADERS)
        attributes = {**self.steady, **self.own}
        span = tracer.start_span(self.verb, context=parent, kind=SpanKind.SERVER, attributes=attributes)
        return contexts.set_value(_KEY, self._place, trace.set_span_in_context(span, parent)), span

    def answered(self) -> None:
        """The application has come back without an exception."""

    def end(self) -> None:
        """Record what is known in the end."""
        found = {**self.steady, **self.where(), **self.found()}
        if self.error is not None:
            found["error.type"] = self.error
        if self.span is not None:
            self.span.set_attributes(found)
            if self.error is not None:
                self.span.set_status(StatusCode.ERROR)
        self.measure(found)
        if self.span is not None:
            self.span.end()

    def found(self) -> Attributes:
        """What is known besides in the end."""
        return {}

    def measure(self, attributes: Attributes) -> None:
        """Record the metrics, if there are any."""

    def where(self) -> Attributes:
        """The attribute that names the route."""
        return {} if self.template is None else {"http.route": self.template}

    # What the engine tells

    def matched(self, template: str, mounted_at: str | None = None) -> None:
        """A router has found the route whose path is `template`; `mounted_at` is the template of a mount's prefix."""
        self.template = self._base + template
        if self.span is not None:
            self.span.set_attribute("http.route", self.template)
            self.span.update_name(f"{self.verb} {self.template}")
        if mounted_at is not None:
            self._base += mounted_at

    def started(self, x: Exchange) -> None:
        """The route begins with its work."""
        if x.is_http:
            self.data.request = x.request
        else:
            self.data.websocket = x.websocket

    def read(self, body: Any) -> None:
        """The body was read."""
        self.data.body = body

    def solved(self, values: dict[str, Any], errors: Sequence[Any]) -> None:
        """The dependencies have run, and the endpoint's arguments are `values` or have `errors`."""
        self.data.values = values
        self.data.errors = errors

    def refused(self, errors: Sequence[Any]) -> None:
        """The request is refused because of `errors`: a warning that says how many they are, and not the input."""
        self.data.errors = errors
        self._log(
            SeverityNumber.WARN,
            event_name="fastapi.validation.failed",
            body="Request validation failed",
            attributes={"fastapi.validation.error_count": len(errors), **self.where()},
        )

    def step(self, name: str, call: Callable[..., Any]) -> AbstractContextManager[None]:
        """The span of one step of the endpoint `call`."""
        return self._operation(name, call, is_expected)

    # Exceptions and background tasks

    def raised(self, exc: Exception) -> None:
        """An exception has come out of the application, or out of what is mounted in it; log it once."""
        if is_expected(exc):
            return
        self.error = error_type(exc)
        if self._logged is exc:
            return
        self._logged = exc
        self._log(
            SeverityNumber.ERROR,
            event_name=self.exception_event,
            body=self.exception_body,
            attributes=self.where(),
            exception=exc,
        )

    async def run_task(self, task: Any) -> None:
        """Run a background task."""
        with self._operation("background_task", task.func, lambda exc: False):
            await task()

    def _log(self, severity: SeverityNumber, **record: Any) -> None:
        if self.sinks.logger is not None:
            self.sinks.logger.emit(
                timestamp=time.time_ns(),
                severity_number=severity,
                severity_text=severity.name,
                **record,
            )

    @contextmanager
    def _operation(
        self, name: str, call: Callable[..., Any], is_expected: Callable[[Exception], bool]
    ) -> Iterator[None]:
        tracer = self.sinks.tracer
        if tracer is None or not self.settings["operation_spans"]:
            yield
            return
        with tracer.start_as_current_span(
            f"fastapi.{name}",
            attributes={"code.function.name": function_name(call)},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as exc:
                if not is_expected(exc):
                    mark_failed(span, error_type(exc))
                raise


class HttpWatch(Watch):
    """Over an HTTP request. Its span ends with the response, before background tasks and clean-up."""

    exception_event = "http.server.request.exception"
    exception_body = "Unhandled exception in FastAPI request"

    def __init__(self, settings: Settings, sinks: Sinks, scope: Scope) -> None:
        super().__init__(settings, sinks, scope)
        self.verb, self._counted, self.steady, self.own = of_request(scope)
        self._instruments = sinks.instruments
        self._status: int | None = None
        self._has_trailers = False
        self._has_ended = False
        self._begun = 0.0

    @classmethod
    def uses(cls, sinks: Sinks) -> bool:
        return sinks.instruments is not None or super().uses(sinks)

    async def follow(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        async def send_watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                self._has_trailers = message.get("trailers", False)
            await send(message)
            if self._is_last(message):
                self.end()

        await super().follow(app, receive, send_watched)

    def _is_last(self, message: Message) -> bool:
        kind = message["type"]
        if kind == "http.response.trailers":
            return not message.get("more_trailers", False)
        if kind == "http.response.body":
            return not message.get("more_body", False) and not self._has_trailers
        return kind == "http.response.pathsend" and not self._has_trailers

    def _begin(self) -> tuple[Context, Span | None]:
        if self._instruments is not None:
            self._instruments.active.add(1, self._counted)
        begun = super()._begin()
        self._begun = time.perf_counter()
        return begun

    def answered(self) -> None:
        if not self._has_ended:  # the response has no end
            self.error = "RuntimeError"

    def end(self) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        if self.error is None and self._status is not None and self._status >= 500:
            self.error = str(self._status)
        super().end()

    def found(self) -> Attributes:
        return {} if self._status is None else {"http.response.status_code": self._status}

    def measure(self, attributes: Attributes) -> None:
        if self._instruments is not None:
            self._instruments.duration.record(time.perf_counter() - self._begun, attributes)
            self._instruments.active.add(-1, self._counted)


class SocketWatch(Watch):
    """Over a WebSocket connection. Its span is as long as the connection, with what is cleaned up after it."""

    verb = "WS"
    exception_event = "fastapi.websocket.exception"
    exception_body = "Unhandled exception in FastAPI WebSocket connection"

    def __init__(self, settings: Settings, sinks: Sinks, scope: Scope) -> None:
        super().__init__(settings, sinks, scope)
        self.steady, self.own = of_socket(scope)

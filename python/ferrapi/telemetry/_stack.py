"""`Telemetry`: the layers around and in the middleware stack of an application that records something.

The outermost layer, that for server errors, begins and ends a request's span as well. Inside of it exceptions are noted
before they become a response. Around the router stands a layer that does nothing: so its requests come to it by
way of ASGI, with somebody in their scope who is told of each step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import background
from .._middleware_stack import ExceptionTelemetryMiddleware, ServerErrors, build
from ..serve.exchange import TRACER
from ._config import Settings
from ._export import Exporting
from ._signals import Signals
from ._watch import HttpWatch, SocketWatch, Watch, unwatched, watch_in

_SEEN = "fastapi.telemetry"
"""The key, FastAPI's, in the scope of a request that this application, or somebody around it, has decided on.

It is there until the request is over. Tools that record themselves put it there.
"""
_WATCHES: dict[str, type[Watch]] = {"http": HttpWatch, "websocket": SocketWatch}
_INSTRUMENTATION = "opentelemetry.instrumentation.asgi"


class Telemetry:
    """What records for one application.

    Parameters:
        settings: its settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.signals = Signals(settings)
        self.exporting = Exporting(settings)
        self._stack: Any = None
        self._is_instrumented = False

    def build(self, router: ASGIApp, middleware: list[Middleware]) -> ASGIApp:
        """`router` inside of all layers (see `_middleware_stack.build`), with those of telemetry between them."""
        layers: dict[type, Callable[..., ASGIApp]] = {
            ServerErrorMiddleware: partial(Watches, self),
            ExceptionTelemetryMiddleware: NotesExceptions,
        }
        return build(Passage(router), middleware, layers)

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let `app` answer, and record that, unless somebody else does or nobody wants it."""
        kind = scope["type"]
        if kind == "lifespan":
            await self.exporting.during(app, scope, receive, send)
            return
        make = _WATCHES.get(kind)
        if make is None or _SEEN in scope or self.is_instrumented(scope):
            await app(scope, receive, send)
            return
        sinks = self.signals.sinks()
        if not make.uses(sinks):
            await app(scope, receive, send)
            return
        exclude = self.settings["exclude"]
        is_excluded = exclude is not None and exclude(scope)
        scope[_SEEN] = True
        try:
            if is_excluded:
                with unwatched():
                    await app(scope, receive, send)
            else:
                await make(self.settings, sinks, scope).follow(app, receive, send)
        finally:
            scope.pop(_SEEN, None)

    def is_instrumented(self, scope: Scope) -> bool:
        """Whether OpenTelemetry's own ASGI middleware is somewhere in the application's stack: it records the same."""
        stack = getattr(scope.get("app"), "middleware_stack", None)
        if stack is not self._stack:
            self._stack = layer = stack
            while layer is not None and type(layer).__module__ != _INSTRUMENTATION:
                layer = getattr(layer, "app", None)
            self._is_instrumented = layer is not None
        return self._is_instrumented


class Watches(ServerErrors):
    """The layer for server errors, the outermost, with a watch over each request.

    It is one layer, because tools that follow requests put another one in the place of the outermost, and count on
    there being none for server errors inside of that.

    Parameters:
        telemetry: what watches.
        app: the layers inside.
        handler: what answers to an error that nobody has handled.
        debug: whether the answer to that shows where it was raised.
    """

    def __init__(self, telemetry: Telemetry, app: ASGIApp, handler: Any = None, debug: bool = False) -> None:
        super().__init__(app, handler=handler, debug=debug)
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.telemetry.serve(super().__call__, scope, receive, send)


class NotesExceptions(ExceptionTelemetryMiddleware):
    """Notes what the application raises before it becomes a response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as exc:
            watch = scope.get(TRACER)
            if isinstance(watch, Watch):
                watch.raised(exc)
            raise


class Passage:
    """Calls an application by way of ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


async def _run_task(task: Any) -> None:
    watch = watch_in()
    await (task() if watch is None else watch.run_task(task))


background.run_task = _run_task

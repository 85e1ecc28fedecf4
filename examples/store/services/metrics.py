"""What Prometheus reads: requests by route, and what the shop did. See ``api/operations.py`` for where.

With several workers set ``PROMETHEUS_MULTIPROC_DIR`` to an empty folder: each answer is then the sum of all of them.
"""

import os
import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics:
    """The measures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "store_request_seconds", "Requests until their end.", ["method", "route", "status"], registry=self.registry
        )
        self.orders = Counter("store_orders", "What happened to orders.", ["event"], registry=self.registry)
        self.letters = Counter("store_emails", "E-mail by result.", ["result"], registry=self.registry)
        self.listeners = Gauge(
            "store_feed_listeners",
            "Open order feeds.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def text(self) -> bytes:
        """Returns everything in Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library has no types there
        return generate_latest(together)


class Measured:
    """Middleware that measures each HTTP request under the template of its route, so that names stay few."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request and measures it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        begun = time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - begun
            self.metrics.requests.labels(scope["method"], route_of(scope), status).observe(seconds)


def route_of(scope: Any) -> str:
    """Returns the template of the route that took the request, or nothing if none did.

    A route knows its own template; what it is included under is the rest of the path in front of it.
    """
    template: str = getattr(scope.get("route"), "path", "")
    own = template.count("/") if template else 0
    return "/".join(scope["path"].split("/")[:-own]) + template if own else ""

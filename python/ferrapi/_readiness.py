"""The readiness path of ``ferrapi run --health``: 200 while the server takes requests, 503 when it is about to stop.

Two things answer, in the same way: a layer around the application, which no middleware of the application's comes
before (a redirect to HTTPS or a list of trusted hosts would mislead who asks), and a route in front of all others, for
requests that ferrapi's HTTP protocol takes to the routes directly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ._compat.starlette import get_route_path
from ._draining import Drainable, application_in, drain


def readiness(draining: bool) -> Response:
    """The answer."""
    status, said = (503, "draining") if draining else (200, "ready")
    return JSONResponse({"status": said}, status, headers={"cache-control": "no-store"})


class Readiness(Drainable):
    """An ASGI application that answers at one path, and leaves everything else to the one inside.

    Parameters:
        app: the one inside.
        path: the path, without a root path.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app = app
        self._path = path
        self._application = application_in(app)
        self._has_begun = False

    def drain(self) -> None:
        """Answer with 503 from now on, and tell the application inside."""
        self._has_begun = True
        drain(self.app)

    @property
    def draining(self) -> bool:
        """Whether the server, or its application, is about to stop."""
        return self._has_begun or (self._application is not None and self._application.draining)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = (
            scope["type"] == "http" and get_route_path(scope) == self._path and scope["method"] in ("GET", "HEAD")
        )
        if not is_asked:
            await self.app(scope, receive, send)
            return
        await readiness(self.draining)(scope, receive, send)


def add_route(app: Any, path: str) -> None:
    """Put the route in front of all others of an application (a `FastAPI`)."""

    async def ready(request: Request) -> Response:
        return readiness(app.draining)

    endpoint: Callable[[Request], Any] = ready
    app.router.routes.insert(0, Route(path, endpoint, include_in_schema=False, name="ferrapi-readiness"))

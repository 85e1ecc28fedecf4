"""What stands behind the middleware of an application with versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..routing._contexts import Placed
from ._choice import chooser
from ._routers import ASKED, CHOSEN, VersionedRoutes, VersionRouter, has_versions, unknown_version, varying, version_in
from ._version import Headers, Versioning

Build = Callable[[ASGIApp, list[Middleware]], ASGIApp]
_BEGINNINGS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


def build_stack(routes: VersionedRoutes, build: Build, around: list[Middleware], ends: list[Middleware]) -> ASGIApp:
    """The middleware stack of an application with versions.

    Parameters:
        routes: its routes.
        build: puts an application into layers.
        around: the layers of each application, and those that were added to it.
        ends: the layers that stand right around a router.
    """
    versioning = routes.versioning
    if versioning.by == "path":
        says = any(version.headers for version in versioning.known.values())
        layers = [Middleware(SaysVersion, versioning=versioning)] if says else []
        return build(routes.router, [*around, *layers, *ends])
    return build(VersionSwitch(routes, lambda router: build(router, ends)), around)


class SaysVersion:
    """Adds to the answers of versioned routes what they have to say about their version.

    An answer for which no route was found says only which header that may depend on.

    Parameters:
        app: what answers.
        versioning: the versions.
    """

    def __init__(self, app: ASGIApp, versioning: Versioning) -> None:
        self.app = app
        self.versioning = versioning
        self.vary = varying(versioning).get("Vary", "").encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def saying(message: Message) -> None:
            if message["type"] in _BEGINNINGS and has_versions(scope) is not False:
                message = {**message, "headers": self._headers(scope, list(message.get("headers") or ()))}
            await send(message)

        await self.app(scope, receive, saying)

    def _headers(self, scope: Scope, headers: Headers) -> Headers:
        """The headers of an answer with those that it lacks."""
        version = self.versioning.known.get(version_in(scope) or "")
        present = {name.lower() for name, _ in headers}
        if version is not None:
            headers += [one for one in version.headers if one[0] == b"link" or one[0] not in present]
            if self.versioning.by == "media_type":
                parameter = f"; {self.versioning.field}={version.name}".encode()
                headers = [(name, value + parameter if name == b"content-type" else value) for name, value in headers]
        if self.vary:
            headers.append((b"vary", self.vary))
        return headers


class VersionSwitch:
    """Finds out which version a request asks for, and passes it on to the router of that version.

    Parameters:
        routes: the routes of the application.
        inside: puts a router into the layers that stand right around it.
    """

    def __init__(self, routes: VersionedRoutes, inside: Callable[[ASGIApp], ASGIApp]) -> None:
        self.versioning = versioning = routes.versioning
        self._choose = chooser(versioning)
        own = routes.app.router

        def router(version: str | None, default: ASGIApp) -> VersionRouter:
            def find() -> list[Placed]:
                return routes.met_by(version)

            return VersionRouter(own, find, default)

        async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
            # A path that no version has is simply not found.
            if scope["type"] == "http" and any(one.table().find(dict(scope)) for one in versions.values()):
                raise unknown_version(versioning, scope.get(ASKED))
            await own.default(scope, receive, send)

        def usual(scope: Scope, receive: Receive, send: Send) -> Any:
            return own.default(scope, receive, send)

        versions = {name: router(name, usual) for name in versioning.known}
        self.app: ASGIApp = inside(router(None, refuse))
        self._sides = {name: SaysVersion(inside(one), versioning) for name, one in versions.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = self._choose(scope)
        version = self.versioning.default if asked is None else asked
        side = self._sides.get(version) if version is not None else None
        if side is not None:
            scope[CHOSEN] = version
            await side(scope, receive, send)
            return
        if asked is not None:
            scope[ASKED] = asked
        await self.app(scope, receive, send)

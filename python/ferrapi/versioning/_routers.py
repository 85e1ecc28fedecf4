"""The routes of each version, and what serves the requests of an application with versions.

The application's router keeps the routes as they were declared. What serves requests is a `VersionRouter`: it has the
routes that requests of one version meet, or those of all versions if the path names it. In an application without
versions the router stands behind the middleware; with versions a `VersionRouter` does, or, where more than the path has
to be looked at, a `VersionSwitch` (`_switch.py`) with one for each version behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from .._compat.starlette import get_route_path
from .._version_counter import ROUTES_VERSION
from ..declare.include import IncludeContext
from ..declare.versions import VersionSet
from ..exceptions import VersioningError
from ..routing._contexts import IncludedRouter, Placed, place
from ..routing._effective import effective_of
from ..routing._frontend import FrontendTable
from ..routing._router import APIRouter
from ..routing._table import Table
from ..routing._versioned import declared_versions, versions_of
from ._documents import mark
from ._version import Versioning

CHOSEN = "ferrapi.version"
"""Where the scope says which version a request has come to, if the path doesn't name it."""
ASKED = "ferrapi.version.asked"
"""Where the scope says which version a request asks for that isn't there."""
_SHOWN = 64
"""The characters of an unknown version that an answer repeats."""


def version_of(connection: HTTPConnection) -> str | None:
    """The version of the API that a request or a WebSocket has come to; None where it has come to no version.

    Parameters:
        connection: the request, as an endpoint or a dependency gets it.
    """
    return version_in(connection.scope)


def version_in(scope: Scope) -> str | None:
    """The same for a scope."""
    if not has_versions(scope):
        return None
    found: str | None = getattr(effective_of(scope), "version", None) or scope.get(CHOSEN)
    return found


def has_versions(scope: Scope) -> bool | None:
    """Whether the route that a request has come to has versions; None if it has come to no route."""
    included: Any = (scope.get("fastapi") or {}).get("included_router")
    found: Any = effective_of(scope) or getattr(included, "include_context", None) or scope.get("route")
    if found is None:
        return None if scope.get("endpoint") is None else False
    return getattr(found, "versions", None) is not None


class Versioned(Protocol):
    """An application (`FastAPI`) with several versions of its API."""

    router: APIRouter
    version: str

    def _document(self, routes: Sequence[BaseRoute], version: str) -> dict[str, Any]:
        """The document of some of its routes, under a version."""


class VersionedRoutes:
    """The routes of an application by version.

    Parameters:
        app: the application.
        versioning: its versions.
    """

    def __init__(self, app: Versioned, versioning: Versioning) -> None:
        self.app = app
        self.versioning = versioning
        self.order = {name: number for number, name in enumerate(versioning.known)}
        self._documents: dict[str | None, tuple[int, dict[str, Any] | None]] = {}
        self._places: dict[tuple[int, str, str], tuple[object, Placed]] = {}

    def check(self, routes: Sequence[BaseRoute]) -> None:
        """Check the versions of routes, those of included routers too.

        Raises:
            VersioningError: for a version that there isn't, or none at all.
        """
        for route, versions in declared_versions(routes):
            unknown = [name for name in versions.names if name not in self.order]
            if unknown:
                raise VersioningError(
                    f"{route} says versions={versions}: there is no version {unknown[0]!r}, but {', '.join(self.order)}"
                )
            if not versions.of_known(self.order):
                raise VersioningError(f"{route} is in no version: {versions} is none of {', '.join(self.order)}")

    def met_by(self, version: str | None) -> list[Placed]:
        """The routes that requests of a version meet: its own, and those without versions. None for these alone."""
        return [
            placed
            for placed in place(self.app.router.routes, through=False)
            if (own := versions_of(placed)) is None or (version is not None and version in self._known(own))
        ]

    def by_path(self, only: str | None = None, *, is_default: bool = False) -> list[Placed]:
        """The routes where paths name the version: those of each version below its prefix, those of the default one
        without it too, and those without versions.

        Parameters:
            only: the one version that is wanted.
            is_default: whether its paths are those without the prefix.
        """
        found: list[Placed] = []
        kept: dict[tuple[int, str, str], tuple[object, Placed]] = {}
        default = self.versioning.default
        for placed in place(self.app.router.routes, through=False):
            own = versions_of(placed)
            if own is None:
                found.append(placed)
                continue
            for version in self._known(own):
                prefixes = [self.versioning.prefix_of(version)] if not is_default else []
                prefixes += [""] if version == default and (only is None or is_default) else []
                if only is None or only == version:
                    found += [self._below(placed, prefix, version, kept) for prefix in prefixes]
        if only is None:
            self._places = kept
        return found

    def documented(self, version: str | None) -> list[BaseRoute]:
        """The routes of the document of a version; None for the application's own document, which is that of the
        default version, or of the newest one if there is no default.
        """
        default = self.versioning.default
        shown = version or default or next(reversed(self.order))
        if self.versioning.by == "path":
            found = self.by_path(shown, is_default=version is None and default is not None)
        else:
            found = self.met_by(shown)
        return [placed.effective for placed in found]

    def document(self, version: str | None) -> dict[str, Any]:
        """The document of a version, made again when routes were edited; None for the application's own one, which is
        made at each call (see `documented`).
        """
        before = self.known_document(version)
        if before is not None:
            return before
        as_of = ROUTES_VERSION.value
        found = self._made_document(version)
        if version is not None:
            self._documents[version] = (as_of, found)
        return found

    def known_document(self, version: str | None) -> dict[str, Any] | None:
        """The document of a version, if it is made already."""
        as_of, found = self._documents.get(version, (-1, None))
        return found if as_of == ROUTES_VERSION.value else None

    def _made_document(self, version: str | None) -> dict[str, Any]:
        shown = version or self.versioning.default or next(reversed(self.order))
        routes = self.documented(version)
        found = self.app._document(routes, version or self.app.version)
        mark(found, routes, self.versioning, shown)
        return found

    @cached_property
    def router(self) -> VersionRouter:
        """The one router of all versions, where paths name them."""
        return router_by_path(self)

    def _known(self, versions: VersionSet) -> list[str]:
        unknown = [name for name in versions.names if name not in self.order]
        if unknown:
            raise VersioningError(
                f"There is no version {unknown[0]!r} as in versions={versions}: {', '.join(self.order)}"
            )
        return versions.of_known(self.order)

    def _below(self, placed: Placed, prefix: str, version: str, kept: dict[Any, tuple[object, Placed]]) -> Placed:
        """A route at its place below a prefix, the same one as before if there was one."""
        source: object = placed.original if placed.context is None else placed
        key = (id(source), prefix, version)
        before = self._places.get(key)
        if before is None or before[0] is not source:
            before = (source, self._placed_below(placed, prefix, version))
        kept[key] = before
        return before[1]

    def _placed_below(self, placed: Placed, prefix: str, version: str) -> Placed:
        router = self.app.router
        outer = IncludeContext(included_router=router, prefix=prefix, version=version, names_version=bool(prefix))
        if isinstance(placed.original, IncludedRouter):
            inner = placed.original
            return Placed(IncludedRouter(inner.original_router, inner.include_context.below(outer)), None)
        if placed.context is None:
            return Placed(placed.original, outer, IncludedRouter(router, outer))
        return Placed(placed.original, placed.context.below(outer), placed.included)


class VersionRouter(APIRouter):
    """Some of an application's routes, at their places. All else is as its own router has it.

    Parameters:
        router: the application's router.
        find: gives the routes as of now.
        default: answers what no route matches.
        versioning: the versions, where paths name them.
    """

    def __init__(
        self,
        router: APIRouter,
        find: Callable[[], list[Placed]],
        default: ASGIApp,
        versioning: Versioning | None = None,
    ) -> None:
        super().__init__(
            redirect_slashes=router.redirect_slashes,
            default=default,
            dependency_overrides_provider=router.dependency_overrides_provider,
            max_body_size=router.max_body_size,
            form_limits=router.form_limits,
        )
        self._declared = router
        self._find = find
        self._versioning = versioning

    def table(self) -> Table:
        """The route table, rebuilt if any route was edited since."""
        table = self._table
        if table is None or table.as_of != ROUTES_VERSION.value:
            table = self._table = Table(self._find())
        return table

    def _frontends_now(self) -> FrontendTable:
        return self._declared._frontends_now()

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's own."""
        await self._declared.lifespan(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the first route that has this name and these parameters.

        Where paths name the version, ``version`` says which; without it those are asked first that have no version in
        their path, then the versions, the newest first.
        """
        placed = self._find()
        if self._versioning is not None:
            wanted = path_params.get("version")
            if wanted in self._versioning.known:
                params = {key: value for key, value in path_params.items() if key != "version"}
                own = [one for one in placed if _version_in_path(one) == wanted]
                found = _path_among(own, name, params)
                if found is not None:
                    return found
            order = ["", *reversed(self._versioning.known)]
            placed = sorted(placed, key=lambda one: order.index(_version_in_path(one)))
        found = _path_among(placed, name, path_params)
        if found is None:
            raise NoMatchFound(name, path_params)
        return found


def _version_in_path(placed: Placed) -> str:
    """The version that the path of a route names; an empty text if it names none."""
    context = placed.original.include_context if isinstance(placed.original, IncludedRouter) else placed.context
    return "" if context is None or not context.names_version else context.version or ""


def _path_among(placed: list[Placed], name: str, params: dict[str, Any]) -> URLPath | None:
    for one in placed:
        try:
            found: URLPath = one.effective.url_path_for(name, **params)
        except NoMatchFound:
            continue
        return found
    return None


def router_by_path(routes: VersionedRoutes) -> VersionRouter:
    """The one router of all versions, where paths name them."""
    versioning, own = routes.versioning, routes.app.router
    start, end = versioning.prefix.split("{version}")
    shape = re.compile(rf"{re.escape(start)}([0-9][A-Za-z0-9._-]*){re.escape(end)}(?:/|$)")

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        named = shape.match(get_route_path(scope)) if scope["type"] == "http" else None
        if named is not None and named[1] not in versioning.known:
            raise unknown_version(versioning, named[1])
        await own.default(scope, receive, send)

    return VersionRouter(own, routes.by_path, refuse, versioning)


def unknown_version(versioning: Versioning, asked: str | None) -> HTTPException:
    """The answer to a request for a version that there isn't, or for none where one is needed."""
    known = ", ".join(versioning.known)
    if asked is None:
        detail = f"The request has to name a version of the API: {known}."
    else:
        detail = f"There is no version {asked[:_SHOWN]!r} of the API. There are: {known}."
    return HTTPException(versioning.unknown, detail=detail, headers=varying(versioning) or None)


def varying(versioning: Versioning) -> dict[str, str]:
    """What tells caches which header decides (RFC 9110, section 12.5.5)."""
    names = {"header": versioning.field, "media_type": "Accept"}
    name = names.get(versioning.by) if isinstance(versioning.by, str) else None
    return {} if name is None else {"Vary": name}

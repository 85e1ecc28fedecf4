"""Built front ends: directories of static files below the API routes.

`router.frontend("/", directory="dist")` serves what a front end's build wrote. Its requests are those that no route
wants: a router looks here after its routes and after the redirect to a path with (or without) a slash at its end, so
an API route wins wherever and whenever it was declared. Of several front ends the one with the longest prefix answers,
alone; of equal prefixes a router's own come before those of the routers that it includes.

Odd, and as in FastAPI 0.165.0: prefixes are literal (a ``{name}`` in an include's prefix stands for itself);
dependencies run for GET and HEAD only; a method that files don't have is refused without an ``Allow`` header, and as
404 where there is no file; a router's dependencies are those that it has at its first `frontend` call.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL, Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from .. import params
from .._compat.starlette import get_route_path
from .._deprecation import warn_at_caller
from .._hooks import put_in_place
from .._version_counter import ROUTES_VERSION
from ..compile.plan import Plan
from ..declare.body import flat_body_params, should_embed_body_fields
from ..declare.dependant import get_dependant, with_route_dependencies
from ..declare.include import Includable, IncludeContext
from ..dependencies.models import Dependant
from ..exceptions import FastAPIError, RequestValidationError, RouteError
from ..serve.exchange import Exchange
from ..serve.failing import unanswered
from ..serve.layers import RouterLayer, in_layers
from ..serve.limits import serve_limited
from ..serve.respond import Responder, send_response
from ..serve.shield import ExitShield
from ..serve.solving import solve_connection
from ._contexts import IncludedRouter
from ._effective import EffectiveRouteContext

Directory = str | os.PathLike[str]
Fallback = Literal["auto", "index.html", "404.html"] | None
CheckDir = bool | Literal["auto"]
T = TypeVar("T")

_FALLBACKS: dict[Any, tuple[str, ...]] = {
    "auto": ("404.html", "index.html"),
    "index.html": ("index.html",),
    "404.html": ("404.html",),
    None: (),
}
_METHODS = ("GET", "HEAD")
_PAGES = ("text/html", "application/xhtml+xml")


# Declaring


@dataclass(frozen=True)
class Frontend:
    """One directory at one prefix, the prefix being empty or without a slash at its end."""

    prefix: str
    files: FrontendFiles


class Frontends:
    """The front ends of one router.

    Parameters:
        dependencies: what the router asks of each request.
    """

    def __init__(self, dependencies: Sequence[params.Depends]) -> None:
        self.dependencies = tuple(dependencies)
        self.frontends: list[Frontend] = []
        _dependant(self.dependencies)  # mistakes are raised here, not at the first request

    def add(self, prefix: str, path: str, directory: Directory, fallback: Fallback, check_dir: CheckDir) -> None:
        """Serve `directory` at `path`, after the router's `prefix`.

        Raises:
            RouteError: for a bad path or fallback, and (if it is checked) a directory or fallback file that is missing.
        """
        path = _checked_path(path)
        if fallback not in _FALLBACKS or isinstance(fallback, bool):
            raise RouteError(f"fallback must be 'auto', 'index.html', '404.html', or None, not {fallback!r}")
        files = FrontendFiles(directory, fallback)
        if is_checked(files.site, check_dir):
            _check_directory(files)
        self.frontends.append(Frontend(prefix + path, files))
        ROUTES_VERSION.announce()


def _checked_path(path: str) -> str:
    """`path` without slashes at its end."""
    if not path or (path != "/" and not path.rstrip("/")):
        raise RouteError("A frontend path cannot be empty: the whole site is '/'")
    if not path.startswith("/"):
        raise RouteError(f"A frontend path must start with '/': {path!r}")
    return path.rstrip("/")


def is_checked(directory: Directory, check_dir: CheckDir) -> bool:
    """Whether what is missing is a mistake. A development server may start before the first build, so it only warns."""
    if check_dir != "auto":
        return check_dir
    if os.environ.get("FASTAPI_ENV") != "development":
        return True
    if not os.path.isdir(directory):
        warn_at_caller(_missing(directory), UserWarning)
    return False


def _missing(directory: Directory) -> str:
    found = os.path.abspath(directory)
    return f"Frontend directory {os.fspath(directory)!r} does not exist. Resolved absolute path: {found!r}"


def _check_directory(files: FrontendFiles) -> None:
    """Complain early about what is missing."""
    if not os.path.isdir(files.site):
        raise RouteError(_missing(files.site))
    if files.fallback not in ("auto", None):
        _require_fallback(files, files.fallback)


def _require_fallback(files: FrontendFiles, name: str) -> None:
    if not os.path.isfile(os.path.join(files.site, name)):
        raise RouteError(files.without_fallback(name))


# Files


@dataclass(frozen=True)
class Found:
    """A file to answer with, and whether it stands for the directory that it is in."""

    path: str
    stat_result: os.stat_result
    status: int = 200
    of_directory: bool = False


class FrontendFiles(StaticFiles):
    """The files of one front end.

    Parameters:
        directory: where they are.
        fallback: what to answer with where there is no file.
    """

    def __init__(self, directory: Directory, fallback: Fallback) -> None:
        super().__init__(directory=directory, html=True, check_dir=False)
        self.site = directory
        self.fallback = fallback

    async def respond(self, path: str, scope: Scope) -> Response:
        """The response to GET or HEAD of `path`, a path below the front end.

        Raises:
            HTTPException: 404 where there is neither a file nor a fallback, 401 for a file that may not be read.
            FastAPIError: when the fallback file that was asked for is missing.
            RuntimeError: when the directory is missing.
        """
        await self._ready()
        found = await _in_thread(self._find, path, accepts_page(Headers(scope=scope).get("accept", "")))
        if found is None:
            raise HTTPException(status_code=404)
        if found.of_directory and not scope["path"].endswith("/"):
            url = URL(scope=scope)
            return RedirectResponse(url.replace(path=url.path + "/"))
        return self.file_response(found.path, found.stat_result, scope, found.status)

    async def refuse(self, path: str) -> None:
        """Refuse a method that files don't have.

        Raises:
            HTTPException: 405 where there is a file, 404 elsewhere.
        """
        await self._ready()
        found = await _in_thread(self._own, path)
        raise HTTPException(status_code=404 if found is None else 405)

    async def _ready(self) -> None:
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True

    def _find(self, path: str, page: bool) -> Found | None:
        return self._own(path) or self._instead(page)

    def _own(self, path: str) -> Found | None:
        """The file at `path`, or the index of the directory at `path`."""
        path = os.path.normpath(os.path.join(*path.split("/")))
        full_path, stat_result = self.lookup_path(path)
        if stat_result is not None and stat.S_ISREG(stat_result.st_mode):
            return Found(full_path, stat_result)
        if stat_result is not None and stat.S_ISDIR(stat_result.st_mode):
            full_path, stat_result = self.lookup_path(os.path.join(path, "index.html"))
            if stat_result is not None and stat.S_ISREG(stat_result.st_mode):
                return Found(full_path, stat_result, of_directory=True)
        return None

    def _instead(self, page: bool) -> Found | None:
        """The fallback. The index, which shows the page itself, is only for those who want a page."""
        for name in _FALLBACKS[self.fallback]:
            if name == "index.html" and not page:
                continue
            full_path, stat_result = self.lookup_path(name)
            if stat_result is not None and stat.S_ISREG(stat_result.st_mode):
                return Found(full_path, stat_result, status=404 if name == "404.html" else 200)
            if name == self.fallback:
                raise FastAPIError(self.without_fallback(name))
        return None

    def without_fallback(self, name: str) -> str:
        """The message for a missing fallback file."""
        directory = os.fspath(self.site)
        return (
            f"Frontend fallback file {name!r} does not exist in directory {directory!r}. "
            f"Resolved absolute directory: {os.path.abspath(directory)!r}"
        )


async def _in_thread(look: Callable[..., T], *args: Any) -> T:
    """Look for a file in a worker thread; a path that can't be one is not found."""
    try:
        return await put_in_place("ferrapi.routing", "run_in_threadpool", run_in_threadpool)(look, *args)
    except PermissionError:
        raise HTTPException(status_code=401) from None
    except OSError as exc:
        if exc.errno != errno.ENAMETOOLONG:
            raise
        raise HTTPException(status_code=404) from None
    except ValueError:  # a NUL, a lone surrogate, another drive
        raise HTTPException(status_code=404) from None


def accepts_page(accept: str) -> bool:
    """Whether an ``Accept`` header names HTML itself. Wildcards don't count: images are asked for with them too."""
    for entry in accept.split(","):
        media_type, *parameters = entry.split(";")
        if media_type.strip().lower() in _PAGES and _quality(parameters) != 0:
            return True
    return False


def _quality(parameters: Sequence[str]) -> float:
    """The first ``q`` of the parameters; 1 if there is none or it isn't a number (RFC 9110, section 12.4.2)."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 1.0
    return 1.0


# Serving


class Guard:
    """The dependencies of front ends at one place.

    Parameters:
        dependencies: those of the application, the includes and the router, in this order.
        provider: the object whose ``dependency_overrides`` apply.
    """

    def __init__(self, dependencies: Sequence[params.Depends], provider: Any) -> None:
        self.dependant = _dependant(dependencies)
        embed = should_embed_body_fields(flat_body_params(self.dependant))
        self.plan = Plan(self.dependant, embed=embed, provider=provider) if dependencies else None

    async def serve(self, x: Exchange, files: FrontendFiles, path: str) -> None:
        """Run the dependencies, then answer with a file."""
        if self.plan is None:
            await send_response(x, await files.respond(path, x.scope))
            return
        with ExitShield(x.scope) as x.shield:
            async with AsyncExitStack() as x.request_stack, AsyncExitStack() as x.function_stack:
                _, errors = await solve_connection(x, self.plan)
                if errors:
                    raise RequestValidationError(errors)
                response = Responder.finished(x, await files.respond(path, x.scope))
                if x.injected is not None:
                    response.headers.raw.extend(x.injected.headers.raw)
                await send_response(x, response)
        if not x.replied:
            raise unanswered()


def _dependant(dependencies: Sequence[params.Depends]) -> Dependant:
    """The tree of `dependencies`, which have no path parameters, above nothing."""
    return with_route_dependencies(get_dependant(path="", call=_no_endpoint, scope="function"), dependencies, "")


def _no_endpoint() -> None:
    """What the dependencies of a front end lead to."""


@dataclass(frozen=True)
class Place:
    """A front end where an application has it.

    Parameters:
        prefix: before the paths of its files.
        files: what it serves.
        guard: what comes before the files.
        max_body_size: the limit of the includes on the way, if they set one.
        effective: the front ends of the router at this place, if the router is included.
        layers: what the routers above put around its requests, the outermost first.
    """

    prefix: str
    files: FrontendFiles
    guard: Guard
    max_body_size: int | None = None
    effective: EffectiveRouteContext | None = None
    layers: tuple[RouterLayer, ...] = ()

    def rest(self, path: str) -> str | None:
        """What follows the prefix in `path`; None if `path` isn't below it."""
        if self.prefix and path != self.prefix and not path.startswith(self.prefix + "/"):
            return None
        return path[len(self.prefix) :].removeprefix("/")

    async def serve(self, x: Exchange, path: str) -> None:
        """Answer a request for `path` below the prefix."""
        scope = x.scope
        known = scope.get("fastapi") or {}
        place = {} if self.effective is None else {"effective_route_context": self.effective}
        scope["fastapi"] = {**known, "frontend_path": path, "frontend_specificity": len(self.prefix), **place}

        async def answer(x: Exchange) -> None:
            if scope["method"] not in _METHODS:
                await self.files.refuse(path)
            await self.guard.serve(x, self.files, path)

        if self.layers:
            await x.run(in_layers(self.layers, lambda *asgi: self._within_limit(Exchange.of(*asgi), answer)))
        else:
            await self._within_limit(x, answer)

    async def _within_limit(self, x: Exchange, answer: Callable[[Exchange], Awaitable[None]]) -> None:
        if self.max_body_size is None:
            await answer(x)
        else:
            await serve_limited(x, self.max_body_size, answer)


class FrontendTable:
    """The front ends of a router and of all that it includes, as of one moment, the longest prefix first."""

    def __init__(self, router: Includable) -> None:
        self.as_of = ROUTES_VERSION.value
        self.places = sorted(_places(router), key=lambda place: -len(place.prefix))

    async def serve(self, x: Exchange) -> bool:
        """Answer if a front end has the path; say whether."""
        scope = x.scope
        if not self.places or scope["type"] != "http":
            return False
        path = get_route_path(scope)
        for place in self.places:
            rest = place.rest(path)
            if rest is not None:
                if x.tracer is not None:
                    x.tracer.matched(f"{place.prefix}/{{path}}")
                await place.serve(x, rest)
                return True
        return False


Group = tuple[Frontends, Includable, IncludeContext | None]
"""The front ends of one router, the router, and what the includes above it add."""


def _groups(router: Includable, above: IncludeContext | None) -> Iterator[Group]:
    """The front ends of `router` and of all below it: each router's own before those that it includes, at any depth."""
    pending = [(router, above)]
    while pending:
        current, context = pending.pop()
        if current._frontends is not None:
            yield current._frontends, current, context
        below = []
        for route in current.routes:
            if isinstance(route, IncludedRouter):
                inner = route.include_context
                below.append((route.original_router, inner if context is None else inner.below(context)))
        pending.extend(reversed(below))


def front_end_groups(included: IncludedRouter) -> Iterator[tuple[Frontends, Dependant, IncludeContext]]:
    """The front ends of an included router and of all below it, with what they ask of each request."""
    for own, _, context in _groups(included.original_router, included.include_context):
        if context is not None:  # there is one below an include
            yield own, _dependant([*context.dependencies, *own.dependencies]), context


def _places(router: Includable) -> Iterator[Place]:
    for own, current, above in _groups(router, None):
        yield from _at(current, own, above)


def _at(router: Includable, own: Frontends, above: IncludeContext | None) -> Iterator[Place]:
    prefix = "" if above is None else above.prefix
    outer = () if above is None else above.dependencies
    provider = router.dependency_overrides_provider if above is None else above.dependency_overrides_provider
    guard = Guard([*outer, *own.dependencies], provider or router.dependency_overrides_provider)
    effective = None if above is None else EffectiveRouteContext.of_front_ends(own, guard.dependant, above)
    limit = None if above is None else above.max_body_size
    layers = () if above is None else tuple(layer for layer in above.layers if layer)
    for frontend in own.frontends:
        yield Place(prefix + frontend.prefix, frontend.files, guard, limit, effective, layers)

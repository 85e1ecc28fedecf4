"""All routes of an application in the order in which they are asked, those of includes and mounts among them."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.routing import BaseRoute, Host, Mount, WebSocketRoute

from .._draining import application_in
from ..applications import FastAPI
from ..routing import APIRoute, APIWebSocketRoute
from ..routing._contexts import Placed, place

HTTP, WEBSOCKET, MOUNT, FRONT_END, OTHER = "http", "websocket", "mount", "frontend", "other"


@dataclass(frozen=True)
class Listed:
    """A route at its place.

    Attributes:
        path: the whole path template, those of mounts in front.
        methods: sorted; empty for what has none.
        kind: one of the words above.
        name: the route's.
        endpoint: what answers; of a mount the application.
        placed: the route and its includes; None for a front end.
        app: the ferrapi application that it belongs to; None inside of an application of another kind.
        depth: how many mounts are above it.
    """

    path: str
    methods: tuple[str, ...]
    kind: str
    name: str | None
    endpoint: Any
    placed: Placed | None
    app: FastAPI | None
    depth: int = 0

    @property
    def route(self) -> Any:
        """The route as its place has it."""
        return None if self.placed is None else self.placed.effective

    @property
    def is_api(self) -> bool:
        """Whether it is a route of ferrapi's, with parameters and dependencies."""
        return self.placed is not None and isinstance(self.placed.original, (APIRoute, APIWebSocketRoute))


def routes_of(app: FastAPI) -> Iterator[Listed]:
    """The routes of an application and of what is mounted in it, in the order in which they are asked."""
    stack: list[Iterator[Listed]] = [_of_application(app, "", 0)]
    above: list[int] = [id(app)]
    while stack:
        listed = next(stack[-1], None)
        if listed is None:
            stack.pop()
            above.pop()
            continue
        inner = _inside(listed, above)
        if inner is None:
            yield listed
        else:
            stack.append(inner)
            above.append(id(listed.endpoint))


def _inside(listed: Listed, above: list[int]) -> Iterator[Listed] | None:
    """The routes inside of a mount, if they can be seen."""
    if listed.kind != MOUNT or id(listed.endpoint) in above:
        return None
    app = application_in(listed.endpoint)
    if app is not None:
        return _of_application(app, listed.path, listed.depth + 1)
    routes = getattr(listed.route, "routes", None)
    return _of_routes(routes, listed.path, None, listed.depth + 1) if routes else None


def _of_application(app: FastAPI, prefix: str, depth: int) -> Iterator[Listed]:
    yield from _of_routes(app.routes, prefix, app, depth)
    for front_end in app.router._frontends_now().places:
        path = f"{prefix}{front_end.prefix}/{{path}}"
        yield Listed(path, ("GET", "HEAD"), FRONT_END, None, front_end.files, None, app, depth)


def _of_routes(routes: list[BaseRoute], prefix: str, app: FastAPI | None, depth: int) -> Iterator[Listed]:
    for placed in place(routes):
        route = placed.effective
        path = prefix + (getattr(route, "path", None) or "")
        endpoint = getattr(route, "endpoint", None)
        name = getattr(route, "name", None)
        methods = tuple(sorted(getattr(route, "methods", None) or ()))
        kind = HTTP if endpoint is not None else OTHER
        if isinstance(placed.original, (WebSocketRoute, APIWebSocketRoute)):
            kind = WEBSOCKET
        elif isinstance(placed.original, (Mount, Host)):
            kind, endpoint = MOUNT, getattr(placed.original, "app", None)
            path = f"{prefix}//{placed.original.host}" if isinstance(placed.original, Host) else path
        yield Listed(path, methods, kind, name, endpoint, placed, app, depth)


def place_of(call: Any) -> tuple[str, int] | None:
    """The file and the line in which a callable is defined; None if nobody knows."""
    while isinstance(call, functools.partial):
        call = call.func
    call = inspect.unwrap(call) if callable(call) else call
    code = getattr(getattr(call, "__func__", call), "__code__", None)
    if code is not None:
        return code.co_filename, code.co_firstlineno
    kind = call if inspect.isclass(call) else type(call)
    try:
        file = inspect.getsourcefile(kind)
        return None if file is None else (file, inspect.getsourcelines(kind)[1])
    except (TypeError, OSError):
        return None


def shown_place(call: Any) -> str:
    """``file:line``, below the current folder without that; empty if nobody knows."""
    found = place_of(call)
    if found is None:
        return ""
    file, line = found
    here = os.getcwd() + os.sep
    return f"{file.removeprefix(here)}:{line}"

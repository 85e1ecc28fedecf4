"""The decorators that applications and routers have in common: one per HTTP method, each a line over `api_route`."""

from __future__ import annotations

from typing import Protocol, Unpack

from ..types import DecoratedCallable
from ._options import ApiRouteOptions, RouteOptions, api_route_options, route_options


class Decorator(Protocol):
    """Registers a function and gives it back unchanged."""

    def __call__(self, function: DecoratedCallable, /) -> DecoratedCallable: ...


class Verbs:
    """Registers functions for a path and a method. `api_route` is the one thing a subclass has to provide."""

    @api_route_options
    def api_route(self, path: str, **options: Unpack[ApiRouteOptions]) -> Decorator:
        """Register the decorated function at `path` for ``methods`` (GET if none are named)."""
        raise TypeError(f"{type(self).__name__} registers no routes")

    @route_options
    def get(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for GET at `path`."""
        return self.api_route(path, methods=["GET"], **options)

    @route_options
    def put(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for PUT at `path`."""
        return self.api_route(path, methods=["PUT"], **options)

    @route_options
    def post(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for POST at `path`."""
        return self.api_route(path, methods=["POST"], **options)

    @route_options
    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for DELETE at `path`."""
        return self.api_route(path, methods=["DELETE"], **options)

    @route_options
    def options(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for OPTIONS at `path`."""
        return self.api_route(path, methods=["OPTIONS"], **options)

    @route_options
    def head(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for HEAD at `path`."""
        return self.api_route(path, methods=["HEAD"], **options)

    @route_options
    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for PATCH at `path`."""
        return self.api_route(path, methods=["PATCH"], **options)

    @route_options
    def trace(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for TRACE at `path`."""
        return self.api_route(path, methods=["TRACE"], **options)

"""The decorators that applications and routers have in common: one per HTTP method."""

from __future__ import annotations

from typing import Protocol, Unpack

from ..types import DecoratedCallable
from ._options import RouteOptions, route_options


class Decorator(Protocol):
    """Registers a function and gives it back unchanged."""

    def __call__(self, function: DecoratedCallable, /) -> DecoratedCallable: ...


class Verbs:
    """Registers functions for a path and a method. `_verb` is the one thing a subclass has to provide."""

    def _verb(self, method: str, path: str, options: RouteOptions) -> Decorator:
        """Register the decorated function for `method` at `path`, with the options that were given."""
        raise TypeError(f"{type(self).__name__} registers no routes")

    @route_options
    def get(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for GET at `path`."""
        return self._verb("GET", path, options)

    @route_options
    def put(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for PUT at `path`."""
        return self._verb("PUT", path, options)

    @route_options
    def post(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for POST at `path`."""
        return self._verb("POST", path, options)

    @route_options
    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for DELETE at `path`."""
        return self._verb("DELETE", path, options)

    @route_options
    def options(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for OPTIONS at `path`."""
        return self._verb("OPTIONS", path, options)

    @route_options
    def head(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for HEAD at `path`."""
        return self._verb("HEAD", path, options)

    @route_options
    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for PATCH at `path`."""
        return self._verb("PATCH", path, options)

    @route_options
    def trace(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for TRACE at `path`."""
        return self._verb("TRACE", path, options)

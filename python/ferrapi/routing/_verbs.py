"""The decorators that applications and routers have in common: one per HTTP method."""

from __future__ import annotations

from types import FunctionType
from typing import Any, Protocol, Unpack

from ..types import DecoratedCallable
from ._options import RouteOptions, route_options


class Decorator(Protocol):
    """Registers a function and gives it back unchanged."""

    def __call__(self, function: DecoratedCallable, /) -> DecoratedCallable: ...


_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Verbs:
    """Registers functions for a path and a method. `_verb` is the one thing a subclass has to provide.

    Classes that inherit directly have the methods as their own, so that errors and documentation name these classes.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if Verbs not in cls.__bases__:
            return
        for name in _METHODS:
            method: Any = vars(Verbs)[name].__wrapped__
            copy = FunctionType(method.__code__, method.__globals__, name, method.__defaults__, method.__closure__)
            copy.__doc__, copy.__annotations__ = method.__doc__, dict(method.__annotations__)
            copy.__module__, copy.__qualname__ = cls.__module__, f"{cls.__qualname__}.{name}"
            setattr(cls, name, route_options(copy))

    def _verb(self, method: str, path: str, options: RouteOptions) -> Decorator:
        """Register the decorated function for `method` at `path`, with the options that were given."""
        raise TypeError(f"{type(self).__name__} registers no routes")

    @route_options
    def get(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for GET at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("GET", path, options)

    @route_options
    def put(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for PUT at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("PUT", path, options)

    @route_options
    def post(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for POST at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("POST", path, options)

    @route_options
    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for DELETE at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("DELETE", path, options)

    @route_options
    def options(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for OPTIONS at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("OPTIONS", path, options)

    @route_options
    def head(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for HEAD at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("HEAD", path, options)

    @route_options
    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for PATCH at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("PATCH", path, options)

    @route_options
    def trace(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """Register the decorated function for TRACE at `path`.

        Parameters:
            path: the path template, ``"/items/{item_id}"``.
            options: see `RouteOptions`.
        """
        return self._verb("TRACE", path, options)

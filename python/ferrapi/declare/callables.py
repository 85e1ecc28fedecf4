"""What kind of callable a user gave: coroutine function, generator, class, instance, partial, wrapped.

The kind decides how the engine runs it, once, at registration.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Any

_PARTIALS_COUNT = sys.version_info >= (3, 14)
"""Whether a partial of a coroutine function that somebody has wrapped is awaited: in FastAPI since Python 3.14."""


class Kind(IntEnum):
    """How a callable is run."""

    SYNC = 0
    ASYNC = 1
    GENERATOR = 2
    ASYNC_GENERATOR = 3


def unwrap(call: Any) -> Any:
    """The callable under partials and ``functools.wraps`` decorators."""
    while True:
        if isinstance(call, functools.partial):
            call = call.func
            continue
        inner = inspect.unwrap(call) if callable(call) else call
        if inner is call:
            return call
        call = inner


def name_of(call: Any) -> str:
    """The name of a callable for people: its module's and its own; of an object, its class's."""
    if isinstance(call, functools.partial):
        return f"partial({name_of(call.func)})"
    named = call if hasattr(call, "__qualname__") else type(call)
    return f"{named.__module__}.{named.__qualname__}"


def _faces(call: Any) -> list[Any]:
    """The functions that decide the kind: the callable as given and what it wraps, or their ``__call__``.

    Partials are looked through, and then wrappers, to what is innermost or a partial again. What is between decides
    nothing.
    """
    outer = call
    while isinstance(outer, functools.partial):
        outer = outer.func
    found = [call, outer, outer if inspect.isclass(outer) else inspect.unwrap(outer)]
    faces: list[Any] = []
    for layer in found:
        faces.append(layer)
        if callable(layer) and not (inspect.isroutine(layer) or inspect.isclass(layer)):
            bound = layer.__call__
            faces.append(bound)
            if bound is not unwrap(bound):
                faces.append(unwrap(bound))
    return faces


def kind_of(call: Callable[..., Any] | None) -> Kind:
    """How `call` has to be run. A class is called, whatever its ``__call__`` is."""
    if call is None or inspect.isclass(call):
        return Kind.SYNC
    faces = _faces(call)
    if any(inspect.isasyncgenfunction(face) for face in faces):
        return Kind.ASYNC_GENERATOR
    if any(inspect.isgeneratorfunction(face) for face in faces):
        return Kind.GENERATOR
    if any(
        inspect.iscoroutinefunction(face)
        for face in faces
        if _PARTIALS_COUNT or not isinstance(face, functools.partial)
    ):
        return Kind.ASYNC
    return Kind.SYNC


def header_scheme(call: Any) -> Any:
    """`call` if it is a security scheme that reads one header and nothing else (`security.base.HeaderScheme`).

    What somebody has put around the scheme's ``__call__`` may have its attributes, but not its code.
    """
    function: Any = type(call).__call__
    code = getattr(function, "reads_one_header", None)
    return call if code is not None and code is getattr(function, "__code__", None) else None


def is_generator(call: Callable[..., Any] | None) -> bool:
    """Whether `call` is a ``yield`` dependency."""
    return kind_of(call) >= Kind.GENERATOR

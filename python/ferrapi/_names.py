"""Names that FastAPI's modules hold without offering them: what they merely import, and some private ones.

Libraries take them (``from fastapi.routing import Enum``, ``from fastapi.dependencies.utils import _get_body_field``).
A module of ferrapi imports what it needs itself, so each module that has more names in FastAPI ends with
``__getattr__ = names_of(__name__)``. The names are found in the table `ferrapi._imported_names` when somebody asks, and
nothing is imported for them before.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGE = __name__.partition(".")[0]

MAY_BE_MISSING = frozenset({"orjson", "ujson"})
"""Packages that FastAPI does without: where one isn't installed, the name is None, as FastAPI's is."""


def names_of(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module (PEP 562).

    Parameters:
        module: its ``__name__``.

    Returns:
        a function from a name to what FastAPI's module holds under it. It raises `AttributeError`, and nothing else,
        for a name that FastAPI's module doesn't have, or that stands for something ferrapi doesn't have.
    """

    places: dict[str, tuple[ModuleType, str | None]] = {}

    def __getattr__(name: str) -> Any:
        place = places.get(name)
        if place is None:
            origin = None
            if not name.startswith("__"):  # the import system asks for some of those
                from ._imported_names import origins

                origin = origins(module.removeprefix(_PACKAGE).removeprefix(".")).get(name)
            if origin is None:
                raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
            if origin[0] in MAY_BE_MISSING and find_spec(origin[0]) is None:
                return None
            try:
                place = places[name] = import_module(origin[0], _PACKAGE), origin[1]
            except ImportError as error:
                raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name) from error
        try:
            home, original = place
            return home if original is None else getattr(home, original)
        except AttributeError as error:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name) from error

    return __getattr__

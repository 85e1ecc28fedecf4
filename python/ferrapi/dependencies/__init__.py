"""From a callable's signature to validated keyword arguments.

`_declaration` and `_dependant` read signatures into a tree (`models.Dependant`); `_values`, `_body` and `_forms`
validate what a request carries for it; `_plain` says what the native reader may validate early. The engine that walks
the tree is `ferrapi.routing._plan`.
"""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name in {"models", "utils"}:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Opt-in: make ``import fastapi`` mean ferrapi, for libraries that are written against FastAPI.

``import ferrapi.as_fastapi`` must run before anything imports `fastapi`, so it is best the first line of the
application. From then on `fastapi` and each `fastapi.x.y` is the very module object of `ferrapi.x.y`: classes are the
same classes, and a name that is replaced in one is replaced in the other. Whether FastAPI is installed doesn't matter.
A module that ferrapi doesn't have (FastAPI's private ones) can't be imported under either name.

What stays FastAPI's own, or absent, is its installed metadata: ``importlib.metadata.version("fastapi")``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .exceptions import FastAPIError

__all__ = ["AliasError", "install"]

_ALIAS = "fastapi"
_PACKAGE = __name__.partition(".")[0]


class AliasError(FastAPIError):
    """`fastapi` can't be made to mean ferrapi any more."""


class _Loader(Loader):
    """Gives the import system a module of ferrapi, and the module its own spec back.

    Parameters:
        module: the module.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself, which exists and has run."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Undo what the import system noted on the module: it is loaded under its own name."""
        module.__spec__ = self.spec


class _Finder(MetaPathFinder):
    """Finds `fastapi` and the modules below it in ferrapi."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ferrapi under its other name; None for other names.

        Raises:
            ModuleNotFoundError: for a module that ferrapi doesn't have.
        """
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        own_name = _PACKAGE + fullname.removeprefix(_ALIAS)
        if importlib.util.find_spec(own_name) is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}: it stands for ferrapi here", name=fullname)
        module = importlib.import_module(own_name)
        return ModuleSpec(fullname, _Loader(module), is_package=hasattr(module, "__path__"))


def install() -> None:
    """Make ``import fastapi`` mean ferrapi in this process. Importing this module calls it; calling it again is fine.

    Raises:
        AliasError: when the real `fastapi` has been imported already; it would go on existing beside ferrapi.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == _ALIAS and module is not None:
            where = getattr(module, "__file__", None)
            raise AliasError(
                f"{name!r} is already imported ({where}): "
                "import ferrapi.as_fastapi before anything that imports fastapi"
            )
    sys.meta_path.insert(0, _Finder())


install()

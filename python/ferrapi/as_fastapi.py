"""Opt-in: make ``import fastapi`` mean ferrapi, for libraries that are written against FastAPI.

``import ferrapi.as_fastapi`` must run before anything imports `fastapi`, so it is best the first line of the
application. From then on `fastapi` and each `fastapi.x.y` is the very module object of `ferrapi.x.y`: classes are the
same classes, and a name that is replaced in one is replaced in the other. The module's ``__name__`` becomes FastAPI's,
for hooks that tools have set for its import. Whether FastAPI is installed doesn't matter.
A module that FastAPI doesn't have, such as a private one of ferrapi, can't be imported as `fastapi`.

Libraries ask which FastAPI they have. The answer is the release whose behaviour ferrapi has: `fastapi.__version__` (and
so `ferrapi.__version__`, which is the same variable) and ``importlib.metadata.version("fastapi")`` are `VERSION`. The
metadata of `ferrapi` still says ferrapi's own version.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from .exceptions import FastAPIError

__all__ = ["VERSION", "AliasError", "install"]

VERSION = "0.165.0"
"""The release of FastAPI that ferrapi stands for."""

_ALIAS = "fastapi"
_PACKAGE = __name__.partition(".")[0]
_PRIVATE_MODULES = frozenset({"_body_limit", "_compat", "_form_limits"})
"""The private modules that FastAPI has, and ferrapi too. Those of its telemetry have no counterpart."""


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
        """Undo what the import system noted on the module: it is loaded under its own name.

        What it is called from now on is FastAPI's name: hooks that tools set for the import of a module (`wrapt`'s,
        Datadog's) look there for what was imported.
        """
        module.__spec__ = self.spec
        module.__name__ = _ALIAS + module.__name__.removeprefix(_PACKAGE).removeprefix(_ALIAS)


class _Metadata(Distribution):
    """What is installed as `fastapi`, for those who ask."""

    _FILES = {
        "METADATA": f"Metadata-Version: 2.1\nName: {_ALIAS}\nVersion: {VERSION}\n",
        "top_level.txt": f"{_ALIAS}\n",
    }

    def read_text(self, filename: str) -> str | None:
        """A file of the metadata; None for those that there aren't."""
        return self._FILES.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> Any:
        """Where a file of the package would be."""
        return Path(__file__).parents[1] / path


class _Finder(DistributionFinder):
    """Finds `fastapi` and the modules below it in ferrapi, and its metadata here."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ferrapi under its other name; None for other names.

        Raises:
            ModuleNotFoundError: for a module that ferrapi, or FastAPI, doesn't have.
        """
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        own_name = _PACKAGE + fullname.removeprefix(_ALIAS)
        if not _is_offered(fullname) or importlib.util.find_spec(own_name) is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}: it stands for ferrapi here", name=fullname)
        module = importlib.import_module(own_name)
        return ModuleSpec(fullname, _Loader(module), is_package=hasattr(module, "__path__"))

    def find_distributions(self, context: DistributionFinder.Context = DistributionFinder.Context()) -> Iterable[Any]:
        """The metadata, when all of it or that of `fastapi` is asked for."""
        return [_Metadata()] if context.name is None or context.name.lower() == _ALIAS else []


def _is_offered(fullname: str) -> bool:
    """Whether FastAPI has a module of this name, or it is a public one."""
    short = fullname.removeprefix(_ALIAS).removeprefix(".")
    private = any(part.startswith("_") and not part.startswith("__") for part in short.split("."))
    return not private or any(short == name or short.startswith(name + ".") for name in _PRIVATE_MODULES)


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
    vars(sys.modules[_PACKAGE])["__version__"] = VERSION


install()

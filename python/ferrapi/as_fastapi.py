"""Opt-in: make ``import fastapi`` mean ferrapi, for libraries that are written against FastAPI.

``import ferrapi.as_fastapi`` must run before anything imports `fastapi`, so it is best the first line of the
application. From then on `fastapi` and each `fastapi.x.y` is the very module object of `ferrapi.x.y`: classes are the
same classes, and a name that is replaced in one is replaced in the other. Whether FastAPI is installed doesn't matter.

For the import system these are modules of FastAPI's (`ferrapi._alias`): ``import fastapi`` imports what it imports
there, through the finders and loaders that tools have put in front, before this module was imported or after; and a
module's ``__name__``, ``__package__``, ``__spec__`` and loader say FastAPI's name, while its file is ferrapi's.

Libraries ask which FastAPI they have. The answer is the release whose behaviour ferrapi has: `fastapi.__version__` (and
so `ferrapi.__version__`, which is the same variable) and ``importlib.metadata.version("fastapi")`` are `VERSION`. The
metadata of `ferrapi` still says ferrapi's own version.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, DistributionFinder
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _alias
from ._alias import ALIAS, PACKAGE, Finder

if TYPE_CHECKING:
    from .exceptions import AliasError as AliasError

__all__ = ["VERSION", "AliasError", "install"]

VERSION = "0.165.0"
"""The release of FastAPI that ferrapi stands for."""


class _Metadata(Distribution):
    """What is installed as `fastapi`, for those who ask."""

    _FILES = {
        "METADATA": f"Metadata-Version: 2.1\nName: {ALIAS}\nVersion: {VERSION}\n",
        "top_level.txt": f"{ALIAS}\n",
    }

    def read_text(self, filename: str) -> str | None:
        """A file of the metadata; None for those that there aren't."""
        return self._FILES.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> Any:
        """Where a file of the package would be."""
        return Path(__file__).parents[1] / path


class _Finder(Finder, DistributionFinder):
    """Finds `fastapi` and the modules below it in ferrapi, and its metadata here."""

    def find_distributions(self, context: DistributionFinder.Context = DistributionFinder.Context()) -> Iterable[Any]:
        """The metadata, when all of it or that of `fastapi` is asked for."""
        return [_Metadata()] if context.name is None or context.name.lower() == ALIAS else []


def install() -> None:
    """Make ``import fastapi`` mean ferrapi in this process. Importing this module calls it; calling it again is fine.

    Raises:
        AliasError: when the real `fastapi` has been imported already; it would go on existing beside ferrapi.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == ALIAS and module is not None:
            from .exceptions import AliasError

            where = getattr(module, "__file__", None)
            raise AliasError(
                f"{name!r} is already imported ({where}): "
                "import ferrapi.as_fastapi before anything that imports fastapi"
            )
    vars(sys.modules[PACKAGE])["__version__"] = VERSION
    _alias.install(_Finder())


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "AliasError":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        from .exceptions import AliasError  # which needs Starlette: nothing of that is loaded here

        return AliasError


install()

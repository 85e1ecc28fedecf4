"""FastAPI and ferrapi as two values of the same type, so that one test can run on both."""

from importlib import import_module
from types import ModuleType
from typing import Any


class Framework:
    """A package: its names, and its modules as attributes.

    `framework.FastAPI` is a name of the package itself, `framework.responses` its module. A name wins over a module.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self._root: ModuleType = import_module(package)

    def __repr__(self) -> str:
        return self.package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(self._root, name)
        except AttributeError:
            return self.module(name)

    def module(self, name: str) -> Any:
        """A module by its dotted name inside the package."""
        return import_module(f"{self.package}.{name}")


FASTAPI = Framework("fastapi")
FERRAPI = Framework("ferrapi")
BOTH = (FASTAPI, FERRAPI)

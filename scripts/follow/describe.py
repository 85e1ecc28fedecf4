"""Print what a package offers and how it describes the examples, as JSON: `describe.py fastapi`.

This runs in the environment of one release, so it uses nothing but the standard library. It looks from the outside: at
the names of public modules, at signatures, at the documents that applications give.
"""

import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import pkgutil
import re
import sys
import types
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_ALIAS = "as_fastapi"
"""ferrapi's module that renames its classes when it is imported."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Renamed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes `import ferrapi` mean another package, so that the examples are built with it.

    Parameters:
        package: that package.
    """

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As the import system asks for it."""
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] == "ferrapi" else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The very module of the other package."""
        return importlib.import_module(self.package + spec.name.removeprefix("ferrapi"))

    def exec_module(self, module: types.ModuleType) -> None:
        """It has run already."""


def modules(package: str) -> Iterator[types.ModuleType]:
    """The public modules of a package that can be imported here."""
    top = importlib.import_module(package)
    yield top
    for found in pkgutil.walk_packages(top.__path__, f"{package}.", onerror=lambda name: None):
        if any(part.startswith("_") or part == _ALIAS for part in found.name.split(".")):
            continue
        try:
            yield importlib.import_module(found.name)
        except (ImportError, RuntimeError):
            continue


def signature(value: Any) -> dict[str, str]:
    """The parameters of something that can be called, in order, with what each must be; nothing if it has none."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {parameter.name: parameter.kind.description + _default(parameter) for parameter in parameters}


def _default(parameter: inspect.Parameter) -> str:
    """What it is without an argument: a placeholder that wraps a default is told by what it wraps."""
    value = parameter.default
    if value is parameter.empty:
        return ""
    if type(value).__name__ == "DefaultPlaceholder":
        return f" = Default({_told(value.value)})"
    return f" = {_told(value)}"


def _told(value: Any) -> str:
    """A class or function by its name alone, for the two packages have theirs in different modules."""
    if isinstance(value, (type, types.FunctionType)):
        return value.__name__
    return _ADDRESS.sub("", repr(value))


def _names(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """The public names of a module with what they mean, also those that are imported when they are asked for."""
    for name in dir(module):
        if name.startswith("_"):
            continue
        try:
            value = getattr(module, name)
        except (AttributeError, ImportError):
            continue
        if not isinstance(value, types.ModuleType):
            yield name, value


def members(package: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What can be used of a package: names of modules' own things and of classes' public members, with parameters.

    Also the names of what has another name, which comes before.
    """
    found: dict[str, dict[str, str]] = {}
    again: list[str] = []
    seen: set[int] = set()
    for module in modules(package):
        place = module.__name__.removeprefix(package).removeprefix(".")
        for name, value in _names(module):
            if not str(getattr(value, "__module__", "")).startswith(package):
                continue
            label = f"{place}.{name}".removeprefix(".")
            described = {label: signature(value)}
            if isinstance(value, type):
                described |= {f"{label}.{own}": signature(getattr(value, own, None)) for own in _own(value, package)}
            found |= described
            if id(value) in seen:
                again += described
            seen.add(id(value))
    return found, again


def _own(kind: type, package: str) -> list[str]:
    """The public attributes that a class has from classes of the package."""
    homes = [base for base in kind.__mro__ if base.__module__.startswith(package)]
    return sorted({name for base in homes for name in vars(base) if not name.startswith("_")})


def documents(package: str) -> dict[str, Any]:
    """The OpenAPI document of each example, or how it fails."""
    if package != "ferrapi":
        sys.meta_path.insert(0, Renamed(package))
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("STORE_TOKEN_SECRET", "only for describing the store's interface, never used")
    os.environ.setdefault("STORE_DATABASE_URL", "sqlite://")
    found: dict[str, Any] = {}
    for file in sorted((ROOT / "examples").glob("*/main.py")):
        name = f"examples.{file.parent.name}.main"
        try:
            found[file.parent.name] = importlib.import_module(name).app.openapi()
        except Exception as error:  # an example that another release can't build is a result
            found[file.parent.name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return found


def main(package: str) -> None:
    """Print it."""
    warnings.simplefilter("ignore")  # a deprecation is no difference yet
    found, again = members(package)
    json.dump({"members": found, "again": again, "documents": documents(package)}, sys.stdout, default=str)


if __name__ == "__main__":
    main(sys.argv[1])

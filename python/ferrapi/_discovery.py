"""Finding the application that `ferrapi run` is to serve: from a file, a module or nothing to an import string.

The rules are those of FastAPI's command. A file belongs to the package made by the folders above it that have an
`__init__.py`, and what is above the package goes on `sys.path`. In the module the names ``app`` and ``api`` are looked
at first; then the first application that it has.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from .applications import FastAPI
from .exceptions import FastAPIError

_USUAL_FILES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
_USUAL_NAMES = ("app", "api")


class DiscoveryError(FastAPIError):
    """There is no application where one was looked for; the message says what to change."""


@dataclass(frozen=True)
class Place:
    """A module, and the folder that has to be on `sys.path` for it."""

    module: str
    folder: Path


@dataclass(frozen=True)
class Found:
    """An application that was found.

    Attributes:
        module: its module.
        name: its name there.
        folder: what has been put on `sys.path`.
        module_from: who has named the module.
        name_from: who has named the application.
    """

    module: str
    name: str
    folder: Path
    module_from: str
    name_from: str

    @property
    def import_string(self) -> str:
        """``module:name``."""
        return f"{self.module}:{self.name}"


def discover(path: str | None = None, name: str | None = None, entrypoint: str | None = None) -> str:
    """The import string of the application (see `find`)."""
    return find(path, name, entrypoint).import_string


def find(path: str | None = None, name: str | None = None, entrypoint: str | None = None) -> Found:
    """Find the application, and put its folder on `sys.path`.

    A module is imported only if the name has to be looked for.

    Parameters:
        path: a file, a folder with an `__init__.py`, a module, or one of these with ``:name`` after it; None for
            ``entrypoint``, the one in `pyproject.toml` (``[tool.ferrapi]`` or ``[tool.fastapi]``) or one of the usual
            files.
        name: the name of the application in its module; None to look for one.
        entrypoint: an import string.

    Raises:
        DiscoveryError: when there is no such file, module or application.
        ImportError: when importing the module fails; so do other errors of the module.
    """
    module_from = "the argument PATH"
    if path is None:
        module_from = "auto-discovery"
        if entrypoint is not None:
            path, module_from = entrypoint, "--entrypoint"
        elif name is None:
            path, table = _configured()
            module_from = f"pyproject.toml, [tool.{table}]" if path is not None else module_from
    try:
        place, own_name = _place(path)
    except DiscoveryError as exc:
        if not module_from.startswith("pyproject.toml"):
            raise
        raise DiscoveryError(f"{exc} (named by {module_from})") from exc
    _importable(place.folder)
    chosen, name_from = name, "--app"
    if chosen is None:
        chosen, name_from = own_name, module_from
    if chosen is None:
        chosen, name_from = _name_in(importlib.import_module(place.module)), "auto-discovery"
    return Found(place.module, chosen, place.folder, module_from, name_from)


def put_on_path() -> None:
    """Make the modules of the current folder importable, as ``python -m`` does."""
    _importable(Path.cwd())


def _configured() -> tuple[str | None, str]:
    """The entry point that the project in the current folder has declared, and the table that it is in."""
    import tomllib

    try:
        with Path("pyproject.toml").open("rb") as file:
            tools = tomllib.load(file).get("tool")
    except FileNotFoundError:
        return None, ""
    except tomllib.TOMLDecodeError as exc:
        raise DiscoveryError(f"pyproject.toml is not TOML: {exc}") from exc
    for table in ("ferrapi", "fastapi"):
        declared = tools.get(table) if isinstance(tools, dict) else None
        entrypoint = declared.get("entrypoint") if isinstance(declared, dict) else None
        if entrypoint is None:
            continue
        if not isinstance(entrypoint, str):
            raise DiscoveryError(f"entrypoint in [tool.{table}] of pyproject.toml must be a text, 'module:name'")
        return entrypoint, table
    return None, ""


def _place(path: str | None) -> tuple[Place, str | None]:
    """Where the module is, and the name that came with the path."""
    if path is None:
        found = next((Path(usual) for usual in _USUAL_FILES if Path(usual).is_file()), None)
        if found is None:
            raise DiscoveryError(
                f"Could not find a default file to run ({', '.join(_USUAL_FILES)}): give the path of one"
            )
        return _of_file(found), None
    if not path:
        raise DiscoveryError("PATH is empty: give a file, or module:name")
    if Path(path).exists():
        return _of_file(Path(path)), None
    head, colon, name = path.rpartition(":")
    if colon and not (head and name):
        raise DiscoveryError(f"{path} names no {'application' if head else 'module'}: write module:name")
    if colon and Path(head).exists():
        return _of_file(Path(head)), name
    module = head if colon else path
    if all(part.isidentifier() for part in module.split(".")) and (colon or _is_module(module)):
        return Place(module, Path.cwd()), name if colon else None
    raise DiscoveryError(f"Path does not exist {path}")


def _is_module(name: str) -> bool:
    _importable(Path.cwd())
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _of_file(file: Path) -> Place:
    """The module that a file or a package's folder is."""
    file = file.resolve()
    if file.is_dir() and not (file / "__init__.py").is_file():
        raise DiscoveryError(f"The folder {file} is not a package: it has no __init__.py")
    if file.is_file() and file.suffix != ".py":
        raise DiscoveryError(f"{file} is not a Python file")
    if file.name == "__init__.py":
        file = file.parent
    parts = [file.stem if file.is_file() else file.name]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.append(folder.name)
        folder = folder.parent
    return Place(".".join(reversed(parts)), folder)


def _importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def applications_in(module: ModuleType) -> list[str]:
    """The names of the applications that a module has."""
    return [name for name, value in vars(module).items() if isinstance(value, FastAPI)]


def _is_fastapis(value: object) -> bool:
    """Whether an object is an application of the real FastAPI, which need not be installed."""
    return any(
        (kind.__module__, kind.__qualname__) == ("fastapi.applications", "FastAPI") for kind in type(value).__mro__
    )


def _name_in(module: ModuleType) -> str:
    """The name of the application in its module."""
    names = applications_in(module)
    if not names:
        foreign = next((name for name, value in vars(module).items() if _is_fastapis(value)), None)
        if foreign is not None:
            raise DiscoveryError(
                f"{module.__name__}:{foreign} is an application of the real fastapi: change the imports (`ferrapi "
                "migrate` does), or import ferrapi.as_fastapi before fastapi"
            )
        raise DiscoveryError(
            f"Could not find a FastAPI app in module {module.__name__}, try using --app (the name of any ASGI "
            "application); it must be ferrapi's FastAPI, not fastapi's"
        )
    return next((usual for usual in _USUAL_NAMES if usual in names), names[0])

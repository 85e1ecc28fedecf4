"""The application that a command is about: found, imported, and looked at.

Importing it is running the user's code. What that raises is shown as the user's traceback, without the frames of
ferrapi and of Python's importer, and one sentence behind it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .._discovery import DiscoveryError, Found, find, put_on_path
from ._messages import Refused, show_error


def found(path: str | None, name: str | None = None, entrypoint: str | None = None) -> Found:
    """Where the application is (see `ferrapi._discovery.find`).

    Raises:
        Refused: when there is none, or its module can't be imported.
    """
    if entrypoint is not None and (path is not None or name is not None):
        raise Refused("Cannot use --entrypoint together with path or --app arguments")
    try:
        return find(path, name, entrypoint)
    except DiscoveryError as exc:
        raise Refused(str(exc)) from exc
    except Exception as exc:
        raise import_error(exc) from exc


def import_error(error: BaseException) -> Refused:
    """Show an error that importing has raised; the sentence that comes behind its traceback."""
    show_error(error)
    said = str(error) or type(error).__name__
    return Refused(f"Import error: {said}")


def load(import_string: str) -> Any:
    """The application that an import string names, ``module:name`` or ``module:name.attribute``.

    Raises:
        Refused: when there is no such module or name, importing it raises, or it can't be called as applications are.
    """
    module_name, _, name = import_string.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        parents = [module_name.rsplit(".", depth)[0] for depth in range(module_name.count(".") + 1)]
        if exc.name not in parents:
            raise import_error(exc) from exc
        raise Refused(f'Could not import module "{module_name}": there is no {exc.name} in {sys.path[0]}') from exc
    except Exception as exc:
        raise import_error(exc) from exc
    value: Any = module
    try:
        for part in name.split("."):
            value = getattr(value, part)
    except AttributeError as exc:
        raise Refused(_no_such_name(module, name)) from exc
    except Exception as exc:  # a module's __getattr__, or a property
        raise import_error(exc) from exc
    if not callable(value):
        raise Refused(f"{import_string} is no ASGI application: it is a {_kind(value)}")
    return value


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _no_such_name(module: Any, name: str) -> str:
    from .._discovery import applications_in

    known = applications_in(module)
    offered = f"it has {', '.join(known)}" if known else "it has no FastAPI application either"
    return f"Could not find app name {name} in {module.__name__}: {offered}"


def application(path: str, name: str | None = None) -> Any:
    """The ferrapi application that a command has to look into.

    Raises:
        Refused: when there is none, and for an application of another kind.
    """
    from ..applications import FastAPI

    put_on_path()
    place = found(path, name)
    app = load(place.import_string)
    inner = app
    while not isinstance(inner, FastAPI):
        inner = getattr(inner, "app", None)
        if inner is None:
            raise Refused(f"{place.import_string} is no application of ferrapi's FastAPI: it is a {_kind(app)}")
    return inner

"""Methods that other tools replace: noticing it, and asking whether it has happened.

Tracing tools put functions of their own in the place of Starlette's and FastAPI's (``Starlette.__call__``,
``Route.handle``, ``Response.__init__``, ``fastapi.routing.run_endpoint_function`` …) and expect to be called for every
request. ferrapi has shorter ways past most of these methods. Such a way is open only while the methods that it goes
past are untouched, which is asked when a stack, a plan or a site is made (`untouched`, `is_own`). A replacement that
comes later is noticed at the next request, because it announces itself as an edit:

* CPython gives a class another version number whenever an attribute of it changes. `WATCH` compares the numbers of a
  dozen classes per request; what has changed is compared by name only if one of them differs.
* Modules announce assignments to their names (`announce_assignments`): `ferrapi.routing`, `ferrapi.dependencies.utils`,
  `ferrapi.exception_handlers`, `ferrapi.concurrency`, and of others `anyio.to_thread`, `starlette.requests` and `json`.

A method counts as untouched if it is the one that its class was written with, and a function that is imported from
Starlette if it was written there. So tools that replace them before ferrapi is imported are seen as well.
"""

from __future__ import annotations

import contextlib
import json  # noqa: F401 - it announces assignments
import sys
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.datastructures import URL, FormData, Headers, QueryParams
from starlette.formparsers import FormParser, MultiPartParser
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router, WebSocketRoute

from ._native import TypeWatch
from ._version_counter import ROUTES_VERSION, SETTINGS_VERSION

Kind = TypeVar("Kind", bound=type)
Kept = TypeVar("Kept")

EXCHANGED = (HTTPConnection, Request, Response, JSONResponse, PlainTextResponse, HTMLResponse, StreamingResponse)
"""The classes of requests and responses. The engine makes no objects of them where nobody would see that."""

VIEWS = (Headers, QueryParams)
"""The classes of what a request's head says. Parameters are read without objects of them."""

FORMS = (FormData, FormParser, MultiPartParser)
"""The classes that forms are read by, but for those that are declared."""

_READ_AND_WRITTEN = (*EXCHANGED, *VIEWS, *FORMS)

_WATCHED = (
    *(Starlette, ServerErrorMiddleware, ExceptionMiddleware, Router, Route, WebSocketRoute, Mount),
    *_READ_AND_WRITTEN,
    URL,
)
_OTHERS = frozenset({"logging", "starlette", "uvicorn"})
"""The packages of classes whose methods somebody may have replaced before ferrapi was imported."""

_UNSEEN = object()
"""In the place of a method that somebody had replaced before ferrapi was imported."""

_NO_METHODS = frozenset(
    {"__annotations__", "__dict__", "__doc__", "__module__", "__orig_bases__", "__parameters__", "__weakref__"}
)


def _methods(kind: type) -> dict[str, Any]:
    """What the instances of a class have from it and its bases: functions and descriptors, each by its name."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__[:-1]):
        for name, value in vars(base).items():
            if name not in _NO_METHODS and (callable(value) or hasattr(type(value), "__get__")):
                found[name] = value
    return found


def _undecorated(function: FunctionType) -> FunctionType:
    """The function that `contextlib` has made a context manager of, as it stands in its class."""
    while function.__code__.co_filename == contextlib.__file__ and hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def _is_as_written(owner: type, name: str, value: Any) -> bool:
    """Whether `value` is the function that a class was written with, if that is one of other packages."""
    if owner.__module__.partition(".")[0] not in _OTHERS:
        return True
    if type(value) is not FunctionType:
        return type(value).__module__ in ("builtins", "functools")  # properties, slots of `object`
    code = _undecorated(value).__code__
    file = getattr(sys.modules.get(owner.__module__), "__file__", None)
    return code.co_filename == file and code.co_qualname == f"{owner.__qualname__}.{name}"


def _originals(kind: type) -> dict[str, Any]:
    """What a class was written with. A method of a class that is watched already was that one's when it began."""
    found = {}
    for name, value in _methods(kind).items():
        owner = next(base for base in kind.__mro__ if name in vars(base))
        known = _ORIGINALS.get(owner, {})
        found[name] = known.get(name, value if _is_as_written(owner, name, value) else _UNSEEN)
    return found


_ORIGINALS: dict[type, dict[str, Any]] = {}
_touched: dict[type, frozenset[str]] = {}
_touched_kinds: set[type] = set()


def _differences(kind: type) -> frozenset[str]:
    """The names of the methods of a watched class that are not what they were."""
    original, current = _ORIGINALS[kind], _methods(kind)
    names = original.keys() | current.keys()
    return frozenset(name for name in names if original.get(name) is not current.get(name))


def _compare() -> None:
    """Compare all watched classes with what they were; announce what is different from the last time."""
    changed = False
    for kind in _ORIGINALS:
        touched = _differences(kind)
        if touched != _touched[kind]:
            _note_touched(kind, touched)
            changed = True
    if changed:
        ROUTES_VERSION.announce()
        SETTINGS_VERSION.announce()


WATCH = TypeWatch(_compare)


def _note_touched(kind: type, names: frozenset[str]) -> None:
    _touched[kind] = names
    (_touched_kinds.add if names else _touched_kinds.discard)(kind)


def watch(kind: Kind) -> Kind:
    """Watch a class from now on. Its present methods are its own, unless somebody had replaced some of Starlette's."""
    if kind in _ORIGINALS:
        return kind
    _ORIGINALS[kind] = _originals(kind)
    _note_touched(kind, _differences(kind))
    WATCH.add(kind)
    return kind


for _kind in _WATCHED:
    watch(_kind)


def written(kind: type, name: str) -> Any:
    """The method that a watched class was written with; nothing else is it if somebody had replaced that before."""
    return _ORIGINALS[kind][name]


def untouched(kind: type, *names: str) -> bool:
    """Whether a watched class has the methods that it was written with.

    Parameters:
        kind: the class.
        names: of the methods to ask about; all of them if none are named.
    """
    return not touches_any((kind,), *names)


def is_own(kind: type, base: type, *names: str) -> bool:
    """Whether `kind` has all these methods from the watched class `base`, which was written with them."""
    return untouched(base, *names) and all(getattr(kind, name) is getattr(base, name) for name in names)


def touches_any(kinds: tuple[type, ...], *names: str) -> bool:
    """Whether somebody has replaced methods of any of these watched classes (see `untouched`)."""
    WATCH.look()
    if not _touched_kinds:
        return False
    found = [touched for kind in kinds if (touched := _touched[kind])]
    return any(not names or not touched.isdisjoint(names) for touched in found)


_LATE = object()
"""In the place of what a module has without having imported it (`_names`)."""

_functions: dict[str, dict[str, Any]] = {}
"""By module: the functions and classes that are called for each request, as they were written."""


_function_names: set[str] = set()

_PACKAGES = frozenset({__name__.partition(".")[0], "anyio", "fastapi", "json", "starlette"})
"""Where these functions were written; a module of ferrapi may be called FastAPI's (`ferrapi.as_fastapi`)."""


class _AnnouncingModule(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _function_names:
            _announce()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in _function_names:
            _announce()


def _announce() -> None:
    """Note in which modules something is replaced now; announce it."""
    _replaced_in.clear()
    _replaced_in.update({module: found for module in _functions if (found := _look_into(module))})
    ROUTES_VERSION.announce()
    SETTINGS_VERSION.announce()


def as_written(module_name: str, name: str) -> Any:
    """A function or class that a module has; something else if somebody had put that there before."""
    value = getattr(sys.modules[module_name], name)
    if isinstance(value, type):
        home, own_name = value.__module__, value.__qualname__
    elif type(value) is FunctionType:
        home, own_name = str(value.__globals__.get("__name__")), value.__code__.co_qualname
    else:
        return _UNSEEN
    return value if home.partition(".")[0] in _PACKAGES and own_name == name else _UNSEEN


def announce_assignments(module_name: str, *names: str) -> dict[str, Any]:
    """Let a module announce it when one of its functions with these names is replaced.

    Returns:
        the functions as they were written; in the place of one that was replaced before stands something else.
    """
    module = sys.modules[module_name]
    held = vars(module)
    _functions[module_name] = {name: as_written(module_name, name) if name in held else _LATE for name in names}
    _function_names.update(names)
    module.__class__ = _AnnouncingModule
    if found := _look_into(module_name):
        _replaced_in[module_name] = found
    return _functions[module_name]


def routing_class(name: str) -> Any:
    """The class that `ferrapi.routing` has under a name now: tools put subclasses there before routes are declared."""
    return current("ferrapi.routing", name)


def current(module_name: str, name: str) -> Any:
    """What a module, which is imported, has under a name now: users put something of their own there."""
    return getattr(sys.modules[module_name], name)


def _known(module: dict[str, Any], name: str, own: Any) -> Any:
    """What a module would have under a name; asked for what it doesn't import itself if somebody has put that there."""
    return module["__getattr__"](name) if own is _LATE and name in module else own


def put_in_place(module_name: str, name: str, own: Kept) -> Kept:
    """What somebody has put into a module under a name that FastAPI's imports; `own` while nobody has."""
    value: Kept = vars(sys.modules[module_name]).get(name, own)
    return value


def _look_into(module_name: str) -> dict[str, Any]:
    functions = _functions.get(module_name, {})
    current = vars(sys.modules[module_name])
    return {
        name: current[name]
        for name, own in functions.items()
        if current.get(name, own) is not _known(current, name, own)
    }


_replaced_in: dict[str, dict[str, Any]] = {}
"""By module, and then by name: what stands in the place of functions now."""

_NOTHING: Mapping[str, Any] = {}


def replaced(module_name: str) -> Mapping[str, Any]:
    """By name: what stands in the place of functions of a module that announces it; empty while nothing does."""
    return _replaced_in.get(module_name, _NOTHING)


def is_exchange_seen() -> bool:
    """Whether somebody would see that requests and responses are read and written without objects of their classes."""
    return touches_any(_READ_AND_WRITTEN) or bool(replaced("json") or replaced("starlette.requests"))


_CALLS_IN_THREADS = frozenset({"run_in_threadpool"})
"""The functions of `ferrapi.dependencies.utils` by which no parameters are read."""


def is_reading_seen() -> bool:
    """Whether somebody has replaced what parameters are read by, so that they aren't read natively."""
    if touches_any(VIEWS) or replaced("starlette.requests"):
        return True
    return bool(replaced("ferrapi.dependencies.utils").keys() - _CALLS_IN_THREADS)


announce_assignments("json", "dumps", "loads")
announce_assignments("starlette.requests", "FormParser", "MultiPartParser", "cookie_parser")

"""One module under two names: the import system's part of `ferrapi.as_fastapi`.

`fastapi.x` is the module object of `ferrapi.x`, and still it is *imported* as any other module is: `sys.meta_path` is
asked for a spec, a loader runs, and the module then says FastAPI's name in ``__name__``, ``__package__`` and
``__spec__``. Tools rely on each of these steps. They put finders of their own in front and wrap the loader that they
get, so that a function of theirs is called when `fastapi.routing` has been imported (`wrapt`, New Relic, Datadog). So
what must not be broken:

* a module of FastAPI's is imported under that name whenever FastAPI would have imported it. `import fastapi` imports
  what FastAPI's does, in that order (`AT_ONCE`), and a module that is loaded as `ferrapi.x` later, by ferrapi itself or
  by the application, is imported as `fastapi.x` as soon as it is whole;
* each import happens once, so that nobody is called twice;
* looking for a spec imports nothing but parents.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader, SourcelessFileLoader
from types import ModuleType
from typing import Any

ALIAS = "fastapi"
PACKAGE = __name__.partition(".")[0]

AT_ONCE = (
    "concurrency",
    "exceptions",
    "openapi",
    "types",
    "_compat.shared",
    "openapi.constants",
    "_compat.v2",
    "_compat",
    "logger",
    "openapi.models",
    "datastructures",
    "params",
    "encoders",
    "utils",
    "websockets",
    "exception_handlers",
    "_body_limit",
    "_form_limits",
    "dependencies",
    "security.base",
    "security.api_key",
    "security.utils",
    "security.http",
    "param_functions",
    "security.oauth2",
    "security.open_id_connect_url",
    "security",
    "dependencies.models",
    "telemetry",
    "background",
    "dependencies.utils",
    "sse",
    "routing",
    "middleware",
    "middleware.asyncexitstack",
    "openapi.docs",
    "responses",
    "openapi.utils",
    "applications",
    "requests",
)
"""What ``import fastapi`` imports in FastAPI, in the order in which the modules are whole."""

ON_DEMAND = (
    "__main__",
    "cli",
    "middleware.cors",
    "middleware.gzip",
    "middleware.httpsredirect",
    "middleware.trustedhost",
    "middleware.wsgi",
    "staticfiles",
    "templating",
    "testclient",
)
"""The other modules that both packages have."""

_SHARED = frozenset(["", *AT_ONCE, *ON_DEMAND])
_FILE_LOADERS = (SourceFileLoader, SourcelessFileLoader, ExtensionFileLoader)


def _below(fullname: str) -> str:
    """The name of a module without that of the package."""
    return fullname.partition(".")[2]


def _own_loader(loader: Any) -> Any:
    """The loader that one of ours stands in front of, or the loader itself."""
    return loader.inner if isinstance(loader, _Wrapping) else loader


class _Wrapping(Loader):
    """A loader in front of another one, which is asked for whatever isn't said here (sources, resources, paths).

    Parameters:
        inner: the other loader.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # while being copied
            raise AttributeError(name)
        return getattr(self.inner, name)


class _AliasLoader(_Wrapping):
    """Loads `fastapi.x`, which is to load `ferrapi.x` and to give it the other name.

    Parameters:
        inner: a loader that can read the module's file under FastAPI's name.
        finder: the finder that made this.
    """

    def __init__(self, inner: Any, finder: Finder) -> None:
        super().__init__(inner)
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of ferrapi, which has run when this returns."""
        own_name = PACKAGE + spec.name.removeprefix(ALIAS)
        self.finder.under_way.add(own_name)
        try:
            # Not import_module: two threads that import the two names of a module wait for each other. The statement
            # then goes on with the module as it is, which is whole but for its other name.
            __import__(own_name)
            module = sys.modules[own_name]
            self.own_spec = module.__spec__
            return module
        except BaseException:
            self.finder.under_way.discard(own_name)
            raise

    def exec_module(self, module: ModuleType) -> None:
        """Let the module say what it is called from now on, and import those below it that belong to it."""
        spec = module.__spec__  # the import system has just set it
        name = module.__name__ if spec is None else spec.name
        below = _below(name)
        try:
            if spec is not None and below in _SHARED:
                spec.loader = module.__loader__ = self.inner
                module.__name__, module.__package__ = name, spec.parent
            else:
                module.__spec__ = self.own_spec
            self.finder.import_below(below)
            if not below:
                module.__dir__()  # for which all is loaded that the package offers
        finally:
            self.finder.under_way.discard(PACKAGE + name.removeprefix(ALIAS))


class _OwnLoader(_Wrapping):
    """Loads `ferrapi.x` as ever, and has it imported as `fastapi.x` then.

    Parameters:
        inner: the module's loader.
        finder: the finder that made this.
    """

    def __init__(self, inner: Any, finder: Finder) -> None:
        super().__init__(inner)
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """What the module's loader makes."""
        made: ModuleType | None = self.inner.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run the module. It sees its own loader, not this one."""
        own_name = module.__name__
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self.inner
        self.finder.depth.modules += 1
        try:
            self.inner.exec_module(module)
        finally:
            self.finder.depth.modules -= 1
        self.finder.note_loaded(own_name)


class _Depth(threading.local):
    modules = 0
    """How many modules of ferrapi are running in this thread for the first time, one below the other."""


class Finder:
    """Finds `fastapi` and the modules below it in ferrapi."""

    def __init__(self) -> None:
        self.under_way: set[str] = set()
        """Modules of ferrapi that are being imported as FastAPI's."""
        self.depth = _Depth()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ferrapi under either name; None for other names, and for what ferrapi doesn't have.

        Parameters:
            fullname: the module's name.
            path: where the import system would look for it.
            target: the module, when it is loaded again.
        """
        root = fullname.partition(".")[0]
        if root == PACKAGE and _below(fullname) in _SHARED:
            return self._find_own(fullname, path, target)
        if root != ALIAS:
            return None
        try:
            own = importlib.util.find_spec(PACKAGE + fullname.removeprefix(ALIAS))
        except ModuleNotFoundError:  # a parent that there isn't
            return None
        if own is None:
            return None
        loader = _own_loader(own.loader)
        if type(loader) in _FILE_LOADERS:
            loader = type(loader)(fullname, loader.path)
        spec = ModuleSpec(fullname, loader, origin=own.origin, is_package=own.submodule_search_locations is not None)
        spec.submodule_search_locations, spec.cached = own.submodule_search_locations, own.cached
        spec.has_location = own.has_location
        if target is None:
            spec.loader = _AliasLoader(loader, self)
        return spec

    def _find_own(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """What the finders behind this one find, with a loader that has the module imported as FastAPI's, too."""
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if target is None and spec.loader is not None:
                    spec.loader = _OwnLoader(spec.loader, self)
                return spec
        return None

    def note_loaded(self, own_name: str) -> None:
        """A module of ferrapi is whole: import it under its other name.

        Where nobody has imported `fastapi` yet, that comes first, when no module of ferrapi is half run. A module
        whose parent has not been imported as FastAPI's comes with it.
        """
        if own_name in self.under_way or (ALIAS not in sys.modules and self.depth.modules):
            return
        alias = ALIAS + own_name.removeprefix(PACKAGE)
        try:
            if ALIAS not in sys.modules:
                __import__(ALIAS)
            if alias.rpartition(".")[0] in sys.modules:
                __import__(alias)
        except RuntimeError as error:
            # Another thread is importing it by the other name, and waits for this one.
            if type(error).__name__ != "_DeadlockError":
                raise

    def import_below(self, package: str) -> None:
        """Import, under FastAPI's names, what belongs to a package, which has just got its own.

        Parameters:
            package: without the name of the whole one, for which all is imported that belongs to ``import fastapi``.
                Another package has those of its modules that its own code imports, if they are there.
        """
        if not package:
            wanted = [*AT_ONCE, *(below for below in ON_DEMAND if f"{PACKAGE}.{below}" in sys.modules)]
        else:
            before = AT_ONCE[: AT_ONCE.index(package)] if package in AT_ONCE else ()
            wanted = [
                below for below in before if below.startswith(package + ".") and f"{PACKAGE}.{below}" in sys.modules
            ]
        for below in wanted:
            own_spec = getattr(sys.modules.get(f"{PACKAGE}.{below}"), "__spec__", None)
            if not getattr(own_spec, "_initializing", False):  # else it comes when it is whole
                __import__(f"{ALIAS}.{below}")


def install(finder: Finder) -> None:
    """Let `finder` be asked before the interpreter's own finders, and behind those that tools have put in front.

    If ferrapi has been loaded already, `fastapi` has to be, too.
    """
    own = (i for i, each in enumerate(sys.meta_path) if getattr(each, "__module__", "").startswith("_frozen_importlib"))
    sys.meta_path.insert(next(own, 0), finder)
    if f"{PACKAGE}.applications" in sys.modules:
        begin()


def begin() -> None:
    """Import `fastapi`, if it means ferrapi and nobody has done so."""
    if ALIAS not in sys.modules and any(isinstance(finder, Finder) for finder in sys.meta_path):
        __import__(ALIAS)

"""The services on FastAPI: the modules of `benchmarks.apps.services` with the import changed, and the store example.

`benchmarks.apps.on_fastapi.desk` is made of `services/desk.py`, in which `ferrapi` is replaced by `fastapi` wherever it
is imported from, and nothing else is. `benchmarks.apps.on_fastapi.store` is `examples/store`, made in the same way; a
service that imports from `examples.store` imports from there.
"""

import ast
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

STORE = f"{__name__}.store"
FOLDERS = {
    STORE: Path(__file__).parents[2] / "examples" / "store",
    __name__: Path(__file__).with_name("services"),
}
CHANGED = {"examples.store": STORE, "ferrapi": "fastapi"}
"""Which packages are imported in place of others."""
__path__: list[str] = []


class _Loader(InspectLoader):
    def __init__(self, file: Path) -> None:
        self._file = file

    def get_source(self, fullname: str) -> str:
        """Return the source with the import changed."""
        tree = ast.parse(self._file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                node.module = _changed(node.module)
        return ast.unparse(tree)

    def get_code(self, fullname: str) -> CodeType:
        """Compile, with the file's name for tracebacks."""
        return compile(self.get_source(fullname), str(self._file), "exec", dont_inherit=True)


def _changed(module: str) -> str:
    """What is imported in place of a module."""
    for package, other in CHANGED.items():
        if module == package or module.startswith(f"{package}."):
            return other + module.removeprefix(package)
    return module


def _file(fullname: str) -> Path | None:
    """The file that a module below this one is made of."""
    for package, folder in FOLDERS.items():
        if fullname == package or fullname.startswith(f"{package}."):
            stem = folder.joinpath(*fullname.removeprefix(package).split(".")[1:])
            return next((file for file in (stem / "__init__.py", stem.with_suffix(".py")) if file.is_file()), None)
    return None


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module below this one."""
        file = _file(fullname) if fullname != __name__ else None
        if file is None:
            return None
        spec = spec_from_file_location(fullname, file, loader=_Loader(file))
        if spec is not None and file.name == "__init__.py":
            spec.submodule_search_locations = []  # what is inside of it is found here as well, and nowhere else
        return spec


sys.meta_path.append(_Finder())

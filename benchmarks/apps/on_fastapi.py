"""The services on FastAPI: the modules of `benchmarks.apps.services` with the import changed.

`benchmarks.apps.on_fastapi.desk` is made of `services/desk.py`, in which `ferrapi` is replaced by `fastapi` wherever it
is imported from, and nothing else is.
"""

import ast
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

SERVICES = Path(__file__).with_name("services")
__path__: list[str] = []


class _Loader(InspectLoader):
    def __init__(self, file: Path) -> None:
        self._file = file

    def get_source(self, fullname: str) -> str:
        """Return the source with the import changed."""
        tree = ast.parse(self._file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                package, dot, rest = node.module.partition(".")
                node.module = "fastapi" + dot + rest if package == "ferrapi" else node.module
        return ast.unparse(tree)

    def get_code(self, fullname: str) -> CodeType:
        """Compile, with the file's name for tracebacks."""
        return compile(self.get_source(fullname), str(self._file), "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a service's module below this one."""
        parent, _, name = fullname.rpartition(".")
        file = SERVICES / f"{name}.py"
        if parent != __name__ or not file.exists():
            return None
        return spec_from_file_location(fullname, file, loader=_Loader(file))


sys.meta_path.append(_Finder())

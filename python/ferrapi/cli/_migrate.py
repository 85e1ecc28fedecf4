"""``ferrapi migrate``: changes the imports of a project from `fastapi` to `ferrapi`, and says what it left."""

from __future__ import annotations

import argparse
import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ._messages import Refused

_NOT_ENTERED = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv"})
_REQUIREMENT = re.compile(r"""^\s*["']?fastapi(\[[\w, -]*\])?\s*(["',;#=<>!~@(]|$)""", re.IGNORECASE)
_DECLARING = re.compile(r"(requirements.*\.(txt|in)|constraints.*\.txt|pyproject\.toml|setup\.cfg|Pipfile)")


def migrate(options: argparse.Namespace) -> int:
    """Change files, or say what would be changed. Answers 1 with ``--check`` if a file would change.

    Raises:
        Refused: when there is no such path, or LibCST isn't installed.
    """
    try:
        from ._imports import change_imports
    except ImportError as exc:
        raise Refused(f"Changing code needs LibCST ({exc}): pip install 'ferrapi[migrate]'") from exc
    roots = [Path(path) for path in options.path or ["."]]
    for root in roots:
        if not root.exists():
            raise Refused(f"Path does not exist {root}", 2)
    found = [file for root in roots for file in _files(root)]
    own = {file.stem for file in found} | {folder.name for file in found for folder in file.parents}
    files = imports = left = 0
    for file in found:
        content = file.read_bytes()
        if b"fastapi" not in content.lower():
            continue
        if file.suffix not in (".py", ".pyi"):
            left += _report_requirements(file, content)
            continue
        try:
            changed = change_imports(content, own)
        except SyntaxError as exc:
            left += 1
            print(f"{file}: left as it is, because it is no Python: {exc}")
            continue
        if changed.content != content:
            files, imports = files + 1, imports + changed.imports
            print(f"{file}: {_counted(changed.imports, 'import')}")
            if options.diff:
                print("".join(_difference(file, content, changed.content)), end="")
            if not options.check:
                file.write_bytes(changed.content)
        for one in changed.left:
            left += 1
            print(f"{file}:{one.line}: left: {one.message}")
    done = "would change" if options.check else "changed"
    print(f"{_counted(imports, 'import')} in {_counted(files, 'file')} {done}, {_counted(left, 'place')} left for you")
    return int(options.check and files > 0)


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _files(root: Path) -> Iterator[Path]:
    """The Python files below a folder, and those that declare what a project needs."""
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NOT_ENTERED)
        for name in sorted(names):
            if name.endswith((".py", ".pyi")) or _DECLARING.fullmatch(name):
                yield Path(folder, name)


def _report_requirements(file: Path, content: bytes) -> int:
    """Report the lines that ask for FastAPI; how many there are."""
    found = 0
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if _REQUIREMENT.match(line) or re.search(r"""["']fastapi(\[[\w, -]*\])?\s*(["'=<>!~;@])""", line):
            found += 1
            print(f"{file}:{number}: left: the project asks for fastapi: ask for ferrapi")
    return found


def _difference(file: Path, before: bytes, after: bytes) -> Iterator[str]:
    old, new = (content.decode("utf-8", "replace").splitlines(keepends=True) for content in (before, after))
    return difflib.unified_diff(old, new, str(file), str(file))

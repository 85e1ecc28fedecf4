"""What ferrapi imports is what it declares, and each extra is enough for what it is there for."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "ferrapi"

CHOSEN_BY_THE_USER = {"orjson", "ujson", "uvicorn-worker"}
"""What is imported by those who ask for it alone: two response classes, and a worker of gunicorn's."""
OF_ANOTHER = {"pydantic-core": "pydantic"}
"""What comes with a requirement that pins it to one release."""


_BLOCK = """
import importlib.abc, importlib.machinery, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Absent())
"""

_IMPORT_ALL = """
import pkgutil, warnings, ferrapi
warnings.simplefilter("ignore")  # ferrapi.middleware.wsgi is Starlette's, which warns of itself
for module in pkgutil.walk_packages(ferrapi.__path__, "ferrapi.", onerror=lambda name: None):
    if module.name in ("ferrapi.__main__", "ferrapi.as_fastapi"):
        continue
    try:
        __import__(module.name)
    except (ImportError, RuntimeError) as error:
        while error.__context__ is not None:  # the first thing that wasn't there
            error = error.__context__
        print(module.name, error.name.partition(".")[0])
"""

_ASK = """
from ferrapi import FastAPI
from ferrapi.testclient import TestClient
app = FastAPI()
@app.get("/{number}")
def double(number: int) -> int:
    return 2 * number
with TestClient(app) as client:
    print(client.get("/21").json())
"""


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def _names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def _imported() -> dict[str, set[str]]:
    """The files that import each distribution that is neither Python's nor ferrapi."""
    distributions = packages_distributions()
    found: dict[str, set[str]] = defaultdict(set)
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            for module in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"ferrapi"}:
                if module == "opentelemetry":  # a namespace of many distributions
                    found["opentelemetry"].add(file.name)
                    continue
                known = distributions.get(module, [module])
                found[canonicalize_name(known[0])].add(file.name)
    return dict(found)


def _declared(extra: str) -> set[str]:
    """The names of an extra, with those of the extras that it refers to."""
    names = _names(_project()["optional-dependencies"][extra])
    if "ferrapi" in names:
        for line in _project()["optional-dependencies"][extra]:
            for other in Requirement(line).extras if Requirement(line).name == "ferrapi" else ():
                names |= _declared(other)
    return names - {"ferrapi"}


@cache
def _needs(name: str, extras: frozenset[str]) -> frozenset[str]:
    """What comes with a distribution: itself, and what it requires, as far as that is installed here."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return frozenset()
    needed: set[str] = {canonicalize_name(name)}
    for requirement in map(Requirement, lines):
        asked = [*extras, ""]
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in asked):
            needed |= _needs(requirement.name, frozenset(requirement.extras))
    return frozenset(needed)


def _absent(requirements: Iterable[str]) -> str:
    """The modules here that an environment with `requirements` alone would not have."""
    needed = {name for line in map(Requirement, requirements) for name in _needs(line.name, frozenset(line.extras))}
    needed |= {"ferrapi"}
    modules = packages_distributions().items()
    return ",".join(module for module, owners in modules if not {canonicalize_name(name) for name in owners} & needed)


def _run(code: str, requirements: Iterable[str]) -> list[str]:
    command = [sys.executable, "-W", "error", "-c", _BLOCK + code, _absent(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_what_is_imported_is_declared() -> None:
    project = _project()
    extras = set().union(*map(_declared, project["optional-dependencies"]))
    declared = _names(project["dependencies"]) | extras | CHOSEN_BY_THE_USER | set(OF_ANOTHER) | {"opentelemetry"}
    assert {name: files for name, files in _imported().items() if name not in declared} == {}


def test_what_is_declared_is_imported() -> None:
    assert _names(_project()["dependencies"]) - set(_imported()) == set()


def test_packages_of_others_come_with_them() -> None:
    for name, owner in OF_ANOTHER.items():
        lines = map(Requirement, distribution(owner).requires or [])
        (pin,) = [line.specifier for line in lines if canonicalize_name(line.name) == name]
        assert str(pin).startswith("==")


def test_the_core_is_enough_for_all_modules_but_those_of_extras() -> None:
    """The modules that can't be imported without an extra, and what each of them asks for."""
    missing = dict(line.split() for line in _run(_IMPORT_ALL, _project()["dependencies"]))
    assert set(missing.values()) <= {"uvicorn", "httpx2", "jinja2", "opentelemetry", "libcst"}
    outside = {name.removeprefix("ferrapi.").partition(".")[0] for name in missing}
    assert outside == {"cli", "server", "templating", "testclient", "telemetry"}


@pytest.mark.parametrize("extra", ["standard", "all"])
def test_an_extra_is_enough_for_a_test_client_without_warnings(extra: str) -> None:
    """With warnings as errors: Starlette's client warns of what it will not use for long."""
    project = _project()
    requirements = [*project["dependencies"], *project["optional-dependencies"][extra]]
    for line in requirements[:]:
        requirement = Requirement(line)
        if requirement.name == "ferrapi":
            requirements += [line for other in requirement.extras for line in project["optional-dependencies"][other]]
    assert _run(_ASK, requirements) == ["42"]


def test_extras_hold_what_fastapis_do() -> None:
    """But for the command line, which is ferrapi's own, and what unpacks an upload to a cloud."""
    theirs: dict[str, set[str]] = {"standard": set(), "all": set(), "opentelemetry": set()}
    for requirement in map(Requirement, distribution("fastapi").requires or []):
        for extra, names in theirs.items():
            if requirement.marker is not None and requirement.marker.evaluate({"extra": extra}):
                names.add(canonicalize_name(requirement.name))
    core = _names(_project()["dependencies"])
    for extra, names in theirs.items():
        assert names - {"fastapi-cli", "fastar"} <= _declared(extra) | core, extra


def test_each_requirement_is_documented_with_its_bounds() -> None:
    """Each requirement is a row of docs/dependencies.md, with the bounds that pyproject.toml has."""
    project = _project()
    table = (ROOT / "docs" / "dependencies.md").read_text()
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    for line in [*project["dependencies"], *extras]:
        if not line.startswith("ferrapi["):
            assert f"| `{line}` |" in table, line


def test_the_bounds_that_are_tested_are_the_declared_ones() -> None:
    """A resolver that takes the lowest release does so with what is asked for directly, so the script asks for it."""
    command = [sys.executable, str(ROOT / "scripts" / "unpinned.py")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    project = _project()
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    bounds = [line for line in [*project["dependencies"], *extras] if not line.startswith("ferrapi[")]
    assert set(bounds) <= set(printed)
    open_names = {canonicalize_name(Requirement(line).name) for line in bounds}
    again = [line for line in printed if line not in bounds]
    assert not [line for line in again if canonicalize_name(Requirement(line).name) in open_names]

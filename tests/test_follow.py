"""`make follow`: what is listed of another release of FastAPI."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.follow import describe
from scripts.follow.__main__ import Description, changes, report
from scripts.follow.suite import files_in, only_those_in


def _described(members: dict[str, dict[str, str]], again: list[str] | None = None) -> Description:
    return Description(members=members, again=again or [], documents={})


KEYWORD = "keyword-only = None"
OLD = {
    "f": {"a": "positional or keyword"},
    "A": {},
    "A.get": {"path": "positional or keyword"},
    "m.A": {},
    "m.A.get": {},
}


def test_each_parameter_is_a_line_and_is_told_once() -> None:
    new = {**OLD, "A.get": {**OLD["A.get"], "limit": KEYWORD}, "m.A.get": {"limit": KEYWORD}}
    again = ["m.A", "m.A.get"]
    ours = {**OLD, "A.get": {**OLD["A.get"], "more": KEYWORD}}
    text, done = report("9", _described(OLD, again), _described(new, again), _described(ours), {})
    assert "* A.get(limit): (absent) -> keyword-only = None (ferrapi is like the old)\n" in text
    assert text.count("limit") == 1
    assert not done


@pytest.mark.parametrize(("own", "like"), [(1, "the old"), (2, "the new"), (3, "neither"), (None, "neither")])
def test_what_ferrapi_is_like(own: int | None, like: str) -> None:
    ours = {} if own is None else {"name": str(own)}
    assert changes({"name": "1"}, {"name": "2"}, ours) == [("name: 1 -> 2", like)]


def test_what_is_gone_is_one_line() -> None:
    text, _ = report(
        "9", _described(OLD), _described({name: OLD[name] for name in OLD if name != "f"}), _described(OLD), {}
    )
    assert [line for line in text.splitlines() if line.startswith("* ")] == [
        "* f: (a) -> (absent) (ferrapi is like the old)"
    ]


@pytest.mark.parametrize("package", ["fastapi", "ferrapi"])
def test_both_packages_describe_themselves_alike(package: str) -> None:
    told = json.loads(
        subprocess.run([sys.executable, describe.__file__, package], stdout=subprocess.PIPE, check=True).stdout
    )
    found, again = told["members"], told["again"]
    assert told["documents"]["hello"]["paths"].keys() == {"/hello/{name}"}
    get = found["FastAPI.get"]
    assert get["path"] == "positional or keyword"
    assert get["response_model"] == "keyword-only = Default(None)"
    assert get["response_class"] == "keyword-only = Default(JSONResponse)"
    assert get["generate_unique_id_function"] == "keyword-only = Default(generate_unique_id)"
    assert found["routing.APIRoute"].keys() >= {"path", "endpoint", "response_model"}
    assert {"applications.FastAPI", "applications.FastAPI.get"} <= set(again)
    assert "FastAPI" not in again


def test_only_files_of_the_other_release_are_run(tmp_path: Path) -> None:
    sdist = tmp_path / "fastapi-9.tar.gz"
    (tmp_path / "test_a.py").touch()
    with tarfile.open(sdist, "w:gz") as archive:
        archive.add(tmp_path / "test_a.py", "fastapi-9/tests/test_a.py")

    class Catalogue:
        def choose(self, selects: list[str], split: str) -> dict[str, Any]:
            return {"tests/test_a.py": ["x"], "tests/test_b.py": ["y"]}

    only_those_in(files_in(sdist), SimpleNamespace(Catalogue=Catalogue))
    assert Catalogue().choose([], "dev") == {"tests/test_a.py": ["x"]}

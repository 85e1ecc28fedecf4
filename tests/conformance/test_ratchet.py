"""The list of passing conformance tests is held against a run in both directions."""

import json
import sys
from pathlib import Path

import pytest

from scripts import ratchet


def _list(path: Path, **tests: str) -> str:
    path.write_text(json.dumps({"suite": "0", "tests": tests}))
    return str(path)


@pytest.mark.parametrize(
    ("passed", "status", "told"),
    [
        ({"a": "passed", "b": "passed"}, 0, "2 in the list, 0 of them have not passed; 0 others have passed"),
        ({"a": "passed"}, 1, "in the list, has not passed: b"),
        ({"a": "passed", "b": "failed"}, 1, "in the list, has not passed: b"),
        ({"a": "passed", "b": "passed", "c": "passed"}, 1, "has passed, not in the list: c"),
        ({"a": "passed", "b": "passed", "c": "failed"}, 0, "0 others have passed"),
    ],
)
def test_what_is_missing_on_either_side_is_a_failure(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    passed: dict[str, str],
    status: int,
    told: str,
) -> None:
    monkeypatch.setattr(ratchet, "LISTED_WITH", sys.version_info[:2])
    listed = _list(tmp_path / "listed.json", a="passed", b="passed")
    assert ratchet.main([_list(tmp_path / "passed.json", **passed), listed]) == status
    assert told in capsys.readouterr().out


def test_another_python_may_run_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratchet, "LISTED_WITH", (3, 0))
    listed = _list(tmp_path / "listed.json", a="passed")
    assert ratchet.main([_list(tmp_path / "passed.json", a="passed", b="passed"), listed]) == 0
    assert ratchet.main([_list(tmp_path / "passed.json", b="passed"), listed]) == 1

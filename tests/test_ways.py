"""Requests to API routes are served by programs, whatever stands around the route; others are counted by reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.ways import ARCHITECTURE, added_up, allowed, main

APPLICATION = Path(__file__).parent / "support" / "ways_application.py"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process has counted that asks each route of the application once."""
    path = tmp_path_factory.mktemp("ways") / "ways.jsonl"
    command = [sys.executable, str(APPLICATION)]
    done = subprocess.run(command, env={**os.environ, "FERRAPI_COUNT_WAYS": str(path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


def test_everything_around_a_route_leads_to_its_program(counted: Path) -> None:
    found = added_up(counted.read_text().splitlines())
    assert found.elsewhere.keys() <= allowed()
    assert found.program == 29


def test_what_a_program_asks_python_for_is_counted_by_request(counted: Path) -> None:
    steps = added_up(counted.read_text().splitlines()).steps
    assert steps["parameters"] == 1
    assert steps["form"] == 3  # with routes of other classes, whose handlers are given the request
    assert steps["none"] > 10
    assert steps["overrides that change"] == 0


def test_what_goes_elsewhere_is_counted_by_its_reason(counted: Path) -> None:
    elsewhere = added_up(counted.read_text().splitlines()).elsewhere
    assert elsewhere == {"replaced functions": 1, "request objects that are asked": 1}


def test_reasons_are_those_of_the_table() -> None:
    assert allowed() == {"replaced functions", "request objects that are asked"}
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert all(f"*{reason}*" in text for reason in allowed())


@pytest.mark.parametrize(
    ("elsewhere", "status"),
    [({}, 0), ({"replaced functions": 1}, 0), ({"replaced functions": 2}, 1), ({"unheard of": 1}, 1)],
)
def test_the_share_and_the_reasons_are_held(tmp_path: Path, elsewhere: dict[str, int], status: int) -> None:
    path = tmp_path / "ways.jsonl"
    lines = [{"program": 60, "steps": {}, "elsewhere": elsewhere}, {"program": 39, "steps": {}, "elsewhere": {}}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main([str(path), "--least", "99"]) == status


def test_a_reason_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ways.jsonl"
    path.write_text(json.dumps({"program": 1, "steps": {}, "elsewhere": {"replaced functions": 9}}))
    assert main([str(path), "--least", "99"]) == 1
    assert main([str(path), "--least", "99", "--beside", "replaced functions"]) == 0

"""Every command of the store's README, run as it stands, answers what the README shows."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from example_server import ROOT, Server
from store_readme import Command, agrees, answers_as_shown, commands

README = ROOT / "examples" / "store" / "README.md"
ADDRESS = "http://127.0.0.1:8000"
COOKIES = "/tmp/cookies.txt"
# The audit log is written by background tasks: its reader may come a moment before its writer.
AUDIT_TRIES = 100


def run(command: Command, url: str, cookies: Path, environment: dict[str, str]) -> str:
    """Runs a command against the served shop and returns its output; a variable that it sets is kept."""
    script = command.shell.replace(ADDRESS, url).replace(COOKIES, str(cookies))
    if command.variable:
        script += f'\nprintf %s "${command.variable}"'
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    if command.variable:
        environment[command.variable] = finished.stdout
    return finished.stdout.replace(url, ADDRESS)


def test_every_command_answers_what_the_readme_shows(shop: Server, tmp_path: Path) -> None:
    environment = dict(os.environ)
    found = commands(README.read_text(encoding="utf-8"))
    assert len(found) >= 8
    for command in found:
        for _ in range(AUDIT_TRIES if "/admin/audit" in command.shell else 1):
            output = run(command, shop.url, tmp_path / "cookies.txt", environment)
            if answers_as_shown(command, output):
                break
        else:
            pytest.fail(f"{command.shell}\n\nanswered\n\n{output}\n\nand not\n\n{command.expected}")


def test_every_command_shows_an_answer_or_sets_a_variable() -> None:
    found = commands(README.read_text(encoding="utf-8"))
    assert [command.shell for command in found if (command.expected is None) == (command.variable is None)] == []


@pytest.mark.parametrize(
    ("shown", "got", "agreeing"),
    [
        ({"id": 1, "total": "2.00"}, {"id": 7, "total": "2.00"}, True),
        ({"id": 1, "total": "2.00"}, {"id": 7, "total": "2.01"}, False),
        ({"id": 1}, {"id": 1, "total": "2.00"}, False),
        ([1, "…"], [1, 2, 3], True),
        ([1, "…"], [2, 2, 3], False),
        ([1, "…"], [], False),
        ([1], [1, 2], False),
        ({"a": "…"}, {"a": {"b": 1}}, True),
        ({"reference": "W-…"}, {"reference": "W-7"}, True),
        ({"reference": "W-…"}, {"reference": "X-7"}, False),
    ],
)
def test_what_counts_as_the_answer_shown(shown: Any, got: Any, agreeing: bool) -> None:
    assert agrees(shown, got) is agreeing

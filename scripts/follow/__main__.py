"""List what another release of FastAPI changes, and what ferrapi would have to follow.

    python -m scripts.follow 0.166.0 --ferrapi dist/3.11/*.whl [--conformance FOLDER]

Three things are looked at, each from the outside: the names and parameters that the release offers, the OpenAPI
documents of the examples, and, where the conformance runner is at hand, the shared half of the release's own tests. The
report says what the release changed, and for each change whether ferrapi is like the new or the old. The exit status
is 0 if ferrapi is like the new release in all of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..unpinned import ROOT, lines_of, name_of

HERE = Path(__file__).resolve().parent
PASSING = ROOT / "tests" / "conformance" / "passing.json"
SHOWN = 40
"""How many lines of a list are printed; the report's file has all."""
_ABSENT = "(absent)"
_MISSING = "not collected"
"""What the conformance runner says of a test that the other release doesn't have."""


@dataclass
class Description:
    """What a package of one release says of itself: `describe.py`'s answer."""

    members: dict[str, dict[str, str]]
    again: list[str]
    documents: dict[str, Any]


class Environment:
    """An environment with one release of FastAPI, or with ferrapi.

    Parameters:
        folder: of the environment; it is made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)

    def pip(self, *arguments: str) -> bool:
        """Run pip in it; tell whether it worked."""
        pip = [str(self.python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
        return subprocess.run(pip, check=False).returncode == 0

    def describe(self, package: str) -> Description:
        """What a package that is installed in it says."""
        done = subprocess.run(
            [str(self.python), str(HERE / "describe.py"), package],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return Description(**json.loads(done.stdout.replace("ferrapi", "fastapi")))


def _requirements(release: str, *, pinned: bool) -> list[str]:
    """A release of FastAPI with what the examples need; everything else at the releases of this project, or free."""
    pins = list(lines_of(ROOT / "requirements-dev.txt"))
    others = [line for line in pins if name_of(line) not in {"fastapi", "ruff", "mypy"}]
    return [f"fastapi[all]=={release}", *(others if pinned else lines_of(ROOT / "examples/store/requirements.txt"))]


def environment_of(release: str, folder: Path) -> tuple[Environment, bool]:
    """The environment of a release, and whether it gets along with the other releases that this project is tested with.

    Raises:
        SystemExit: The release can't be installed.
    """
    environment = Environment(folder / f"follow-{release}")
    if environment.pip("install", *_requirements(release, pinned=True)):
        return environment, True
    if environment.pip("install", *_requirements(release, pinned=False)):
        return environment, False
    raise SystemExit(f"FastAPI {release} can't be installed here")


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON value, with the way to each."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not steps:
        yield path or "/", json.dumps(value)
    for name, below in steps:
        yield from flat(below, f"{path}/{name}")


def changes(old: dict[str, str], new: dict[str, str], ours: dict[str, str]) -> list[tuple[str, str]]:
    """What is not the same in `old` and `new`: a line that says it, and what ours is like.

    That is ``the new``, ``the old`` or ``neither``. Parameters of what is absent in one of them are not listed.
    """
    found = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        owner = name.partition("(")[0]
        if before != after and (owner == name or (owner in old and owner in new)):
            own = ours.get(name, _ABSENT)
            like = "the new" if own == after else "the old" if own == before else "neither"
            found.append((f"{name}: {before} -> {after}", like))
    return found


def _members(description: Description, again: frozenset[str] = frozenset()) -> dict[str, str]:
    """Each name, with its parameters that have a place, and each parameter by itself: ``get(path)``.

    Of the names in `again` it is only told that they are there.
    """
    told: dict[str, str] = {}
    for name, parameters in description.members.items():
        if name in again:
            told[name] = "there"
            continue
        placed = [each for each, kind in parameters.items() if kind.startswith("positional")]
        told[name] = f"({', '.join(placed)})"
        told |= {f"{name}({each})": kind for each, kind in parameters.items()}
    return told


def _documents(description: Description) -> dict[str, str]:
    return dict(flat(description.documents))


def fetch(release: str, cache: Path) -> Path | None:
    """The source distribution of a release, for its tests; None if it can't be had."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--no-binary", "fastapi", "--dest", str(cache), f"fastapi=={release}"]
    if subprocess.run(command, check=False).returncode:
        return None
    return next(cache.glob(f"fastapi-{release}.tar.gz"), None)


def run_suite(release: str, runner: Path, python: str, cache: Path) -> dict[str, str] | None:
    """The outcome of each test of the shared half that the release has, asked of ferrapi; None if none was run."""
    sdist = fetch(release, cache) if (runner / "conformance.py").exists() else None
    if sdist is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "outcome.json"
        options = ["--package", "ferrapi", "--cache", str(cache), "--json", str(answer), "--offline"]
        subprocess.run([python, str(HERE / "suite.py"), str(runner), release, str(sdist), *options], check=False)
        told = json.loads(answer.read_text()) if answer.exists() else {"tests": {}, "messages": {}}
    return {test: result for test, result in told["tests"].items() if told["messages"].get(test) != _MISSING} or None


def _section(title: str, lines: list[str], say: Callable[[str], None]) -> None:
    say(f"\n## {title}: {len(lines) or 'nothing'}\n")
    for line in lines:
        say(f"* {line}")


def report(
    release: str, old: Description, new: Description, ours: Description, outcome: dict[str, str] | None
) -> tuple[str, bool]:
    """The report as Markdown, and whether there is nothing to follow."""
    lines: list[str] = [f"# What FastAPI {release} changes"]
    open_ones = 0
    again = frozenset(old.again) & frozenset(new.again)
    parts: list[tuple[str, Callable[[Description], dict[str, str]]]] = [
        ("Names and parameters", lambda description: _members(description, again)),
        ("Documents of the examples", _documents),
    ]
    for title, part in parts:
        found = changes(part(old), part(new), part(ours))
        open_ones += sum(like != "the new" for _, like in found)
        _section(title, [f"{line} (ferrapi is like {like})" for line, like in found], lines.append)
    if outcome is None:
        lines.append(
            "\n## Its own tests: not run; there is no runner or no source distribution, or the runner ran none of them"
        )
    else:
        passed = json.loads(PASSING.read_text())["tests"]
        failing = sorted(test for test, result in outcome.items() if result in ("failed", "errored"))
        counted = sum(result == "passed" for result in outcome.values())
        lines.append(f"\n## Its own tests: {counted} pass, {len(failing)} fail")
        _section(
            "Fail, and pass in the release that is followed now", [t for t in failing if t in passed], lines.append
        )
        _section("Fail in both", [t for t in failing if t not in passed], lines.append)
        open_ones += sum(test in passed for test in failing)
    return "\n".join(lines) + "\n", open_ones == 0


def main() -> int:
    """Describe, compare, report; 1 if there is something to follow."""
    parser = argparse.ArgumentParser(prog="python -m scripts.follow", description=__doc__.split("\n")[0])
    parser.add_argument("release", help="of FastAPI, for instance 0.166.0")
    parser.add_argument("--ferrapi", type=Path, required=True, help="a wheel")
    parser.add_argument("--conformance", type=Path, default=Path("none"), help="the folder of the runner")
    parser.add_argument("--conformance-python", default=sys.executable, help="with what the runner needs, and ferrapi")
    parser.add_argument("--folder", type=Path, default=ROOT / ".venv", help="for environments")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "follow")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    (pin,) = (line for line in lines_of(ROOT / "requirements-dev.txt") if name_of(line) == "fastapi")
    followed = pin.partition("==")[2]
    base, _ = environment_of(followed, arguments.folder)
    other, alike = environment_of(arguments.release, arguments.folder)
    if not base.pip("install", "--force-reinstall", "--no-deps", str(arguments.ferrapi)):
        raise SystemExit(f"{arguments.ferrapi} can't be installed here")
    outcome = run_suite(
        arguments.release, arguments.conformance.resolve(), arguments.conformance_python, arguments.cache.resolve()
    )
    described = base.describe("fastapi"), other.describe("fastapi"), base.describe("ferrapi")
    text, nothing_to_do = report(arguments.release, *described, outcome)
    if not alike:
        text += f"\nFastAPI {arguments.release} does not get along with the releases of requirements-dev.txt.\n"
    file = arguments.cache / f"{arguments.release}.md"
    file.write_text(text)
    print("\n".join(text.splitlines()[:SHOWN]))
    print(f"\n== All of it: {file}")
    return 0 if nothing_to_do else 1


if __name__ == "__main__":
    sys.exit(main())

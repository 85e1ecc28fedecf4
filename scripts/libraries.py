"""Use libraries that are written against FastAPI through `import ferrapi.as_fastapi`, and compare with FastAPI.

    python scripts/libraries.py --ferrapi dist/3.13/ferrapi-0.1.0-....whl    # all of libraries.toml
    python scripts/libraries.py --ferrapi python cadwyn dishka               # some of them, from a source tree
    python scripts/libraries.py --ferrapi ... --page docs/libraries.md       # all, and the results as a page

Each environment is a folder `.venv/libraries-NAME`, made when it is missing, with uv if that is in PATH. What can't be
installed is left out. A library passes if its modules import, and its transcript (a script of `transcripts/`, printing
what a client gets) says the same with both packages. The exit status is 1 if one does not.
"""

import argparse
import ast
import difflib
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TRANSCRIPTS = HERE / "transcripts"
SECONDS = 300
"""How long a script may take before it counts as hanging."""
_UNSTABLE = re.compile(r"0x[0-9a-f]+")
_RUN = """
import runpy, sys
if sys.argv[1] == "ferrapi":
    import ferrapi.as_fastapi
for name in sys.argv[3].split():
    __import__(name)
if sys.argv[2]:
    runpy.run_path(sys.argv[2], run_name="__main__")
"""


@dataclass
class Library:
    """An entry of libraries.toml."""

    name: str
    environment: str
    requires: list[str]
    imports: list[str] = field(default_factory=list)
    transcript: str = ""


class Environment:
    """A folder with the control and some libraries.

    Parameters:
        name: of the environment.
        control: the packages that all have.
    """

    def __init__(self, name: str, control: list[str]) -> None:
        self.folder = ROOT / ".venv" / f"libraries-{name}"
        self.python = self.folder / "bin" / "python"
        self.control = control

    def make(self) -> bool:
        """Make it, unless it is there; tell whether the control could be installed."""
        if not (self.folder / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        return self.install(self.control)

    def install(self, requires: list[str]) -> bool:
        """Install packages that get along with the control; tell whether that was possible."""
        return subprocess.run([*self._installing(), *requires, *self.control[:2]], check=False).returncode == 0

    def _installing(self) -> list[str]:
        """The beginning of a command that installs: uv where it is, because it is quicker, else pip."""
        uv = shutil.which("uv")
        if uv is not None:
            return [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        return [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

    def add_ferrapi(self, wheel: Path) -> None:
        """Install ferrapi anew."""
        subprocess.run([*self._installing(), "--no-deps", "--force-reinstall", str(wheel)], check=True)

    def output(self, package: str, library: Library, source: Path | None) -> list[str]:
        """What a library's transcript prints with `package`, or how it fails, without what changes each time."""
        script = str(TRANSCRIPTS / library.transcript) if library.transcript else ""
        paths = [str(TRANSCRIPTS)] if source is None else [str(TRANSCRIPTS), str(source)]
        command = [str(self.python), "-W", "ignore", "-c", _RUN, package, script, " ".join(library.imports)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.folder
            )
        except subprocess.TimeoutExpired:
            return [f"no end after {SECONDS} seconds"]
        lines = done.stdout.splitlines()
        if done.returncode:
            lines += ["ended with an error:", *done.stderr.splitlines()[-3:]]
        return [_UNSTABLE.sub("0x", line) for line in lines]


PAGE = """# Libraries

What is written against FastAPI, used through `import ferrapi.as_fastapi` without a change of the library
([how to](how-to/libraries.md)). `make libraries` installs each of these releases, runs the same script with FastAPI
{control} and with ferrapi, and compares every line of what a client got: status, headers, bodies, OpenAPI documents,
recorded traces. This table is written by `make libraries PAGE=docs/libraries.md`; {day} with Python {python}.

| library | what is compared | result |
| --- | --- | --- |
{rows}

Prefect 3.8.8 says `min_items` in `Body`, which FastAPI 0.165.0 has no longer: it imports with neither, unless a script
passes it on as `min_length`, as this one does for both. Ray Serve is tried in full by `make ray`
([Ray Serve](ray-serve.md)).
"""


def written(results: Sequence[tuple[Library, str]], control: str) -> str:
    """The results as a page."""
    rows = [f"| {', '.join(library.requires)} | {subject(library)} | {result} |" for library, result in results]
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return PAGE.format(control=control, day=day, python=platform.python_version(), rows="\n".join(rows))


def subject(library: Library) -> str:
    """What is compared: the first sentence of a transcript, after the library's name; or that modules import."""
    if not library.transcript:
        return "its modules for FastAPI import"
    sentence = ast.get_docstring(ast.parse((TRANSCRIPTS / library.transcript).read_text())) or ""
    return sentence.splitlines()[0].partition(": ")[2].rstrip(".") or sentence.splitlines()[0].rstrip(".")


def compared(environment: Environment, library: Library, source: Path | None) -> list[str]:
    """The differences between both packages, as lines; none if there is no difference."""
    theirs, ours = (environment.output(package, library, source) for package in ("fastapi", "ferrapi"))
    return list(difflib.unified_diff(theirs, ours, "fastapi", "ferrapi", n=0, lineterm=""))


def main() -> int:
    """Check all libraries, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ferrapi", type=Path, required=True, help="a wheel, or a folder that holds the package")
    parser.add_argument("--page", type=Path, help="write the results there, as Markdown")
    parser.add_argument("names", nargs="*", help="the libraries; all without any")
    arguments = parser.parse_args()
    table = tomllib.loads((HERE / "libraries.toml").read_text())
    chosen = [Library(**entry) for entry in table["library"]]
    chosen = [library for library in chosen if not arguments.names or library.name in arguments.names]
    source = arguments.ferrapi.resolve() if arguments.ferrapi.is_dir() else None
    results: list[tuple[Library, str]] = []
    for name in dict.fromkeys(library.environment for library in chosen):
        environment = Environment(name, table["control"]["requires"])
        usable = environment.make()
        if usable and source is None:
            environment.add_ferrapi(arguments.ferrapi.resolve())
        for library in [one for one in chosen if one.environment == name]:
            if not usable or not environment.install(library.requires):
                print(f"left out   {library.name}: it could not be installed here")
                results.append((library, "could not be installed"))
                continue
            lines = compared(environment, library, source)
            print(
                f"{'DIFFERENT' if lines else 'same':10} {library.name}",
                *(line[:300] for line in lines[:20]),
                sep="\n           ",
                flush=True,
            )
            results.append((library, "different" if lines else "the same"))
    said = [result for _, result in results]
    different = said.count("different")
    print(f"{said.count('the same')} same, {different} different, {said.count('could not be installed')} left out")
    if arguments.page:
        arguments.page.write_text(written(results, table["control"]["requires"][0].partition("==")[2]))
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())

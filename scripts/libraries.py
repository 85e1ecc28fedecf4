"""Use libraries that are written against FastAPI through `import ferrapi.as_fastapi`, and compare with FastAPI.

    python scripts/libraries.py --ferrapi dist/3.13/ferrapi-0.1.0-....whl    # all of libraries.toml
    python scripts/libraries.py --ferrapi python cadwyn dishka               # some of them, from a source tree

Each environment is a folder `.venv/libraries-NAME`, made when it is missing. What can't be installed is left out. A
library passes if its modules import, and its transcript (a script of `transcripts/`, which prints what a client gets)
says the same with both packages. The exit status is 1 if one does not.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
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
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        return self.install(self.control)

    def install(self, requires: list[str]) -> bool:
        """Install packages that get along with the control; tell whether that was possible."""
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        return subprocess.run([*pip, *requires, *self.control[:2]], check=False).returncode == 0

    def add_ferrapi(self, wheel: Path) -> None:
        """Install ferrapi anew."""
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--force-reinstall", str(wheel)], check=True)

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


def compared(environment: Environment, library: Library, source: Path | None) -> list[str]:
    """The differences between both packages, as lines; none if there is no difference."""
    theirs, ours = (environment.output(package, library, source) for package in ("fastapi", "ferrapi"))
    return list(difflib.unified_diff(theirs, ours, "fastapi", "ferrapi", n=0, lineterm=""))


def main() -> int:
    """Check all libraries, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ferrapi", type=Path, required=True, help="a wheel, or a folder that holds the package")
    parser.add_argument("names", nargs="*", help="the libraries; all without any")
    arguments = parser.parse_args()
    table = tomllib.loads((HERE / "libraries.toml").read_text())
    chosen = [Library(**entry) for entry in table["library"]]
    chosen = [library for library in chosen if not arguments.names or library.name in arguments.names]
    source = arguments.ferrapi.resolve() if arguments.ferrapi.is_dir() else None
    different = left_out = 0
    for name in dict.fromkeys(library.environment for library in chosen):
        environment = Environment(name, table["control"]["requires"])
        usable = environment.make()
        if usable and source is None:
            environment.add_ferrapi(arguments.ferrapi.resolve())
        for library in [one for one in chosen if one.environment == name]:
            if not usable or not environment.install(library.requires):
                print(f"left out   {library.name}: it could not be installed here")
                left_out += 1
                continue
            lines = compared(environment, library, source)
            print(
                f"{'DIFFERENT' if lines else 'same':10} {library.name}",
                *(line[:300] for line in lines[:20]),
                sep="\n           ",
                flush=True,
            )
            different += bool(lines)
    print(f"{len(chosen) - different - left_out} same, {different} different, {left_out} left out")
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())

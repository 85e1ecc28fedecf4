"""Run the conformance runner on another release than the one that it is made for.

    suite.py FOLDER VERSION SDIST [options of the runner]

The runner knows one release: its version, and the hash of its source distribution. They are replaced by those of the
file that pip has fetched (and has checked against the index). Which files are run stays the runner's decision: of the
shared half, those that the other release has, too. pytest runs nothing at all if it is given a file that isn't there.
"""

import hashlib
import importlib
import sys
import tarfile
from pathlib import Path
from typing import Any


def files_in(sdist: Path) -> set[str]:
    """The files of a source distribution, below its one folder."""
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def only_those_in(files: set[str], runner: Any) -> None:
    """Have the runner choose among these files alone."""
    choose = runner.Catalogue.choose

    def chosen(catalogue: Any, *how: Any) -> dict[str, list[str]]:
        every: dict[str, list[str]] = choose(catalogue, *how)
        return {file: tests for file, tests in every.items() if file in files}

    runner.Catalogue.choose = chosen


def main() -> int:
    """The runner's exit status."""
    folder, version, sdist, *options = sys.argv[1:]
    sys.path.insert(0, folder)
    runner = importlib.import_module("conformance")
    only_those_in(files_in(Path(sdist)), runner)
    runner.VERSION = version
    runner.SDIST = Path(sdist).name
    runner.SDIST_SHA256 = hashlib.sha256(Path(sdist).read_bytes()).hexdigest()
    sys.argv = [str(runner.__file__), "--sdist", sdist, *options]
    status: int = runner.main()
    return status


if __name__ == "__main__":
    sys.exit(main())

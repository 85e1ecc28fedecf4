"""Run the conformance runner on another release than the one that it is made for.

    suite.py FOLDER VERSION SDIST [options of the runner]

The runner knows one release: its version, and the hash of its source distribution. They are replaced by those of the
file that pip has fetched (and has checked against the index). Which files are run stays the runner's decision: of the
shared half, those that the other release has, too.
"""

import hashlib
import importlib
import sys
from pathlib import Path


def main() -> int:
    """The runner's exit status."""
    folder, version, sdist, *options = sys.argv[1:]
    sys.path.insert(0, folder)
    runner = importlib.import_module("conformance")
    runner.VERSION = version
    runner.SDIST = Path(sdist).name
    runner.SDIST_SHA256 = hashlib.sha256(Path(sdist).read_bytes()).hexdigest()
    sys.argv = [str(runner.__file__), "--sdist", sdist, *options]
    status: int = runner.main()
    return status


if __name__ == "__main__":
    sys.exit(main())

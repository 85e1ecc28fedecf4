"""ferrapi's HTTP/1.1 protocol under several releases of uvicorn, without httptools.

    python scripts/uvicorn_versions.py [release ...]

For each release (by default the oldest that is supported, one in the middle, and the newest that there is) an
environment is made in ``.cache/uvicorn-versions``, and the tests of `tests/server/test_sockets.py` are run there: real
servers on both event loops. ferrapi is that of the running Python.

The exit status is 0 if all tests pass.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import ferrapi

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "uvicorn-versions"
RELEASES = ["==0.34.0", "==0.42.0", ""]
SHARED = ("starlette", "pydantic", "typing-extensions", "annotated-doc")
"""What ferrapi needs, in the releases that the running Python has."""
NEEDED = [*(f"{name}=={version(name)}" for name in SHARED), "pytest", "uvloop", "websockets", "trustme", "httpx"]


def environment(release: str) -> Path:
    """The Python of an environment with a release of uvicorn; made if it isn't there."""
    home = CACHE / (release.strip("=") or "newest")
    python = home / "bin" / "python"
    if not (home / ".made").exists():
        venv.create(home, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"uvicorn{release}", *NEEDED], check=True)
        (home / ".made").touch()
    return python


def check(release: str) -> bool:
    """Run the tests under a release; tell whether they pass."""
    python = environment(release)
    # Only the package itself, not what else is installed beside it.
    packages = CACHE / "packages"
    packages.mkdir(exist_ok=True)
    link = packages / "ferrapi"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(ferrapi.__file__).parent)
    code = "import uvicorn, importlib.util as u; print(uvicorn.__version__, u.find_spec('httptools') is None)"
    found = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout.split()
    pytest = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "--noconftest",
        "-o",
        "addopts=",
        "-o",
        "filterwarnings=",
        "tests/server/test_sockets.py",
    ]
    paths = os.pathsep.join([str(packages), str(ROOT / "tests")])
    done = subprocess.run(pytest, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
    print(f"uvicorn {found[0]}: {done.stdout.strip().splitlines()[-1]}")
    if done.returncode != 0 or found[1] != "True":
        print(
            done.stdout[-10000:],
            done.stderr,
            "httptools is not to be installed" if found[1] != "True" else "",
            sep="\n",
        )
        return False
    return True


def main() -> int:
    """Check each release, answer the exit status."""
    releases = [f"=={release}" for release in sys.argv[1:]] or RELEASES
    results = [check(release) for release in releases]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

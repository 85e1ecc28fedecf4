"""Print what the tests need, with the releases of ferrapi's own requirements left open.

    python scripts/unpinned.py > requirements.txt
    uv pip install --resolution lowest-direct 'ferrapi[all]' -r requirements.txt

`requirements-dev.txt` pins everything, so that nothing changes by the date. To test the bounds of `pyproject.toml` its
own requirements must be free: then the resolver alone decides between the lowest and the newest. They are printed as
they are declared, because what only the wheel asks for is not direct, and uv takes the newest of it. FastAPI stays at
the release that ferrapi is compared with.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLLOWS = {"opentelemetry-instrumentation-asgi": "opentelemetry-instrumentation-asgi>=0.65b0"}
"""What pins itself to one release of a requirement of ferrapi's, and the bound that fits."""


def name_of(requirement: str) -> str:
    """The normalised name of the distribution that a requirement is about."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    if found is None:
        raise ValueError(f"{requirement!r} is no requirement")
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared() -> list[str]:
    """What ferrapi requires, in an extra or always, without its own extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [line for line in [*project["dependencies"], *extras] if name_of(line) != project["name"]]


def lines_of(file: Path) -> Iterator[str]:
    """The requirements of a file and of those that it names with `-r`."""
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            yield from lines_of(file.parent / line.removeprefix("-r ").strip())
        elif line and not line.startswith("#"):
            yield line


def main() -> int:
    """Print the requirements, one a line."""
    requirements = declared()
    free = {name_of(line) for line in requirements}
    print("\n".join(requirements))
    for line in lines_of(ROOT / "requirements-dev.txt"):
        name = name_of(line)
        if name in FOLLOWS:
            print(FOLLOWS[name])
        elif name not in free:
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Holds the list of passing conformance tests against what has just passed: it may neither lag nor be longer.

    python -m scripts.ratchet .cache/conformance/passing.json tests/conformance/passing.json

Ends with 1 if a test of the list has not passed (also one that was not run at all), or if a test has passed that the
list doesn't hold, which the next regression could then take away unseen. Another Python than the one that the list was
made with may run some tests more: those are told, and are no failure.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

LISTED_WITH = (3, 11)
"""The Python that the list is made with."""


def passing(file: Path) -> set[str]:
    """The names of the tests in a list of the conformance runner."""
    return {
        name for name, outcome in json.loads(file.read_text(encoding="utf-8"))["tests"].items() if outcome == "passed"
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the answer is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("passed", type=Path, help="what has just passed")
    parser.add_argument("listed", type=Path, help="the list that is kept")
    options = parser.parse_args(arguments)
    passed, listed = passing(options.passed), passing(options.listed)
    lost, gained = sorted(listed - passed), sorted(passed - listed)
    for name in lost:
        print(f"in the list, has not passed: {name}")
    for name in gained:
        print(f"has passed, not in the list: {name}")
    print(f"{len(listed)} in the list, {len(lost)} of them have not passed; {len(gained)} others have passed")
    if gained:
        print("`make conformance-update` writes the list anew")
    return 1 if lost or (gained and sys.version_info[:2] == LISTED_WITH) else 0


if __name__ == "__main__":
    raise SystemExit(main())

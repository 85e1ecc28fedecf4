"""Adds up how requests to API routes were served: what processes have written under ``FERRAPI_COUNT_WAYS``.

    FERRAPI_COUNT_WAYS=ways.jsonl python -m pytest tests/params
    python -m scripts.ways ways.jsonl --least 99

Ends with 1 if a smaller share was served by programs, or for a reason that is not in the table of
docs/internals/architecture.md ("counted as *reason*").
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ARCHITECTURE = Path(__file__).parents[1] / "docs" / "internals" / "architecture.md"


class Counted(NamedTuple):
    """Requests of all processes: served by programs, what those asked Python for, and the others by reason."""

    program: int
    steps: Counter[str]
    elsewhere: Counter[str]

    def share(self, beside: Sequence[str] = ()) -> float:
        """The percentage that programs have served, of all but those that went elsewhere for a reason in `beside`."""
        others = sum(count for reason, count in self.elsewhere.items() if reason not in beside)
        return 100 * self.program / max(1, self.program + others)


def added_up(lines: Sequence[str]) -> Counted:
    """The sum of what several processes have written."""
    program, steps, elsewhere = 0, Counter[str](), Counter[str]()
    for line in lines:
        told = json.loads(line)
        program += told["program"]
        steps.update(told["steps"])
        elsewhere.update(told["elsewhere"])
    return Counted(program, steps, elsewhere)


def allowed() -> set[str]:
    """The reasons in the table of what calls Python."""
    rows = [line for line in ARCHITECTURE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return {reason for row in rows for reason in re.findall(r"\((?:counted as )?\*([^*]+)\*\)", row)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the answer is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--least", type=float, default=0, help="the share in percent that programs have to serve")
    parser.add_argument("--beside", action="append", default=[], help="a reason that doesn't count")
    options = parser.parse_args(arguments)
    counted = added_up(options.file.read_text(encoding="utf-8").splitlines())
    share = counted.share(options.beside)
    print(f"{counted.program} of {counted.program + counted.elsewhere.total()} requests to API routes by programs")
    for name, number in counted.steps.most_common():
        print(f"    asking Python for: {name}: {number}")
    for name, number in counted.elsewhere.most_common():
        print(f"  elsewhere: {name}: {number}")
    unknown = counted.elsewhere.keys() - allowed()
    if unknown:
        print(f"Not in the table of {ARCHITECTURE.name}: {', '.join(sorted(unknown))}", file=sys.stderr)
    print(f"{share:.2f} %" + (f" of those that are not {' or '.join(options.beside)}" if options.beside else ""))
    return int(bool(unknown) or share < options.least)


if __name__ == "__main__":
    sys.exit(main())

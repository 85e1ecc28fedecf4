"""Results as a file for programs and a table for people."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import wrk
from .rounds import CaseResult

RESULTS = Path(__file__).resolve().parents[1] / "results"
PACKAGES = ("ferrapi", "fastapi", "starlette", "pydantic", "pydantic_core", "uvicorn", "uvloop", "httptools", "anyio")
CONTROL = "fastapi"


def versions() -> dict[str, str]:
    """What was measured with what."""
    root = Path(__file__).resolve().parents[2]
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=root)
    return {
        "commit": described.stdout.strip() or "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "wrk": wrk.version(),
        **{name: version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


@dataclass(frozen=True)
class Quantity:
    """A column group of the table: an attribute of `Measured`, how to print it, and how to compare it.

    Parameters:
        title: above the table.
        attribute: of `Measured`.
        digits: after the decimal point.
        more_is_better: the ratio is `peer / control`, else `control / peer`: a larger one always favours the peer.
    """

    title: str
    attribute: str
    digits: int
    more_is_better: bool

    def ratio(self, result: CaseResult, peer: str) -> str:
        """How many times better than the control: the median of the rounds, and their range."""
        over, under = (peer, CONTROL) if self.more_is_better else (CONTROL, peer)
        middle, low, high = result.ratio(over, under, self.attribute)
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"


QUANTITIES = (
    Quantity("CPU of the server per request, in microseconds", "cpu", 1, False),
    Quantity("Requests per second", "per_second", 0, True),
)


def table(results: Sequence[CaseResult], quantity: Quantity) -> str:
    """A Markdown table of one quantity: the median of each peer, and how many times better than FastAPI it is."""
    peers = list(results[0].rounds)
    compared = [peer for peer in peers if peer != CONTROL] if CONTROL in peers else []
    head = ["case", *peers, *(f"{peer}: times {CONTROL}" for peer in compared)]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for result in results:
        values = [f"{result.median(peer, quantity.attribute):,.{quantity.digits}f}" for peer in peers]
        lines.append([result.case.title, *values, *(quantity.ratio(result, peer) for peer in compared)])
    rows = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{quantity.title}:\n\n{rows}"


def tables(results: Sequence[CaseResult]) -> str:
    """Both tables."""
    return "\n\n".join(table(results, quantity) for quantity in QUANTITIES)


def write(name: str, results: Sequence[CaseResult], method: str) -> Path:
    """Write `results/<date>-<name>.json` and `.md`; returns the latter."""
    made = versions()
    data: dict[str, Any] = {
        "date": date.today().isoformat(),
        "method": method,
        "versions": made,
        "cases": {
            result.case.name: {peer: [asdict(item) for item in items] for peer, items in result.rounds.items()}
            for result in results
        },
    }
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / f"{data['date']}-{name}"
    stem.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
    text = [f"# {data['date']}: {name}", method, tables(results)]
    text.append("Versions: " + ", ".join(f"{key} {value}" for key, value in made.items()) + ".")
    stem.with_suffix(".md").write_text("\n\n".join(text) + "\n")
    return stem.with_suffix(".md")

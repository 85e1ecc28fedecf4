"""Results as a file for programs and a table for people."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
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


def table(results: Sequence[CaseResult]) -> str:
    """A Markdown table: requests per second and CPU per request of each peer, and the ratios to FastAPI."""
    peers = list(results[0].rounds)
    ours = [peer for peer in peers if peer != CONTROL] if CONTROL in peers else []
    head = ["case", *(f"{peer}<br>req/s" for peer in peers), *(f"{peer}<br>CPU µs" for peer in peers)]
    head += [f"{peer} / {CONTROL}<br>req/s (smallest to largest)" for peer in ours]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for result in results:
        row = [result.case.title]
        row += [f"{result.median(peer, 'per_second'):,.0f}" for peer in peers]
        row += [f"{result.median(peer, 'cpu'):.1f}" for peer in peers]
        for peer in ours:
            middle, low, high = result.ratio(peer, CONTROL, "per_second")
            row.append(f"{middle:.2f} ({low:.2f} to {high:.2f})")
        lines.append(row)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


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
    stem = RESULTS / f"{data['date']}-{name}"
    stem.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
    text = [f"# {data['date']}: {name}", method, table(results)]
    text.append("Versions: " + ", ".join(f"{key} {value}" for key, value in made.items()) + ".")
    stem.with_suffix(".md").write_text("\n\n".join(text) + "\n")
    return stem.with_suffix(".md")

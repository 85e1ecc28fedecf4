"""What load generators in Python have in common: each is a process, and says what it saw as wrk's script does."""

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from .wrk import Run, seen

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Seen:
    """What the connections saw together: seconds from each request to its answer, and what went wrong."""

    latencies: list[float] = field(default_factory=list)
    wrong: int = 0
    failed: int = 0

    def result(self, seconds: float) -> str:
        """The line that is read by `wrk.seen`."""
        latencies = sorted(latency * 1e6 for latency in self.latencies)
        found = {
            "requests": len(latencies),
            "microseconds": int(seconds * 1e6),
            "wrong": self.wrong,
            "failed": self.failed,
            "p50": int(statistics.median(latencies)) if latencies else 0,
            "p99": int(latencies[len(latencies) * 99 // 100]) if latencies else 0,
        }
        return f"RESULT {json.dumps(found)}"


Generator = Callable[[str, Any, int, int], Awaitable[str]]
"""Loads a server: its address, what the file holds, seconds, connections. Returns the line of the result."""


def run(module: str, url: str, file: Path, seconds: int, core: int | None, connections: int) -> Run:
    """Run a module that calls `main` to its end. Raises `LoadFailed` on any wrong answer."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    command: Sequence[str] = [
        *pinned,
        *(sys.executable, "-m", module, url, str(file), str(seconds), str(connections)),
    ]
    return seen(url, subprocess.run(command, capture_output=True, text=True, cwd=_ROOT))


def main(generate: Generator) -> None:
    """Run a generator with the arguments of the command line, and print its result."""
    url, file, seconds, connections = sys.argv[1:]
    asked = json.loads(Path(file).read_text())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        async def go() -> str:
            return await generate(url, asked, int(seconds), int(connections))

        print(runner.run(go()))

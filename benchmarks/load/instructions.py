"""Instructions per request under load, by function: `python -m benchmarks.load.instructions [--function PATTERN]`.

A server runs under valgrind's callgrind while wrk sends the requests of a case on 64 connections, so the event loop's
turns and the batches in them are what they are in the other benchmarks (only slower). Instructions repeat within some
per cent; what they don't show is waiting for memory. Needs valgrind, and debugging symbols for names.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..cases import BY_NAME, Case
from ..shapes.answers import SERVICES, in_process, module_of, with_answers
from ..shapes.cases import BY_NAME as SHAPES_BY_NAME
from ..shapes.cases import Shape
from . import wrk
from .peers import PEERS
from .rounds import CLIENT_CORE, SERVER_CORE
from .server import Server

WARM_UP, COUNTED = 2, 6
"""Seconds."""
_SHAPES = [shape.name for shape in SHAPES_BY_NAME.values() if shape.load == "wrk"]
COSTS = re.compile(r"[+*\d-]\S* (\d+)")


@dataclass
class Profile:
    """Instructions by function: own ones, and those of what it calls, by caller and callee."""

    own: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    calls: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Profile":
        """The profile in a dump of callgrind's, written without compressed names and positions."""
        found, function, callee, times = cls(), "", "", 0
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            if key == "fn":
                function = value
            elif key == "cfn":
                callee = value
            elif key == "calls":
                times = int(value.split()[0])
            elif costs := COSTS.match(line):
                if times:
                    called = found.calls[function, callee]
                    called[0] += times
                    called[1] += int(costs[1])
                    times = 0
                else:
                    found.own[function] += int(costs[1])
        return found

    def inclusive(self) -> dict[str, int]:
        """Instructions of each function and of what it calls."""
        found = defaultdict(int, self.own)
        for (caller, callee), (_, costs) in self.calls.items():
            if caller != callee:
                found[caller] += costs
        return found


class _Counted(Server):
    """A server under callgrind, which counts nothing until it is told to."""

    def __init__(self, name: str, case: Case, folder: Path) -> None:
        if isinstance(case, Shape):
            module = module_of(case, name if name in SERVICES else "ferrapi")
            super().__init__(name, case.app, {SERVER_CORE}, module=module, extra=case.options)
        else:
            super().__init__(name, case.app, {SERVER_CORE})
        self._dump = folder / "dump"
        options = ["--instr-atstart=no", "--compress-strings=no", "--compress-pos=no"]
        valgrind = ["valgrind", "--tool=callgrind", *options, f"--callgrind-out-file={self._dump}"]
        self.command = [*valgrind, *self.command]

    def control(self, *arguments: str) -> None:
        """Tell callgrind something."""
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], check=True, capture_output=True)

    def profile(self) -> Profile:
        """What was counted."""
        self.control("-d")
        with self._dump.with_name("dump.1").open(errors="replace") as lines:
            return Profile.of(lines)


def count(name: str, case: Case) -> tuple[Profile, int]:
    """The profile of a peer that serves a case, and the number of requests."""
    with tempfile.TemporaryDirectory() as folder, _Counted(name, case, Path(folder)) as server:
        file = Path(folder) / "case.lua"
        wrk.write_exchanges(case.exchanges, file)
        wrk.run(server.url, file, WARM_UP, CLIENT_CORE)
        server.control("-i", "on")
        requests = wrk.run(server.url, file, COUNTED, CLIENT_CORE).requests
        server.control("-i", "off")
        return server.profile(), requests


def _shape(name: str) -> Shape:
    """The shape, with FastAPI's answers in this process as the right ones."""
    return with_answers(SHAPES_BY_NAME[name], in_process(SHAPES_BY_NAME[name], "fastapi"))


def table(profile: Profile, requests: int, rows: int) -> str:
    """The functions with the most instructions of their own, per request."""
    inclusive = profile.inclusive()
    largest = sorted(profile.own.items(), key=lambda item: -item[1])[:rows]
    lines = [f"{own / requests:8.0f} {inclusive[function] / requests:8.0f}  {function}" for function, own in largest]
    return "\n".join([f"{'own':>8} {'with all':>8}  function", *lines])


def neighbours(profile: Profile, requests: int, pattern: str) -> str:
    """Who calls the functions whose names match, and whom they call: times and instructions per request."""
    inclusive, lines = profile.inclusive(), []
    for function in filter(re.compile(pattern).search, inclusive):
        own = profile.own.get(function, 0)
        lines.append(f"{function}: {own / requests:.0f} own, {inclusive[function] / requests:.0f} with all")
        for title, place in ("called by", 1), ("calls", 0):
            pairs = [(pair, costs) for pair, costs in profile.calls.items() if pair[place] == function]
            for pair, (times, costs) in sorted(pairs, key=lambda item: -item[1][1]):
                lines.append(f"  {title:>9} {times / requests:6.2f} x {costs / requests:7.0f}  {pair[1 - place]}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and print what was asked for; 1 if there is no valgrind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.instructions", description=__doc__)
    parser.add_argument("--case", choices=list(BY_NAME), default="hello")
    parser.add_argument(
        "--shape", choices=_SHAPES, help="one of `benchmarks.shapes` instead (peers: ferrapi, fastapi, asgi)"
    )
    parser.add_argument("--peer", choices=list(PEERS), default="ferrapi")
    parser.add_argument("--rows", type=int, default=40, help="how many functions; default: 40")
    parser.add_argument("--function", metavar="PATTERN", help="show callers and callees of functions with such names")
    options = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        print("valgrind is not installed (Debian: apt-get install valgrind)", file=sys.stderr)
        return 1
    case = _shape(options.shape) if options.shape else BY_NAME[options.case]
    profile, requests = count(options.peer, case)
    print(f"{options.peer}, {case.name}: {sum(profile.own.values()) / requests:,.0f} instructions per request\n")
    if options.function:
        print(neighbours(profile, requests, options.function))
    else:
        print(table(profile, requests, options.rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""How cost grows: 10 and 10,000 routes, 64 and 1,000 connections, one and two workers.

`python -m benchmarks.load.scaling` measures JSON hello through both doors in interleaved rounds and compares the second
with the first. With `--name` it writes benchmarks/results/<date>-NAME.json and .md. Two workers need two cores beside
that of the load generator; on a smaller machine they share one with it, and the results say so.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..asgi import WrongAnswer
from ..cases import BY_NAME
from . import wrk
from .peers import PEERS
from .report import CPU, RATE, RESULTS, Quantity, table, times, versions
from .rounds import CLIENT_CORE, SERVER_CORE, Measured, measure
from .server import Server, ServerDidNotStart

CASE = BY_NAME["hello"]
TRANSPORTS = {"ferrapi": "HTTP/1.1 door", "ferrapi-asgi": "ASGI door"}
BESIDE = ("asgi", "fastapi", "go")
"""Peers whose connections are counted as well: what many connections cost is not the framework's alone."""
Loaded = Callable[[Path, int], Measured]
"""Puts load on something, with a file of requests and for some seconds."""


@dataclass(frozen=True)
class Row:
    """One comparison: what it compares, and for both sides the rounds."""

    title: str
    first: list[Measured]
    second: list[Measured]

    def ratio(self, quantity: Quantity) -> list[float]:
        """The second as a multiple of the first, round by round."""
        pairs = zip(self.first, self.second, strict=True)
        return [getattr(second, quantity.key) / getattr(first, quantity.key) for first, second in pairs]


def _load(server: Server, connections: int = wrk.CONNECTIONS) -> Loaded:
    return lambda file, seconds: measure(server, CASE, file, seconds, connections)


def _load_workers(server: Server) -> Loaded:
    """Each worker has counters of its own, so that only the answers are looked at."""

    def load(file: Path, seconds: int) -> Measured:
        cpu = server.cpu_seconds()
        seen = wrk.run(server.url, file, seconds, CLIENT_CORE)
        used = server.cpu_seconds() - cpu
        return Measured(seen.requests / seen.seconds, used / seen.requests * 1e6, seen.p50, seen.p99)

    return load


def _compare(title: str, sides: Sequence[Loaded], file: Path, rounds: int, seconds: int) -> Row:
    for side in sides:
        side(file, 1)
    measured: tuple[list[Measured], list[Measured]] = ([], [])
    for number in range(rounds):
        for which in (0, 1) if number % 2 else (1, 0):
            measured[which].append(sides[which](file, seconds))
    print(title, "done", flush=True)
    return Row(title, *measured)


def _more_connections(name: str, title: str, file: Path, rounds: int, seconds: int) -> Row:
    with Server(name, "app", {SERVER_CORE}) as server:
        sides = [_load(server, connections) for connections in (64, 1000)]
        return _compare(f"1,000 connections, as 64 ({title})", sides, file, rounds, seconds)


def _rows(file: Path, rounds: int, seconds: int) -> list[Row]:
    rows = []
    for name, door in TRANSPORTS.items():
        with ExitStack() as stack:

            def start(count: int, name: str = name, stack: ExitStack = stack) -> Server:
                routes = {"BENCHMARK_ROUTES": str(count)}
                return stack.enter_context(Server(name, "app", {SERVER_CORE}, routes, module="routes_app"))

            sides = [_load(start(count)) for count in (10, 10_000)]
            rows.append(_compare(f"10,000 routes, as 10 ({door})", sides, file, rounds, seconds))
        rows.append(_more_connections(name, door, file, rounds, seconds))
        cores = {core for core in range(os.cpu_count() or 1) if core != CLIENT_CORE}
        with ExitStack() as stack:
            one = stack.enter_context(Server(name, "app", {SERVER_CORE}))
            free = set(sorted(cores)[:2]) if len(cores) > 1 else {SERVER_CORE, CLIENT_CORE}
            two = stack.enter_context(Server(name, "app", free, extra=("--workers", "2")))
            shared = "" if CLIENT_CORE not in free else ", which share a core with the load generator"
            title = f"two workers{shared}, as one ({door})"
            rows.append(_compare(title, [_load_workers(one), _load_workers(two)], file, rounds, seconds))
    beside = [PEERS[name] for name in BESIDE]
    rows += [_more_connections(peer.name, peer.title, file, rounds, seconds) for peer in beside if peer.available]
    return rows


def _table(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        cells = [row.title]
        for quantity in (RATE, CPU):
            for side in (row.first, row.second):
                value = statistics.median(getattr(measured, quantity.key) for measured in side)
                cells.append(f"{value:,.{quantity.digits}f}")
            found = row.ratio(quantity)
            cells.append(f"{times(statistics.median(found))} ({times(min(found))} to {times(max(found))})")
        lines.append(cells)
    head = ["second side, as the first", "requests/s, first", "second", "second ÷ first"]
    return table([*head, "CPU µs, first", "second", "second ÷ first"], lines)


def _write(name: str, rows: Sequence[Row], method: str) -> Path:
    now = datetime.now(UTC)
    data: dict[str, Any] = {
        "date": now.date().isoformat(),
        "finished": now.isoformat(timespec="seconds"),
        "name": name,
        "method": method,
        "versions": versions(["ferrapi"]),
        "rows": [asdict(row) for row in rows],
    }
    stem = RESULTS / f"{data['date']}-{name}"
    stem.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
    said = "Versions: " + ", ".join(f"{key} {value}" for key, value in data["versions"].items()) + "."
    stem.with_suffix(".md").write_text("\n\n".join([f"# {data['date']}: {name}", method, _table(rows), said]) + "\n")
    return stem.with_suffix(".md")


def main() -> int:
    """Measure everything; 1 if an answer was wrong or something could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--name", help="write benchmarks/results/<date>-NAME.json and .md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.lua"
        wrk.write_exchanges(CASE.exchanges, file)
        try:
            rows = _rows(file, arguments.rounds, arguments.seconds)
        except (WrongAnswer, wrk.LoadFailed, ServerDidNotStart) as error:
            print(f"benchmark refused: {error}", file=sys.stderr)
            return 1
    print("\n" + _table(rows))
    if arguments.name:
        method = f"JSON hello, {arguments.rounds} interleaved rounds of {arguments.seconds} s; as in the load results."
        print("written:", _write(arguments.name, rows, method).relative_to(RESULTS.parents[1]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Interleaved rounds: in each, every peer is measured once, in an order that rotates."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..asgi import WrongAnswer
from ..cases import Case
from . import wrk
from .peers import PEERS
from .server import Server

SERVER_CORE, CLIENT_CORE = 0, 1
SMALLEST_COUNT = 0.98
"""A counter may stay behind the answers that wrk saw by what was answered right after it last looked."""


Load = Callable[[str, Path, int, int | None, int], wrk.Run]
"""Runs a load generator: a server's address, the file of requests, seconds, a core, connections."""


@dataclass(frozen=True)
class Measured:
    """One peer in one round: requests per second, CPU microseconds of the server per request, latencies (µs)."""

    per_second: float
    cpu: float
    p50: int
    p99: int


@dataclass(frozen=True)
class CaseResult:
    """All rounds of a case: for each peer its measurements, round by round."""

    case: Case
    rounds: dict[str, list[Measured]]

    def median(self, peer: str, what: str) -> float:
        """The median over the rounds of an attribute of `Measured`."""
        return float(statistics.median(getattr(measured, what) for measured in self.rounds[peer]))

    def ratio(self, peer: str, control: str, what: str) -> tuple[float, float, float]:
        """The median, smallest and largest of the per-round ratios of two peers."""
        pairs = zip(self.rounds[peer], self.rounds[control], strict=True)
        ratios = [getattr(ours, what) / getattr(theirs, what) for ours, theirs in pairs]
        return statistics.median(ratios), min(ratios), max(ratios)


def _expect_counts(server: Server, case: Case, before: dict[str, int], requests: int) -> None:
    """Handlers ran for what was answered, and none ran that should not have. Raises `WrongAnswer`."""
    after = server.calls()
    moved = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    few = {name: moved.get(name, 0) for name in case.counts if moved.get(name, 0) < requests * SMALLEST_COUNT}
    if few or moved.keys() - case.counts:
        raise WrongAnswer(f"{server.name}, {case.name}: {requests} answers, but calls {moved}, not {set(case.counts)}")


def measure(
    server: Server,
    case: Case,
    file: Path,
    seconds: int,
    connections: int = wrk.CONNECTIONS,
    load: Load = wrk.run,
) -> Measured:
    """Put load on a server, and hold its counters to the answers. Raises `LoadFailed` and `WrongAnswer`."""
    calls, cpu = server.calls(), server.cpu_seconds()
    seen = load(server.url, file, seconds, CLIENT_CORE, connections)
    used = server.cpu_seconds() - cpu
    _expect_counts(server, case, calls, seen.requests)
    return Measured(seen.requests / seen.seconds, used / seen.requests * 1e6, seen.p50, seen.p99)


def rotating(servers: Sequence[Server], rounds: int) -> Iterator[Server]:
    """Every server once in each round, in an order that rotates."""
    for number in range(rounds if servers else 0):
        shift = number % len(servers)
        yield from [*servers[shift:], *servers[:shift]]


def measure_case(case: Case, peers: Sequence[str], rounds: int, seconds: int, folder: Path) -> CaseResult:
    """Serve all peers, check their answers, warm them up, and measure them in `rounds` rounds of `seconds` each.

    A peer that leaves the case out is left out.
    """
    file = folder / f"{case.name}.lua"
    wrk.write_exchanges(case.exchanges, file)
    taking_part = [peer for peer in peers if case.name not in PEERS[peer].without]
    results: dict[str, list[Measured]] = {peer: [] for peer in taking_part}
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(peer, case.app, {SERVER_CORE})) for peer in taking_part]
        for server in servers:
            server.check(case)
            wrk.run(server.url, file, 1, CLIENT_CORE)
        for server in rotating(servers, rounds):
            results[server.name].append(measure(server, case, file, seconds))
    return CaseResult(case, results)

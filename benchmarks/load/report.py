"""Results as a file for programs, and as tables for people made from that file alone."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..cases import BY_NAME
from . import wrk
from .peers import PEERS, ROOT, Peer
from .rounds import CaseResult

RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("pydantic", "pydantic_core", "uvicorn", "uvloop", "httptools", "anyio")
CONTROLS = ("fastapi", "go")
NOT_THERE = "\N{EN DASH}"
"""Stands in a table for a peer that leaves the case out."""

Cases = dict[str, dict[str, list[dict[str, float]]]]
"""The measurements of a results file: case, peer, rounds."""


@dataclass(frozen=True)
class Quantity:
    """What is compared.

    Parameters:
        title: above a table.
        key: in the measurements.
        digits: after the decimal point.
        more_is_better: the ratio is `peer / control`, else `control / peer`: a larger one always favours the peer.
    """

    title: str
    key: str
    digits: int
    more_is_better: bool


RATE = Quantity("Requests per second", "per_second", 0, True)
CPU = Quantity("CPU of the server per request, µs", "cpu", 1, False)


def _peer_version(peer: Peer) -> str:
    asked = f"from importlib.metadata import version; print(version({peer.distribution!r}))"
    done = subprocess.run([peer.program, "-c", asked], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _locked(file: str, package: str) -> str:
    """The version in a go.mod or a Cargo.lock."""
    lines = (ROOT / "benchmarks" / "apps" / file).read_text().splitlines()
    for number, line in enumerate(lines):
        words = line.replace('"', "").split()
        if words[:3] == ["name", "=", package]:
            return lines[number + 1].split('"')[1]
        if package in words:
            return words[words.index(package) + 1]
    return "unknown"


def _go_version(program: Path) -> str:
    done = subprocess.run(["go", "version", str(program)], capture_output=True, text=True)
    return done.stdout.strip().rpartition(": ")[2] or "unknown"


def versions(peers: Iterable[str]) -> dict[str, str]:
    """What was measured with what."""
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    found = {
        "commit": described.stdout.strip() or "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "wrk": wrk.version(),
        **{name: version(name) for name in PACKAGES},
    }
    for peer in (PEERS[name] for name in peers):
        if peer.distribution:
            found[peer.distribution] = _peer_version(peer)
    if "go" in peers:
        found["go"] = _go_version(PEERS["go"].program)
        found["go-playground/validator"] = _locked("go/go.mod", "github.com/go-playground/validator/v10")
    if "axum" in peers:
        found |= {name: _locked("axum/Cargo.lock", name) for name in ("axum", "tokio", "serde_json", "validator")}
    found["system"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return found


def as_data(results: Sequence[CaseResult]) -> Cases:
    """What is written to a results file."""
    return {
        result.case.name: {peer: [asdict(item) for item in items] for peer, items in result.rounds.items()}
        for result in results
    }


def median(rounds: Sequence[dict[str, float]], key: str) -> float:
    """The median over the rounds."""
    return float(statistics.median(item[key] for item in rounds))


def ratios(case: dict[str, list[dict[str, float]]], peer: str, control: str, quantity: Quantity) -> list[float]:
    """How many times better than the control a peer is, round by round."""
    over, under = (peer, control) if quantity.more_is_better else (control, peer)
    pairs = zip(case[over], case[under], strict=True)
    return [ours[quantity.key] / theirs[quantity.key] for ours, theirs in pairs]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def peers_of(cases: Cases) -> list[str]:
    """All peers that took part in any case, in the order of `PEERS`."""
    present = {peer for case in cases.values() for peer in case}
    return [peer for peer in PEERS if peer in present]


def times(ratio: float) -> str:
    """A ratio for people: three significant digits are more than the noise allows."""
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 3 else f"{ratio:.2f}"


def ratio_table(cases: Cases, peers: Sequence[str], control: str, quantity: Quantity) -> str:
    """Medians of the ratios to a control, a row for each case."""
    rows = []
    for name, case in cases.items():
        row = [BY_NAME[name].title]
        for peer in peers:
            taking_part = peer in case and control in case
            row.append(times(statistics.median(ratios(case, peer, control, quantity))) if taking_part else NOT_THERE)
        rows.append(row)
    return table(["case", *(PEERS[peer].title for peer in peers)], rows)


def overview(cases: Cases) -> str:
    """For each quantity and each control that took part: the ratios of all peers."""
    parts = []
    everyone = peers_of(cases)
    for control in (control for control in CONTROLS if control in everyone):
        compared = [peer for peer in everyone if peer != control]
        for quantity in (RATE, CPU):
            title = (
                f"{quantity.title}: how many times better than {PEERS[control].title} (medians of the rounds' ratios)"
            )
            parts.append(f"{title}:\n\n{ratio_table(cases, compared, control, quantity)}")
    return "\n\n".join(parts)


def _spread(found: Sequence[float]) -> str:
    return f"{times(statistics.median(found))} ({times(min(found))} to {times(max(found))})"


def case_table(case: dict[str, list[dict[str, float]]]) -> str:
    """Everything about one case, a row for each peer."""
    controls = [control for control in CONTROLS if control in case]
    compared = [(control, quantity) for control in controls for quantity in (RATE, CPU)]
    head = ["peer", "requests/s", "CPU µs", "p50 ms", "p99 ms"]
    head += [f"÷ {PEERS[control].title}, {'requests/s' if q is RATE else 'CPU'}" for control, q in compared]
    rows = []
    for peer in (peer for peer in PEERS if peer in case):
        rounds = case[peer]
        row = [PEERS[peer].title, f"{median(rounds, 'per_second'):,.0f}", f"{median(rounds, 'cpu'):.1f}"]
        row += [f"{median(rounds, key) / 1000:.2f}" for key in ("p50", "p99")]
        row += [_spread(ratios(case, peer, control, quantity)) for control, quantity in compared]
        rows.append(row)
    return table(head, rows)


def _left_out(cases: Cases) -> str:
    lines = [
        f"* {PEERS[peer].title} leaves out *{BY_NAME[name].title}*: {reason}."
        for peer in peers_of(cases)
        for name, reason in PEERS[peer].without.items()
        if name in cases
    ]
    return "\n".join(lines)


def page(data: dict[str, Any]) -> str:
    """The Markdown page of a results file."""
    cases: Cases = data["cases"]
    parts = [f"# {data['date']}: {data['name']}", data["note"], data["method"], overview(cases), _left_out(cases)]
    parts.append("## Case by case\n\nMedians; in brackets the smallest and the largest ratio of the rounds.")
    parts += [f"### {BY_NAME[name].title}\n\n{case_table(case)}" for name, case in cases.items()]
    parts.append("Versions: " + ", ".join(f"{key} {value}" for key, value in data["versions"].items()) + ".")
    return "\n\n".join(part for part in parts if part) + "\n"


def write(name: str, results: Sequence[CaseResult], method: str, note: str = "") -> Path:
    """Write `results/<date>-<name>.json` and `.md`; returns the latter."""
    cases = as_data(results)
    stem = RESULTS / f"{datetime.now(UTC).date().isoformat()}-{name}"
    return save(stem, {"note": note, "method": method, "versions": versions(peers_of(cases)), "cases": cases}, page)


def save(stem: Path, data: dict[str, Any], make_page: Callable[[dict[str, Any]], str]) -> Path:
    """Write measurements as `<stem>.json`, with date and name, and the page made of them as `<stem>.md`: the latter."""
    now = datetime.now(UTC)
    day = now.date().isoformat()
    said = {"date": day, "finished": now.isoformat(timespec="seconds"), "name": stem.name.removeprefix(f"{day}-")}
    stem.parent.mkdir(exist_ok=True, parents=True)
    for ending, text in (".json", json.dumps(said | data, indent=1) + "\n"), (".md", make_page(said | data)):
        stem.with_name(stem.name + ending).write_text(text)
    return stem.with_name(stem.name + ".md")

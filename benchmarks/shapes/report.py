"""The results of the shapes as a file for programs, and as a table for people made from that file alone."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..load.report import CPU, NOT_THERE, Cases, as_data, median, ratios, save, table, times, versions
from ..load.rounds import CaseResult
from .cases import BY_NAME
from .measure import CONTROL, WAYS

METHOD = (
    "CPU time of the server per request: user and system time of its process, divided by the requests. uvicorn with "
    "uvloop on one core, wrk with one thread and 64 connections (where the table does not say otherwise) on another; "
    "*ASGI* is ferrapi under httptools as FastAPI is, *protocol* under `--http ferrapi.server:HttpProtocol`, "
    "*bare* is hand-written ASGI with the same work, *go* net/http in the shapes that it serves. "
    "{rounds} interleaved rounds of {seconds} s, their order rotating; medians of the time and of the rounds' ratios. "
    "Status, headers and body of every answer were compared with FastAPI's first, and so was how often each handler "
    "and dependency ran; under load every status and body was."
)
GOALS = {"asgi": 0, "protocol": 1}
"""The places of the goals of a shape."""


def _ways(shapes: Cases) -> list[str]:
    return [way for way in WAYS if any(way in shape for shape in shapes.values())]


def shapes_table(shapes: Cases, brief: bool = False) -> str:
    """A row for each shape: times, ratios, and unless it is to be brief their spread and the goals."""
    ways = _ways(shapes)
    compared = [way for way in ways if way != CONTROL and CONTROL in ways]
    head = ["shape", *(f"{WAYS[way].title}, µs" for way in ways)]
    for way in compared:
        head += [f"FastAPI ÷ {way}", "goal"][: 1 if brief or way not in GOALS else 2]
    rows = []
    for name, shape in shapes.items():
        row = [BY_NAME[name].title]
        row += [f"{median(shape[way], CPU.key):,.1f}" if way in shape else NOT_THERE for way in ways]
        for way in compared:
            row += _brief(shape, way) if brief else _compared(name, shape, way)
        rows.append(row)
    return table(head, rows)


def _brief(shape: dict[str, list[dict[str, float]]], way: str) -> list[str]:
    if way not in shape or CONTROL not in shape:
        return [NOT_THERE]
    return [times(statistics.median(ratios(shape, way, CONTROL, CPU)))]


def _compared(name: str, shape: dict[str, list[dict[str, float]]], way: str) -> list[str]:
    """The ratio, and the goal if the way has goals; a ratio that reaches it is bold."""
    goals = BY_NAME[name].goals
    goal = goals[GOALS[way]] if goals and way in GOALS else None
    said = [f"{goal:g}" if goal else NOT_THERE] if way in GOALS else []
    if way not in shape or CONTROL not in shape:
        return [NOT_THERE, *said]
    found = ratios(shape, way, CONTROL, CPU)
    ratio = statistics.median(found)
    spread = f"{times(ratio)} ({times(min(found))} to {times(max(found))})"
    return [f"**{spread}**" if goal and ratio >= goal else spread, *said]


def stalls(shapes: Cases) -> str:
    """A line for each way in which a shape stalled, or an empty text."""
    missing = [
        (name, way)
        for name, shape in shapes.items()
        for way in _ways(shapes)
        if way not in shape and WAYS[way].serves(name)
    ]
    lines = [f"* {WAYS[way].title} stalled, and answered nothing: *{BY_NAME[name].title}*." for name, way in missing]
    return "\n".join(lines)


def page(data: dict[str, Any]) -> str:
    """The Markdown page of a results file."""
    said = "Versions: " + ", ".join(f"{key} {value}" for key, value in data["versions"].items()) + "."
    legend = "In brackets the smallest and the largest ratio of the rounds; bold: the goal is reached."
    parts = [f"# {data['date']}: {data['name']}", data["note"], data["method"], shapes_table(data["shapes"])]
    return "\n\n".join(part for part in [*parts, stalls(data["shapes"]), legend, said] if part) + "\n"


def write(stem: Path, results: Sequence[CaseResult], rounds: int, seconds: int, note: str = "") -> Path:
    """Write `<stem>.json` and `<stem>.md`; returns the latter."""
    shapes = as_data(results)
    measured_with = versions([WAYS[way].peer for way in _ways(shapes)])
    method = METHOD.format(rounds=rounds, seconds=seconds)
    return save(stem, {"note": note, "method": method, "versions": measured_with, "shapes": shapes}, page)

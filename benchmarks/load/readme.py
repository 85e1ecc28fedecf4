"""Writes what README says of the benchmarks, and its plot, from the newest results: `python -m benchmarks.load.readme`.

There are two blocks: the shapes of real services (`benchmarks.shapes`), and the cases of all peers (`benchmarks.load`).
The newest results are those of the results file that was finished last. `--check` writes nothing and fails if it would.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from ..cases import BY_NAME
from ..shapes.report import shapes_table, stalls
from .peers import PEERS, ROOT
from .plot import svg
from .report import CPU, RATE, RESULTS, Cases, median, peers_of, ratio_table, ratios, table, times

README = ROOT / "README.md"
PLOT = ROOT / "docs" / "benchmark.svg"
CASES, SHAPES = "benchmark", "shapes"
"""The names of the blocks in README's marks."""
COLUMNS = ("ferrapi", "ferrapi-asgi", "ferrapi-freeze", "asgi", "go", "axum")
"""The peers of README's tables by case."""
SAMPLE = "hello"
"""The case for which README shows every peer."""


class NoResults(Exception):
    """There are no results that README could show."""


def newest(folder: Path = RESULTS, key: str = "cases") -> tuple[str, dict[str, Any]]:
    """The name (without its ending) and the content of the results file that was finished last. Raises `NoResults`.

    Parameters:
        key: of the measurements: `cases` or `shapes`.
    """
    files = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
    usable = {stem: data for stem, data in files.items() if "fastapi" in peers_of(data.get(key, {}))}
    if not usable:
        raise NoResults(f"no {key} with FastAPI in {folder}")
    return max(usable.items(), key=lambda item: (item[1].get("finished", item[1]["date"]), item[0]))


def _everyone(cases: Cases) -> str:
    """Every peer at one case."""
    case = cases[SAMPLE]
    rows = []
    for peer in sorted(case, key=lambda peer: -median(case[peer], "per_second")):
        row = [PEERS[peer].title, f"{median(case[peer], 'per_second'):,.0f}", f"{median(case[peer], 'cpu'):.1f}"]
        for quantity in (RATE, CPU):
            found = ratios(case, peer, "fastapi", quantity)
            row.append(f"{times(statistics.median(found))} ({times(min(found))} to {times(max(found))})")
        rows.append(row)
    head = ["peer", "requests/s", "CPU µs per request", "requests/s ÷ FastAPI", "FastAPI's CPU ÷ its own"]
    return f"Every peer, {BY_NAME[SAMPLE].title} (in brackets: the rounds' spread):\n\n{table(head, rows)}"


def block(stem: str, data: dict[str, Any]) -> str:
    """What stands between the marks."""
    cases: Cases = data["cases"]
    present = peers_of(cases)
    columns = [peer for peer in COLUMNS if peer in present]
    parts = ["![Requests per second as multiples of FastAPI, case by case](docs/benchmark.svg)"]
    parts.append("Requests per second ÷ FastAPI's, medians of the rounds' ratios; higher is better:")
    parts.append(ratio_table(cases, columns, "fastapi", RATE))
    parts.append("FastAPI's CPU time per request ÷ the peer's, in the same run:")
    parts.append(ratio_table(cases, columns, "fastapi", CPU))
    if "go" in present:
        against = [peer for peer in columns if peer != "go"]
        parts.append("Requests per second ÷ those of Go's net/http, which does the same work:")
        parts.append(ratio_table(cases, against, "go", RATE))
    if SAMPLE in cases:
        parts.append(_everyone(cases))
    page = f"benchmarks/results/{stem}.md"
    said = f"All peers in all cases, spread, latencies, versions and method: [{page}]({page})."
    parts.append(" ".join(part for part in (said, data.get("note", "")) if part))
    return "\n\n".join(parts)


def shapes_block(folder: Path = RESULTS) -> str:
    """What stands between the marks of the shapes."""
    try:
        stem, data = newest(folder, "shapes")
    except NoResults:
        return "Not measured with this release yet: `python -m benchmarks.shapes` does."
    said = "CPU time of the server per request, and FastAPI's as a multiple of ferrapi's in the same run:"
    page = f"benchmarks/results/{stem}.md"
    more = f"Spread, goals, versions and method: [{page}]({page})."
    parts = [said, shapes_table(data["shapes"], brief=True), stalls(data["shapes"]), more, data.get("note", "")]
    return "\n\n".join(part for part in parts if part)


def with_block(readme: str, text: str, name: str = CASES) -> str:
    """README with what stands between the marks of a block replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, _, rest = readme.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def whole(readme: str) -> tuple[str, str, str]:
    """README with both blocks, the plot, and the name of the results of the latter. Raises `NoResults`."""
    stem, data = newest()
    text = with_block(with_block(readme, shapes_block(), SHAPES), block(stem, data))
    return text, svg(data["cases"]), stem


def main() -> int:
    """Write README's block and the plot; with `--check`, 1 if they would change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.readme", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    try:
        text, plot, stem = whole(README.read_text())
    except NoResults as error:
        print(error, file=sys.stderr)
        return 1
    wanted = {README: text, PLOT: plot}
    changed = [file for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    for file in changed:
        if check:
            print(f"{file.relative_to(ROOT)} is not what benchmarks/results/ ({stem}) makes of it", file=sys.stderr)
        else:
            file.write_text(wanted[file])
            print("written:", file.relative_to(ROOT))
    return int(check and bool(changed))


if __name__ == "__main__":
    raise SystemExit(main())

"""Writes what the documentation says of the benchmarks from the newest results: `python -m benchmarks.load.readme`.

`docs/performance.md` has three blocks, the shapes of real services (`benchmarks.shapes`), the store with its database
(`benchmarks.store`) and the cases of all peers (`benchmarks.load`) with a plot. README has a summary of the first. The
newest results are those of the results file that was finished last. `--check` writes nothing and fails if it would.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..cases import BY_NAME
from ..shapes.report import shapes_table, stalls
from ..store import store_table
from .peers import PEERS, ROOT
from .plot import svg
from .report import CPU, RATE, RESULTS, Cases, median, peers_of, ratio_table, ratios, table, times

README = ROOT / "README.md"
PAGE = ROOT / "docs" / "performance.md"
PLOT = PAGE.with_name("benchmark.svg")
CASES, SHAPES, STORE, SUMMARY = "benchmark", "shapes", "store", "summary"
"""The names of the blocks in the pages' marks."""
COLUMNS = ("ferrapi", "ferrapi-asgi", "ferrapi-freeze", "asgi", "go", "axum")
"""The peers of the tables by case."""
SAMPLE = "hello"
"""The case for which every peer is shown."""
STORES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
"""The databases of the store's results, and their names for people."""
STORE_SUMMARIZED = {
    "product": "the store example: a product from {database}",
    "orders": "the store example: token, customer, a page of their orders from {database}",
    "refused": "the store example: an order of ten lines that {database} locks, refused and rolled back",
}
"""The same of the store's requests, with the last database of `STORES` that was measured."""
SUMMARIZED = {
    "my-shipment": "a synchronous endpoint with a session, behind a bearer token, an ORM row as the answer",
    "booking": "a nested order with validators behind a token, a session, a background task",
    "no-invoice": "a 404",
    "booking-production": "that order under CORS, GZip and two middlewares of the user's",
    "search": "20 rows of an ORM through a response model",
    "manifest": "1,000 such rows",
}
"""The shapes of README's summary, each in a few words: from much to gain to nothing."""


class NoResults(Exception):
    """There are no results that the pages could show."""


def newest(folder: Path = RESULTS, key: str = "cases") -> tuple[str, dict[str, Any]]:
    """The name (without its ending) and the content of the results file that was finished last. Raises `NoResults`.

    Parameters:
        key: of the measurements: `cases`, `shapes`, `store-sqlite` or `store-postgresql`.
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


def _link(stem: str) -> str:
    page = f"benchmarks/results/{stem}.md"
    return f"[{page}](../{page})"


def block(stem: str, data: dict[str, Any]) -> str:
    """What stands between the marks."""
    cases: Cases = data["cases"]
    present = peers_of(cases)
    columns = [peer for peer in COLUMNS if peer in present]
    parts = [f"![Requests per second as multiples of FastAPI, case by case]({PLOT.name})"]
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
    said = f"All peers in all cases, spread, latencies, versions and method: {_link(stem)}."
    parts.append(" ".join(part for part in (said, data.get("note", "")) if part))
    return "\n\n".join(parts)


def shapes_block(folder: Path = RESULTS) -> str:
    """What stands between the marks of the shapes."""
    try:
        stem, data = newest(folder, "shapes")
    except NoResults:
        return "Not measured with this release yet: `python -m benchmarks.shapes` does."
    said = "CPU time of the server per request, and FastAPI's as a multiple of ferrapi's in the same run:"
    more = f"Spread, goals, versions and method: {_link(stem)}."
    parts = [said, shapes_table(data["shapes"], brief=True), stalls(data["shapes"]), more, data.get("note", "")]
    return "\n\n".join(part for part in parts if part)


def summary(folder: Path = RESULTS) -> str:
    """What README says of a few shapes: how much CPU time a request takes in FastAPI, and how much here."""
    measured = [*_summarized(folder, "shapes", SUMMARIZED)]
    for kind, database in reversed(STORES.items()):
        titles = {name: words.format(database=database) for name, words in STORE_SUMMARIZED.items()}
        if rows := [*_summarized(folder, f"store-{kind}", titles)]:
            measured += rows
            break
    if not measured:
        return "Not measured with this release yet."
    return table(["CPU time per request, µs", "FastAPI", "ferrapi", "FastAPI ÷ ferrapi"], measured)


def _summarized(folder: Path, key: str, titles: dict[str, str]) -> Iterator[list[str]]:
    """A row for each request that was measured in both ways."""
    try:
        _, data = newest(folder, key)
    except NoResults:
        return
    for name, words in titles.items():
        shape = data[key].get(name, {})
        if {"fastapi", "protocol"} <= shape.keys():
            ratio = times(statistics.median(ratios(shape, "protocol", "fastapi", CPU)))
            yield [words, *(f"{median(shape[way], CPU.key):,.0f}" for way in ("fastapi", "protocol")), ratio]


def store_block(folder: Path = RESULTS) -> str:
    """The newest tables of the store with its database (`benchmarks.store --out`), one for each database."""
    parts = []
    for kind, title in STORES.items():
        try:
            stem, data = newest(folder, f"store-{kind}")
        except NoResults:
            continue
        parts.append(f"On {title} ({_link(stem)}):\n\n{store_table(data[f'store-{kind}'])}")
        parts += [data["note"]] if data["note"] else []
    return "\n\n".join(parts) or "Not measured with this release yet: `make bench-store` does."


def with_block(page: str, text: str, name: str = CASES) -> str:
    """A page with what stands between the marks of a block replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def whole(pages: dict[Path, str]) -> tuple[dict[Path, str], str]:
    """Both pages with their blocks, the plot, and the name of the results of the latter. Raises `NoResults`.

    Parameters:
        pages: what the pages are now.
    """
    stem, data = newest()
    page = with_block(with_block(pages[PAGE], shapes_block(), SHAPES), store_block(), STORE)
    page = with_block(page, block(stem, data))
    return {README: with_block(pages[README], summary(), SUMMARY), PAGE: page, PLOT: svg(data["cases"])}, stem


def main() -> int:
    """Write the blocks and the plot; with `--check`, 1 if they would change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.readme", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    try:
        wanted, stem = whole({file: file.read_text() for file in (README, PAGE)})
    except NoResults as error:
        print(error, file=sys.stderr)
        return 1
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

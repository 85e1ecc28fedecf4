"""What the documentation says of the benchmarks is what the newest results say; tables and plot are made well."""

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.load import plot, readme, report  # noqa: E402  # needs the path above

ROUNDS = {"per_second": 1000.0, "cpu": 100.0, "p50": 2000.0, "p99": 4000.0}


def rounds(*factors: float) -> list[dict[str, float]]:
    """Measurements that are so many times those of the control."""
    return [{**ROUNDS, "per_second": 1000.0 * factor, "cpu": 100.0 / factor} for factor in factors]


def results(**peers: list[dict[str, float]]) -> dict[str, Any]:
    """A results file's content."""
    return {"date": "2026-01-02", "name": "x", "note": "", "method": "m", "versions": {}, "cases": {"hello": peers}}


def test_pages_say_what_the_newest_results_say() -> None:
    files = (readme.README, readme.PAGE, readme.PLOT)
    pages = {file: file.read_text() for file in files}
    assert pages == readme.whole(pages)[0]


def test_the_summary_has_the_shapes_that_were_measured_both_ways(tmp_path: Path) -> None:
    shapes = {
        "booking": {"fastapi": rounds(1), "protocol": rounds(5)},
        "search": {"fastapi": rounds(1)},
        "status": {"fastapi": rounds(1), "protocol": rounds(9)},
    }
    (tmp_path / "2026-01-02-x.json").write_text(json.dumps({"date": "2026-01-02", "shapes": shapes}))
    lines = readme.summary(tmp_path).splitlines()
    assert len(lines) == 3
    assert lines[2].endswith("| 100 | 20 | 5.0 |")


def test_the_tables_of_the_store_are_the_newest_of_each_database(tmp_path: Path) -> None:
    assert "make bench-store" in readme.store_block(tmp_path)
    for name, row in ("2026-01-01-store-sqlite", "| old |"), ("2026-01-02-store-sqlite", "| new |"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\n{row}\n")
    shown = readme.store_block(tmp_path).splitlines()
    assert [line for line in shown if line] == [f"On SQLite ({readme._link('2026-01-02-store-sqlite')}):", "| new |"]


def test_the_newest_results_are_those_finished_last(tmp_path: Path) -> None:
    content = results(fastapi=rounds(1))
    for name, finished in (
        ("2026-01-02-z", "2026-01-02T10:00:00+00:00"),
        ("2026-01-02-a", "2026-01-02T11:00:00+00:00"),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps({**content, "finished": finished}))
    (tmp_path / "2026-01-03-other.json").write_text(json.dumps({"date": "2026-01-03", "rows": []}))
    assert readme.newest(tmp_path)[0] == "2026-01-02-a"


def test_without_results_there_is_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(readme.NoResults):
        readme.newest(tmp_path)


def test_ratios_are_taken_round_by_round_and_favour_the_faster() -> None:
    case = {"ferrapi": rounds(4, 10, 6), "fastapi": rounds(1, 2, 1)}
    assert report.ratios(case, "ferrapi", "fastapi", report.RATE) == [4, 5, 6]
    assert report.ratios(case, "ferrapi", "fastapi", report.CPU) == [4, 5, 6]


def test_a_peer_that_left_a_case_out_has_no_ratio_there() -> None:
    data = results(ferrapi=rounds(5), fastapi=rounds(1))
    data["cases"]["plain"] = {"fastapi": rounds(1), "bolt": rounds(3)}
    shown = report.ratio_table(data["cases"], ["ferrapi", "bolt"], "fastapi", report.RATE).splitlines()
    assert shown[2:] == ["| JSON hello | 5.0 | \N{EN DASH} |", "| plain text | \N{EN DASH} | 3.0 |"]


def test_the_page_has_every_peer_of_every_case() -> None:
    text = report.page(results(ferrapi=rounds(5, 6, 7), fastapi=rounds(1, 1, 1), go=rounds(4, 4, 4)))
    assert "| ferrapi, HTTP/1.1 door | 6,000 | 16.7 | 2.00 | 4.00 | 6.0 (5.0 to 7.0) |" in text


def test_the_plot_is_well_formed_and_places_more_to_the_right() -> None:
    cases = results(ferrapi=rounds(50), asgi=rounds(3), fastapi=rounds(1), sanic=rounds(0.6))["cases"]
    picture = ElementTree.fromstring(plot.svg(cases))
    circles = picture.iter("{http://www.w3.org/2000/svg}circle")
    places = {dot.get("class"): float(dot.get("cx", "0")) for dot in circles if dot.find("{*}title") is not None}
    assert places["other"] < places["hand"] < places["own"]

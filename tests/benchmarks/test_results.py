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
from benchmarks.load.report import NOT_THERE  # noqa: E402
from benchmarks.store import store_table  # noqa: E402

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


def store_results(folder: Path, name: str, **cases: Any) -> None:
    """Write a results file of the store: its key is the name without the date."""
    content = {"date": name[:10], "note": "", name[11:]: cases}
    (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_tables_of_the_store_are_the_newest_of_each_database(tmp_path: Path) -> None:
    assert "make bench-store" in readme.store_block(tmp_path)
    store_results(tmp_path, "2026-01-01-store-sqlite", live={"fastapi": rounds(1), "protocol": rounds(2)})
    store_results(tmp_path, "2026-01-02-store-sqlite", live={"fastapi": rounds(1), "protocol": rounds(4)})
    shown = readme.store_block(tmp_path).splitlines()
    assert shown[0] == f"On SQLite ({readme._link('2026-01-02-store-sqlite')}):"
    assert len(shown) == 5
    assert shown[4].endswith("| 100 | 25 | 4.0 (4.0 to 4.0) | 1,000 | 4,000 |")


def test_a_way_that_stalled_leaves_a_gap_in_the_table_of_the_store() -> None:
    cases = {
        "live": {"fastapi": rounds(1), "asgi": rounds(2), "protocol": rounds(4)},
        "product": {"fastapi": rounds(1), "asgi": rounds(2)},
    }
    last = store_table(cases).splitlines()[-1]
    assert last.split(" | ")[1:] == [
        "100",
        "50",
        NOT_THERE,
        "2.00 (2.00 to 2.00)",
        NOT_THERE,
        "1,000",
        "2,000",
        f"{NOT_THERE} |",
    ]


def test_the_summary_has_the_store_on_the_last_database_that_was_measured(tmp_path: Path) -> None:
    for name in ("2026-01-02-store-sqlite", "2026-01-02-store-postgresql"):
        store_results(tmp_path, name, product={"fastapi": rounds(1), "protocol": rounds(2)})
    assert [line.count("PostgreSQL") for line in readme.summary(tmp_path).splitlines()] == [0, 0, 1]


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

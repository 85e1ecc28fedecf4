"""The shapes ask the same of both packages and get the same, and what is measured says what it should."""

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from benchmarks import store  # noqa: E402
from benchmarks.asgi import GZIP, WrongAnswer  # noqa: E402  # needs the path above
from benchmarks.load import crowd, websocket  # noqa: E402
from benchmarks.load.server import Server  # noqa: E402
from benchmarks.load.wrk import LoadFailed  # noqa: E402
from benchmarks.shapes import answers, report  # noqa: E402
from benchmarks.shapes.cases import BY_NAME, SHAPES, Shape  # noqa: E402

GENERATORS: dict[str, Any] = {"crowd": crowd, "websocket": websocket}
"""The load generators in Python."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("package", ["ferrapi", "asgi"])
def test_all_give_the_answers_of_fastapi(shape: Shape, package: str) -> None:
    right = answers.in_process(shape, "fastapi")
    answers.expect(package, shape, answers.in_process(shape, package), right)


@pytest.mark.parametrize("shape", [*SHAPES, *store.SHAPES], ids=lambda shape: shape.name)
def test_requests_differ(shape: Shape) -> None:
    asked = {exchange.encoded("x") for exchange in shape.exchanges}
    assert len(asked) == len(shape.exchanges)


def test_the_services_on_fastapi_are_fastapis() -> None:
    for package in ("fastapi", "ferrapi"):
        kind = type(answers.application(BY_NAME["status"], package))
        assert kind.__module__.partition(".")[0] == package


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (201, [("Content-Type", "application/json")], b"{}"),
        (200, [("Content-Type", "application/json; charset=utf-8")], b"{}"),
        (200, [("Content-Type", "application/json"), ("X-More", "1")], b"{}"),
        (200, [("Content-Type", "application/json")], b"{ }"),
        (200, [], b"{}"),
    ],
)
def test_an_answer_that_differs_is_refused(status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    shape = BY_NAME["status"]
    json = [("content-type", "application/json"), ("date", "yesterday"), ("server", "one")]
    right = [answers.Answer.of(200, json, b"{}", frozenset())] * len(shape.exchanges)
    given = [*right[:-1], answers.Answer.of(status, headers, body, frozenset())]
    with pytest.raises(WrongAnswer):
        answers.expect("ferrapi", shape, given, right)


def test_the_date_the_server_and_the_time_of_a_compression_do_not_count() -> None:
    def answer(date: str, duration: str, when: bytes) -> answers.Answer:
        headers = [("Date", date), ("Server", date), ("Server-Timing", duration)]
        return answers.Answer.of(200, headers, GZIP + b"\0" + when + b"rest", frozenset({"server-timing"}))

    assert answer("now", "1", b"abcd") == answer("then", "2", b"efgh")


@pytest.mark.parametrize("peer", ["ferrapi", "fastapi", "asgi"])
def test_servers_give_the_answers_that_the_applications_give(peer: str, tmp_path: Path) -> None:
    shapes = [BY_NAME[name] for name in ("logbooks", "radio", "tariffs", "positions")]
    with Server(peer, "app", None, module=answers.module_of(shapes[0], peer)) as server:
        for shape in shapes:
            given, called = answers.from_server(shape, server)
            assert [answer.body for answer in given] == [answer.body for answer in answers.in_process(shape, peer)]
            assert set(called.values()) == {len(shape.exchanges)}
            if generator := GENERATORS.get(shape.load):
                file = tmp_path / shape.name
                generator.write(answers.with_answers(shape, given).exchanges, file)
                assert generator.run(server.url, file, 1, None, 3).requests >= 3


@pytest.mark.parametrize("name", ["radio", "positions"])
def test_wrong_answers_are_refused(name: str, tmp_path: Path) -> None:
    shape, file = BY_NAME[name], tmp_path / name
    generator = GENERATORS[shape.load]
    right = answers.in_process(shape, "ferrapi")
    generator.write(answers.with_answers(shape, [right[1], *right[1:]]).exchanges, file)
    with Server("ferrapi", shape.app, None, module=answers.module_of(shape, "ferrapi")) as server:
        with pytest.raises(LoadFailed, match="wrong answers"):
            generator.run(server.url, file, 1, None, 1)


MEASURED: dict[str, dict[str, list[dict[str, float]]]] = {
    "status": {
        "fastapi": [{"cpu": 100.0}, {"cpu": 120.0}, {"cpu": 110.0}],
        "asgi": [{"cpu": 25.0}, {"cpu": 24.0}, {"cpu": 22.0}],
        "protocol": [{"cpu": 10.0}, {"cpu": 10.0}, {"cpu": 10.0}],
    },
    "tariffs": {"asgi": [{"cpu": 200.0}], "protocol": [{"cpu": 150.0}]},
    "radio": {way: [{"cpu": 50.0}] for way in ("fastapi", "asgi", "protocol", "go")},
}


def test_the_table_has_ratios_and_goals_and_marks_those_that_are_reached() -> None:
    shapes = {name: MEASURED[name] for name in ("status", "tariffs")}
    rows = report.shapes_table(shapes).splitlines()[2:]
    dash = "\N{EN DASH}"
    hello = "| JSON hello, for scale | 110.0 | 24.0 | 10.0 | 5.0 (4.0 to 5.0) | 5.5 | **11.0 (10.0 to 12.0)** | 10.5 |"
    assert rows[0] == hello
    assert rows[1].endswith(f" | {dash} | 200.0 | 150.0 | {dash} | {dash} | {dash} | {dash} |")


def test_the_brief_table_has_neither_spread_nor_goals() -> None:
    rows = report.shapes_table({"status": MEASURED["status"]}, brief=True).splitlines()[2:]
    assert rows[0] == "| JSON hello, for scale | 110.0 | 24.0 | 10.0 | 5.0 | 11.0 |"


def test_what_stalled_is_said_but_not_what_does_not_take_part() -> None:
    shapes = {name: MEASURED[name] for name in ("tariffs", "radio")}
    assert report.stalls(shapes) == f"* FastAPI stalled, and answered nothing: *{BY_NAME['tariffs'].title}*."

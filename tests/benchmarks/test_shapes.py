"""The shapes ask the same of both packages and get the same, and what is measured says what it should."""

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from benchmarks.asgi import GZIP, WrongAnswer  # noqa: E402  # needs the path above
from benchmarks.shapes import answers  # noqa: E402
from benchmarks.shapes.cases import BY_NAME, SHAPES, Shape  # noqa: E402


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_both_packages_give_the_same_answers(shape: Shape) -> None:
    right = answers.in_process(shape, "fastapi")
    answers.expect("ferrapi", shape, answers.in_process(shape, "ferrapi"), right)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_requests_differ(shape: Shape) -> None:
    asked = {exchange.encoded("x") for exchange in shape.exchanges}
    assert len(asked) == len(shape.exchanges)


def test_the_services_on_fastapi_are_fastapis() -> None:
    for package in answers.SERVICES:
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

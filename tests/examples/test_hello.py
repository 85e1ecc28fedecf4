"""The README's ten-line application, served and in process."""

from typing import Any

import pytest
from example_server import Server, transport_arguments
from ferrapi.testclient import TestClient

from examples.hello.main import app

ROWS = [
    ("/hello/ada", 200, {"message": "hello ada"}),
    ("/hello/ada?times=2", 200, {"message": "hello ada, hello ada"}),
    ("/hello/ada%20b", 200, {"message": "hello ada b"}),
    ("/hello", 404, {"detail": "Not Found"}),
]


@pytest.mark.parametrize(("path", "status", "answer"), ROWS)
def test_answers_in_process(path: str, status: int, answer: dict[str, Any]) -> None:
    response = TestClient(app).get(path)
    assert (response.status_code, response.json()) == (status, answer)


def test_a_wrong_number_of_times_is_named() -> None:
    response = TestClient(app).get("/hello/ada", params={"times": "many"})
    assert response.status_code == 422
    assert [(error["loc"], error["type"]) for error in response.json()["detail"]] == [
        (["query", "times"], "int_parsing")
    ]


def test_answers_served(transport: str) -> None:
    with Server("examples.hello.main:app", arguments=transport_arguments(transport)) as server:
        answers = [server.client.get(path) for path, _, _ in ROWS]
    assert [(answer.status_code, answer.json()) for answer in answers] == [row[1:] for row in ROWS]

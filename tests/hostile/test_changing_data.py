"""Data that changes while it is written out: a finalizer runs whenever the garbage collector wants it to."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ferrapi._native import answer_http_exception
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import FERRAPI, Framework

LEFT = [0]
"""How many finalizers may still run."""


class Meddler:
    """Garbage with a finalizer, which goes on to make more of itself."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        self.meddle, self.itself = meddle, self

    def __del__(self) -> None:
        if LEFT[0]:
            LEFT[0] -= 1
            self.meddle()
            Meddler(self.meddle)


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    LEFT[0] = 0
    gc.set_threshold(*threshold)


def _changing(mapping: dict[str, Any], value: Any) -> list[Any]:
    """Have a mapping lose an item and get another one at each of the next allocations."""
    count = 0

    def meddle() -> None:
        nonlocal count
        count += 1
        mapping[f"x-more-{count}"] = value
        mapping.pop(next(iter(mapping)), None)

    used_up = [(number, number) for number in range(5000)]  # new pairs aren't taken from CPython's free list
    LEFT[0] = 300
    gc.set_threshold(1, 10**6, 10**6)  # what is new, at each allocation; the whole heap would take for ever
    Meddler(meddle)
    return used_up


def test_headers_that_change_while_they_are_read() -> None:
    """Some of 20 times the collector finds the meddler just then."""

    class Exc:
        status_code = 400
        detail = "no"
        headers: Any = None

    ran = 0
    for _ in range(20):
        exc = Exc()
        exc.headers = {f"x-{number}": str(number) for number in range(60)}
        keys = list(exc.headers)
        kept = _changing(exc.headers, "more")
        assert answer_http_exception(exc) is not None
        LEFT[0] = 0
        gc.set_threshold(700, 10, 10)
        ran += list(exc.headers) != keys
        del kept
    # From Python 3.12 on the collector runs between instructions of Python only.
    assert ran or sys.version_info >= (3, 12), "nothing has changed meanwhile"


def _application(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    @app.get("/headers")
    async def headers() -> Any:
        mapping = {f"x-{number}": str(number) for number in range(60)}
        log.append(_changing(mapping, "more"))
        raise fw.HTTPException(status_code=400, headers=mapping)

    @app.get("/detail")
    async def detail() -> Any:
        mapping: dict[str, Any] = {f"x-{number}": [number / 7] for number in range(60)}
        log.append(_changing(mapping, [1]))
        raise fw.HTTPException(status_code=400, detail=mapping)

    @app.get("/data")
    async def data() -> Any:
        mapping: dict[str, Any] = {f"x-{number}": [number / 7] for number in range(60)}
        log.append(_changing(mapping, [1]))
        return mapping

    return app


@pytest.mark.parametrize("transport", ["asgi", "http11"])
@pytest.mark.parametrize("path", ["/headers", "/detail", "/data"])
def test_data_that_changes_meanwhile_is_no_panic(path: str, transport: str, quiet: None) -> None:
    for answer in answers(FERRAPI, _application, [Ask("GET", path)] * 2, transport):
        # An error may come of it, as it does in Python; one that handlers can see.
        assert answer.status in (200, 400, 500)
        assert answer.error in (None, "RuntimeError", "ResponseValidationError", "PydanticSerializationError")


@pytest.mark.parametrize("transport", ["asgi", "http11", "uvicorn"])
def test_a_pair_of_raw_headers_may_be_a_list(transport: str) -> None:
    def lists(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/")
        async def root() -> Any:
            response = fw.responses.PlainTextResponse("text")
            response.raw_headers = [[name, value] for name, value in response.raw_headers] + [[b"x-own", b"1"]]
            return response

        return app

    compare(lists, [Ask("GET", "/")], transport)

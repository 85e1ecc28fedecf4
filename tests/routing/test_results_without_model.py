"""Results for which there is no response model: encoded as FastAPI does, and each value asked once."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from _oracle import Framework, same
from pydantic import BaseModel, field_serializer

asked: collections.Counter[str] = collections.Counter()


class Colour(enum.Enum):
    RED = "red"
    ODD = dt.date(2020, 1, 1)


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None


class Counting(BaseModel):
    name: str = "n"

    @field_serializer("name")
    def _count(self, value: str) -> str:
        asked["in the loop's thread" if threading.current_thread() is threading.main_thread() else "elsewhere"] += 1
        return value.upper()


class Pairs:
    def __iter__(self) -> Any:
        asked["pairs"] += 1
        return iter([("a", 1)])


class Strange:
    __slots__ = ()


def _numbers() -> Any:
    asked["numbers"] += 1
    yield from (1, 2, dt.date(2020, 1, 1))


RESULTS: dict[str, Callable[[], Any]] = {
    "dates": lambda: {"at": dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC), "day": dt.date(2026, 1, 2), "t": dt.time(1)},
    "numbers": lambda: [decimal.Decimal("1.50"), decimal.Decimal("1E+2"), dt.timedelta(seconds=1.5), 10**30, 1e16],
    "others": lambda: (uuid.UUID(int=7), pathlib.PurePosixPath("/a"), Colour.RED, Colour.ODD, {3}, frozenset(), b"x"),
    "keys": lambda: {1: 1, None: 2, dt.date(2020, 1, 1): 3, Colour.RED: 4, "_sa_state": Strange(), 1.5: 5},
    "models": lambda: {"items": [Counting(), Counting(name="x")], "p": Point(1, Point(2))},
    "a model": Counting,
    "a model and what can't be encoded": lambda: [Counting(), _numbers(), Strange()],
    "a model and no number": lambda: {"m": Counting(), "g": _numbers(), "p": Pairs(), "nan": float("nan")},
    "a surrogate": lambda: ["\ud800", Counting()],
    "a generator": _numbers,
    "pairs": Pairs,
    "named": lambda: collections.namedtuple("Named", "a b")(1, {"x": dt.date(2020, 1, 1)}),  # type: ignore[arg-type, call-arg]
    "deep": lambda: _nested(200, dt.date(2020, 1, 1)),
    "too deep": lambda: _nested(5000, 1),
    "a subclass": lambda: collections.OrderedDict(a=collections.defaultdict(list, b=[dt.date(2020, 1, 1)])),
}


def _nested(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
@pytest.mark.parametrize("name", RESULTS)
def test_results_without_a_model(name: str, is_async: bool) -> None:
    def question(framework: Framework) -> Any:
        asked.clear()
        app = framework.applications.FastAPI()

        async def asynchronous() -> Any:
            return RESULTS[name]()

        def synchronous() -> Any:
            return RESULTS[name]()

        app.add_api_route("/", asynchronous if is_async else synchronous, response_model=None)
        client = framework.testclient.TestClient(app, raise_server_exceptions=False)
        response = client.get("/")
        client = framework.testclient.TestClient(app)
        if response.status_code == 500:
            with pytest.raises(BaseException) as raised:  # noqa: PT011  # compared
                client.get("/")
            return response.text, raised.type.__name__, dict(asked)
        return response.status_code, response.text, dict(asked)

    kind, _, _ = same(question)
    assert kind == "value"

"""Finding the route of a path among 1, 10 and 10,000: the first, the last, and none.

Timed: one look-up in a ready table, the scope's copy included. Control: Starlette's routes asked one after the other,
as its router does, in the same run.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from ferrapi.routing._table import Table
from pytest_benchmark.fixture import BenchmarkFixture
from starlette.routing import Match, Route

Find = Callable[[dict[str, Any]], tuple[Any, dict[str, Any]] | None]
"""Of a scope: the endpoint and the path parameters, None without a match."""


async def _endpoint(request: Any) -> None:
    """Never called."""


@cache
def _routes(count: int) -> list[Route]:
    return [Route(f"/api/group{n % 97}/thing{n}/{{number:int}}", _endpoint, methods=["GET"]) for n in range(count)]


def _ferrapi(count: int) -> Find:
    find = Table(_routes(count)).find

    def look_up(scope: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        scope = dict(scope)
        return None if find(scope) is None else (scope["endpoint"], scope["path_params"])

    return look_up


def _starlette(count: int) -> Find:
    routes = _routes(count)

    def look_up(scope: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        scope = dict(scope)
        for route in routes:
            match, addition = route.matches(scope)
            if match is Match.FULL:
                scope.update(addition)
                return scope["endpoint"], scope["path_params"]
        return None

    return look_up


@pytest.mark.parametrize("make", [_ferrapi, _starlette], ids=["ferrapi", "starlette"])
@pytest.mark.parametrize("where", ["first", "last", "none"])
@pytest.mark.parametrize("count", [1, 10, 10_000])
def test_find(benchmark: BenchmarkFixture, count: int, where: str, make: Callable[[int], Find]) -> None:
    benchmark.group = f"find among {count} routes: {where}"
    number = {"first": 0, "last": count - 1, "none": count}[where]
    path = f"/api/group{number % 97}/thing{number}/42"
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    found = benchmark(make(count), scope)
    assert found == (None if where == "none" else (_endpoint, {"number": 42}))

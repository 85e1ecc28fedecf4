"""Reading a path, two query, a header and a cookie parameter from an ASGI scope, validated.

Timed: from the scope (path parameters found already) to the keyword arguments. Control: the same read by hand with the
standard library and one pydantic-core validator, in the same run.
"""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from ferrapi import Cookie, Header, Path, Query
from ferrapi._native import Reader
from ferrapi.compile.boundary import reader_plan
from ferrapi.dependencies.utils import get_dependant
from pytest_benchmark.fixture import BenchmarkFixture

from .apps import asgi_app
from .asgi import scope
from .cases import BY_NAME

Read = Callable[[dict[str, Any]], dict[str, Any] | None]


def _endpoint(
    item_id: Annotated[int, Path(ge=0)],
    q: Annotated[str, Query(min_length=1, max_length=50)],
    limit: Annotated[int, Query(ge=1, le=100)],
    tag: Annotated[str, Header(alias="x-request-tag")],
    session: Annotated[str, Cookie()],
) -> None:
    """Never called."""


def _ferrapi() -> Read:
    read = Reader(reader_plan([get_dependant(path="/items/{item_id}", call=_endpoint)])).read

    def values(scope: dict[str, Any]) -> dict[str, Any] | None:
        found = read(scope)
        return None if found is None else found[0]

    return values


def _by_hand() -> Read:
    def values(scope: dict[str, Any]) -> dict[str, Any] | None:
        read: dict[str, Any] = asgi_app.read_params(scope, scope["path_params"]["item_id"])
        return read

    return values


@pytest.mark.parametrize("make", [_ferrapi, _by_hand], ids=["ferrapi", "by hand"])
def test_read(benchmark: BenchmarkFixture, make: Callable[[], Read]) -> None:
    benchmark.group = "read five parameters"
    request = scope(BY_NAME["params"].exchanges[7]) | {"path_params": {"item_id": "7"}}
    found = benchmark(make(), request)
    assert found == {"item_id": 7, "q": "blue shirt 7", "limit": 8, "tag": "tag-7", "session": "s00000007"}

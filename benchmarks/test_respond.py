"""From a handler's plain value to the bytes of the body.

Timed: encoding alone. Controls, in the same run: FastAPI's `jsonable_encoder` with the standard library's JSON, which
give the same bytes, and pydantic-core's encoder.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.encoders import jsonable_encoder
from ferrapi._native import encode_json
from pydantic_core import to_json
from pytest_benchmark.fixture import BenchmarkFixture

from .apps.data import CATALOGUE
from .cases import order

VALUES = {
    "hello": {"message": "Hello, world"},
    "order": order(7),
    "50 products": [product.model_dump() for product in CATALOGUE[:50]],
}


def _fastapi(value: Any) -> bytes:
    return json.dumps(jsonable_encoder(value), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("encode", [encode_json, _fastapi, to_json], ids=["ferrapi", "fastapi", "pydantic-core"])
@pytest.mark.parametrize("name", VALUES)
def test_encode(benchmark: BenchmarkFixture, name: str, encode: Callable[[Any], bytes]) -> None:
    benchmark.group = f"encode {name}"
    assert benchmark(encode, VALUES[name]) == _fastapi(VALUES[name])

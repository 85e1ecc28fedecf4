"""`encode_json` gives the bytes of `json.dumps(jsonable_encoder(value))`, or says that it doesn't know."""

import enum
import json
import math
from collections import OrderedDict, namedtuple
from decimal import Decimal
from typing import Any

import pytest
from ferrapi._native import encode_json
from ferrapi.encoders import jsonable_encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from support.naming import steady_name

KEYS = st.one_of(st.text(max_size=5), st.sampled_from(["_sa", "_sa_x", "_s", "__", "", "é", '"', "\\", "\x00", "\x7f"]))
FLOATS = st.one_of(st.floats(), st.sampled_from([1e16, 1e-7, 1e22, -0.0, 0.1, 5e-324, 1.7976931348623157e308]))
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**64), 2**64), FLOATS, st.text(max_size=6), st.characters()
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=4) | st.tuples()
    ),
    max_leaves=25,
)


def reference(value: Any) -> bytes:
    """What the standard library makes of it, as the default response class asks it to."""
    text = json.dumps(jsonable_encoder(value), ensure_ascii=False, allow_nan=False, indent=None, separators=(",", ":"))
    return text.encode()


def same_or_unknown(value: Any) -> bool:
    """Assert that the native bytes are the reference's; answer whether there are any."""
    found = encode_json(value)
    if found is not None:
        assert found == reference(value)
    return found is not None


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(VALUES)
def test_plain_values(value: Any) -> None:
    same_or_unknown(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2**63 - 1,
        -(2**63),
        1.5,
        "",
        "é😀\u2028",
        [],
        {},
        (),
        [[]],
        {"a": [1, (2.0, None)]},
        "\x1f\x7f\x80",
    ],
)
def test_common_values_are_encoded_natively(value: Any) -> None:
    assert same_or_unknown(value)


class Text(str):
    """A string of a class of its own."""


class Number(int):
    """A number of a class of its own."""


class Fruit(enum.StrEnum):
    """An enumeration of strings."""

    apple = "a"


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        [math.nan],
        "\ud800",
        {"\udfff": 1},
        2**63,
        Text("a"),
        Number(3),
        Fruit.apple,
        {1: 1},
        {None: 1},
        Decimal(1),
        {1},
        b"",
        object(),
        int,
        namedtuple("P", "x")(1),  # type: ignore[arg-type]  # mypy takes it for a tuple
        OrderedDict(a=1),
        {Text("a"): 1},
        ...,
        1j,
        [object()],
    ],
    ids=steady_name,
)
def test_what_python_decides(value: Any) -> None:
    assert encode_json(value) is None


@pytest.mark.parametrize("depth", [10, 63, 64, 65, 66, 1000, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    lists: Any = 0
    dicts: Any = 0
    for _ in range(depth):
        lists, dicts = [lists], {"a": dicts}
    for value in (lists, dicts):
        found = encode_json(value)
        assert (found is not None) == (depth <= 64)
        while isinstance(value, (list, dict)):  # freeing a deep value is Python's business, not this test's
            value = value[0] if isinstance(value, list) else value["a"]


def test_a_value_that_contains_itself_is_left_to_python() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert encode_json(loop) is None


def test_a_dictionary_that_changes_meanwhile() -> None:
    """Nothing that runs in between is the user's: subclasses, which could edit, are not encoded here."""

    class Sly(dict[str, Any]):
        def items(self) -> Any:
            raise AssertionError("not asked")

    assert encode_json({"a": Sly(a=1)}) is None

"""The quick parser of JSON bodies reads nothing differently from the standard library's: it may only refuse more."""

import json
import math
from typing import Any

import pytest
from ferrapi._native import has_long_number
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

PIECES = [
    *(
        "0",
        "-0",
        "-0.0",
        "1.5",
        "1e400",
        "-1e400",
        "1e-400",
        "1E+2",
        "4.35",
        "5e-324",
        "1.7976931348623159e308",
        "01",
        "1.",
        ".5",
    ),
    *(
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "NaN",
        "Infinity",
        "-Infinity",
        "Inf",
        "nan",
    ),
    *(
        '"a"',
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"é"',
        '"\x7f"',
        '"\t"',
        '"\\x"',
        '""',
        '"a',
        "true",
        "null",
        "tru",
        "-",
        "+1",
    ),
    *("{}", "[]", "[1,]", '{"a":1,"a":2}', '{"a":1,}', "{1:2}", '{"":1}', "\x0b1", "\ufeff1", " 1 ", "1 1", "[1 2]"),
]
values = st.recursive(
    st.sampled_from(PIECES) | st.floats().map(repr) | st.integers().map(str) | st.text().map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(st.sampled_from("aab"), inner), max_size=3).map(
            lambda items: "{" + ",".join(f'"{key}":{value}' for key, value in items) + "}"
        )
    ),
    max_leaves=8,
)
anything = values | st.text(alphabet='0123456789.eE+-[]{}",: tfn\\u', max_size=12)


def is_same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, float):
        return repr(one) == repr(other) and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other)


@given(anything)
def test_what_it_accepts_is_what_the_standard_library_reads(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    if has_long_number(raw):
        return
    try:
        quick = from_json(raw)
    except ValueError:
        return
    assert is_same(quick, json.loads(raw))


@pytest.mark.parametrize("depth", [10, 150, 190, 250, 900])
def test_depth(depth: int) -> None:
    raw = b"[" * depth + b"]" * depth
    try:
        quick = from_json(raw)
    except ValueError:
        return
    assert quick == json.loads(raw)

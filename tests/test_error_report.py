"""A 422 says what FastAPI's says, stays small, and is never refused for a number or a character."""

import json
from typing import Any

import pytest
from _oracle import FASTAPI
from ferrapi._error_report import DEFAULT_LIMITS, UNLIMITED, ReportLimits, render_errors
from hypothesis import given
from hypothesis import strategies as st
from support.naming import steady_name

MIB = 1024 * 1024


def error(number: int = 0, **members: Any) -> dict[str, Any]:
    return {"type": "int_parsing", "loc": ["body", number], "msg": "not a number", "input": "x", **members}


def as_fastapi(errors: Any) -> bytes:
    content = {"detail": FASTAPI.encoders.jsonable_encoder(errors)}
    return bytes(FASTAPI.responses.JSONResponse(content).body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, st.binary(max_size=0)),
    max_leaves=10,
)


@given(st.lists(st.fixed_dictionaries({"type": st.text(), "loc": json_values, "msg": st.text(), "input": json_values})))
def test_ordinary_errors_are_written_as_fastapi_writes_them(errors: Any) -> None:
    assert render_errors(errors) == render_errors(errors, UNLIMITED) == as_fastapi(errors)


def test_an_object_without_a_json_form_is_an_error_too() -> None:
    with pytest.raises(ValueError, match="not iterable"):
        render_errors([error(input=object())])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), None),
        ([float("inf"), {"a": float("-inf"), "b": 1.5}], [None, {"a": None, "b": 1.5}]),
        ({"\ud800": "a\udfffb"}, {"\ud800": "a\udfffb"}),
        ([float("nan"), "\ud800"], [None, "\ud800"]),
    ],
    ids=steady_name,
)
def test_what_json_and_utf8_cannot_hold(value: Any, shown: Any) -> None:
    assert json.loads(render_errors([error(input=value)]))["detail"][0]["input"] == shown


def test_a_surrogate_is_shown_as_its_escape_and_other_characters_as_they_are() -> None:
    assert b'"input":"\\ud800\xc3\xa9\\\\"' in render_errors([error(input="\ud800é\\")])


def test_nesting_does_not_cost_stack() -> None:
    value: Any = float("nan")
    for _ in range(900):
        value = [value]
    assert render_errors([error(input=value)]).endswith(b"null" + b"]" * 900 + b"}]}")


@pytest.mark.parametrize(
    ("count", "shown", "left_out"), [(999, 999, 0), (1000, 1000, 0), (1001, 1000, 1), (5000, 1000, 4000)]
)
def test_a_thousand_errors_are_shown_and_the_rest_counted(count: int, shown: int, left_out: int) -> None:
    detail = json.loads(render_errors([error(number) for number in range(count)]))["detail"]
    assert [entry["loc"] for entry in detail[:shown]] == [["body", number] for number in range(shown)]
    rest = [(entry["type"], entry["ctx"]["left_out"]) for entry in detail[shown:]]
    assert rest == ([("errors_truncated", left_out)] if left_out else [])


def test_inputs_are_left_out_when_they_do_not_fit_any_more() -> None:
    errors = [error(number, input="x" * 300_000) for number in range(10)]
    body = render_errors(errors)
    detail = json.loads(body)["detail"]
    assert ["input" in entry for entry in detail] == [True] * 3 + [False] * 7
    assert len(body) < MIB


def test_one_large_input_does_not_hide_the_error() -> None:
    detail = json.loads(render_errors([error(input="x" * 2 * MIB)]))["detail"]
    assert detail == [{"type": "int_parsing", "loc": ["body", 0], "msg": "not a number"}]


def test_errors_that_do_not_fit_without_their_input_are_counted() -> None:
    errors = [error(number, msg="m" * 100_000) for number in range(20)]
    body = render_errors(errors)
    assert json.loads(body)["detail"][-1]["ctx"] == {"left_out": 10}
    assert len(body) < MIB + 1000


def test_the_input_is_not_encoded_again_for_every_error() -> None:
    """Each missing field echoes the object that it is missing from; encoding it each time would be quadratic."""
    encoded = 0

    class Counted:
        def __iter__(self) -> Any:
            nonlocal encoded
            encoded += 1
            return iter([("a", "x" * 400_000)])

    render_errors([error(number, input=Counted()) for number in range(500)])
    assert encoded == 3


def test_the_limits_can_be_chosen_or_switched_off() -> None:
    errors = [error(number) for number in range(3000)]
    assert render_errors(errors, UNLIMITED) == as_fastapi(errors)
    assert len(json.loads(render_errors(errors, ReportLimits(max_errors=2)))["detail"]) == 3
    assert len(render_errors(errors, ReportLimits(max_errors=None, max_bytes=500))) < 700
    assert (
        json.loads(render_errors(errors[:2], ReportLimits(max_errors=1)))["detail"][1]["msg"]
        == "1 more error was left out"
    )


@pytest.mark.parametrize("size", [0, 100, 4_000, 16 * 1024, 20_000, 200_000, 2 * MIB])
@pytest.mark.parametrize("echoed", [10, 1_000, 20_000, 300_000])
def test_a_report_is_no_larger_than_the_request_allows(size: int, echoed: int) -> None:
    errors = [error(number, input="x" * echoed) for number in range(2000)]
    body = render_errors(errors, DEFAULT_LIMITS.of_request(size))
    assert len(body) <= max(64 * 1024, 4 * size)
    detail = json.loads(body)["detail"]
    assert len(detail) - 1 + detail[-1]["ctx"]["left_out"] == 2000


def test_errors_that_nobody_has_counted_stay_so() -> None:
    last = {"type": "errors_truncated", "loc": (), "msg": "More errors were left out", "ctx": {}}
    detail = json.loads(render_errors([*(error(number) for number in range(1000)), last]))["detail"]
    assert len(detail) == 1001
    assert detail[-1] == {**last, "loc": []}

"""The mistakes in large JSON bodies. The attack: 1 MiB of wrong items, whose errors held the event loop for seconds."""

import json
import threading
from dataclasses import dataclass, field
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from ferrapi.compile.large_values import HELD, LARGE, LargeValues
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    OnErrorOmit,
    TypeAdapter,
    ValidationError,
    field_validator,
    with_config,
)
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import FERRAPI, Framework
from typing_extensions import TypedDict

JSON = ((b"content-type", b"application/json"),)


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """Refused requests are logged; that is tested elsewhere."""


class Leaf(BaseModel):
    a: int
    name: str | None = Field(None, max_length=3)


class Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int = Field(alias="ä")
    leaves: list[Leaf] = []


class Tree(BaseModel):
    leaf: Leaf
    branches: list["Tree"] = []
    rows: list[list[int]] = Field([], max_length=50_000)


def application(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    def guard(q: int = 0) -> int:
        return q

    @app.post("/tree")
    async def tree(tree: Tree, guard: int = fw.Depends(guard)) -> Any:
        log.append("tree")
        return [len(tree.branches), len(tree.rows)]

    @app.post("/exact")
    async def exact(exact: Exact) -> Any:
        return len(exact.leaves)

    @app.post("/texts")
    async def texts(texts: list[str]) -> Any:
        return len(texts)

    return app


def asked(path: str, value: Any, query: bytes = b"") -> Ask:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    assert len(content) > LARGE
    return Ask("POST", path, query, headers=JSON, body=(content,))


LONG = "x" * LARGE
LEAF = {"a": 1}


@pytest.mark.parametrize(
    "ask",
    [
        asked("/tree", {"leaf": LEAF, "rows": [[1] * 100] * 100}),
        asked("/tree", {"leaf": LEAF, "rows": [[1] * 100] * 100 + [["z"], 5]}),
        asked(
            "/tree", {"leaf": {"a": LONG}, "branches": [{"leaf": {"a": "y"}, "branches": [{}, 7]}], "rows": [[], "a"]}
        ),
        asked("/tree", {"leaf": {"a": LONG}}, b"q=x"),
        asked("/tree", {"leaf": {"a": 1, "name": LONG}}),
        asked("/tree", [LONG]),
        asked("/tree", b'{"leaf": {"a": 1}, "rows": [' + b"[1]," * LARGE),
        asked("/tree", b"nothing" * LARGE),
        asked("/exact", {"ä": 1, "leaves": [LEAF] * 2000}),
        asked("/exact", {"ä": LONG, "b": 1, "a": 2, "leaves": [LEAF, {}]}),
        asked("/texts", ["a"] * LARGE),
        asked("/texts", ["a"] * LARGE + [1, None, ["b"]]),
        asked("/texts", b" " * LARGE + b"[1]"),
        asked("/texts", {"a": LONG}),
    ],
    ids=lambda ask: f"{ask.path} {ask.body[0][:30]!r}",
)
def test_a_large_body_is_answered_as_a_small_one(ask: Ask) -> None:
    compare(application, [ask])


def values_of(kind: Any) -> LargeValues:
    return LargeValues(TypeAdapter(kind).core_schema)


class Checked(BaseModel):
    """Validating runs code of the user's."""

    a: int

    @field_validator("a")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("not positive")
        return value


class Row(TypedDict):
    a: int


@with_config(ConfigDict(extra="forbid"))
class ExactRow(TypedDict):
    a: int


@dataclass
class Point:
    x: int
    more: list[int] = field(default_factory=list)


class One(BaseModel):
    kind: Literal["one"]
    numbers: list[int]


class Two(BaseModel):
    kind: Literal["two"]
    names: list[str]


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]


MANY: list[tuple[Any, Any]] = [
    (list[str], [0] * 20_000),
    (set[int], ["x"] * 20_000),
    (frozenset[date], ["x"] * 20_000),
    (tuple[int, ...], ["x"] * 20_000),
    (dict[str, int], {f"k{number}": "x" for number in range(20_000)}),
    (dict[Annotated[str, Field(max_length=2)], Any], {f"key{number}": 1 for number in range(20_000)}),
    (list[int | bool | float], ["x"] * 20_000),
    (list[Leaf], [{}] * 20_000),
    (list[datetime | None], ["x"] * 20_000),
    (list[Checked], [{"a": 0}] * 20_000),
    (list[Row], [{}] * 20_000),
    (list[Point], [{"more": ["x", "y"]}] * 20_000),
    (list[Annotated[One | Two, Field(discriminator="kind")]], [{"kind": "one", "numbers": ["x"] * 5}] * 5_000),
    (One | Two, {"kind": "one", "numbers": ["x"] * 20_000}),
    (list[int] | list[bool], ["x"] * 20_000),
    (Loose, {f"k{number}": "x" for number in range(20_000)}),
    (Tree, {"leaf": {}, "rows": [["z", "z"]] * 20_000}),
    (Tree, {"leaf": {"a": 1}, "branches": [{"branches": [{}, {}]}] * 10_000}),
    (Exact, {f"k{number}": 0 for number in range(20_000)}),
    (ExactRow, {f"k{number}": 0 for number in range(20_000)}),
]


def plain_errors(kind: Any, value: Any) -> list[Any]:
    with pytest.raises(ValidationError) as info:
        TypeAdapter(kind).validate_python(value, from_attributes=True)
    return info.value.errors(include_url=False)


def comparable(errors: list[Any]) -> list[Any]:
    return [{**error, "ctx": repr(error.get("ctx"))} for error in errors]


@pytest.mark.parametrize(("kind", "value"), MANY, ids=lambda one: str(one)[:30])
def test_no_more_errors_are_made_than_are_shown(kind: Any, value: Any) -> None:
    made = []
    values = values_of(kind)
    validate = values._counting.validate_python

    class Watching:
        @staticmethod
        def validate_python(value: Any, **options: Any) -> Any:
            try:
                return validate(value, **options)
            except ValidationError as exc:
                made.append(exc.error_count())
                raise

    values.__dict__["_counting"] = Watching
    _, shown = values.counted(value, 1000)
    assert len(made) == 1
    assert 1000 < made[0] < 2100  # each choice of a union may have as many
    assert [error["type"] for error in shown[1000:]] == ["errors_truncated"]
    every = plain_errors(kind, value)
    assert comparable(shown[:1000]) == comparable(every[:1000])
    assert len(every) >= 10_000
    assert comparable(values.counted(value, None)[1]) == comparable(every)


@pytest.mark.parametrize(
    ("kind", "value"),
    [row for row in MANY if row[0] not in (Exact, ExactRow, Loose)],
    ids=lambda one: str(one)[:30],
)
def test_validating_stops_at_the_first_wrong_item(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError) as info:
        values_of(kind).first(value)
    assert info.value.error_count() < 10


def _in_order(kinds: tuple[Any, Any]) -> Any:
    union = kinds[0] | kinds[1]
    choices = [kind for kind in get_args(union) if kind is not NoneType]
    is_union = get_origin(union) in (Union, UnionType) and len(choices) > 1
    return Annotated[union, Field(union_mode="left_to_right")] if is_union else union


def _kinds() -> st.SearchStrategy[Any]:
    leaves = st.sampled_from(
        [int, str, bool, float, date, Leaf, Exact, Checked, Row, ExactRow, Point, One, Two, Loose, Literal["a", 1], Any]
    )

    def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            inner.map(lambda kind: list[kind]),
            inner.map(lambda kind: dict[str, kind]),
            inner.map(lambda kind: tuple[kind, ...]),
            inner.map(lambda kind: tuple[int, kind]),
            inner.map(lambda kind: kind | None),
            inner.map(lambda kind: list[OnErrorOmit[kind]]),
            st.tuples(inner, inner).map(lambda kinds: kinds[0] | kinds[1]),
            st.tuples(inner, inner).map(_in_order),
        )

    return st.recursive(leaves, around, max_leaves=5)


def _values() -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["a", "ä", "name", "kind", "numbers", "names", "x", "more", "leaves", "k", "l", "m"])
    leaves = st.sampled_from([None, True, 0, 1, 1.5, "a", "1", "one", "two", "2026-01-01", "long text"])
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
    )


@settings(deadline=None, max_examples=300)
@given(_kinds(), _values(), st.integers(0, 6), st.sampled_from([1, 2, 64]))
@example(dict[str, tuple[int, list[int]]], {"a": [None, [None, None], None], "b": None}, 1, 1)
def test_random_values_of_random_types(kind: Any, value: Any, most: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ferrapi.compile.counting._SIZE", size)
        values = values_of(kind)
        valid, errors = values.counted(value, most)
    try:
        expected = TypeAdapter(kind).validate_python(value, from_attributes=True)
    except ValidationError as exc:
        every = exc.errors(include_url=False)
        assert valid is None
        assert comparable(errors[:most]) == comparable(every[:most])
        assert bool(errors[most:]) == bool(every[most:])
        with pytest.raises(ValidationError):
            values.first(value)
    else:
        assert errors == []
        assert repr(valid) == repr(expected)
        assert repr(values.first(value)) == repr(expected)


def bodies(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    @app.post("/days")
    async def days(days: list[date | None]) -> Any:
        return len(days)

    @app.post("/checked")
    async def checked(checked: list[Checked]) -> Any:
        return len(checked)

    @app.post("/keys")
    async def keys(a: set[int], b: Any = fw.Body(), c: dict[str, float] = fw.Body({})) -> Any:
        return [len(a), b, len(c)]

    @app.post("/sync")
    def sync(points: tuple[Point, ...], q: int = 0) -> Any:
        return len(points)

    return app


DAY = "2026-01-01"


@pytest.mark.parametrize("count", [100, 1_000, 20_000])
@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("/days", lambda count: [DAY, None] * count),
        ("/days", lambda count: [DAY] * count * 2 + ["x"]),
        ("/days", lambda count: {"x": DAY * count}),
        ("/checked", lambda count: [{"a": 1}] * count * 2),
        ("/checked", lambda count: [{"a": 1}] * count * 2 + [{"a": 0}, {}]),
        ("/keys", lambda count: {"a": [*range(count * 2)], "b": DAY, "c": {"x": 1}}),
        ("/keys", lambda count: {"a": [*range(count * 2)], "c": {"x": "y"}}),
        ("/keys", lambda count: [1] * count),
        ("/keys?q=1", lambda count: {"b": [1] * count}),
        ("/sync", lambda count: [{"x": 1, "more": [2]}] * count),
        ("/sync", lambda count: [{"x": 1}] * count + [{}]),
        ("/sync?q=x", lambda count: [{"x": 1}] * count + [{}]),
    ],
)
def test_large_bodies_of_any_type_are_answered_as_small_ones(path: str, make: Any, count: int) -> None:
    path, _, query = path.partition("?")
    content = json.dumps(make(count)).encode()
    compare(bodies, [Ask("POST", path, query.encode(), headers=JSON, body=(content,))])


def test_errors_are_found_out_in_a_thread_and_the_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    counted = LargeValues.counted

    def noting(self: LargeValues, *arguments: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return counted(self, *arguments)

    monkeypatch.setattr(LargeValues, "counted", noting)
    for content in (b"[" + b"0," * 500_000 + b"0]", b"[" + b"0," * 5_000 + b"0]"):
        for transport in ("asgi", "http11"):
            threads.clear()
            answer = answers(FERRAPI, application, [asked("/texts", content)], transport)[0]
            assert answer.status == 422
            assert len(answer.body) <= max(64 * 1024, 4 * len(content))
            assert json.loads(answer.body)["detail"][-1]["type"] == "errors_truncated"
            assert threads == [False]


@pytest.mark.parametrize("transport", ["asgi", "http11"])
def test_a_very_large_body_is_validated_in_a_thread(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    counted, first = LargeValues.counted, LargeValues.first

    def noting(name: str, function: Any) -> Any:
        def noted(self: LargeValues, *arguments: Any) -> Any:
            calls.append((name, threading.current_thread() is threading.main_thread()))
            return function(self, *arguments)

        return noted

    monkeypatch.setattr(LargeValues, "counted", noting("counted", counted))
    monkeypatch.setattr(LargeValues, "first", noting("first", first))
    for count, noted in ((HELD // 15, [("first", True)]), (HELD // 10, [("counted", False)])):
        calls.clear()
        content = json.dumps([DAY] * count).encode()
        assert answers(FERRAPI, bodies, [asked("/days", content)], transport)[0].status == 200
        assert calls == noted
    calls.clear()
    content = json.dumps([{"a": 1}] * HELD).encode()
    assert answers(FERRAPI, bodies, [asked("/checked", content)], transport)[0].status == 200
    assert calls == [("counted", True)]


def test_a_handler_of_ones_own_gets_all_errors() -> None:
    content = b"[" + b"0," * 5_000 + b"0]"
    seen: list[int] = []

    def make(fw: Framework, log: list[Any]) -> Any:
        app = application(fw, log)

        @app.exception_handler(fw.exceptions.RequestValidationError)
        async def count(request: Any, exc: Any) -> Any:
            seen.append(len(exc.errors()))
            return fw.responses.JSONResponse({}, 418)

        return app

    compare(make, [asked("/texts", content)])
    assert set(seen) == {5001}


def test_a_small_request_gets_a_small_answer() -> None:
    """33 missing fields echo 4 kB each."""

    def make(fw: Framework, log: list[Any]) -> Any:
        from pydantic import create_model

        fields: Any = {f"field{number}": (int, ...) for number in range(33)}
        app = fw.FastAPI()

        async def wide(body: Any) -> None: ...

        wide.__annotations__["body"] = create_model("Wide", **fields)
        app.post("/wide")(wide)
        return app

    ask = Ask("POST", "/wide", headers=JSON, body=(json.dumps({"z": "y" * 4000}).encode(),))
    answer = answers(FERRAPI, make, [ask])[0]
    assert len(answer.body) <= 64 * 1024
    detail = json.loads(answer.body)["detail"]
    assert [error["loc"] for error in detail] == [["body", f"field{number}"] for number in range(33)]

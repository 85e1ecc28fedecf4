"""`jsonable_encoder` gives FastAPI's answer for every kind of value, under every option."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import pathlib
import re
import subprocess
import sys
import types
import typing
import uuid
from typing import Any

import pydantic
import pytest
from _oracle import FASTAPI, FERRAPI, Framework, same
from ferrapi import encoders
from ferrapi.encoders import jsonable_encoder
from ferrapi.exceptions import PydanticV1NotSupportedError, UsageError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel
from support.naming import steady_name


class Text(str):
    pass


class Blob(bytes):
    pass


class Items(list[Any]):
    pass


class Named(typing.NamedTuple):
    x: int
    y: Any = None


class Word(str, enum.Enum):  # noqa: UP042  # the older spelling, of which there is much
    a = "A"


class Number(enum.IntEnum):
    one = 1


class Odd(enum.Enum):
    date = dt.date(2020, 1, 1)
    pair = (1, b"x")
    nothing = None


class Bits(enum.Flag):
    read = 1
    write = 2


class Model(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    a: int = 1
    b: Any = None
    c: Any = Field(default=None, alias="cc")


class Serialized(BaseModel):
    x: int = 1

    @pydantic.field_serializer("x")
    def _odd(self, value: int) -> Any:
        return {"_sa": value, "none": None, "bytes": b"z"}


class Root(RootModel[list[int]]):
    pass


@dataclasses.dataclass
class Record:
    a: int = 1
    b: Any = None
    _sa: int = 3


@pydantic.dataclasses.dataclass
class CheckedRecord:
    a: int = 1
    b: Any = None


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("a",)


class Pairs:
    def __iter__(self) -> Any:
        return iter([("a", 1), ("date", dt.date(2020, 1, 1)), ("none", None), ("_sa_state", 1)])


class Failing:
    def __iter__(self) -> Any:
        raise RuntimeError("not now")


class FailingWithoutAttributes:
    __slots__ = ()

    def __iter__(self) -> Any:
        raise RuntimeError("not now")


def numbers() -> Any:
    yield from (1, dt.date(2020, 1, 1), None)


LEAVES: list[Any] = [
    None, True, 0, 1.5, float("nan"), float("-inf"), "", "é", Text("t"), b"bytes", b"\xff", Blob(b"b"), bytearray(b"x"),
    Word.a, Number.one, Odd.date, Odd.pair, Odd.nothing, Bits.read | Bits.write, Word, Record, Model, int, len, ...,
    decimal.Decimal("1"), decimal.Decimal("1.0"), decimal.Decimal("1E+2"), decimal.Decimal("-0"),
    decimal.Decimal("NaN"), decimal.Decimal("Infinity"), decimal.Decimal("sNaN"), 1j, object(), Slotted(), Failing(),
    FailingWithoutAttributes(),
    dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4, 5, 6), dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
    dt.time(1, 2, 3), dt.timedelta(days=1, microseconds=5), dt.timedelta(-1), uuid.UUID(int=5),
    pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("a\\b"), pathlib.Path("x"),
    re.compile("a.b"), re.compile(b"a"),
    ipaddress.ip_address("1.2.3.4"), ipaddress.ip_network("::/64"), ipaddress.ip_interface("1.2.3.4/8"),
    pydantic.SecretStr("s"), pydantic.SecretStr(""), pydantic.SecretBytes(b"s"), pydantic.AnyUrl("http://x"),
    pydantic.HttpUrl("http://x/y"), pydantic.PostgresDsn("postgres://u:p@h/db"), pydantic.NameEmail("n", "e@x.y"),
    pydantic.fields.PydanticUndefined, Model(), Model(a=2, b=dt.date(2020, 1, 1)), Model(c=3),  # type: ignore[call-arg]
    Model(b={"_sa": 1, "none": None, "bytes": b"z"}), Model(b=b"\xff"), Serialized(), Root([1, 2]), Record(),
    CheckedRecord(b=Model(b=1)), Plain(a=1, b=b"x", _sa=2, _c=3, none=None), Pairs(), Named(1, b"x"),
    types.SimpleNamespace(a=b"x"), types.MappingProxyType({"a": b"z"}), collections.ChainMap({"a": 1}), range(3),
    ValueError("x"), slice(1, 2), types.ModuleType("m"),
]  # fmt: skip

SHAPES: list[Any] = [
    [1, [b"x", (None,)]], {1}, frozenset({b"x"}), collections.deque([1, b"x"]), Items([1, b"x"]), (1, None),
    {"a": [{"b": (1, {2: b"x"})}]}, {1: 1, None: 2, 1.5: 3, b"k": 5, dt.date(2020, 1, 1): 6, Word.a: 7},
    {(1, 2): 1}, {frozenset({1}): 1}, {b"\xff": 1}, {object(): 1}, {"_sa_state": object(), "_s": 1, Text("_sa"): 2},
    {uuid.UUID(int=1): {"_sax": 1, "x": None}}, {"a": None, None: None}, collections.OrderedDict(a=b"x"),
    collections.defaultdict(int, {"a": 1}), collections.Counter("ab"), {"a": Model(), "k": {"a": Model(b=None)}},
    [Model(), {"a": Model(), "b": 2}], Plain(a=Model(), b=[Model()], c={"a": 1, "b": 2}), [[{"a": 1, "b": None}]],
    Record(b=[Model(a=1), Record(b={"a": 1})]), {Word.a: Model(), "a": {"a": None, "b": None}}, ["ab", "cd"],
    [Odd.date, {"x": Odd.pair}], {"a": Record(b=dt.date(2021, 1, 1)), "_sa": 1}, {1: Blob(b"v"), Blob(b"k"): {}},
]  # fmt: skip

OPTIONS: list[dict[str, Any]] = [
    {},
    {"exclude_none": True}, {"exclude_unset": True}, {"exclude_defaults": True}, {"by_alias": False},
    {"sqlalchemy_safe": False}, {"include": {"a"}}, {"exclude": {"a"}}, {"include": ["a", "k"]}, {"exclude": ("a",)},
    {"include": set()}, {"exclude": set()}, {"include": {"a": True, "b": {"a"}}}, {"exclude": {"b": {"a"}}},
    {"include": {0}}, {"exclude": {0: True}}, {"include": "a"}, {"include": {"a"}, "exclude": {"a"}},
    {"custom_encoder": {}}, {"custom_encoder": {str: lambda value: f"<{value}>"}},
    {"custom_encoder": {int: lambda value: {"raw": b"bytes"}}}, {"custom_encoder": {bytes: lambda value: [value]}},
    {"custom_encoder": {BaseModel: lambda value: "model"}}, {"custom_encoder": {Model: lambda value: object}},
    {"custom_encoder": {dict: lambda value: "dict"}}, {"custom_encoder": {list: lambda value: "list"}},
    {"custom_encoder": {type(None): lambda value: "none"}}, {"custom_encoder": {Record: lambda value: "record"}},
    {"custom_encoder": {dt.date: lambda value: "date", dt.datetime: lambda value: "datetime"}},
    {"custom_encoder": {enum.Enum: lambda value: "enum"}}, {"custom_encoder": {"text": 1}},
]  # fmt: skip


def encoded(value: Any, **options: Any) -> Any:
    return lambda framework: framework.encoders.jsonable_encoder(value, **options)


@pytest.mark.parametrize("options", OPTIONS, ids=steady_name)
def test_values_of_every_kind(options: dict[str, Any]) -> None:
    for value in LEAVES + SHAPES:
        if dataclasses.is_dataclass(value) and isinstance(value, type):
            continue
        same(encoded(value, **options))


@pytest.mark.parametrize("options", OPTIONS, ids=steady_name)
def test_generators(options: dict[str, Any]) -> None:
    same(lambda framework: framework.encoders.jsonable_encoder(numbers(), **options))


scalars = st.sampled_from([leaf for leaf in LEAVES if not isinstance(leaf, type)])
keys = st.sampled_from(["a", "b", "_sa_x", "", 1, None, b"k", Word.a, dt.date(2020, 1, 1), Text("t")])
models = st.builds(Model, a=st.integers(0, 2), b=st.sampled_from([None, 1, {"a": b"x"}]))
values = st.recursive(
    scalars | models,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=4)
        | st.builds(Record, b=inner)
        | st.builds(Plain, a=inner, b=inner)
        | st.builds(Named, x=st.just(1), y=inner)
    ),
    max_leaves=8,
)
options_of_any_kind = st.fixed_dictionaries(
    {},
    optional={
        "include": st.none() | st.sets(st.sampled_from(["a", "b", "c"])),
        "exclude": st.none() | st.sets(st.sampled_from(["a", "b", "c"])),
        "by_alias": st.booleans(),
        "exclude_unset": st.booleans(),
        "exclude_defaults": st.booleans(),
        "exclude_none": st.booleans(),
        "sqlalchemy_safe": st.booleans(),
        "custom_encoder": st.sampled_from([None, {bytes: repr}, {dict: repr, Model: repr}, {Word: repr, int: repr}]),
    },
)


@given(values, options_of_any_kind)
def test_nested_values(value: Any, options: dict[str, Any]) -> None:
    same(encoded(value, **options))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_json_stays_as_it_is(value: Any) -> None:
    assert jsonable_encoder(value, sqlalchemy_safe=False) == value


@pytest.mark.parametrize(
    "values", [{Blob(b"\xff"): object()}, {object(): b"\xff"}], ids=["key first", "then the value"]
)
def test_a_key_is_encoded_before_its_value(values: Any) -> None:
    same(encoded(values))


def test_the_options_are_positional_in_the_same_order() -> None:
    same(lambda framework: framework.encoders.jsonable_encoder(Model(a=5), {"a", "c"}, {"c"}, False, True, True, True))


def test_a_dataclass_itself_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Record is a dataclass") as caught:
        jsonable_encoder([Record])
    assert isinstance(caught.value, AssertionError)


def test_pydantic_v1_models_are_refused() -> None:
    from pydantic import v1

    class Old(v1.BaseModel):  # untyped
        a: int = 1

    with pytest.raises(PydanticV1NotSupportedError, match="Old"):
        jsonable_encoder([Old()])


@pytest.mark.parametrize(
    "nest", [lambda v: [v], lambda v: {"a": v}, lambda v: [{"a": v}]], ids=["list", "dict", "both"]
)
def test_nesting_costs_one_frame_per_level(nest: Any) -> None:
    value: Any = 1
    while len(json.dumps(value)) < 900:
        value = nest(value)
    assert jsonable_encoder(value) == value


def test_a_cycle_is_a_recursion_error() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(RecursionError):
        jsonable_encoder(cycle)


def test_the_table_can_be_extended() -> None:
    class Own:
        pass

    class Derived(Own):
        pass

    def question(framework: Framework) -> Any:
        module = framework.encoders
        module.ENCODERS_BY_TYPE[Own] = lambda value: "own"
        kept = module.ENCODERS_BY_TYPE[dt.date]
        module.ENCODERS_BY_TYPE[dt.date] = lambda value: "date"
        try:
            return module.jsonable_encoder([Own(), {Own(): 1}, Derived(), dt.date(2020, 1, 1)])
        finally:
            del module.ENCODERS_BY_TYPE[Own]
            module.ENCODERS_BY_TYPE[dt.date] = kept

    same(question)


def test_the_tables_hold_the_same_types() -> None:
    late = {"Color"}

    def types_of(framework: Framework) -> list[str]:
        return sorted({type_.__name__ for type_ in framework.encoders.ENCODERS_BY_TYPE} - late)

    same(types_of)
    same(lambda framework: framework.encoders.generate_encoders_by_class_tuples({int: str, float: str, bytes: len}))


@pytest.mark.filterwarnings("ignore:The `Color` class")
def test_colours_are_known_once_their_module_is_loaded() -> None:
    from pydantic.color import Color

    same(encoded([Color("red"), type("Tint", (Color,), {})("blue")]))
    assert Color in encoders.ENCODERS_BY_TYPE


def test_importing_the_encoder_does_not_import_the_colours() -> None:
    code = (
        "import sys, ferrapi.encoders\n"
        "expensive = {'pydantic.color', 'pydantic_extra_types', 'pydantic_extra_types.color', 'email_validator'}\n"
        "print(sorted(expensive & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.filterwarnings("ignore")
def test_sqlalchemy_objects_lose_their_bookkeeping() -> None:
    orm = pytest.importorskip("sqlalchemy.orm")

    class Base(orm.DeclarativeBase):
        pass

    class Row(Base):
        __tablename__ = "row"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        name: orm.Mapped[str]

    assert same(encoded(Row(id=1, name="x")))[2] in ("{'id': 1, 'name': 'x'}", "{'name': 'x', 'id': 1}")


def test_the_small_encoders() -> None:
    same(lambda framework: framework.encoders.isoformat(dt.time(1, 2)))
    same(
        lambda framework: [framework.encoders.decimal_encoder(leaf) for leaf in LEAVES if type(leaf) is decimal.Decimal]
    )
    assert FASTAPI.encoders is not FERRAPI.encoders

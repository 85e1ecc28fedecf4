"""Applications with parameters of many types, and strategies for requests that fit them, nearly fit them, or don't."""

import dataclasses
import enum
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    SecretStr,
    StringConstraints,
    model_validator,
)
from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework


class Color(enum.StrEnum):
    """A string enumeration."""

    red = "red"
    dark = "dark blue"


class Level(enum.IntEnum):
    """A number enumeration."""

    low = 1
    high = 2


class Lenient(enum.Enum):
    """An enumeration with a rule of its own."""

    a = "a"

    @classmethod
    def _missing_(cls, value: object) -> "Lenient | None":
        return cls.a if value == "A" else None


def even(value: int) -> int:
    """A validator of the user's."""
    if value % 2:
        raise ValueError("odd")
    return value


def explode(value: Any) -> Any:
    """A validator that fails in a way that pydantic doesn't catch."""
    if value == "13":
        raise KeyError("thirteen")
    return value


TYPES: dict[str, Any] = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "bytes": bytes,
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "color": Color,
    "level": Level,
    "lenient": Lenient,
    "literal": Literal["a", "b", 1],
    "union": int | str,
    "union2": float | bool | None,
    "union3": uuid.UUID | date | int,
    "optional": int | None,
    "list": list[int],
    "set": set[str],
    "frozenset": frozenset[int],
    "tuple": tuple[int, str],
    "tuples": tuple[int, ...],
    "list_optional": list[int | None] | None,
    "list_union": list[int] | list[str],
    "list_color": list[Color],
    "any": Any,
    "even": Annotated[int, AfterValidator(even)],
    "explode": Annotated[int, BeforeValidator(explode)],
    "constrained": Annotated[int, Field(ge=3, lt=10, multiple_of=3)],
    "pattern": Annotated[str, Field(pattern="^a+$", max_length=4)],
    "strict": Annotated[int, Field(strict=True)],
    "strip": Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)],
    "finite": Annotated[float, Field(allow_inf_nan=False)],
    "digits": Annotated[Decimal, Field(max_digits=4, decimal_places=2)],
    "left": Annotated[int | str, Field(union_mode="left_to_right")],
    "fast": Annotated[list[int], Field(fail_fast=True, max_length=3)],
    "secret": SecretStr,
    "json": Json[dict[str, int]],
    "none": None,
}

TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "0",
            "-3",
            "6",
            "1.5",
            "01",
            " 1 ",
            "1e3",
            "1_0",
            "nan",
            "inf",
            "-Infinity",
            "true",
            "off",
            "YES",
            "n",
            "red",
            "dark blue",
            "a",
            "A",
            "b",
            "aaa",
            "aaaa\n",
            "13",
            "null",
            "None",
            "[1]",
            '{"a":1}',
            "१२",
            "+5",
            "1,2",
            "2024-02-29",
            "2023-02-29",
            "2024-01-01T00:00:00Z",
            "2024-01-01 10:00",
            "10:20:30.5",
            "P1DT2H",
            "-1 day",
            "1e400",
            "12345678-1234-5678-1234-567812345678",
            "{12345678123456781234567812345678}",
            "9" * 25,
            "é",
            "\x00",
            "\ud7ff",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=5),
)

DEFAULTS: list[tuple[str, Callable[[Framework, str], Any]]] = [
    ("required", lambda fw, kind: getattr(fw, kind)()),
    ("none", lambda fw, kind: getattr(fw, kind)(default=None)),
    ("value", lambda fw, kind: getattr(fw, kind)(default=5)),
    ("odd value", lambda fw, kind: getattr(fw, kind)(default="x", validate_default=True)),
    ("factory", lambda fw, kind: getattr(fw, kind)(default_factory=lambda: [1])),
    ("alias", lambda fw, kind: getattr(fw, kind)(alias="Al-ias")),
    ("validation_alias", lambda fw, kind: getattr(fw, kind)(alias="a", validation_alias="x-v")),
    ("choices", lambda fw, kind: getattr(fw, kind)(default=None, validation_alias=AliasChoices("p", "x-v"))),
    ("choices required", lambda fw, kind: getattr(fw, kind)(validation_alias=AliasChoices("x-v", "p"))),
    ("serialization_alias", lambda fw, kind: getattr(fw, kind)(default=None, serialization_alias="s")),
]


def one_parameter(kind: str, type_name: str, default: str) -> Make:
    """An application with one parameter ``p`` of one type and default, from ``Query``, ``Header`` or ``Cookie``."""
    declare = dict(DEFAULTS)[default]

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def root(p: Any) -> Any:
            log.append(repr(p))
            return {"p": repr(p)}

        root.__annotations__["p"] = TYPES[type_name]
        root.__defaults__ = (declare(fw, kind),)
        app.get("/")(root)
        return app

    return make


def path_parameter(type_name: str, template: str) -> Make:
    """An application with one path parameter ``p``."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def root(p: Any) -> Any:
            return {"p": repr(p)}

        root.__annotations__["p"] = TYPES[type_name]
        app.get(template)(root)
        return app

    return make


NAMES = ["p", "P", "p_", "Al-ias", "al-ias", "x-v", "a", "p-q", "p_q", "other", ""]


@st.composite
def percent_encoded(draw: st.DrawFn, text: str) -> bytes:
    """Text for a query: some of it escaped, some as it is, sometimes broken."""
    out = bytearray()
    for byte in text.encode("utf-8", "surrogatepass"):
        style = draw(st.sampled_from("eersssss"))
        if style == "e" or byte in b"&=":
            out += b"%%%02X" % byte
        elif byte == 0x20:
            out += draw(st.sampled_from([b"+", b" ", b"%20"]))
        else:
            out.append(byte)
        if style == "r":
            out += draw(st.sampled_from([b"", b"", b"", b"%", b"%4", b"%zz", b"%FF", b"\xe9"]))
    return bytes(out)


@st.composite
def queries(draw: st.DrawFn, names: list[str] = NAMES) -> bytes:
    """A query string: repeats, junk, latin-1 bytes."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), TEXTS), max_size=4))
    pieces = []
    for name, value in pairs:
        equals = b"" if draw(st.integers(0, 9)) == 0 else b"="
        pieces.append(draw(percent_encoded(name)) + equals + draw(percent_encoded(value)))
    separator = draw(st.sampled_from([b"&", b"&", b"&&", b";", b"&amp;"]))
    return separator.join(pieces)


LATIN = st.one_of(
    TEXTS.map(lambda text: text.encode("latin-1", "replace")),
    st.binary(max_size=6),
    st.sampled_from([b"a, b", b" x\t"]),
)


@st.composite
def header_lists(draw: st.DrawFn, names: list[str] = NAMES) -> list[tuple[bytes, bytes]]:
    """Headers: repeats, any byte, sometimes names in capitals (which a server never sends)."""
    lowered = [name.lower().encode() for name in names if name]
    return draw(st.lists(st.tuples(st.sampled_from(lowered), LATIN), max_size=4))


@st.composite
def cookie_headers(draw: st.DrawFn, names: list[str] = NAMES) -> list[tuple[bytes, bytes]]:
    """One or two ``Cookie`` headers with quotes, escapes, nameless and repeated cookies."""
    headers = []
    for _ in range(draw(st.integers(1, 2))):
        pieces = []
        for name, value in draw(st.lists(st.tuples(st.sampled_from(names), LATIN), max_size=4)):
            shape = draw(st.sampled_from([b"%s=%s", b"%s=%s", b'%s="%s"', b" %s = %s ", b'%s="\\101\\"%s\\', b"=%s%s"]))
            pieces.append(shape % (name.encode(), value))
        headers.append((b"cookie", draw(st.sampled_from([b"; ", b";", b";;", b","])).join(pieces)))
    return headers


def params_ask(kind: str) -> st.SearchStrategy[Ask]:
    """Requests for `one_parameter`."""
    if kind == "Query":
        return queries().map(lambda query: Ask(query=query))
    if kind == "Header":
        return header_lists().map(lambda headers: Ask(headers=headers))
    return cookie_headers().map(lambda headers: Ask(headers=headers))


class Forbidding(BaseModel):
    """A parameter model that wants to know about everything."""

    model_config = ConfigDict(extra="forbid")
    a: int
    b_c: str = "x"
    many: list[int] = []


class Allowing(BaseModel):
    """A parameter model that keeps what it doesn't know."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    a: int | None = None
    b_c: Annotated[str | None, Field(alias="B-C")] = None
    many: list[str] | None = None


class Checked(BaseModel):
    """A parameter model with aliases of all kinds and a validator."""

    a: Annotated[int, Field(validation_alias=AliasChoices("aa", "a"))]
    b_c: Annotated[int, Field(validation_alias="b", serialization_alias="bee")] = 3
    deep: Annotated[int | None, Field(validation_alias=AliasPath("many", 0))] = None

    @model_validator(mode="after")
    def ordered(self) -> "Checked":
        """Two fields belong together."""
        if self.a > self.b_c:
            raise ValueError("a is larger")
        return self


class Named(BaseModel):
    """A parameter model whose fields may be sent under their aliases and their own names, and nothing else."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    a: Annotated[int, Field(alias="aa", ge=1)]
    b_c: Annotated[str | None, Field(alias="B-C", max_length=3)] = None
    many: Annotated[frozenset[str], Field(alias="bee")] = frozenset()


class Choosing(BaseModel):
    """A parameter model of fields that share names."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    a: Annotated[str, Field(validation_alias=AliasChoices("x", "a"))]
    b_c: Annotated[list[int], Field(validation_alias=AliasChoices("many", "a", "b-c"))] = [7]
    bee: Annotated[Color | int | None, Field(validation_alias="b", validate_default=True)] = None


class Dug(BaseModel):
    """A parameter model with paths into what is sent."""

    a: Annotated[str | None, Field(validation_alias=AliasChoices(AliasPath("x", 1), "a"))] = None
    b_c: Annotated[str | None, Field(alias="b", validation_alias=AliasPath("many", 0))] = None
    deep: Annotated[str | None, Field(validation_alias=AliasPath("deep"))] = None


class ByName(BaseModel):
    """A parameter model whose aliases are not for reading."""

    model_config = ConfigDict(validate_by_alias=False, validate_by_name=True, frozen=True)
    a: Annotated[int, Field(alias="aa")] = 1
    b_c: Annotated[tuple[int, ...] | None, Field(alias="b")] = None


@dataclasses.dataclass
class Pair:
    """A dataclass."""

    left: int
    right: str = "r"


MODELS: dict[str, Any] = {
    "forbid": Forbidding,
    "allow": Allowing,
    "checked": Checked,
    "named": Named,
    "choosing": Choosing,
    "dug": Dug,
    "by name": ByName,
    "optional": Forbidding | None,
    "optional named": Named | None,
    "optional by name": ByName | None,
    "optional allow": Allowing | None,
}
MODEL_NAMES = ["a", "aa", "b", "b_c", "b-c", "B-C", "many", "deep", "x", "bee"]


def parameter_model(kind: str, model: str, *, default: bool, beside: bool, convert: bool = True) -> Make:
    """An application with a parameter model, perhaps optional, perhaps beside a parameter of its own."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        options: dict[str, Any] = {"default": None} if default else {}
        if kind == "Header":
            options["convert_underscores"] = convert

        if beside:

            async def root(
                m: Any = getattr(fw, kind)(**options), x: str | None = getattr(fw, kind)(default=None)
            ) -> Any:
                return {"m": repr(m), "x": x}
        else:

            async def root(m: Any = getattr(fw, kind)(**options)) -> Any:  # type: ignore[misc]
                return {"m": repr(m)}

        root.__annotations__["m"] = MODELS[model]
        (app.post if kind == "Form" else app.get)("/")(root)
        return app

    return make


FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


def model_asks(kind: str) -> st.SearchStrategy[Ask]:
    """Requests for `parameter_model`."""
    if kind == "Query":
        return queries(MODEL_NAMES).map(lambda query: Ask(query=query))
    if kind == "Form":
        return queries(MODEL_NAMES).map(lambda body: Ask(method="POST", headers=FORM, body=[body]))
    if kind == "Header":
        return header_lists(MODEL_NAMES).map(lambda headers: Ask(headers=headers))
    return cookie_headers(MODEL_NAMES).map(lambda headers: Ask(headers=headers))

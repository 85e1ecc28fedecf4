"""Applications with JSON bodies of many shapes, and strategies for bodies valid, mutated, invalid and encoded oddly."""

import json
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator
from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework
from typing_extensions import TypedDict

from .parameter_shapes import Color, Level, Pair


class Item(BaseModel):
    """A plain model."""

    name: str
    price: float = 1.5
    tags: list[str] = []
    when: datetime | None = None
    inner: "Item | None" = None


class Tight(BaseModel):
    """A strict model that forbids what it doesn't know."""

    model_config = ConfigDict(strict=True, extra="forbid")
    number: int
    day: date | None = None
    identity: uuid.UUID | str = "x"
    colour: Color | None = None
    data: bytes | None = None


class Noted(BaseModel):
    """A model with a validator that looks at its information, and aliases."""

    model_config = ConfigDict(populate_by_name=True)
    number: Annotated[int, Field(alias="Number")]
    note: str = "none"

    @field_validator("note", mode="before")
    @classmethod
    def see(cls, value: Any, info: Any) -> Any:
        """Note what the validator is told."""
        return f"{type(value).__name__} {info.mode} {sorted(info.data)} {info.field_name}"


class Cat(BaseModel):
    """One of two."""

    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]
    name: str


class Typed(TypedDict, total=False):
    """A typed dictionary."""

    a: int
    b: list[str]


class Numbers(RootModel[list[int]]):
    """A model that is a list."""


BODY_TYPES: dict[str, Any] = {
    "item": Item,
    "item optional": Item | None,
    "tight": Tight,
    "noted": Noted,
    "pair": Pair,
    "typed": Typed,
    "numbers": Numbers,
    "any": Any,
    "dict": dict[str, Any],
    "int keys": dict[int, float],
    "date keys": dict[date, Level],
    "list": list[Item],
    "set": set[int],
    "tuple": tuple[int, str, Pair],
    "int": int,
    "str": str,
    "bytes": bytes,
    "bool": bool,
    "float": float,
    "decimal": Decimal,
    "uuid or str": uuid.UUID | str,
    "date or str": date | str,
    "int or str": int | str,
    "bytes or str": bytes | str,
    "timedelta": timedelta,
    "tagged": Annotated[Cat | Dog, Field(discriminator="kind")],
    "untagged": Cat | Dog | Item,
    "bare dict": dict,
    "bare list": list,
    "strict int": Annotated[int, Field(strict=True)],
    "strict list": Annotated[list[int], Field(strict=True)],
    "strict tuple": Annotated[tuple[int, ...], Field(strict=True)],
    "literal": Literal["a", 1, True],
    "fast": Annotated[list[int], Field(fail_fast=True)],
}


def one_body(type_name: str, *, embed: bool = False, default: Any = ..., strict_type: bool | None = None) -> Make:
    """An application whose endpoint takes one body and shows it, and the errors that a handler sees."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(**({} if strict_type is None else {"strict_content_type": strict_type}))
        note_errors(fw, app, log)

        async def root(p: Any) -> Any:
            return {"p": repr(p)}

        info = fw.Body(embed=embed) if default is ... else fw.Body(default, embed=embed)
        root.__annotations__["p"] = Annotated[BODY_TYPES[type_name], info] if default is ... else BODY_TYPES[type_name]
        if default is not ...:
            root.__defaults__ = (info,)
        app.post("/")(root)
        return app

    return make


def note_errors(fw: Framework, app: Any, log: list[Any]) -> None:
    """Note what an exception handler sees of a validation error, then answer as usual."""

    @app.exception_handler(fw.exceptions.RequestValidationError)
    async def handler(request: Any, exc: Any) -> Any:
        log.append(
            ("body", type(exc.body).__name__, repr(exc.body), [sorted(map(str, error)) for error in exc.errors()])
        )
        return await fw.exception_handlers.request_validation_exception_handler(request, exc)


def several(fw: Framework, log: list[Any]) -> Any:
    """Several body parameters in the endpoint and in dependencies."""
    app = fw.FastAPI()
    note_errors(fw, app, log)

    class Own(BaseModel):
        name: str

    async def one(name: Annotated[int, fw.Body()], item: Item | None = None) -> Any:
        log.append(("one", name))
        return (name, item)

    async def two(item: Item, q: int = 0) -> Any:
        log.append("two")
        item.tags.append("seen")
        return item

    @app.post("/endpoint")
    async def endpoint(
        item: Item, number: Annotated[int, fw.Body(gt=2)], text: Annotated[str, fw.Body(alias="Text")] = "d"
    ) -> Any:
        return {"item": item, "number": number, "text": text}

    @app.post("/dependencies")
    async def dependencies(
        name: str, a: Any = fw.Depends(one), b: Any = fw.Depends(two), c: Any = fw.Depends(two)
    ) -> Any:
        return {"name": name, "a": a, "b": b, "same": b is c}

    @app.post("/same")
    async def same(item: Item, a: Any = fw.Depends(two), b: Any = fw.Depends(two, use_cache=False)) -> Any:
        return {"tags": [item.tags, a.tags, b.tags], "same": [item is a, a is b]}

    @app.post("/mixed")
    async def mixed(
        own: Own, other: Annotated[list[int], fw.Body(embed=True)], q: int, x: Annotated[int, fw.Header()]
    ) -> Any:
        return [own, other, q, x]

    @app.put("/optional")
    async def optional(
        a: Annotated[int | None, fw.Body()] = None, b: Annotated[list[Item] | None, fw.Body()] = None
    ) -> Any:
        return {"a": a, "b": b}

    return app


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["1", "cat", "dog", "red", "2024-01-01", "2024-01-01T00:00:00", "P1D", "1.50", "x" * 30, "true"]),
    st.sampled_from(["12345678-1234-5678-1234-567812345678", 0, 1, 1.0, 2.5, 1e300, 86400, "\ud800"]),
)
KEYS = st.sampled_from(
    [
        "p",
        "name",
        "price",
        "tags",
        "when",
        "inner",
        "number",
        "Number",
        "note",
        "day",
        "identity",
        "colour",
        "data",
        "kind",
        "lives",
        "left",
        "right",
        "a",
        "b",
        "item",
        "text",
        "Text",
        "own",
        "other",
        "1",
        "2024-01-01",
        "",
        "zzz",
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
FITTING: list[Any] = [
    {"name": "n", "price": 2, "tags": ["a"], "when": "2024-01-01T00:00:00Z", "inner": {"name": "m"}},
    {"name": "n", "price": "2.5", "extra": 1},
    {
        "number": 3,
        "day": "2024-01-01",
        "identity": "12345678-1234-5678-1234-567812345678",
        "colour": "red",
        "data": "é",
    },
    {"Number": "3", "note": 4},
    {"number": 3, "note": [1]},
    {"left": "1", "right": "r"},
    {"a": "1", "b": ["x"]},
    [1, 2, 3],
    [1, "a", {"left": 2}],
    {"kind": "cat"},
    {"kind": "dog", "name": "d"},
    {"item": {"name": "n"}, "number": 3, "Text": "t"},
    {"item": {"name": "n"}, "name": 3},
    {"own": {"name": "n"}, "other": [1]},
    {"1": 1, "2": "2"},
    {"2024-01-01": 1},
    "2024-01-01",
    "12345678-1234-5678-1234-567812345678",
    3,
    "P1DT3S",
    {"p": {"name": "n"}},
    {"p": 3},
    {"p": None},
]


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A JSON value: arbitrary, or one that fits some shape, or that with one thing changed."""
    value = draw(st.one_of(VALUES, st.sampled_from(FITTING), st.sampled_from(FITTING), st.dictionaries(KEYS, VALUES)))
    if isinstance(value, dict) and value and draw(st.booleans()):
        value = dict(value)
        key = draw(st.sampled_from(sorted(value)))
        change = draw(st.sampled_from(["drop", "set", "add"]))
        if change == "drop":
            del value[key]
        else:
            value[key if change == "set" else draw(KEYS)] = draw(VALUES)
    return value


@st.composite
def json_bytes(draw: st.DrawFn) -> bytes:
    """JSON text in some encoding, sometimes broken."""
    text = json.dumps(draw(documents()), ensure_ascii=draw(st.booleans()))
    style = draw(
        st.sampled_from(["plain"] * 12 + ["utf-16", "utf-32-le", "bom", "cut", "junk", "space", "dup", "raw", "big"])
    )
    if style in ("utf-16", "utf-32-le"):
        return text.encode(style, "surrogatepass")
    data = text.encode("utf-8", "surrogatepass")
    if style == "bom":
        return b"\xef\xbb\xbf" + data
    if style == "cut":
        return data[: draw(st.integers(0, len(data)))]
    if style == "junk":
        at = draw(st.integers(0, len(data)))
        return data[:at] + draw(st.binary(max_size=2)) + data[at:]
    if style == "space":
        return b" \t\r\n" + data + b"\n\n"
    if style == "dup" and data.startswith(b"{") and len(data) > 2:
        return b'{"name": 1, "p": 2, ' + data[1:]
    if style == "raw":
        return draw(st.binary(max_size=5))
    if style == "big":
        return draw(
            st.sampled_from([b"[" * 2000 + b"]" * 2000, b"9" * 4300, b"1e400", b"NaN", b"-Infinity", b"9" * 5000])
        )
    return data


CONTENT_TYPES = st.sampled_from(
    [b"application/json"] * 12
    + [
        b"application/json; charset=utf-16",
        b"APPLICATION/JSON",
        b"application/vnd.x+json",
        b"application/+json",
        b"text/json",
    ]
    + [
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"application/jsonx",
        b"",
        b"json",
        b"/",
    ]
    + [
        b"application/json, text/plain",
        b"text/plain; application/json",
        b"\xff/json",
        b"application/ld+JSON;x",
        b" application/json ",
    ]
    + [
        b"application/json;",
        b"application /json",
        b'application/json; a="b',
        b"application/x+json+y",
        b"application/json\x0b",
    ]
)


@st.composite
def body_asks(draw: st.DrawFn, path: str = "/", method: str = "POST") -> Ask:
    """Requests with a JSON body in one or more chunks, any content type, sometimes cut off by the client."""
    data = draw(json_bytes())
    chunks = [data]
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(data)))
        chunks = [data[:at], b"", data[at:]]
    headers = [(b"content-type", draw(CONTENT_TYPES))] if draw(st.integers(0, 15)) else []
    if draw(st.integers(0, 9)) == 0:
        headers.append((b"content-type", b"text/plain"))
    query = draw(st.sampled_from([b"", b"q=1", b"q=x", b"name=n&q=2"]))
    return Ask(method, path, query, headers, tuple(chunks), ends=draw(st.integers(0, 30)) > 0)


Factory = Callable[[], Make]

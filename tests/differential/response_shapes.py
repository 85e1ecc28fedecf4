"""Applications that answer with values of many kinds through every way of responding."""

import dataclasses
import datetime
import enum
import math
import uuid
from collections import OrderedDict, deque, namedtuple
from decimal import Decimal
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, SecretStr, computed_field, field_serializer, model_serializer
from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework
from typing_extensions import TypedDict


class Out(BaseModel):
    """The declared response model."""

    a: int
    b: str | None = None
    c: Annotated[list[float], Field(alias="See")] = []
    model_config = ConfigDict(populate_by_name=True)


class More(Out):
    """A subclass with something that must not leak."""

    secret: str = "s"


class Computed(BaseModel):
    """A model with all that changes its output."""

    when: datetime.datetime
    amount: Decimal = Decimal("1.10")
    took: datetime.timedelta = datetime.timedelta(seconds=1.5)
    hidden: SecretStr = SecretStr("x")
    excluded: Annotated[int, Field(exclude=True)] = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> Decimal:
        """A value that is not a field."""
        return self.amount * 2

    @field_serializer("when")
    def show(self, value: datetime.datetime, info: Any) -> str:
        """Show what the serializer is told."""
        return f"{value:%Y} {info.mode}"


class Whole(BaseModel):
    """A model that serialises itself."""

    a: int = 1

    @model_serializer(mode="wrap")
    def ser(self, handler: Any, info: Any) -> Any:
        """Show what the serializer is told."""
        return {"wrapped": handler(self), "mode": info.mode, "by_alias": info.by_alias}


class Arbitrary:
    """An object with attributes."""

    def __init__(self) -> None:
        self.a = 5
        self.b = "attr"


class Slotted:
    """An object that nothing can encode."""

    __slots__ = ()


@dataclasses.dataclass
class Data:
    """A dataclass."""

    a: int = 1
    when: datetime.date = datetime.date(2024, 1, 2)
    b: str | None = None


class Typed(TypedDict, total=False):
    """A typed dictionary."""

    a: int
    b: str


class Fruit(enum.Enum):
    """An enumeration of a string."""

    apple = "apple"


Point = namedtuple("Point", "x y")
NAN = math.nan

VALUES: dict[str, Any] = {
    "none": None,
    "int": 3,
    "big": 2**80,
    "float": 1.0,
    "floats": [1e16, 1e-7, 0.1, -0.0, 1e22],
    "nan": NAN,
    "inf dict": {"a": math.inf},
    "str": 'é\u2028\x00"\\/\x7f\ud7ff😀',
    "surrogate": "\ud800",
    "true": True,
    "dict": {"a": 1, "b": None, "See": [1]},
    "dict extra": {"a": "2", "b": "x", "secret": 1},
    "dict bad": {"a": "x"},
    "keys": {1: 1, None: 2, False: 3, 1.5: 4},
    "tuple keys": {(1, 2): 1},
    "date keys": {datetime.date(2024, 1, 1): 1, Fruit.apple: 2},
    "sa": {"_sa_instance": 1, "a": 1},
    "nested": {"a": [(1, 2), {3}, frozenset([4]), deque([5])]},
    "generator": (number for number in ()),  # type: ignore[var-annotated]  # of nothing
    "set": {7},
    "namedtuple": Point(1, 2),
    "ordered": OrderedDict(a=1),
    "decimal": Decimal("1.50"),
    "decimals": [Decimal("1"), Decimal("NaN"), Decimal("1E+3")],
    "timedelta": datetime.timedelta(days=1, microseconds=5),
    "datetime": datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
    "time": datetime.time(1, 2),
    "uuid": uuid.UUID(int=5),
    "bytes": b"ab",
    "bad bytes": b"\xff",
    "path": PurePosixPath("/a/b"),
    "url": AnyUrl("http://x.y/z"),
    "enum": Fruit.apple,
    "status": HTTPStatus.NOT_FOUND,
    "out": Out(a=1, b=None, c=[0.5]),
    "out unset": Out(a=1),
    "more": More(a=1, b="b", c=[math.nan]),
    "out bad": Out.model_construct(a="no", b=5),
    "mores": [More(a=1), Out(a=2)],
    "computed": Computed(when=datetime.datetime(2024, 1, 1)),
    "whole": Whole(),
    "data": Data(),
    "datas": [Data(a=2, b="x")],
    "arbitrary": Arbitrary(),
    "slotted": Slotted(),
    "type": int,
    "exception": ValueError("x"),
    "secret": SecretStr("abc"),
    "ellipsis": ...,
    "deep": [[[[[[[[[[]]]]]]]]]],
}

MODELS: dict[str, Any] = {
    "no model": None,
    "any": Any,
    "out": Out,
    "outs": list[Out],
    "optional": Out | None,
    "union": More | Out | int,
    "dict": dict[str, Any],
    "data": Data,
    "typed": Typed,
    "computed": Computed,
    "whole": Whole,
    "decimal": Decimal,
    "timedelta": datetime.timedelta,
    "datetime": datetime.datetime,
    "float": float,
    "str": str,
    "bytes": bytes,
    "list float": list[float],
    "int": int,
}

OPTIONS: list[dict[str, Any]] = [
    {},
    {"response_model_include": {"a"}},
    {"response_model_exclude": {"a": True, "c": {0}}},
    {"response_model_by_alias": False},
    {"response_model_exclude_unset": True},
    {"response_model_exclude_defaults": True, "response_model_exclude_none": True},
]

RESPONSE_CLASSES = ["default", "json", "plain", "own", "html", "orjson-like", "response"]


def respond(
    value: str, model: str, options: dict[str, Any], response_class: str = "default", *, sync: bool = False
) -> Make:
    """An application that returns one value."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        more: dict[str, Any] = {}
        if response_class != "default":
            more["response_class"] = _class(fw, response_class)

        def endpoint() -> Any:
            return VALUES[value]

        async def asynchronous() -> Any:
            return VALUES[value]

        app.get("/", response_model=MODELS[model], **options, **more)(endpoint if sync else asynchronous)
        return app

    return make


def _class(fw: Framework, name: str) -> Any:
    class Own(fw.responses.JSONResponse):
        media_type = "application/x-own"

        def render(self, content: Any) -> bytes:
            return repr(content).encode("utf-8", "backslashreplace")

    class Sorted(fw.responses.Response):
        media_type = "application/json"

        def render(self, content: Any) -> bytes:
            return bytes(f"<{type(content).__name__}>", "ascii")

    return {
        "json": fw.responses.JSONResponse,
        "plain": fw.responses.PlainTextResponse,
        "own": Own,
        "html": fw.responses.HTMLResponse,
        "orjson-like": Sorted,
        "response": fw.responses.Response,
    }[name]


ASKS = [Ask()]

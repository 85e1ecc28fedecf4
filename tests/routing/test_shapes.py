"""Plain data that a response model describes is encoded natively: each value as pydantic would, for each type."""

import enum
from decimal import Decimal
from typing import Annotated, Any

import pytest
from ferrapi._native import Program
from ferrapi.compile.plain import shape_of
from ferrapi.serve.programs import program_of
from pydantic import AfterValidator, BaseModel, Field, PlainSerializer, TypeAdapter
from support.asgi import Ask
from support.compare import compare
from support.frameworks import FERRAPI, Framework

pytestmark = pytest.mark.usefixtures("quiet")


class Fruit(enum.Enum):
    """Its value is no number, and passes for one."""

    apple = "apple"


class Level(enum.IntEnum):
    """A number and more."""

    high = 2


class Name(str):
    """A text and more."""

    __slots__ = ()


class Item(BaseModel):
    """No plain data."""

    name: str = "x"


Loud = Annotated[str, PlainSerializer(lambda text: text.upper())]
Changed = Annotated[int, AfterValidator(lambda number: str(number))]

TYPES: dict[str, Any] = {
    "any": Any,
    "str": str,
    "int": int,
    "bool": bool,
    "none": None,
    "short": Annotated[str, Field(max_length=3)],
    "int or none": int | None,
    "list": list,
    "ints": list[int],
    "maybe texts": list[str | None],
    "dict": dict,
    "texts": dict[str, str],
    "numbers": dict[str, int],
    "anything": dict[str, Any],
    "deep": dict[str, list[dict[str, int | None]]],
    "by number": dict[int, str],
    "loud": Loud,
    "loud values": dict[str, Loud],
    "loud keys": dict[Loud, str],
    "changed": Changed,
    "changed values": list[Changed],
    "floats": list[float],
    "model": Item,
    "models": list[Item],
    "pair": tuple[int, str],
}
SHAPED = {
    "any",
    "str",
    "int",
    "bool",
    "none",
    "short",
    "int or none",
    "list",
    "ints",
    "maybe texts",
    "dict",
    "texts",
    "numbers",
    "anything",
    "deep",
}


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


VALUES: dict[str, Any] = {
    "none": None,
    "true": True,
    "one": 1,
    "large": 2**70,
    "float": 1e16,
    "whole": 2.0,
    "nan": float("nan"),
    "text": 'caf\u00e9 "\\ \n \x1f \x7f \u2028',
    "number text": "12",
    "surrogate": "\ud800",
    "bytes": b"ab",
    "decimal": Decimal("1.50"),
    "enum": Fruit.apple,
    "int enum": Level.high,
    "text and more": Name("n"),
    "list": [1, "2", None],
    "tuple": (1, "2"),
    "set": {1},
    "dict": {"a": 1, "b": "2"},
    "texts": {"a": "x", "": "y", "\u00e9": "z"},
    "hidden": {"_sa_instance_state": "x", "a": "y"},
    "by number": {1: "x"},
    "by more": {Name("n"): "x"},
    "mixed": {"a": [1, True, None, {"b": [1.5]}], "c": Level.high},
    "deep": {"a": [{"b": 1, "c": None}]},
    "nested": _nested(80),
    "model": Item(),
    "models": [Item(name="y")],
}


@pytest.mark.parametrize("name", TYPES)
def test_values_of_types(name: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        for key, value in VALUES.items():

            @app.get(f"/{key}", response_model=TYPES[name])
            async def root(value: Any = fw.Depends(lambda value=value: value)) -> Any:
                return value

        return app

    compare(make, [Ask(path=f"/{key}") for key in VALUES])


@pytest.mark.parametrize("name", TYPES)
def test_which_types_have_a_shape(name: str) -> None:
    shape = shape_of(TypeAdapter(TYPES[name]).core_schema)
    assert (shape is not None) is (name in SHAPED)


@pytest.mark.parametrize("option", ["exclude_none", "exclude_unset", "include"])
def test_options_are_followed(option: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get(
            "/", response_model=dict[str, Any], **{f"response_model_{option}": {"a"} if option == "include" else True}
        )
        async def root() -> Any:
            return {"a": 1, "b": None}

        return app

    compare(make, [Ask()])


def test_they_have_programs() -> None:
    app = FERRAPI.FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        return {}

    assert isinstance(program_of(app.routes[-1].app, None), Program)

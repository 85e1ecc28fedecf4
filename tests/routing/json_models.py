"""Random models, and random JSON texts that nearly fit them."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, StringConstraints, create_model

Chance = random.Random


class Colour(Enum):
    """An enumeration: not the same from JSON, so nothing that has one should be compared."""

    RED = "red"


class Tree(BaseModel):
    """A model of itself."""

    model_config = ConfigDict(extra="forbid")
    size: int
    below: list[Tree] = []
    beside: Tree | None = None


NUMBER_LIMITS = ("gt", "ge", "lt", "le", "multiple_of")
STRING_LIMITS: tuple[dict[str, Any], ...] = (
    {"min_length": 2},
    {"max_length": 3},
    {"max_length": 0},
    {"pattern": "^a+$"},
    {"min_length": 1, "max_length": 2, "pattern": "b"},
    {"strict": True},
)
CONFIGS: tuple[ConfigDict, ...] = (
    {},
    {},
    {},
    {"extra": "forbid"},
    {"extra": "forbid"},
    {"extra": "ignore"},
    {"extra": "allow"},
    {"strict": True},
    {"str_strip_whitespace": True},
    {"str_to_lower": True},
    {"str_to_upper": True},
    {"str_min_length": 1},
    {"str_max_length": 2},
    {"coerce_numbers_to_str": True},
    {"loc_by_alias": False},
    {"hide_input_in_errors": True},
    {"populate_by_name": True},
    {"validate_by_name": True, "validate_by_alias": False},
    {"allow_inf_nan": False},
    {"validate_default": True},
    {"from_attributes": True},
    {"frozen": True},
    {"regex_engine": "python-re"},
    {"revalidate_instances": "always"},
)


def leaf(chance: Chance) -> Any:
    """A random scalar type."""
    kind = chance.randrange(14)
    if kind == 0:
        limit: dict[str, Any] = {chance.choice(NUMBER_LIMITS): chance.choice([1, 3, 100, 10**20])}
        return Annotated[int, Field(**limit)]
    if kind == 1:
        limit = {chance.choice(NUMBER_LIMITS): chance.choice([1, 2.5, 1e3])}
        return Annotated[float, Field(allow_inf_nan=chance.random() < 0.5, **limit)]
    if kind == 2:
        return Annotated[str, Field(**chance.choice(STRING_LIMITS))]
    if kind == 3:
        return Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=2)]
    if kind == 4:
        return Literal["a", "b"]
    if kind == 5 and chance.random() < 0.2:
        return chance.choice([Colour, Decimal, dict[str, int], int | str, bytes, Any, Literal[1]])
    return chance.choice([int, int, float, float, str, str, bool, bool, UUID, None])


def any_type(chance: Chance, depth: int) -> Any:
    """A random type."""
    draw = chance.random()
    if depth <= 0 or draw < 0.45:
        return leaf(chance)
    if draw < 0.6:
        return list[any_type(chance, depth - 1)]  # type: ignore[misc]  # made at run time
    if draw < 0.7:
        limits: Any = chance.choice([{"min_length": 2}, {"max_length": 1}, {"max_length": 2, "fail_fast": True}])
        return Annotated[list[any_type(chance, depth - 1)], Field(**limits)]  # type: ignore[misc]
    if draw < 0.8:
        return Optional[any_type(chance, depth - 1)]  # noqa: UP045  # it may be None already
    if draw < 0.84:
        return Tree
    if draw < 0.87:
        return RootModel[any_type(chance, depth - 1)]  # type: ignore[misc]
    return model(chance, depth - 1)


def model(chance: Chance, depth: int) -> type[BaseModel]:
    """A random model of one to four fields."""
    fields: dict[str, Any] = {}
    for name in chance.sample("abcd", chance.randint(1, 4)):
        options: dict[str, Any] = {}
        draw = chance.random()
        if draw < 0.15:
            options["alias"] = name.upper()
        elif draw < 0.2:
            options["validation_alias"] = AliasChoices(name.upper(), AliasPath(name, 0), AliasPath("a", "b"))
        elif draw < 0.23:
            options["validation_alias"] = AliasPath("a", -1)
        default = chance.choice([..., ..., None])
        fields[name] = (any_type(chance, depth), Field(default, **options))
    made: type[BaseModel] = create_model("M", __config__=ConfigDict(**chance.choice(CONFIGS)), **fields)
    return made


TEXTS = (
    *("0", "1", "-1", "-0", "2", "1.0", "1.5", "-0.0", "1e2", "1E+2", "1e400", "1e-3", "1e-400", "5e-324", "1e22"),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e19", "1" + "0" * 23),
    *("true", "false", "null", "NaN", "Infinity", "-Infinity", "[]", "{}"),
    *('"a"', '"ab"', '""', '"1"', '" 1 "', '"1.0"', '"1.5"', '"true"', '"abcd"', '"yes"', '"nan"', '"inf"', '"1_000"'),
    *(
        '"0x1"',
        '"b"',
        '"\\u0000"',
        '"\\u00e9\\n"',
        '"\u20ac"',
        '"\\ud83d\\ude00"',
        '"\\/"',
        '"\u0661"',
        '"+1"',
        '"1e2"',
    ),
    *('"red"', '"00000000-0000-0000-0000-000000000001"', '"{00000000-0000-0000-0000-000000000001}"', '"urn:uuid:x"'),
    *('"%s"' % ("9" * 300), "9" * 308, "1234567890123456789012345678901234567890.5"),
)


def scalar(chance: Chance) -> str:
    """A random JSON scalar, often a number with digits that nobody chose."""
    draw = chance.random()
    if draw < 0.1:
        return str(chance.randrange(10 ** chance.randint(1, 40)) - 10**20)
    if draw < 0.2:
        digits = chance.randrange(10 ** chance.randint(1, 25))
        return f"{chance.choice(['', '-'])}{digits}.{chance.randrange(10**9)}e{chance.randint(-330, 310)}"
    return chance.choice(TEXTS)


def value(chance: Chance, depth: int) -> str:
    """Random JSON; the objects repeat keys and have others than the models."""
    draw = chance.random()
    if depth <= 0 or draw < 0.5:
        return scalar(chance)
    if draw < 0.7:
        return "[" + ", ".join(value(chance, depth - 1) for _ in range(chance.randint(0, 3))) + "]"
    keys = [chance.choice("abcdABCDx") for _ in range(chance.randint(0, 5))]
    return "{" + ",".join(f'"{key}": {value(chance, depth - 1)}' for key in keys) + "}"


SUITING: dict[Any, tuple[str, ...]] = {
    int: ("1", "7", '"12"', "3.0", "100"),
    float: ("1.5", "2", '"0.25"', "1e3"),
    str: ('"a"', '"aa"', '"ab "'),
    bool: ("true", '"off"', "0"),
    UUID: ('"00000000-0000-0000-0000-000000000001"',),
    None: ("null",),
}


def fitting(chance: Chance, kind: Any) -> str:
    """JSON that probably fits the type, but for a mistake here and there."""
    if chance.random() < 0.12:
        return value(chance, 2)
    if isinstance(kind, type) and issubclass(kind, RootModel):
        return fitting(chance, kind.model_fields["root"].annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _object(chance, kind)
    arguments: Any = getattr(kind, "__args__", ())
    if getattr(kind, "__origin__", None) is list:
        return "[" + ",".join(fitting(chance, arguments[0]) for _ in range(chance.randint(0, 3))) + "]"
    if kind not in SUITING and arguments and hasattr(arguments[0], "__args__" if len(arguments) == 1 else "__mro__"):
        return fitting(chance, arguments[0])
    return chance.choice(SUITING[kind]) if kind in SUITING and chance.random() < 0.7 else scalar(chance)


def _object(chance: Chance, kind: type[BaseModel]) -> str:
    pairs = []
    for name, field in kind.model_fields.items():
        if kind is Tree and name != "size" and chance.random() < 0.7:
            continue  # or it would grow without end
        if chance.random() < 0.88:
            pairs.append((field.alias or name, fitting(chance, field.annotation)))
        if chance.random() < 0.06:
            pairs.append((name, value(chance, 1)))
    if chance.random() < 0.15:
        pairs += [(chance.choice(["zz", "a", "\\u0061"]), value(chance, 2)) for _ in range(chance.randint(1, 2))]
    chance.shuffle(pairs)
    spaces = chance.choice(["", " ", "\r\n\t"])
    return "{" + f",{spaces}".join(f'{spaces}"{key}"{spaces}:{text}' for key, text in pairs) + spaces + "}"


def both_parse(text: bytes) -> bool:
    """Whether Python's parser takes the text, as FastAPI would ask it."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True

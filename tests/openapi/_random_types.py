"""Random types, as the source of annotations.

A `Chooser` decides; hypothesis is one, so that a failure is made small. What is written is Python, because a failure
that can be read as an application is half understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


class Chooser(Protocol):
    """Whoever makes the choices."""

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1; the smaller, the simpler the example."""


def pick(choose: Chooser, options: Sequence[T]) -> T:
    """One of `options`, the simplest of which stands first."""
    return options[choose.below(len(options))]


def chance(choose: Chooser, percent: int) -> bool:
    """True in so many of a hundred cases."""
    return choose.below(100) >= 100 - percent


def some(choose: Chooser, options: Sequence[T], most: int = 3) -> list[T]:
    """Up to `most` of `options`, each once, in their order."""
    wanted = choose.below(most + 1)
    kept = {choose.below(len(options)) for _ in range(wanted)}
    return [option for index, option in enumerate(options) if index in kept]


SCALARS = (
    "int", "str", "float", "bool", "bytes", "datetime", "date", "timedelta", "UUID", "Decimal", "Path", "AnyUrl",
    "SecretStr", "Any", "None", "object", "PositiveInt", "complex", "Pattern", "IPv4Address", "Base64Bytes",
    "Literal['a']", "Literal['a', 1, None]", "EmailStr", "ByteSize", "SecretBytes", "time", "AwareDatetime",
)  # fmt: skip
ANNOTATED = (
    "Annotated[int, Field(gt=1, le=9)]", "Annotated[str, Field(min_length=1, pattern='^a')]",
    "Annotated[str, Field(title='Called', description='Said', examples=['x'])]", "Annotated[int, 'note']",
    "Annotated[int, WithJsonSchema({'type': 'string', 'x-own': 1})]",
    "Annotated[datetime, PlainSerializer(lambda value: 1, return_type=int)]",
    "Annotated[str, BeforeValidator(str)]", "Annotated[int, Ge(2)]", "Annotated[str, StringConstraints(max_length=3)]",
    "Annotated[str, Field(deprecated=True, json_schema_extra={'x-more': 2})]", "SkipJsonSchema[int]",
    "Annotated[int, Field(strict=True)]", "Annotated[int, WithJsonSchema({'type': 'number'}, mode='serialization')]",
)  # fmt: skip
CONTAINERS = (
    "list[{}]", "{} | None", "dict[str, {}]", "set[{}]", "tuple[{}, ...]", "Sequence[{}]", "tuple[int, {}]",
    "Annotated[{}, Field(description='Inside')]", "frozenset[{}]", "List[{}]", "Optional[{}]", "dict[int, {}]",
    "Mapping[str, {}]", "Union[{}, str]", "Annotated[list[{}], Field(min_length=1, max_length=4)]", "deque[{}]",
    "Iterable[{}]", "Annotated[{} | None, Field(title='Perhaps')]", "Json[{}]", "defaultdict[str, {}]",
)  # fmt: skip
HASHABLE = ("set[{}]", "frozenset[{}]")


@dataclass
class Names:
    """The types that have been declared: how they are named from where they are used, by what they are."""

    models: list[str] = field(default_factory=list)
    generics: list[str] = field(default_factory=list)
    enums: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return [*self.models, *self.enums, *self.others]


def annotation(choose: Chooser, names: Names, depth: int = 2) -> str:
    """A type of anything."""
    kind = choose.below(10)
    if kind <= 2 or (kind >= 6 and depth == 0):
        return pick(choose, SCALARS)
    if kind == 3:
        return pick(choose, ANNOTATED)
    if kind <= 5 and names.all:
        return pick(choose, names.all)
    if kind == 9 and names.generics:
        return f"{pick(choose, names.generics)}[{annotation(choose, names, depth - 1)}]" if depth else "int"
    if kind == 8 and depth:
        members = [annotation(choose, names, depth - 1) for _ in range(2 + choose.below(2))]
        return f"Union[{', '.join(members)}]"
    outer = pick(choose, CONTAINERS)
    inner = pick(choose, ("int", "str", *names.enums)) if outer in HASHABLE else annotation(choose, names, depth - 1)
    return outer.format(inner)


def model(choose: Chooser, names: Names, depth: int = 1) -> str:
    """A type made of models, if there are some."""
    if not names.models:
        return annotation(choose, names, depth)
    name = pick(choose, names.models)
    if names.generics and chance(choose, 20):
        name = f"{pick(choose, names.generics)}[{name}]"
    outer = pick(choose, ("{}", "list[{}]", "{} | None", "dict[str, {}]", "Annotated[{}, 'note']"))
    return outer.format(name)

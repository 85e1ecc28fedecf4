"""Random modules of models: recursive, generic, derived, with the same names in two modules."""

from __future__ import annotations

from ._random_types import Chooser, Names, annotation, chance, pick, some

PRELUDE = """
import dataclasses, enum
from collections import deque, defaultdict
from collections.abc import *
from datetime import *
from decimal import Decimal
from ipaddress import *
from pathlib import Path
from re import Pattern
from typing import *
from uuid import UUID
from annotated_types import Ge, Len
from pydantic import *
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema
from typing_extensions import NotRequired, ReadOnly, Required, TypeAliasType, TypedDict
T = TypeVar("T")
"""
"""What the modules begin with."""
CUT = "# ---"
"""Between declarations: one that fails is left out."""

FIELD_NAMES = ("a", "b_c", "count", "items", "kind", "x_id", "Name")
DOCSTRINGS = ("", "About.", "  Padded.\n\n    More.\n  ", "Shown.\fHidden.", "\fAll hidden.", "\n    Indented.\n\n\n")
FACTS = (
    "description='Said'", "title='Called'", "alias='ali-as'", "examples=[1]", "deprecated=True",
    "json_schema_extra={'x-a': 1}", "validation_alias='val'", "serialization_alias='ser'", "exclude=True",
    "validation_alias=AliasChoices('c1', 'c2')", "repr=False", "frozen=True", "description='Cut\\fhere'",
    "validation_alias=AliasPath('p', 0)", "json_schema_extra=lambda schema: schema.update(x=1)",
    "field_title_generator=lambda name, info: name.upper()", "deprecated='Old'", "title=''", "description=''",
)  # fmt: skip
DEFAULTS = ("", "", "", "None", "1", "'x'", "[]", "{}", "FACTORY")
CONFIGS = (
    "title='Titled'", "extra='forbid'", "extra='allow'", "json_schema_extra={'examples': [{'a': 1}]}",
    "from_attributes=True", "populate_by_name=True", "use_attribute_docstrings=True", "ser_json_bytes='base64'",
    "json_schema_serialization_defaults_required=True", "alias_generator=str.upper", "use_enum_values=True",
    "json_schema_extra=lambda schema, cls: schema.update(x=2)", "validate_by_name=True", "serialize_by_alias=True",
    "val_json_bytes='base64'", "ser_json_timedelta='float'", "arbitrary_types_allowed=True", "frozen=True",
    "model_title_generator=lambda cls: 'Made ' + cls.__name__", "json_schema_mode_override='serialization'",
    "json_schema_mode_override='validation'", "title='A\\fB'", "defer_build=True", "strict=True",
)  # fmt: skip
METHODS = (
    "@computed_field\n    def computed(self) -> {}: ...",
    "@computed_field\n    @property\n    def shown_too(self) -> {}:\n        'A property.'",
    "@field_serializer('*')\n    def written(self, value) -> {}: ...",
    "@model_serializer\n    def dumped(self) -> {}: ...",
    "@model_serializer(mode='wrap')\n    def wrapped(self, handler): ...",
    "@field_validator('*', mode='before')\n    def read(cls, value): return value",
    "@model_validator(mode='before')\n    def looked_at(cls, value): return value",
    "@classmethod\n    def __get_pydantic_json_schema__(cls, core, handler):\n"
    "        schema = handler.resolve_ref_schema(handler(core))\n        schema['x-hook'] = 1\n        return schema",
    "@classmethod\n    def __get_pydantic_json_schema__(cls, core, handler): return {{'type': 'string', 'x-whole': 1}}",
    "constant: ClassVar[{}] = None",
    "_private: {} = None",
)
ENUMS = (
    "enum.Enum", "str, enum.Enum", "enum.IntEnum", "int, enum.Enum", "enum.IntFlag", "enum.StrEnum",
)  # fmt: skip
KINDS = (
    "model", "model", "model", "model", "enum", "generic", "root", "dataclass", "pydantic dataclass", "typed dict",
    "named tuple", "new type", "alias", "discriminated", "derived", "derived", "generic alias", "recursive alias",
    "recursive root", "recursive dataclass", "recursive typed dict", "pair", "told apart", "narrowed", "related",
)  # fmt: skip
CLASS_NAMES = ("Item", "User", "Node", "Tag", "Page", "Team")


class ModelModule:
    """The source of one module.

    Parameters:
        choose: who decides.
        known: the types of other modules, as they are named here.
    """

    def __init__(self, choose: Chooser, known: Names) -> None:
        self.choose = choose
        self.names = Names(list(known.models), list(known.generics), list(known.enums), list(known.others))
        self.own = Names()
        self.lines: list[str] = []
        self.later: list[str] = []
        self._used: set[str] = set()

    def write(self, count: int) -> str:
        """`count` declarations. A field may name a model that comes later, or its own."""
        choose = self.choose
        future = "from __future__ import annotations\n" if chance(choose, 20) else ""
        for _ in range(count):
            self._declare(pick(choose, KINDS))
        return future + PRELUDE + "\n".join(self.lines) + "\n"

    def _declare(self, kind: str) -> None:
        name = self._new_name()
        self.lines.append(CUT)
        getattr(self, "_" + kind.replace(" ", "_"))(name)

    def _new_name(self) -> str:
        name = pick(self.choose, CLASS_NAMES)
        while name in self._used:
            name += "s"
        self._used.add(name)
        return name

    def _add(self, group: str, name: str) -> None:
        getattr(self.names, group).append(name)
        getattr(self.own, group).append(name)

    def _docstring(self) -> str:
        return f"    {pick(self.choose, DOCSTRINGS)!r}"

    def _fields(self, name: str, most: int = 4, *, facts: bool = True, recursive: bool = True) -> list[str]:
        choose = self.choose
        lines = []
        for field in some(choose, FIELD_NAMES, most):
            type_ = annotation(choose, self.names)
            if recursive and chance(choose, 15):
                type_ = pick(choose, (f"'{name} | None'", f"list['{name}']", f"'dict[str, {name}]'"))
            given = ", ".join(some(choose, FACTS, 2)) if facts and chance(choose, 40) else ""
            default = pick(choose, DEFAULTS)
            default = default if default != "FACTORY" else ("" if not given else "default_factory=list")
            value = f" = Field({', '.join(part for part in (default, given) if part)})" if given else ""
            lines.append(f"    {field}: {type_}{value or (f' = {default}' if default else '')}")
            if facts and chance(choose, 10):
                lines.append("    'A docstring of an attribute.'")
        return lines

    def _body(self, name: str, fields: list[str]) -> None:
        choose = self.choose
        lines = [self._docstring(), *fields]
        if chance(choose, 25):
            lines.append(f"    model_config = ConfigDict({', '.join(some(choose, CONFIGS, 3))})")
        if chance(choose, 25):
            lines.append("    " + pick(choose, METHODS).format(annotation(choose, self.names, 1)))
        self.lines += lines
        self._add("models", name)

    def _model(self, name: str) -> None:
        self.lines.append(f"class {name}(BaseModel):")
        self._body(name, self._fields(name))

    def _derived(self, name: str) -> None:
        bases = [base for base in self.names.models if "[" not in base]
        self.lines.append(f"class {name}({pick(self.choose, bases) if bases else 'BaseModel'}):")
        self._body(name, self._fields(name, 2))

    def _enum(self, name: str) -> None:
        base = pick(self.choose, ENUMS)
        numbers = "int" in base.lower()
        members = "    one = 1\n    two = 2" if numbers else "    one = 'first'\n    two = 'second'"
        self.lines += [f"class {name}({base}):", self._docstring(), members]
        self._add("enums", name)

    def _generic(self, name: str) -> None:
        self.lines.append(f"class {name}(BaseModel, Generic[T]):")
        self.lines += [self._docstring(), *self._fields(name, 2, recursive=False)]
        self.lines.append("    content: " + pick(self.choose, ("T", "list[T]", "T | None", "dict[str, T]")))
        self._add("generics", name)

    def _generic_alias(self, name: str) -> None:
        if not self.names.generics:
            return self._model(name)
        inner = annotation(self.choose, self.names, 1)
        self.lines += [f"class {name}({pick(self.choose, self.names.generics)}[{inner}]):"]
        self._body(name, self._fields(name, 1))
        return None

    def _root(self, name: str) -> None:
        self.lines += [f"class {name}(RootModel[{annotation(self.choose, self.names)}]):", self._docstring()]
        self._add("models", name)

    def _dataclass(self, name: str, decorator: str = "dataclasses.dataclass(kw_only=True)") -> None:
        fields = [line for line in self._fields(name, 3, facts=False, recursive=False) if "= [" not in line]
        fields = [line for line in fields if "= {" not in line]
        self.lines += [f"@{decorator}", f"class {name}:", self._docstring(), *fields]
        if chance(self.choose, 15):
            self.lines += ["    @computed_field", "    @property", "    def computed(self) -> int: ..."]
        self._add("others", name)

    def _pydantic_dataclass(self, name: str) -> None:
        self._dataclass(name, "pydantic_dataclass(kw_only=True)")

    def _typed_dict(self, name: str) -> None:
        total = pick(self.choose, ("", ", total=False"))
        fields = [line.split(" = ")[0] for line in self._fields(name, 3, facts=False, recursive=False)]
        self.lines += [f"class {name}(TypedDict{total}):", self._docstring(), *fields]
        self._add("others", name)

    def _named_tuple(self, name: str) -> None:
        fields = [line.split(" = ")[0] for line in self._fields(name, 3, facts=False, recursive=False)]
        self.lines += [f"class {name}(NamedTuple):", self._docstring(), *fields]
        self._add("others", name)

    def _new_type(self, name: str) -> None:
        self.lines.append(f"{name} = NewType('{name}', {pick(self.choose, ('int', 'str', *self.names.models))})")
        self._add("others", name)

    def _alias(self, name: str) -> None:
        self.lines.append(f"{name} = TypeAliasType('{name}', {annotation(self.choose, self.names)})")
        self._add("others", name)

    def _recursive_alias(self, name: str) -> None:
        inner = pick(self.choose, ("int", "str", *self.names.models))
        form = pick(self.choose, ("list['{0}'] | {1}", "Union[dict[str, '{0}'], {1}, None]", "tuple['{0}', ...] | {1}"))
        self.lines.append(f'{name} = TypeAliasType("{name}", "{form.format(name, inner)}")'.replace("'", ""))
        self._add("others", name)

    def _recursive_root(self, name: str) -> None:
        form = pick(self.choose, ("list['{0}'] | int", "dict[str, '{0}']", "'{0} | None'"))
        self.lines += [f"class {name}(RootModel[{form.format(name).replace(chr(39), '')!r}]):", self._docstring()]
        self._add("models", name)

    def _recursive_dataclass(self, name: str) -> None:
        self._dataclass(
            name, pick(self.choose, ("dataclasses.dataclass(kw_only=True)", "pydantic_dataclass(kw_only=True)"))
        )
        self.lines.append(f"    below: 'list[{name}] | None' = None")

    def _recursive_typed_dict(self, name: str) -> None:
        self._typed_dict(name)
        self.lines.append(f"    below: list['{name}']")
        self.lines.append(f"    perhaps: {pick(self.choose, ('NotRequired', 'Required', 'ReadOnly'))}[int]")

    def _pair(self, name: str) -> None:
        """A model with two parameters, one of which has a bound or a default."""
        first = annotation(self.choose, self.names, 0)
        self.lines += ["U = TypeVar('U', bound=BaseModel)", f"class {name}(BaseModel, Generic[T, U]):"]
        self.lines += [self._docstring(), "    first: T", "    second: U | None = None", f"    third: {first} = 1"]
        if self.names.models:
            self._add("others", f"{name}[{first}, {pick(self.choose, self.names.models)}]")

    def _told_apart(self, name: str) -> None:
        """A union whose members a function tells apart."""
        members = (*self.names.models, "int", "str")
        one, two = pick(self.choose, members), pick(self.choose, members)
        self.lines += [f"{name} = Annotated[Union[Annotated[{one}, Tag('one')], Annotated[{two}, Tag('two')]],"]
        self.lines += ["    Discriminator(lambda value: 'one')]"]
        self._add("others", name)

    def _narrowed(self, name: str) -> None:
        """A generic model whose parameter a subclass narrows, and one that stays generic."""
        if not self.names.generics:
            return self._generic(name)
        base = pick(self.choose, self.names.generics)
        self.lines += [f"class {name}({base}[T], Generic[T]):", self._docstring(), "    more: T | None = None"]
        self._add("generics", name)
        return None

    def _related(self, name: str) -> None:
        """Two models that reach each other, one of which has another schema as output."""
        other = f"{name}Other"
        self.lines += [f"class {name}(BaseModel):", self._docstring(), f"    others: 'list[{other}]' = []"]
        self.lines += [f"class {other}(BaseModel):", self._docstring(), f"    back: '{name} | None' = None"]
        self.lines += ["    " + pick(self.choose, METHODS).format(annotation(self.choose, self.names, 1))]
        self._add("models", name)
        self._add("models", other)

    def _discriminated(self, name: str) -> None:
        parts = []
        for kind in ("cat", "dog"):
            parts.append(f"{name}{kind.title()}")
            self.lines.append(f"class {parts[-1]}(BaseModel):")
            fields = [line for line in self._fields(parts[-1], 2, facts=False) if not line.startswith("    kind")]
            self._body(parts[-1], [f"    kind: Literal['{kind}']", *fields])
        members = " | ".join(parts)
        self.lines.append(f"{name} = Annotated[{members}, Field(discriminator='kind')]")
        self._add("others", name)

"""Values of large bodies, validated without holding up the event loop, and with as many mistakes as are shown.

pydantic-core makes all errors of a value in one call, and no other thread runs meanwhile: for a list of 500,000 wrong
items of a body of 1 MiB that takes seconds, and the answer shows a thousand of them. So a value of a large body is
validated by a validator that differs from the type's own in two things: between the items of a container other threads
may run, and once as many mistakes as are wanted are certain, further items are taken as they are.

Where validating runs no code of the user's, nobody can tell where and how often it is done. Then a value of a body
that is not too large is validated on the event loop first, up to its first mistake; if there is one, and with larger
bodies at once, it is validated in a worker thread, one at a time. Where it runs code of the user's, it is done once, on
the event loop.

A mistake is certain unless it may be swallowed: by another choice of a union, by ``on_error``, by a validator of the
user's around it. The count begins anew in each of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, partial
from sys import maxsize
from typing import Any

from pydantic_core import SchemaValidator, ValidationError

from .._error_report import TRUNCATED
from .._fields import Location, ModelField, prefix_locations, schema_validator
from .._threads import compute_aside
from ._plain import is_buildable, runs_no_code

LARGE = 8 * 1024
"""Bytes of a body up to which all its errors are made at once: some thousand, in a few milliseconds."""

HELD = 128 * 1024
"""Bytes of a body up to which a value may be validated on the event loop, if it can be done elsewhere."""

_MORE: dict[str, Any] = {"type": TRUNCATED, "loc": (), "msg": "More errors were left out", "ctx": {}}
_CONTAINERS = frozenset({"dict", "frozenset", "list", "set", "tuple"})
_OBJECTS = frozenset({"dataclass", "model", "typed-dict"})
_PARTS = (
    "choices",
    "definitions",
    "extras_schema",
    "fields",
    "items_schema",
    "json_schema",
    "keys_schema",
    "lax_schema",
    "python_schema",
    "schema",
    "steps",
    "strict_schema",
    "values_schema",
)
"""Where the core schemas of what is inside are. Generators are validated when somebody takes the items: not here."""


class _Count:
    """The mistakes of one validation.

    Parameters:
        most: how many are wanted.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.found = 0
        self.has_skipped = False
        self._shortened: dict[int, tuple[Any, Any]] = {}

    def item(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Validate an item of a container, unless enough mistakes are certain."""
        if self.found >= self.most:
            self.has_skipped = True
            return value
        before = self.found
        try:
            return handler(value)
        except ValidationError as exc:
            self.found = max(self.found, before + exc.error_count())
            raise

    def attempt(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Validate what may be wrong without harm."""
        before = self.found
        try:
            return handler(value)
        finally:
            self.found = before

    def only_some(self, known: frozenset[str], value: Any) -> Any:
        """An object without most of the keys that are forbidden."""
        if not isinstance(value, dict) or len(value) <= len(known) + self.most:
            return value
        left = self.most
        kept = {}
        for key, item in value.items():
            if key not in known:
                if left == 0:
                    continue
                left -= 1
            kept[key] = item
        self.found += self.most
        self._shortened[id(kept)] = kept, value
        return kept

    def as_sent(self, error: Any) -> Any:
        """An error with the object that it is about as it was sent."""
        _, sent = self._shortened.get(id(error["input"]), (None, None))
        return error if sent is None else {**error, "input": sent}


_count: ContextVar[_Count] = ContextVar("ferrapi validation of a large value")


def _item(value: Any, handler: Callable[[Any], Any]) -> Any:
    return _count.get().item(value, handler)


def _attempt(value: Any, handler: Callable[[Any], Any]) -> Any:
    return _count.get().attempt(value, handler)


def _only_some(known: frozenset[str], value: Any) -> Any:
    return _count.get().only_some(known, value)


Change = Callable[[dict[str, Any], Mapping[str, Any]], dict[str, Any]]
"""From a core schema whose parts are changed, and the declared one, to the one in its place."""


def _changed(schema: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """A core schema of which `change` has seen each part, the inner ones first."""
    copy = dict(schema)
    for key in _parts_of(schema):
        copy[key] = _changed_part(copy[key], change)
    return change(copy, schema)


def _changed_part(part: Any, change: Change) -> Any:
    if _is_schema(part):
        return _changed(part, change)
    if isinstance(part, Mapping):  # names or tags to schemas
        return {name: _changed_part(one, change) for name, one in part.items()}
    if isinstance(part, list):
        return [_changed_part(one, change) for one in part]
    if isinstance(part, tuple):  # a choice and its name
        return (_changed(part[0], change), *part[1:])
    return part


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("type"), str)


def _parts_of(schema: Mapping[str, Any]) -> list[str]:
    return [] if schema["type"] in ("call", "generator") else [key for key in _PARTS if schema.get(key) is not None]


def _stops(schema: dict[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "fail_fast": True} if schema["type"] in _CONTAINERS else schema


class _Counting:
    """Has a schema count.

    Parameters:
        schema: the declared one.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._definitions = schema["definitions"] if schema["type"] == "definitions" else []
        self._omits = False  # while the definitions are looked at
        self._omits = self._may_omit(schema)

    def change(self, schema: dict[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
        """Have items counted, and what can be wrong without harm begin anew."""
        kind = schema["type"]
        if kind in _CONTAINERS:
            return self._with_counted_items(schema, declared)
        known = _only_known(declared)
        if known is not None:
            return _with_some_of_the_rest(schema, known)
        if kind == "union":
            return {**schema, "choices": [*map(self._choice, schema["choices"], declared["choices"])]}
        if kind == "function-wrap" or (kind == "default" and schema.get("on_error", "raise") != "raise"):
            return {**schema, "schema": self._wrapped(_attempt, schema["schema"], declared["schema"])}
        if schema.get("extras_schema") is not None:
            return {**schema, "extras_schema": self._wrapped(_item, schema["extras_schema"], declared["extras_schema"])}
        return schema

    def _with_counted_items(self, schema: dict[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
        changed = dict(schema)
        if schema["type"] == "tuple":
            place = schema.get("variadic_item_index")
            if place is not None:
                items = list(schema["items_schema"])
                items[place] = self._wrapped(_item, items[place], declared["items_schema"][place])
                changed["items_schema"] = items
            return changed
        for key in ("items_schema", "keys_schema", "values_schema"):
            inner = declared.get(key)
            if inner is not None and inner["type"] != "any":
                changed[key] = self._wrapped(_item, schema[key], inner)
        return changed

    def _choice(self, choice: Any, declared: Any) -> Any:
        """A choice of a union, under the name that it has in the locations of errors."""
        named = isinstance(declared, tuple)
        inner = declared[0] if named else declared
        if not _may_count(inner):
            return choice
        if named:
            return (self._wrapped(_attempt, choice[0], inner), choice[1])
        whole = {"type": "definitions", "schema": inner, "definitions": self._definitions}
        return (self._wrapped(_attempt, choice, inner), schema_validator(whole if self._definitions else inner).title)

    def _wrapped(self, function: Callable[..., Any], schema: Any, declared: Any) -> Any:
        """A schema with `function` around it, unless it says that an item is left out, which no function may hear."""
        if self._may_omit(declared):
            return schema
        return {"type": "function-wrap", "function": {"type": "no-info", "function": function}, "schema": schema}

    def _may_omit(self, part: Any) -> bool:
        if _is_schema(part):
            if part.get("on_error") == "omit" or (part["type"] == "definition-ref" and self._omits):
                return True
            return any(self._may_omit(part[key]) for key in _parts_of(part))
        if isinstance(part, Mapping):
            return any(map(self._may_omit, part.values()))
        return isinstance(part, (list, tuple)) and any(map(self._may_omit, part))


def _may_count(part: Any) -> bool:
    """Whether anything is counted in a schema, or in what holds some."""
    if _is_schema(part):
        if part["type"] in _CONTAINERS or part["type"] == "definition-ref" or _only_known(part) is not None:
            return True
        return any(_may_count(part[key]) for key in _parts_of(part))
    if isinstance(part, Mapping):
        return any(map(_may_count, part.values()))
    return isinstance(part, (list, tuple)) and any(map(_may_count, part))


def _with_some_of_the_rest(schema: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """An object schema that is given few of the keys that it forbids."""
    place = schema if schema["type"] == "typed-dict" else schema["schema"]
    function = {"type": "no-info", "function": partial(_only_some, known)}
    inner = {key: value for key, value in place.items() if key != "ref"}
    changed = {"type": "function-before", "function": function, "schema": inner}
    if "ref" in place:
        changed["ref"] = place["ref"]
    return changed if place is schema else {**schema, "schema": changed}


def _only_known(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The names of the fields of an object that takes no others; None for any other schema."""
    if schema["type"] not in _OBJECTS:
        return None
    fields = schema if schema["type"] == "typed-dict" else schema["schema"]
    if fields["type"] not in ("dataclass-args", "model-fields", "typed-dict"):
        return None
    settings = schema.get("config") or {}
    if (fields.get("extra_behavior") or settings.get("extra_fields_behavior")) != "forbid":
        return None
    return frozenset(_names(fields["fields"]))


def _names(fields: Any) -> Iterator[str]:
    """All names under which fields may be looked for."""
    named = fields.items() if isinstance(fields, Mapping) else [(field["name"], field) for field in fields]
    for name, field in named:
        yield name
        pending = [field.get("validation_alias")]
        while pending:
            alias = pending.pop()
            if isinstance(alias, str):
                yield alias
            elif isinstance(alias, (list, tuple)):
                pending.extend(alias)


class LargeValues:
    """How the values of one type are validated that are in large bodies.

    Parameters:
        schema: the core schema of the type.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self.runs_code = not runs_no_code(schema)

    @cached_property
    def _first(self) -> SchemaValidator:
        return schema_validator(_changed(self._schema, _stops))

    @cached_property
    def _counting(self) -> SchemaValidator:
        return schema_validator(_changed(self._schema, _Counting(self._schema).change))

    @cached_property
    def _whole(self) -> SchemaValidator:
        return schema_validator(self._schema)

    def first_of_json(self, content: bytes) -> Any:
        """The value of a JSON text.

        Raises:
            ValidationError: with some of its mistakes, if there are any.
        """
        return self._first.validate_json(content)

    def first(self, value: Any) -> Any:
        """The validated value. Raises as `first_of_json`."""
        return self._first.validate_python(value, from_attributes=True)

    def counted(self, value: Any, most: int | None) -> tuple[Any, list[dict[str, Any]]]:
        """The validated value and no errors, or None and errors.

        Parameters:
            value: what was received.
            most: how many are wanted; an entry that says so stands for more. None for all, which may take long.
        """
        count = _Count(maxsize if most is None else most + 1)
        token = _count.set(count)
        try:
            valid = self._counting.validate_python(value, from_attributes=True)
            if count.has_skipped:  # whatever had swallowed the mistakes
                valid = self._whole.validate_python(value, from_attributes=True)
        except ValidationError as exc:
            errors = [count.as_sent(error) for error in exc.errors(include_url=False)]
            return None, errors if most is None or len(errors) <= most else [*errors[:most], _MORE]
        finally:
            _count.reset(token)
        return valid, []


def large_values(field: ModelField) -> LargeValues | None:
    """How values of a field are validated that are in large bodies; None if only its own validator knows."""
    if "_large_values" not in field.__dict__:
        field.__dict__["_large_values"] = _made(field)
    known: LargeValues | None = field.__dict__["_large_values"]
    return known


def _made(field: ModelField) -> LargeValues | None:
    if field.config is not None or not is_buildable(field):
        return None
    if type(field._type_adapter.validator) is not SchemaValidator:  # a plugin of pydantic's is to be asked
        return None
    return LargeValues(field._type_adapter.core_schema)


@dataclass(frozen=True)
class Large:
    """A large body.

    Parameters:
        size: bytes.
        most: how many mistakes are wanted; None for all.
    """

    size: int
    most: int | None

    async def validate(self, field: ModelField, value: Any, loc: Location) -> tuple[Any, list[dict[str, Any]]]:
        """Validate a value of the body, as `ModelField.validate` does."""
        values = large_values(field)
        if values is None or (values.runs_code and self.most is None):
            return field.validate(value, loc=loc)
        if values.runs_code:
            valid, errors = values.counted(value, self.most)
        else:
            if self.size <= HELD:
                try:
                    return values.first(value), []
                except ValidationError:
                    pass  # all that is wrong is found out elsewhere
            valid, errors = await compute_aside(partial(values.counted, value, self.most))
        if errors and errors[-1] is _MORE:
            return valid, [*prefix_locations(errors[:-1], loc), _MORE]
        return valid, prefix_locations(errors, loc)

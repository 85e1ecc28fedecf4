"""Core schemas that validate as those of a type do, but stop early, or count their mistakes.

A schema that counts differs in two things: between the items of a container other threads may run, and once as many
mistakes as are wanted are certain, further items are taken as they are. A mistake is certain unless it may be
swallowed: by another choice of a union, or by ``on_error``. The count begins anew in each of these. What a validator of
the user's is around of stays as it is, since it may look at the mistakes.

Calling Python for each item would cost as much as validating it. So long lists and dictionaries are cut into chunks,
which are validated one by one and put together again; the locations of mistakes are corrected (`true_location`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from itertools import chain, islice
from typing import Any

from pydantic_core import ValidationError

from ..declare.fields import Location, schema_validator

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


class Count:
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
            self.found = before + exc.error_count()  # a container that is too long has no mistakes of its items
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


counter: ContextVar[Count] = ContextVar("ferrapi validation of a large value")


def _item(value: Any, handler: Callable[[Any], Any]) -> Any:
    return counter.get().item(value, handler)


def _attempt(value: Any, handler: Callable[[Any], Any]) -> Any:
    return counter.get().attempt(value, handler)


def _only_some(known: frozenset[str], value: Any) -> Any:
    return counter.get().only_some(known, value)


Change = Callable[[dict[str, Any], Mapping[str, Any]], dict[str, Any]]
"""From a core schema whose parts are changed, and the declared one, to the one in its place."""


_SIZE = 64
"""Items of a chunk."""

# What shows in locations of errors, and is taken out of them: no name that a client could send.
_MARK = secrets.token_hex(8)
_SHORT, _LONG, _LIST, _DICT = (f"{kind} {_MARK}" for kind in ("short", "long", "list", "dict"))


def _length_of_list(value: Any) -> str:
    return _LONG if type(value) is list and len(value) > _SIZE else _SHORT


def _length_of_dict(value: Any) -> str:
    return _LONG if type(value) is dict and len(value) > _SIZE else _SHORT


def _list_chunks(value: list[Any]) -> list[list[Any]]:
    return [value[start : start + _SIZE] for start in range(0, len(value), _SIZE)]


def _dict_chunks(value: dict[Any, Any]) -> list[dict[Any, Any]]:
    items = iter(value.items())
    return [dict(islice(items, _SIZE)) for _ in range(0, len(value), _SIZE)]


def _joined_lists(chunks: list[list[Any]]) -> list[Any]:
    return [*chain.from_iterable(chunks)]


def _joined_dicts(chunks: list[dict[Any, Any]]) -> dict[Any, Any]:
    return dict(chain.from_iterable(chunk.items() for chunk in chunks))


_CHUNKS = {
    "list": (_LIST, _length_of_list, _list_chunks, _joined_lists),
    "dict": (_DICT, _length_of_dict, _dict_chunks, _joined_dicts),
}


def _in_chunks(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list or dictionary that is validated in chunks if it is long."""
    mark, length, split, join = _CHUNKS[schema["type"]]
    short = {key: value for key, value in schema.items() if key != "ref"}
    # The only choice there is: its name is in the locations.
    chunk = {"type": "tagged-union", "discriminator": lambda value: mark, "choices": {mark: short}}
    chunks = {"type": "list", "items_schema": _wrapped(_item, chunk)}
    cut = {"type": "function-before", "function": {"type": "no-info", "function": split}, "schema": chunks}
    long = {"type": "function-after", "function": {"type": "no-info", "function": join}, "schema": cut}
    changed = {
        "type": "tagged-union",
        "discriminator": length,
        "choices": {_SHORT: short, _LONG: long},
    }
    return {**changed, "ref": schema["ref"]} if "ref" in schema else changed


def true_location(location: Location) -> Location:
    """The location of a mistake in the value as it was sent."""
    if _MARK not in repr(location):
        return location
    true: list[Any] = []
    chunk: int | None = None
    for step in location:
        if step in (_LIST, _DICT):
            number = true.pop()
            chunk = number if step == _LIST else None
        elif chunk is not None and isinstance(step, int):
            true.append(chunk * _SIZE + step)
            chunk = None
        elif step not in (_SHORT, _LONG):
            true.append(step)
    return tuple(true)


def _wrapped(function: Callable[..., Any], schema: Any) -> dict[str, Any]:
    return {"type": "function-wrap", "function": {"type": "no-info", "function": function}, "schema": schema}


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
        if kind == "function-wrap":
            return dict(declared)
        if kind == "default" and schema.get("on_error", "raise") != "raise":
            return {**schema, "schema": self._unless_omitted(_attempt, schema["schema"], declared["schema"])}
        if schema.get("extras_schema") is not None:
            return {
                **schema,
                "extras_schema": self._unless_omitted(_item, schema["extras_schema"], declared["extras_schema"]),
            }
        return schema

    def _with_counted_items(self, schema: dict[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
        if schema["type"] in _CHUNKS and not any(schema.get(key) is not None for key in ("min_length", "max_length")):
            return schema if self._may_omit(declared) else _in_chunks(schema)
        changed = dict(schema)
        if schema["type"] == "tuple":
            place = schema.get("variadic_item_index")
            if place is not None:
                items = list(schema["items_schema"])
                items[place] = self._unless_omitted(_item, items[place], declared["items_schema"][place])
                changed["items_schema"] = items
            return changed
        for key in ("items_schema", "keys_schema", "values_schema"):
            inner = declared.get(key)
            if inner is not None and inner["type"] != "any":
                changed[key] = self._unless_omitted(_item, schema[key], inner)
        return changed

    def _choice(self, choice: Any, declared: Any) -> Any:
        """A choice of a union, under the name that it has in the locations of errors."""
        named = isinstance(declared, tuple)
        inner = declared[0] if named else declared
        if not _any_schema(inner, _counts):
            return choice
        if named:
            return (self._unless_omitted(_attempt, choice[0], inner), choice[1])
        whole = {"type": "definitions", "schema": inner, "definitions": self._definitions}
        return (
            self._unless_omitted(_attempt, choice, inner),
            schema_validator(whole if self._definitions else inner).title,
        )

    def _unless_omitted(self, function: Callable[..., Any], schema: Any, declared: Any) -> Any:
        """A schema with `function` around it, unless it says that an item is left out, which no function may hear."""
        return schema if self._may_omit(declared) else _wrapped(function, schema)

    def _may_omit(self, part: Any) -> bool:
        def omits(schema: Mapping[str, Any]) -> bool:
            return schema.get("on_error") == "omit" or (schema["type"] == "definition-ref" and self._omits)

        return _any_schema(part, omits)


def _any_schema(part: Any, is_such: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Whether a schema, or anything in it or in what holds some, is one of those that are asked for."""
    if _is_schema(part):
        return is_such(part) or any(_any_schema(part[key], is_such) for key in _parts_of(part))
    if isinstance(part, Mapping):
        return any(_any_schema(one, is_such) for one in part.values())
    return isinstance(part, (list, tuple)) and any(_any_schema(one, is_such) for one in part)


def _counts(schema: Mapping[str, Any]) -> bool:
    """Whether a schema counts itself, or may by way of a definition."""
    return schema["type"] in _CONTAINERS or schema["type"] == "definition-ref" or _only_known(schema) is not None


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


def stopping(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that stops at the first wrong item of a container."""
    return _changed(schema, _stops)


def counting(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that counts, with the `counter` of the context."""
    return _changed(schema, _Counting(schema).change)

"""The mistakes in a large JSON body, found out without holding up the event loop.

pydantic-core makes all errors of a value in one call, and no other thread runs meanwhile: for a list of 500,000 wrong
items of a body of 1 MiB that takes seconds, and the answer shows a thousand of them. So a large body is validated up to
its first mistake. If there is one, the body is validated once more in a worker thread, by a validator that takes items
as they are once enough of them were wrong, and lets other threads run between items.

This is for bodies of which validating runs no code of the user's (`_json_body.early_model`): nobody can tell how often
that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from pydantic_core import SchemaValidator, ValidationError, from_json

from .._error_report import TRUNCATED
from .._fields import Location, prefix_locations

LARGE = 8 * 1024
"""Bytes of a body up to which all its errors are made at once: some thousand, in a few milliseconds."""

_INSIDE = ("schema", "items_schema")


class _Count:
    """The errors of one validation.

    Parameters:
        most: how many are wanted.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.found = 0
        self._shortened: dict[int, tuple[Any, Any]] = {}

    def item(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Validate an item of a list, unless enough errors were found."""
        if self.found >= self.most:
            return value
        before = self.found
        try:
            return handler(value)
        except ValidationError as exc:
            self.found = max(self.found, before + exc.error_count())
            raise

    def only_some(self, value: Any, known: frozenset[str]) -> Any:
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


def _item(value: Any, handler: Callable[[Any], Any], info: Any) -> Any:
    return info.context.item(value, handler)


def _changed(schema: Mapping[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A core schema of which `change` has seen each part, the inner ones first."""
    copy = dict(schema)
    for key in _INSIDE:
        if isinstance(copy.get(key), Mapping):
            copy[key] = _changed(copy[key], change)
    if copy["type"] == "definitions":
        copy["definitions"] = [_changed(one, change) for one in copy["definitions"]]
    if copy["type"] == "model-fields":
        copy["fields"] = {name: _changed(field, change) for name, field in copy["fields"].items()}
    return change(copy)


def _stops(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "fail_fast": True} if schema["type"] == "list" else schema


def _counts(schema: dict[str, Any]) -> dict[str, Any]:
    if schema["type"] == "list" and schema.get("items_schema") is not None:
        function = {"type": "with-info", "function": _item}
        items = {"type": "function-wrap", "function": function, "schema": schema["items_schema"]}
        return {**schema, "items_schema": items}
    if schema["type"] == "model" and _forbids(schema):
        known = frozenset(_names(schema["schema"]))
        function = {"type": "with-info", "function": lambda value, info: info.context.only_some(value, known)}
        return {**schema, "schema": {"type": "function-before", "function": function, "schema": schema["schema"]}}
    return schema


def _forbids(model: Mapping[str, Any]) -> bool:
    """Whether a model of plain fields takes no others."""
    fields, config = model["schema"], model.get("config") or {}
    if fields["type"] != "model-fields":
        return False
    return bool((fields.get("extra_behavior") or config.get("extra_fields_behavior")) == "forbid")


def _names(fields: Mapping[str, Any]) -> list[str]:
    """All names under which the fields of a model may be looked for."""
    names = list(fields["fields"])
    for field in fields["fields"].values():
        pending = [field.get("validation_alias")]
        while pending:
            alias = pending.pop()
            if isinstance(alias, str):
                names.append(alias)
            elif isinstance(alias, (list, tuple)):
                pending.extend(alias)
    return names


def _validator(schema: Any) -> SchemaValidator:
    # Validators that models have already would not be changed.
    return SchemaValidator(schema, None, _use_prebuilt=False)


class LargeModel:
    """How a large body of one model is validated.

    Parameters:
        schema: the core schema of the body.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    @cached_property
    def _first(self) -> SchemaValidator:
        return _validator(_changed(self._schema, _stops))

    @cached_property
    def _counting(self) -> SchemaValidator:
        return _validator(_changed(self._schema, _counts))

    @cached_property
    def _whole(self) -> SchemaValidator:
        return _validator(self._schema)

    def validate(self, content: bytes) -> Any:
        """The value of a body.

        Raises:
            ValidationError: with some of its mistakes, if there are any.
        """
        return self._first.validate_json(content)

    def errors(self, content: bytes, most: int | None, prefix: Location) -> list[dict[str, Any]]:
        """The mistakes in a body that has some; as for the parsed value.

        Parameters:
            content: the body.
            most: how many are wanted; an entry that says so stands for more. None for all, which may take long.
            prefix: what their locations begin with.
        """
        value = from_json(content)
        if most is None:
            validator, count = self._whole, _Count(0)
        else:
            validator, count = self._counting, _Count(most + 1)
        try:
            validator.validate_python(value, context=count, from_attributes=True)
        except ValidationError as exc:
            errors = [count.as_sent(error) for error in exc.errors(include_url=False)]
            more = most is not None and len(errors) > most
            return [*prefix_locations(errors[:most], prefix), *([_MORE] if more else ())]
        return []


_MORE: dict[str, Any] = {"type": TRUNCATED, "loc": (), "msg": "More errors were left out", "ctx": {}}

"""Values of large bodies, validated without holding up the event loop, and with as many mistakes as are shown.

pydantic-core makes all errors of a value in one call, and no other thread runs meanwhile: for a list of 500,000 wrong
items of a body of 1 MiB that takes seconds, and the answer shows a thousand of them. So a value of a large body is
validated by a schema that counts (`counting.py`).

Where validating runs no code of the user's, nobody can tell where and how often it is done. Then a value of a body
that is not too large is validated on the event loop first, up to its first mistake; if there is one, and with larger
bodies at once, it is validated in a worker thread, one at a time. Where it runs code of the user's, it is done once, on
the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from sys import maxsize
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, ValidationError

from .._error_report import TRUNCATED
from .._threads import compute_aside
from ..declare.fields import Location, ModelField, prefix_locations, schema_validator
from .counting import Count, counter, counting, stopping, true_location
from .plain import is_buildable, runs_no_code

LARGE = 8 * 1024
"""Bytes of a body up to which all its errors are made at once: some thousand, in a few milliseconds."""

HELD = 128 * 1024
"""Bytes of a body up to which a value may be validated on the event loop, if it can be done elsewhere."""

_MORE: dict[str, Any] = {"type": TRUNCATED, "loc": (), "msg": "More errors were left out", "ctx": {}}


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
        return self._with(stopping)

    @cached_property
    def _counting(self) -> SchemaValidator:
        return self._with(counting)

    @cached_property
    def _whole(self) -> SchemaValidator:
        return schema_validator(self._schema)

    def _with(self, changed: Callable[[Mapping[str, Any]], dict[str, Any]]) -> SchemaValidator:
        try:
            return schema_validator(changed(self._schema))
        except SchemaError:  # from a release of pydantic-core that knows other schemas
            return self._whole

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
        count = Count(maxsize if most is None else most + 1)
        token = counter.set(count)
        try:
            valid = self._counting.validate_python(value, from_attributes=True)
            if count.has_skipped:  # whatever had swallowed the mistakes
                valid = self._whole.validate_python(value, from_attributes=True)
        except ValidationError as exc:
            errors = [
                {**count.as_sent(error), "loc": true_location(error["loc"])} for error in exc.errors(include_url=False)
            ]
            return None, errors if most is None or len(errors) <= most else [*errors[:most], _MORE]
        finally:
            counter.reset(token)
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

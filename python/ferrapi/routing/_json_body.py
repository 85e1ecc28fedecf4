"""The short way for a JSON body that is one model: from the bytes to the model, without Python objects in between.

Only for types that pydantic-core validates from JSON exactly as from the parsed values (`is_same_from_json`), and only
when everything is right: whatever is not, is read again the long way, which knows FastAPI's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError

from .. import params
from ..dependencies import _plain
from ._exchange import Exchange
from ._read import is_json

if TYPE_CHECKING:
    from ._plan import Plan, Values


class JsonBody:
    """How to read the one body parameter of an endpoint.

    Parameters:
        name: the keyword argument.
        validator: pydantic-core's validator of its type.
        strict: whether a request without a content type has no JSON.
    """

    def __init__(self, name: str, validator: Any, strict: bool) -> None:
        self.name = name
        self.validate_json = validator.validate_json
        self.strict = strict

    @classmethod
    def of(cls, plan: Plan, strict: bool) -> JsonBody | None:
        """The short way for `plan`, if there is one."""
        fields = plan.endpoint.dependant.body_params
        if not plan.simple or plan.embed or len(fields) != 1:
            return None
        field = fields[0]
        if isinstance(field.field_info, params.Form) or not _plain.is_buildable(field):
            return None
        if not _plain.is_same_from_json(_plain.bare_schema(field)):
            return None
        return cls(field.name, field._type_adapter.validator, strict)

    def fits(self, x: Exchange) -> bool:
        """Whether it is worth while to read the body."""
        return True

    def complete(self, x: Exchange, body: bytes, values: Values) -> Values | None:
        """`values` with what `body` says; None if it has to be read the long way."""
        if not body or not is_json(x, self.strict):
            return None
        try:
            values[self.name] = self.validate_json(body)
        except ValidationError:
            return None
        return values

"""The short way for a JSON body that is one model: from the bytes to the model, without Python objects in between.

Only for types that pydantic-core validates from JSON exactly as from the parsed values (`is_same_from_json`). Mistakes
that it describes in the same words for both are reported at once; with any other, the body is read again the long way,
which knows FastAPI's errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError

from .. import params
from .._fields import prefix_locations
from ..dependencies import _plain
from ..exceptions import EndpointContext, RequestValidationError

if TYPE_CHECKING:
    from ._plan import Plan

_SAME_WORDS = frozenset(
    {
        "bool_parsing",
        "bool_type",
        "extra_forbidden",
        "float_parsing",
        "float_type",
        "greater_than",
        "greater_than_equal",
        "int_from_float",
        "int_parsing",
        "int_parsing_size",
        "int_type",
        "less_than",
        "less_than_equal",
        "literal_error",
        "missing",
        "multiple_of",
        "string_pattern_mismatch",
        "string_too_long",
        "string_too_short",
        "string_type",
        "too_long",
        "too_short",
        "uuid_parsing",
        "uuid_type",
    }
)
"""Types of errors with one message. Others speak of arrays and objects in JSON, of lists and dictionaries elsewhere."""


class JsonBody:
    """How to read the one body parameter of an endpoint.

    Parameters:
        name: the keyword argument.
        validator: pydantic-core's validator of its type.
        strict: whether a request without a content type has no JSON.
        context: names the endpoint in errors; called when there is one.
    """

    def __init__(self, name: str, validator: Any, strict: bool, context: Callable[[], EndpointContext]) -> None:
        self.name = name
        self.validate_json = validator.validate_json
        self.strict = strict
        self.context = context

    @classmethod
    def of(cls, plan: Plan, strict: bool, context: Callable[[], EndpointContext]) -> JsonBody | None:
        """The short way for `plan`, if there is one."""
        fields = plan.endpoint.dependant.body_params
        if not plan.simple or plan.embed or len(fields) != 1:
            return None
        field = fields[0]
        if isinstance(field.field_info, params.Form) or not _plain.is_buildable(field):
            return None
        if not _plain.is_same_from_json(_plain.bare_schema(field)):
            return None
        return cls(field.name, field._type_adapter.validator, strict, context)

    def refuse(self, body: bytes, exc: ValidationError) -> None:
        """Report the mistakes in `body`; come back if it has to be read the long way for that.

        Raises:
            RequestValidationError: for mistakes that can be reported without that.
        """
        errors = exc.errors(include_url=False)
        if all(error["type"] in _SAME_WORDS for error in errors):
            raise RequestValidationError.of_json(prefix_locations(errors, ("body",)), body, self.context())

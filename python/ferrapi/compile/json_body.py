"""The short way for a JSON body that is one model: from the bytes to the model, without Python objects in between.

Only for types that pydantic-core validates from JSON exactly as from the parsed values (`is_same_from_json`). Mistakes
that it describes in the same words for both are reported as they are; with any other, the body is parsed and validated
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import ValidationError

from .. import params
from .large_values import large_values
from .plain import bare_schema, is_buildable, is_same_from_json

if TYPE_CHECKING:
    from .boundary import EarlyModel
    from .plan import Plan

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


def early_model(plan: Plan) -> EarlyModel | None:
    """How to read the one parameter that is the body; None if it has to be parsed first."""
    step = plan.body_step
    if step is None or step.embed or len(step.dependant.body_params) != 1:
        return None
    field = step.dependant.body_params[0]
    if isinstance(field.field_info, params.Form) or not is_buildable(field):
        return None
    if not is_same_from_json(bare_schema(field)):
        return None
    large = large_values(field)
    return {
        "step": step.index,
        "name": field.name,
        "validate": field._type_adapter.validator.validate_json,
        "large": None if large is None or large.runs_code else large.first_of_json,
    }


def is_refused_alike(exc: ValidationError) -> bool:
    """Whether a body is refused in the words in which the parsed value would be."""
    return all(error["type"] in _SAME_WORDS for error in exc.errors(include_url=False))

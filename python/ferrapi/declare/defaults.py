"""What the options of routes are by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from starlette.responses import JSONResponse

from ..datastructures import Default
from ..utils import generate_unique_id

T = TypeVar("T")

SET_BY_DEFAULT: Mapping[str, Any] = {
    "response_model": Default(None),
    "response_description": "Successful Response",
    "response_model_by_alias": True,
    "response_model_exclude_unset": False,
    "response_model_exclude_defaults": False,
    "response_model_exclude_none": False,
    "include_in_schema": True,
    "response_class": Default(JSONResponse),
    "generate_unique_id_function": Default(generate_unique_id),
    "strict_content_type": Default(True),
}
"""By name; the other options are None."""


def first_set(*values: T | None) -> T | None:
    """The first that is set: what the innermost says of those who may say something."""
    return next((value for value in values if value is not None), None)

"""`fastapi._form_limits`: the limits of forms, for code that imports FastAPI's private module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._names import names_of
from .declare.limits import FormLimits as _FormLimits
from .declare.limits import validate_form_limits as _validate_form_limits

__all__ = ["_FormLimits", "_validate_form_limits"]

if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

"""The short way for an urlencoded form of plain fields: from the bytes to the keyword arguments in one native call.

Only when everything is right: whatever is not, is read again the long way, which knows FastAPI's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._native import FormReader
from ..dependencies import _body
from ._limits import FormBounds

if TYPE_CHECKING:
    from ._plan import Plan


class FormBody:
    """How to read the body parameters of an endpoint.

    Parameters:
        reader: the native reader of the fields.
        bounds: of the form.
    """

    def __init__(self, reader: FormReader, bounds: FormBounds) -> None:
        self.reader = reader
        self.bounds = bounds

    @classmethod
    def of(cls, plan: Plan, bounds: FormBounds) -> FormBody | None:
        """The short way for `plan`, if there is one."""
        fields = plan.endpoint.dependant.body_params
        if not plan.simple or not _body.is_form(fields):
            return None
        reader = _body.form_reader(fields)
        return None if reader is None else cls(reader, bounds)

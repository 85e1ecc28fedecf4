"""The short way for an urlencoded form of plain fields: from the bytes to the keyword arguments in one native call.

Only when everything is right: whatever is not, is read again the long way, which knows FastAPI's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._native import FormReader
from ..dependencies import _body
from ._exchange import Exchange
from ._limits import FormBounds

if TYPE_CHECKING:
    from ._plan import Plan, Values


class FormBody:
    """How to read the body parameters of an endpoint.

    Parameters:
        reader: the native reader of the fields.
        bounds: of the form.
    """

    def __init__(self, reader: FormReader, bounds: FormBounds) -> None:
        self.read_body = reader.read_body
        self.bounds = bounds

    @classmethod
    def of(cls, plan: Plan, bounds: FormBounds) -> FormBody | None:
        """The short way for `plan`, if there is one."""
        fields = plan.endpoint.dependant.body_params
        if not plan.simple or not _body.is_form(fields):
            return None
        reader = _body.form_reader(fields)
        return None if reader is None else cls(reader, bounds)

    def fits(self, declared: bytes | None) -> bool:
        """Whether it is worth while to read a body of the `declared` type; that of no form is not to be read at all."""
        return declared is not None and declared.startswith(b"application/x-www-form-urlencoded")

    def complete(self, x: Exchange, declared: bytes | None, body: bytes, values: Values) -> Values | None:
        """`values` with what `body` says; None if it has to be read the long way."""
        bounds = self.bounds.inside(x)
        found = self.read_body(declared or b"", body, bounds.max_fields, bounds.max_part_size)
        if found is None:
            return None
        if values:
            found.update(values)
        return found

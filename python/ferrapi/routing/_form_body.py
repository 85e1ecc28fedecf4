"""The short way for a form of plain fields: from the pairs to the keyword arguments in one native call.

Only when everything is right: whatever is not, is read again the long way, which knows FastAPI's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._native import FormReader
from ..dependencies import _body
from ._exchange import Exchange
from ._limits import FormBounds
from ._read import read_form

if TYPE_CHECKING:
    from ._plan import Plan, Values


class FormBody:
    """How to read the body parameters of an endpoint.

    Parameters:
        reader: the native reader of the fields.
        bounds: of the form.
    """

    def __init__(self, reader: FormReader, bounds: FormBounds) -> None:
        self.read = reader.read
        self.bounds = bounds

    @classmethod
    def of(cls, plan: Plan, bounds: FormBounds) -> FormBody | None:
        """The short way for `plan`, if there is one."""
        fields = plan.endpoint.dependant.body_params
        if not plan.simple or not _body.is_form(fields):
            return None
        reader = _body.form_reader(fields)
        return None if reader is None else cls(reader, bounds)

    async def complete(self, x: Exchange, values: Values) -> Values | None:
        """`values` with the body; None if it has to be read the long way."""
        form = await read_form(x, self.bounds)
        found = self.read(form._list)
        if found is None:
            return None
        if values:
            found.update(values)
        return found

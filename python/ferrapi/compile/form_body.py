"""The short way for an urlencoded form of plain fields: from the bytes to the keyword arguments in one native call.

Only when everything is right: whatever is not, is read again the long way, which knows FastAPI's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare.body import is_form
from .form_reader import form_reader

if TYPE_CHECKING:
    from ..declare.limits import FormBounds
    from .boundary import PlainForm
    from .plan import Plan


def plain_form(plan: Plan, bounds: FormBounds) -> PlainForm | None:
    """How to read the body parameters, if they all are plain and belong to one step.

    Parameters:
        plan: whose parameters they are.
        bounds: of the form.
    """
    step = plan.body_step
    # Whoever sees the request may ask it for the form. A security scheme whose header is read natively doesn't see it.
    if any(one.specials and one.read_credentials is None for one in plan.steps):
        return None
    if step is None or not is_form(step.dependant.body_params):
        return None
    reader = form_reader(step.dependant.body_params)
    if reader is None:
        return None
    return {
        "step": step.index,
        "reader": reader,
        "max_fields": bounds.max_fields,
        "max_part_size": bounds.max_part_size,
    }

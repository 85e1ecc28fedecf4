"""The limits that may be declared of what a client sends: the bytes of a body, and the parts of a form.

Each of an application, an include, a router and a route may set them; the innermost that does decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, TypedDict, cast

from pydantic_core import SchemaValidator, core_schema
from starlette.types import Scope

from ..exceptions import LimitError
from .defaults import first_set

FORM_LIMITS = "ferrapi.form_limits"
MOST = 2**63  # more than any parser can count


class FormLimits(TypedDict, total=False):
    """Limits of automatic form parsing; one that is left out is inherited.

    max_fields: number of text fields. max_files: number of files. max_part_size: bytes of one text field.
    """

    max_fields: int
    max_files: int
    max_part_size: int


def validate_max_body_size(max_body_size: int | None) -> None:
    """Check the limit of a body in bytes.

    Raises:
        LimitError: unless it is None or a non-negative integer.
    """
    if max_body_size is not None and (type(max_body_size) is not int or max_body_size < 0):
        raise LimitError("max_body_size must be a non-negative integer or None")


def get_body_size_limit(*limits: int | None) -> int | None:
    """The limit that applies: the first that is set."""
    return first_set(*limits)


def validate_form_limits(limits: Mapping[str, Any] | None) -> FormLimits:
    """A copy of `limits`.

    Raises:
        pydantic.ValidationError: for a limit that doesn't exist or is no non-negative integer.
    """
    if limits is None:
        return {}
    return cast(FormLimits, _form_limits().validate_python(limits))


@cache
def _form_limits() -> SchemaValidator:
    limit = core_schema.typed_dict_field(core_schema.int_schema(strict=True, ge=0), required=False)
    return SchemaValidator(
        core_schema.typed_dict_schema(
            dict.fromkeys(FormLimits.__annotations__, limit),
            cls_name="_FormLimits",  # FastAPI's name for it, which is in the error
            extra_behavior="forbid",
            strict=True,
        )
    )


def inherit_form_limits(scope: Scope, limits: FormLimits) -> None:
    """Apply the limits of a router to the requests that it is serving, mounted applications included."""
    scope[FORM_LIMITS] = {**scope.get(FORM_LIMITS, {}), **limits}


class FormBounds(NamedTuple):
    """The limits of a form's parser, all set; those that nobody has set are Starlette's."""

    max_files: int = 1000
    max_fields: int = 1000
    max_part_size: int = 1024 * 1024
    own: FormLimits = {}

    @classmethod
    def of(cls, limits: FormLimits) -> FormBounds:
        """The bounds of a route with `limits` of its own."""
        known = {name: min(cast(int, limit), MOST) for name, limit in limits.items()}
        return cls(**known, own=limits)

    def inside(self, inherited: FormLimits | None) -> FormBounds:
        """The bounds of a request to the route, wherever the route is mounted: where limits are inherited."""
        return self if inherited is None else FormBounds.of({**inherited, **self.own})

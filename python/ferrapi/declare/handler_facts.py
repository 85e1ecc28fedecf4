"""`HandlerFacts`: what a route's handler was made with.

FastAPI makes the handler of a route when the route is declared, or used at a place for the first time, from what the
route says then. Edits of these attributes have no effect on requests later; only what is edited inside of the
dependant has. So the engine reads these facts, never the route.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ..datastructures import Default
from ..types import IncEx
from ..utils import ModelField
from .limits import FormLimits

if TYPE_CHECKING:
    from ..dependencies.models import Dependant


@dataclass
class HandlerFacts:
    """The parameters are attributes of `APIRoute` with the same names."""

    dependant: Dependant
    endpoint: Any
    path_format: str = ""
    methods: Any = ()
    status_code: int | None = None
    response_class: Any = None
    response_field: ModelField | None = None
    response_model_include: IncEx | None = None
    response_model_exclude: IncEx | None = None
    response_model_by_alias: bool = True
    response_model_exclude_unset: bool = False
    response_model_exclude_defaults: bool = False
    response_model_exclude_none: bool = False
    dependency_overrides_provider: Any = None
    _embed_body_fields: bool = False
    strict_content_type: Any = field(default_factory=lambda: Default(True))
    stream_item_field: ModelField | None = None
    is_json_stream: bool = False
    is_sse_stream: bool = False
    max_body_size: int | None = None
    _body_encoding: str | None = None
    _outer_form_limits: FormLimits = field(default_factory=FormLimits)
    form_limits: FormLimits | None = None
    dependencies_before_body: bool | None = None
    cancel_on_disconnect: bool | None = None

    @classmethod
    def of(cls, route: Any) -> HandlerFacts:
        """The facts of `route`, as of now."""
        return cls(*[getattr(route, name) for name in _NAMES])


_NAMES = tuple(one.name for one in fields(HandlerFacts))

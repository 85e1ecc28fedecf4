"""What crosses the native boundary once per route, as typed dictionaries.

`rust/src/plan/` mirrors these key by key. A mistake on this side is a `PlanError` there, at
start-up, never per request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from pydantic_core import SchemaValidator, core_schema

from ._fields import ModelField
from .dependencies._models import wants_many
from .dependencies._plain import bare_schema, parameters
from .dependencies._values import names_of
from .dependencies.models import Dependant


class ParamPlan(TypedDict):
    """One parameter to read.

    source: where it is. key: the keyword argument. names: the names it may be sent under, preferred first (header names
    in lower case). many: whether all values count. default: what applies if it isn't sent; make_default: what makes
    that. Without either it is required.
    """

    source: Literal["path", "query", "header", "cookie", "form"]
    key: str
    names: list[str]
    many: bool
    default: NotRequired[Any]
    make_default: NotRequired[Callable[[], Any]]


class GroupPlan(TypedDict):
    """The parameters of one callable and the validator of the dictionary that holds them."""

    params: list[ParamPlan]
    validator: SchemaValidator | None


class RoutePlan(TypedDict):
    """One entry of the route table.

    path: the template, None if the route can't be seen into. prefix: whether anything may follow the template. exact:
    whether a match of the template is a match of the route; otherwise the route is asked (``matches(scope)``).
    protocol: the scope type it serves, None for both. methods: None for all. convertors: of each parameter, its name in
    the template and what makes its value, None for text. target: what the table answers with.
    """

    path: str | None
    prefix: bool
    exact: bool
    protocol: Literal["http", "websocket"] | None
    methods: list[str] | None
    convertors: list[tuple[str, str, Callable[[str], Any] | None]]
    target: Any


_IMMUTABLE = (type(None), str, int, float, bool, bytes)


def _param_plan(source: Any, field: ModelField) -> ParamPlan:
    names = names_of(field)
    plan: ParamPlan = {
        "source": source,
        "key": field.name,
        "names": [name.lower() for name in names] if source == "header" else names,
        "many": source in ("query", "header", "form") and wants_many(field.field_info),
    }
    if not field.required:
        default = field.field_info.default
        if type(default) in _IMMUTABLE:
            plan["default"] = default
        else:
            plan["make_default"] = field.get_default
    return plan


def _group_plan(dependant: Dependant) -> GroupPlan:
    return _plan_of([(source.value, field) for source, field in parameters(dependant)])


def form_plan(fields: Sequence[ModelField]) -> GroupPlan:
    """The plan of the native reader of a form's fields."""
    return _plan_of([("form", field) for field in fields])


def _plan_of(declared: Sequence[tuple[str, ModelField]]) -> GroupPlan:
    if not declared:
        return {"params": [], "validator": None}
    fields = {
        field.name: core_schema.typed_dict_field(bare_schema(field), required=field.required) for _, field in declared
    }
    return {
        "params": [_param_plan(source, field) for source, field in declared],
        "validator": SchemaValidator(core_schema.typed_dict_schema(fields)),
    }


def reader_plan(dependants: Sequence[Dependant | None]) -> list[GroupPlan | None]:
    """The plan of the native reader: a group for each callable, None for those that it must leave alone."""
    return [None if dependant is None else _group_plan(dependant) for dependant in dependants]

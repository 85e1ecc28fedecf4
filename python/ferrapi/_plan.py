"""What crosses the native boundary once per route, as typed dictionaries.

`rust/src/plan/` mirrors these key by key (programs: `rust/src/run/program.rs`). A mistake on this side is a `PlanError`
there, at start-up, never per request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from pydantic_core import SchemaValidator, core_schema

from ._fields import ModelField
from ._native import EditCounter, FormReader, Reader
from .dependencies._models import wants_many
from .dependencies._plain import Shape, bare_schema, parameters
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


class StepPlan(TypedDict):
    """One use of one callable in a program.

    action: ``call`` awaits what the callable returns, ``thread`` as well; ``context`` enters the asynchronous generator
    or context manager that it returns; ``credentials`` gives it the header named `header` as text or None, unless that
    is a token after `token_scheme`; ``same`` has the result of the step numbered `same`. call: the callable. feeds:
    keyword arguments that are results of earlier steps. reads: whether there are parameters of the request among them.
    specials: keyword arguments that are objects of the exchange, each with how to get it.
    """

    action: Literal["call", "thread", "context", "credentials", "same"]
    call: Callable[..., Any]
    feeds: list[tuple[str, int]]
    reads: bool
    specials: list[tuple[str, Callable[[Any], Any]]]
    header: NotRequired[bytes]
    token_scheme: NotRequired[bytes | None]
    same: NotRequired[int]


class BodyPlan(TypedDict):
    """How the body of a program with one step is read.

    kind: ``json`` for one model from its bytes (`name`, `validate`, `strict`: whether a request without a content type
    has no JSON), ``form`` for plain fields of an urlencoded form (`reader`, `max_fields`, `max_part_size` in bytes).
    """

    kind: Literal["json", "form"]
    name: NotRequired[str]
    validate: NotRequired[Callable[[bytes], Any]]
    strict: NotRequired[bool]
    reader: NotRequired[FormReader]
    max_fields: NotRequired[int]
    max_part_size: NotRequired[int]


class ReplyPlan(TypedDict):
    """How the endpoint's result becomes a response.

    kind: ``data`` encodes plain data; ``model`` validates and serializes what is no `response` (`shape`: what it is
    if it is plain data, which no options change); ``text`` takes a text as it is, if `validate` takes it (None for no
    model); ``other`` leaves it to Python, as the others do with what they don't expect. status, content_type: of what
    is made here.
    """

    kind: Literal["data", "model", "text", "other"]
    status: int
    content_type: bytes
    validate: NotRequired[Callable[..., Any] | None]
    to_json: NotRequired[Callable[[Any], bytes]]
    response: NotRequired[type]
    shape: NotRequired[Shape | None]


class ProgramPlan(TypedDict):
    """A route's plan, in the form in which it is run natively.

    provider: its ``dependency_overrides`` have to be empty. settings: counts how often they are replaced, if the
    provider announces that. reader: reads the parameters of all steps, if there are
    any. steps: the last is the endpoint. placed: the effective route of an included one. http_handler: ferrapi's own
    handler of HTTP exceptions. reference: goes on in Python (`ferrapi.routing._program.Reference`).
    """

    provider: Any
    settings: EditCounter | None
    reader: Reader | None
    steps: list[StepPlan]
    body: BodyPlan | None
    reply: ReplyPlan
    placed: Any
    http_handler: Any
    reference: Any


_IMMUTABLE = (type(None), str, int, float, bool, bytes)


def _param_plan(source: Any, field: ModelField) -> ParamPlan:
    names = names_of(field)
    plan: ParamPlan = {
        "source": source,
        "key": field.name,
        "names": [name.lower() for name in names] if source == "header" else names,
        "many": source in ("query", "header", "form") and wants_many(field.field_info),
    }
    if not field.field_info.is_required():
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
        field.name: core_schema.typed_dict_field(bare_schema(field), required=field.field_info.is_required())
        for _, field in declared
    }
    return {
        "params": [_param_plan(source, field) for source, field in declared],
        "validator": SchemaValidator(core_schema.typed_dict_schema(fields)),
    }


def reader_plan(dependants: Sequence[Dependant | None]) -> list[GroupPlan | None]:
    """The plan of the native reader: a group for each callable, None for those that it must leave alone."""
    return [None if dependant is None else _group_plan(dependant) for dependant in dependants]

"""What crosses the native boundary once per route, as typed dictionaries.

`rust/src/plan/` mirrors these key by key (programs: `rust/src/run/program.rs`). A mistake on this side is a `PlanError`
there, at start-up, never per request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from pydantic_core import SchemaValidator, core_schema

from .._facts import Facts
from .._native import FormReader, Reader, VersionCounter
from ..declare.fields import ModelField, schema_validator
from ..declare.parameter_models import wants_many
from ..declare.sent import model_of_source, names_of
from ..dependencies.models import Dependant
from .plain import Shape, bare_schema, parameters


class ParamModelPlan(TypedDict):
    """How the dictionary is read that a model is made of which stands for a whole source.

    fields: of each the names that it may be sent under, preferred first, with the key under which the model knows it;
    and whether all values count. forbids: whether nothing else may be sent. optional: whether it is absent if nothing
    of it is sent.
    """

    fields: list[tuple[list[tuple[str, str]], bool]]
    forbids: bool
    optional: bool


class ParamPlan(TypedDict):
    """One parameter to read.

    source: where it is. key: the keyword argument. names: the names it may be sent under, preferred first (header names
    in lower case). many: whether all values count. default: what applies if it isn't sent; make_default: what makes
    that. Without either it is required. model: of a parameter that stands for its whole source.
    """

    source: Literal["path", "query", "header", "cookie", "form"]
    key: str
    names: list[str]
    many: bool
    default: NotRequired[Any]
    make_default: NotRequired[Callable[[], Any]]
    model: NotRequired[ParamModelPlan]


class GroupPlan(TypedDict):
    """The parameters of one callable and the validator of the dictionary that holds them."""

    params: list[ParamPlan]
    validator: SchemaValidator | None


class RoutePlan(TypedDict):
    """One entry of the route table.

    path: the template, None if the route can't be seen into. prefix: whether anything may follow the template. exact:
    whether a match of the template is a match of the route; otherwise the route is asked (``matches(scope)``).
    protocol: the scope type it serves, None for both. methods: None for all. convertors: of each parameter, its name in
    the template and what makes its value, None for text. target: what the table answers with. mounted: the application
    of a mount that does what Starlette's class does, and what that stands on; None for anything else.
    """

    path: str | None
    prefix: bool
    exact: bool
    protocol: Literal["http", "websocket"] | None
    methods: list[str] | None
    convertors: list[tuple[str, str, Callable[[str], Any] | None]]
    target: Any
    mounted: tuple[Any, Facts] | None


class FieldPlan(TypedDict):
    """A keyword argument from the body.

    name: the keyword argument. keys: the keys that it may be under, preferred first. validate: pydantic-core's.
    field: the declaration.
    """

    name: str
    keys: list[str]
    validate: Callable[..., Any]
    field: ModelField


class FieldsPlan(TypedDict):
    """The keyword arguments of a step from the body.

    is_whole: whether the only one is all of it. is_quiet: whether validating them runs no code of the user's. form:
    what reads them all from a form, if it can.
    """

    is_whole: bool
    is_quiet: bool
    form: FormReader | None
    fields: list[FieldPlan]


class StepPlan(TypedDict):
    """One use of one callable in a program.

    action: ``call`` awaits what the callable returns, ``thread`` as well; ``make`` takes it as it is; ``context``
    enters the asynchronous generator or context manager that it returns; ``credentials`` gives it the header named
    `header` as text or None, unless that is a token after `token_scheme`. call: the callable. same: the number of the
    step whose result it has, unless that has failed. children: the numbers of its dependencies. feeds: keyword
    arguments that are results of them. has_params: whether there are parameters of the request among the keyword
    arguments, but for the body's (`fields`); is_late: whether they are read when the step's turn comes. specials:
    keyword arguments that are objects of the exchange, each with how to get it. for_function: whether the context ends
    before the response is sent. is_threaded: whether it runs in a worker thread. in_hop: what is called there if others
    may be called in the same hop; of a context the generator function.
    """

    action: Literal["call", "thread", "make", "context", "credentials"]
    call: Callable[..., Any]
    same: int | None
    children: list[int]
    feeds: list[tuple[str, int]]
    has_params: bool
    is_late: bool
    fields: FieldsPlan | None
    specials: list[tuple[str, Callable[[Any], Any]]]
    for_function: bool
    is_threaded: bool
    in_hop: Callable[..., Any] | None
    header: NotRequired[bytes]
    token_scheme: NotRequired[bytes | None]


class EarlyModel(TypedDict):
    """The one keyword argument from the body, of the step so numbered, which is validated from its bytes.

    large: what validates a large body as far as the first mistake; None if that can't be told apart from finding all.
    """

    step: int
    name: str
    validate: Callable[[bytes], Any]
    large: Callable[[bytes], Any] | None


class PlainForm(TypedDict):
    """Plain fields of an urlencoded form, all of the step so numbered; sizes in bytes."""

    step: int
    reader: FormReader
    max_fields: int
    max_part_size: int


class BodyPlan(TypedDict):
    """How the body of a program is read before any of its steps.

    kind: ``json`` (`strict`: whether a request without a content type has none; `from_json`: a quick parser; `large`:
    bytes above which the mistakes in it are found out one by one; `held`: bytes above which it is not validated early)
    or ``form``. early: what can be validated at once.
    """

    kind: Literal["json", "form"]
    strict: NotRequired[bool]
    from_json: NotRequired[Callable[[bytes], Any]]
    large: NotRequired[int]
    held: NotRequired[int]
    early: EarlyModel | PlainForm | None


class ReplyPlan(TypedDict):
    """How the endpoint's result becomes a response.

    kind: ``data`` encodes plain data; ``model`` validates and serializes (`shape`: what it is if it is plain data that
    no options change); ``text`` takes a text as it is, if `validate` takes it (None for no model); ``stream`` lets
    Python make a response of what the endpoint has made (`items`: the class of generators that come with how to encode
    their items; `is_noted`: whether it needs the exchange; `events`: the class of the response, if the items are
    server-sent events); ``other`` leaves it to Python, as the others do with what
    they don't expect. status, content_type: of what is made here. in_thread: whether validating runs code of the user's
    that belongs in a worker thread. response: the class of responses, which are sent as they are if `response_call` is
    what sends them. stream: the class of those that come in pieces, None if somebody has changed it.
    """

    kind: Literal["data", "model", "text", "stream", "other"]
    status: int
    content_type: bytes
    validate: NotRequired[Callable[..., Any] | None]
    to_json: NotRequired[Callable[[Any], bytes]]
    in_thread: bool
    response: type
    response_call: Callable[..., Any]
    stream: type | None
    items: NotRequired[type]
    is_noted: NotRequired[bool]
    events: NotRequired[type | None]
    shape: NotRequired[Shape | None]


class ProgramPlan(TypedDict):
    """A route's plan, in the form in which it is run natively.

    provider: its ``dependency_overrides`` have to be `overrides` (None for none). settings: counts how often they are
    replaced, if the provider announces that. reader: reads the parameters of all steps, if there are
    any. steps: the last is the endpoint. before_body: the number of those that run before the body is read. placed: the
    effective route of an included one. http_handler: ferrapi's own handler of HTTP exceptions. own_handlers: all of
    ferrapi's own. reference: goes on in Python (`ferrapi.compile.program.Reference`).
    counts: is called for each request, if they are counted. is_handler: whether it calls a handler of a route, in which
    the engine runs.
    """

    provider: Any
    overrides: Mapping[Any, Any] | None
    settings: VersionCounter | None
    reader: Reader | None
    steps: list[StepPlan]
    body: BodyPlan | None
    before_body: int
    reply: ReplyPlan
    placed: Any
    http_handler: Any
    own_handlers: tuple[Any, ...]
    reference: Any
    counts: Callable[[], None] | None
    is_handler: bool


_IMMUTABLE = (type(None), str, int, float, bool, bytes)


def _param_plan(source: Any, field: ModelField) -> ParamPlan:
    names = names_of(field)
    plan: ParamPlan = {
        "source": source,
        "key": field.name,
        "names": [name.lower() for name in names] if source == "header" else names,
        "many": source in ("query", "header", "form") and wants_many(field.field_info),
    }
    model = model_of_source(field)
    if model is not None:
        plan["model"] = {
            "fields": [
                ([(name.lower() if source == "header" else name, key) for name, key in keys], many)
                for keys, many in model.reader.fields
            ],
            "forbids": model.reader.keeps_extra,
            "optional": model.optional,
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
        "validator": schema_validator(core_schema.typed_dict_schema(fields)),
    }


def reader_plan(dependants: Sequence[Dependant | None]) -> list[GroupPlan | None]:
    """The plan of the native reader: a group for each callable, None for those that it must leave alone."""
    return [None if dependant is None else _group_plan(dependant) for dependant in dependants]

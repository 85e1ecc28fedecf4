"""A plan in the form in which it is run natively: a `Program`.

A program asks Python by name for what is unusual at one of its steps (`ferrapi.serve.reference`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from pydantic_core import from_json
from starlette.responses import Response

from .._native import Program
from .._threads import run_in_thread
from .._version_counter import SETTINGS_VERSION
from ..concurrency import LimitedContext, run_limited
from ..declare.callables import Kind
from ..declare.fields import ModelField
from ..declare.limits import FormBounds
from ..declare.sent import names_of
from ..exception_handlers import OWN_HANDLERS, http_exception_handler
from .boundary import BodyPlan, FieldsPlan, ReplyPlan, StepPlan
from .form_body import plain_form
from .form_reader import form_reader
from .json_body import early_model
from .large_values import HELD, LARGE
from .plain import is_buildable, is_quiet_field
from .plan import Plan
from .step import Step


class _Nobody:
    """Overrides no dependencies."""

    dependency_overrides: Mapping[Any, Any] = MappingProxyType({})


NOBODY = _Nobody()

_NO_REPLY: ReplyPlan = {
    "kind": "other",
    "status": 200,
    "content_type": b"",
    "response": Response,
    "response_call": Response.__call__,
    "stream": None,
    "in_thread": False,
}
"""Of a program that doesn't respond."""


class Ending(Protocol):
    """How a route responds, as far as its program says it."""

    streams: bool
    """Whether the endpoint yields what is sent."""
    run_in_thread: Callable[..., Any]
    """What a synchronous endpoint is run by."""

    def maker(self, endpoint: Step) -> Callable[..., Any]:
        """What makes the generator of an endpoint that yields."""

    def reply_plan(self) -> ReplyPlan:
        """How the endpoint's result becomes a response."""


class Bodied(Protocol):
    """A route, as far as its program says how the body is read."""

    has_body: bool
    is_form: bool
    bounds: FormBounds
    strict: bool


def made_program(
    plan: Plan,
    reference: Any,
    responder: Ending | None = None,
    *,
    body: BodyPlan | None = None,
    placed: Any = None,
    counts: Callable[[], None] | None = None,
    is_handler: bool = False,
    is_observed: bool = False,
) -> Program:
    """The program of a plan.

    Parameters:
        plan: the plan.
        reference: what the program asks Python.
        responder: how the route responds; None for a program that only runs dependencies.
        body: how the body is read.
        placed: the effective route, if it is not the declared one.
        counts: is called for each request, if they are counted.
        is_handler: whether what it calls is a handler of a route, in which the engine runs.
        is_observed: whether somebody wants to see how requests are served: what ferrapi's own exception handlers answer
            is made by calling them then.
    """
    provider = plan.provider if hasattr(plan.provider, "dependency_overrides") else NOBODY
    return Program(
        {
            "provider": provider,
            "overrides": dict(plan.overrides) or None,
            "settings": SETTINGS_VERSION if getattr(provider, "_announces_overrides", False) else None,
            "reader": plan.reader if plan.reads else None,
            "steps": [_step_plan(step, plan, responder) for step in plan.steps],
            "before_body": plan.before_body,
            "body": body,
            "reply": _NO_REPLY if responder is None else responder.reply_plan(),
            "placed": placed,
            "http_handler": None if is_observed else http_exception_handler,
            "own_handlers": () if is_observed else OWN_HANDLERS,
            "reference": reference,
            "counts": counts,
            "is_handler": is_handler,
        }
    )


def _step_plan(step: Step, plan: Plan, responder: Ending | None) -> StepPlan:
    said: StepPlan = {
        "action": "call",
        "call": step.call,
        "same": step.same_as,
        "children": list(step.children),
        "feeds": list(dict(step.feeds).items()),  # an edited tree may give an argument twice
        "has_params": step.has_params,
        "is_late": step.has_params and not plan.hoisted[step.index],
        "fields": _fields_plan(step) if step.has_body else None,
        "specials": list(step.specials),
        "for_function": step.for_function,
        "is_threaded": step.kind in (Kind.SYNC, Kind.GENERATOR),
        "in_hop": _in_hop(step, responder),
    }
    if step.is_endpoint and responder is not None and responder.streams and step.kind is not Kind.ASYNC:
        return {**said, "action": "make", "call": responder.maker(step)}
    if step.read_credentials is not None:
        return {
            **said,
            "action": "credentials",
            "call": step.read_credentials,
            "header": step.header,
            "token_scheme": step.token_scheme,
        }
    if step.concurrency is not None:
        if step.kind >= Kind.GENERATOR:
            return {**said, "action": "context", "call": functools.partial(LimitedContext, step.concurrency, step.open)}
        run: Any = step.call if step.kind is Kind.ASYNC else functools.partial(step.in_thread, step.call)
        return {**said, "call": functools.partial(run_limited, step.concurrency, run)}
    if step.kind is Kind.SYNC:
        run = step.in_thread if responder is None or not step.is_endpoint else responder.run_in_thread
        return {**said, "action": "thread", "call": functools.partial(run, step.call)}
    if step.kind >= Kind.GENERATOR:
        opens = step.call if inspect.isasyncgenfunction(step.call) else step.open
        return {**said, "action": "context", "call": opens}
    return said


def _in_hop(step: Step, responder: Ending | None) -> Callable[..., Any] | None:
    """What a step calls in a worker thread together with others; None for one that has a way of its own."""
    if step.concurrency is not None or (step.is_endpoint and (responder is None or responder.streams)):
        return None
    if step.kind is Kind.SYNC and (step.is_endpoint or step.in_thread is run_in_thread):
        return step.call
    return step.call if step.kind is Kind.GENERATOR and inspect.isgeneratorfunction(step.call) else None


def _validator_of(field: ModelField) -> Callable[..., Any]:
    """What validates `field`. While its type is not defined, it says so when it is called, and not before."""
    if is_buildable(field):
        return field._type_adapter.validator.validate_python
    return lambda value, **options: field._type_adapter.validator.validate_python(value, **options)


def _fields_plan(step: Step) -> FieldsPlan:
    fields = step.dependant.body_params
    return {
        "is_whole": len(fields) == 1 and not step.embed,
        "is_quiet": all(map(is_quiet_field, fields)),
        "form": form_reader(fields),
        "fields": [
            {
                "name": field.name,
                "keys": names_of(field),
                "validate": _validator_of(field),
                "field": field,
            }
            for field in fields
        ],
    }


def body_plan(compiled: Bodied, plan: Plan) -> BodyPlan | None:
    """How the body is read, before any step; None without one."""
    if not compiled.has_body:
        return None
    if compiled.is_form:
        return {"kind": "form", "early": plain_form(plan, compiled.bounds)}
    return {
        "kind": "json",
        "strict": compiled.strict,
        "from_json": from_json,
        "large": LARGE,
        "held": HELD,
        "early": early_model(plan),
    }

"""`program_of`: a route's plan in the form in which it is run natively.

A program asks a `Reference` for what is unusual at one of its steps. `solver_of` makes one that only runs dependencies.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol

from pydantic_core import from_json
from starlette.responses import Response, StreamingResponse

from .._boundary import BodyPlan, FieldsPlan, ReplyPlan, StepPlan
from .._fields import ModelField
from .._hooks import untouched
from .._native import Program
from .._threads import run_in_thread
from .._version_counter import SETTINGS_VERSION
from .._ways import COUNTED
from ..concurrency import LimitedContext, run_limited
from ..dependencies import _plain
from ..dependencies._body import form_reader
from ..dependencies._callables import Kind
from ..dependencies._large_values import HELD, LARGE
from ..dependencies._values import names_of
from ..exception_handlers import OWN_HANDLERS, http_exception_handler
from ._compiled import NOBODY, Compiled
from ._form_body import plain_form
from ._json_body import early_model
from ._plan import Plan
from ._reference import Reference, StepReference, streams_of
from ._respond import Responder
from ._step import Step

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


class Served(Protocol):
    """A route as an application (`RouteApp`): what a program asks of it."""

    def is_wrapped(self) -> bool:
        """Whether there is something around the engine."""

    def compiled(self) -> Compiled:
        """The plan and responder, as of now."""


def program_of(app: Served, placed: Any) -> Program | None:
    """The program of a route, or None if somebody else has to be asked first, or if it has none.

    Parameters:
        app: the route's application.
        placed: the effective route, if it is not the declared one.
    """
    return None if app.is_wrapped() else program_inside(app, placed)


def program_inside(app: Served, placed: Any = None) -> Program | None:
    """The same for a request that has come through whatever is around the engine."""
    compiled = app.compiled()
    return None if compiled.obstacle() is not None else _program(compiled, compiled.base, placed)


def _program(compiled: Compiled, plan: Plan, placed: Any) -> Program:
    reference = Reference(compiled, plan, placed, lambda other: _program(compiled, other, placed))
    return _made(
        plan,
        reference if COUNTED is None else COUNTED.asked(reference),
        compiled.responder,
        body=_body_plan(compiled, plan),
        placed=placed,
        counts=None if COUNTED is None else COUNTED.begin,
    )


def solver_of(plan: Plan) -> Program:
    """The program that runs the dependencies of `plan` for their own sake (`Program.solve`)."""
    if plan.solver is None:
        plan.solver = _made(plan, StepReference(plan, solver_of))
    return plan.solver


def _made(
    plan: Plan,
    reference: Any,
    responder: Responder | None = None,
    *,
    body: BodyPlan | None = None,
    placed: Any = None,
    counts: Callable[[], None] | None = None,
) -> Program:
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
            "reply": _NO_REPLY if responder is None else _reply_plan(responder),
            "placed": placed,
            "http_handler": http_exception_handler,
            "own_handlers": OWN_HANDLERS,
            "reference": reference,
            "counts": counts,
        }
    )


def _step_plan(step: Step, plan: Plan, responder: Responder | None) -> StepPlan:
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
    streams = None if responder is None else streams_of(responder)
    if step.is_endpoint and streams is not None and step.kind is not Kind.ASYNC:
        return {**said, "action": "make", "call": streams.maker(step)}
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


def _in_hop(step: Step, responder: Responder | None) -> Callable[..., Any] | None:
    """What a step calls in a worker thread together with others; None for one that has a way of its own."""
    if step.concurrency is not None or (step.is_endpoint and (responder is None or responder.streams)):
        return None
    if step.kind is Kind.SYNC and (step.is_endpoint or step.in_thread is run_in_thread):
        return step.call
    return step.call if step.kind is Kind.GENERATOR and inspect.isgeneratorfunction(step.call) else None


def _validator_of(field: ModelField) -> Callable[..., Any]:
    """What validates `field`. While its type is not defined, it says so when it is called, and not before."""
    if _plain.is_buildable(field):
        return field._type_adapter.validator.validate_python
    return lambda value, **options: field._type_adapter.validator.validate_python(value, **options)


def _fields_plan(step: Step) -> FieldsPlan:
    fields = step.dependant.body_params
    return {
        "is_whole": len(fields) == 1 and not step.embed,
        "is_quiet": all(
            _plain.is_buildable(field) and _plain.runs_no_code(_plain.bare_schema(field)) for field in fields
        ),
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


def _body_plan(compiled: Compiled, plan: Plan) -> BodyPlan | None:
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


def _reply_plan(responder: Responder) -> ReplyPlan:
    plan: ReplyPlan = {
        "kind": "other",
        "status": responder.status,
        "content_type": responder.content_type,
        "response": Response,
        "response_call": Response.__call__,
        "stream": StreamingResponse if untouched(StreamingResponse) else None,
        "in_thread": responder.serializer.in_thread,
    }
    streams = streams_of(responder)
    if streams is not None:
        return {
            **plan,
            "kind": "stream",
            "items": streams.items,
            "is_noted": streams.is_events,
            "events": streams.events_class,
        }
    serializer = responder.serializer
    if not responder.is_short or not serializer.is_defined:
        return plan
    if not responder.is_default:
        is_text = responder.is_text and (serializer.field is None or serializer.is_plain_text)
        validate = None if serializer.field is None else serializer.validate
        return {**plan, "kind": "text", "validate": validate} if is_text else plan
    if serializer.field is None:
        return {**plan, "kind": "data"}
    return {
        **plan,
        "kind": "model",
        "validate": serializer.validate,
        "to_json": serializer.to_json,
        "shape": serializer.shape,
    }

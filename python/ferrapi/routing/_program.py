"""`program_of`: a route's plan in the form in which it is run natively, and `Reference`, where Python goes on.

A program serves the requests in which all is as it usually is, to routes that have nothing which only Python can do.
Everything else is served by the reference path (`_handler.py`), which also serves what turns out to be unusual on the
way. Which is which must not be seen from outside.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from .._edits import SETTINGS
from .._native import Program
from .._plan import BodyPlan, ReplyPlan, StepPlan
from ..dependencies import _plain
from ..dependencies._callables import Kind
from ..exception_handlers import answer_now, http_exception_handler
from ._exchange import Exchange
from ._form_body import FormBody
from ._handler import handle_exception, unanswered
from ._plan import NOTHING_TO_READ
from ._read import body_bytes, unreadable
from ._respond import Responder
from ._shield import in_cancel_scope
from ._teardown import Teardown, stop, stop_thrown

if TYPE_CHECKING:
    from ._handler import Compiled, RouteApp
    from ._plan import Plan, Step


def program_of(app: RouteApp, placed: Any) -> Program | None:
    """The program of a route, or None if it is for the reference path alone.

    Parameters:
        app: the route's application.
        placed: the effective route, if it is not the declared one.
    """
    if app.is_wrapped():
        return None
    compiled = app.compiled()
    plan = compiled.base
    if compiled.observed is not None or type(compiled.responder) is not Responder or not _is_usual(compiled, plan):
        return None
    return Program(
        {
            "provider": compiled.provider,
            "settings": SETTINGS if getattr(compiled.provider, "_announces_overrides", False) else None,
            "reader": plan.reader if plan.reads else None,
            "steps": [_step_plan(step, compiled.responder) for step in plan.steps],
            "body": _body_plan(compiled),
            "reply": _reply_plan(compiled.responder),
            "placed": placed,
            "http_handler": http_exception_handler,
            "reference": Reference(app, compiled),
        }
    )


def _is_usual(compiled: Compiled, plan: Plan) -> bool:
    if compiled.has_body:
        return plan.simple and compiled.short_body is not None
    return plan.is_hoisted and all(map(_can_be_run, plan.steps))


def _can_be_run(step: Step) -> bool:
    """Whether a step is of a kind that is run natively. An edited tree may give a keyword argument twice: not there."""
    names = [name for name, _ in (*step.feeds, *step.specials)]
    names += [field.name for _, field in _plain.parameters(step.dependant)]
    if len(set(names)) < len(names) or step.concurrency is not None:
        return False
    if step.is_endpoint:
        return step.kind in (Kind.ASYNC, Kind.SYNC)
    return step.kind < Kind.GENERATOR or not step.for_function


def _step_plan(step: Step, responder: Responder) -> StepPlan:
    plan: StepPlan = {
        "action": "call",
        "call": step.call,
        "feeds": list(step.feeds),
        "reads": step.has_fields,
        "specials": list(step.specials),
    }
    if step.same_as is not None:
        return {**plan, "action": "same", "same": step.same_as}
    if step.read_credentials is not None:
        return {
            **plan,
            "action": "credentials",
            "call": step.read_credentials,
            "header": step.header,
            "token_scheme": step.token_scheme,
        }
    if step.kind is Kind.SYNC:
        run = responder.run_in_thread if step.is_endpoint else step.in_thread
        return {**plan, "action": "thread", "call": functools.partial(run, step.call)}
    if step.kind >= Kind.GENERATOR:
        opens = step.call if inspect.isasyncgenfunction(step.call) else step.open
        return {**plan, "action": "context", "call": opens}
    return plan


def _body_plan(compiled: Compiled) -> BodyPlan | None:
    short = compiled.short_body
    if short is None:
        return None
    if isinstance(short, FormBody):
        bounds = short.bounds
        return {
            "kind": "form",
            "reader": short.reader,
            "max_fields": bounds.max_fields,
            "max_part_size": bounds.max_part_size,
        }
    return {"kind": "json", "name": short.name, "validate": short.validate_json, "strict": short.strict}


def _reply_plan(responder: Responder) -> ReplyPlan:
    plan: ReplyPlan = {"kind": "other", "status": responder.status, "content_type": responder.content_type}
    serializer = responder.serializer
    if not responder.immediate:
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
        "response": Response,
        "shape": serializer.shape,
    }


class Reference:
    """The reference path of a route, entered at the places where a program leaves the usual way.

    Parameters:
        app: the route's application.
        compiled: its plan and responder.
    """

    unwind = staticmethod(Teardown.throw_into)
    stop = staticmethod(stop)
    stop_thrown = staticmethod(stop_thrown)
    answer = staticmethod(answer_now)
    unanswered = staticmethod(unanswered)
    in_cancel_scope = staticmethod(in_cancel_scope)
    collect = staticmethod(body_bytes)

    def __init__(self, app: RouteApp, compiled: Compiled) -> None:
        self.app = app
        self.compiled = compiled
        self.serve = app.serve
        self.reply = compiled.responder.reply

    async def go_on(self, x: Exchange, groups: list[Any], results: list[Any], opened: Sequence[Any]) -> None:
        """Go on behind the first steps, whose `results` and `opened` generators there are."""
        plan = self.compiled.base
        rest = self.compiled.rest(x, plan, groups if plan.reads else NOTHING_TO_READ, results)
        await self.app.serve_rest(x, self.compiled, plan, rest, opened)

    async def handle(self, x: Exchange, exc: Exception) -> None:
        """Answer an exception that the route has raised, with the handler that is registered for it."""
        try:
            raise exc  # handlers may look at the exception that is being handled
        except Exception:
            await handle_exception(x, exc)

    def refuse_body(self, body: bytes, exc: ValidationError) -> None:
        """Say what is wrong with a body, if that is known from its bytes; else come back.

        Raises:
            RequestValidationError: with the mistakes in it.
        """
        self.compiled.short_body.refuse(body, exc)  # type: ignore[union-attr]  # a JSON body, or nobody would ask

    def refuse_result(self, content: Any, exc: ValidationError) -> Exception:
        """What to raise for a result that the response model refuses."""
        return self.compiled.responder.serializer.refusal(content, exc)

    @staticmethod
    def unreadable(exc: Exception) -> Exception:
        """What to raise when a body can't be received."""
        if isinstance(exc, HTTPException):
            return exc
        error = unreadable(exc)
        error.__cause__ = exc
        return error

    @staticmethod
    def unyielded() -> Exception:
        """What to raise for a generator that yields nothing."""
        error = RuntimeError("generator didn't yield")
        error.__context__ = StopAsyncIteration()
        error.__suppress_context__ = True
        return error

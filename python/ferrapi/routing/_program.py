"""`program_of`: a route's plan in the form in which it is run natively, and `Reference`, where Python goes on.

A program serves all requests to routes that have nothing which only Python can do; it asks `Reference` for what is
unusual at one of its steps. Everything else is served by the reference path (`_handler.py`). Which is which must not be
seen from outside.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic_core import ValidationError, from_json
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from .. import background
from .._boundary import BodyPlan, FieldsPlan, ReplyPlan, StepPlan
from .._entering import Inside
from .._fields import ModelField, prefix_locations
from .._hooks import untouched
from .._native import Program
from .._scopes import on_asyncio, scope_here
from .._threads import enter_in_thread, run_in_thread
from .._version_counter import SETTINGS_VERSION
from .._ways import COUNTED
from ..concurrency import LimitedContext, leave_generators, run_limited
from ..dependencies import _plain
from ..dependencies._body import body_values, form_reader, request_body_to_args
from ..dependencies._callables import Kind
from ..dependencies._large_values import HELD, LARGE, Large
from ..dependencies._values import MISSING, Errors, missing_error, names_of, validate_found
from ..exception_handlers import OWN_HANDLERS, answer_by, http_exception_handler
from ..exceptions import RequestValidationError
from ._compiled import Compiled
from ._exchange import Exchange
from ._failing import answer_of, handle_exception, no_response, unanswered
from ._files import close_files, close_in_memory
from ._form import urlencoded_form
from ._form_body import plain_form
from ._json_body import early_model, is_refused_alike
from ._listening import Listening, fail, is_in_memory, iterated_in_threads, next_in_thread
from ._plan import NOTHING_TO_READ, Plan, validate_parameters
from ._read import body_bytes, most_errors, parsed, read_form, read_form_at_once, unreadable
from ._respond import Responder, dump_other
from ._shield import Shielded, enter_shield, in_cancel_scope, leave_shield, shielded
from ._step import Step
from ._teardown import Teardown, as_context, stop, stop_thrown

if TYPE_CHECKING:
    from ._streams import StreamResponder


class Served(Protocol):
    """A route as an application (`RouteApp`): what a program asks of it."""

    def is_wrapped(self) -> bool:
        """Whether there is something around the engine."""

    def compiled(self) -> Compiled:
        """The plan and responder, as of now."""

    async def serve_rest(
        self,
        x: Exchange,
        compiled: Compiled,
        plan: Plan,
        rest: Coroutine[Any, Any, Any],
        opened: Sequence[Any],
        function_opened: Sequence[Any],
    ) -> None:
        """Answer a request whose first steps have run."""


def program_of(app: Served, placed: Any) -> Program | None:
    """The program of a route, or None if somebody else has to be asked first, or if it has none.

    Parameters:
        app: the route's application.
        placed: the effective route, if it is not the declared one.
    """
    if app.is_wrapped():
        return None
    compiled = app.compiled()
    return None if compiled.obstacle() is not None else _program(app, compiled, compiled.base, placed)


def program_inside(app: Served) -> Program | None:
    """The same for a request that has come through whatever is around the engine."""
    compiled = app.compiled()
    return None if compiled.obstacle_inside() is not None else _program(app, compiled, compiled.base, None)


def _program(
    app: Served, compiled: Compiled, plan: Plan, placed: Any, overrides: Mapping[Any, Any] | None = None
) -> Program:
    reference = Reference(app, compiled, plan, placed)
    return Program(
        {
            "provider": compiled.provider,
            "overrides": overrides,
            "settings": SETTINGS_VERSION if getattr(compiled.provider, "_announces_overrides", False) else None,
            "reader": plan.reader if plan.reads else None,
            "steps": [_step_plan(step, plan, compiled.responder) for step in plan.steps],
            "before_body": plan.before_body,
            "body": _body_plan(compiled, plan),
            "reply": _reply_plan(compiled.responder),
            "placed": placed,
            "http_handler": http_exception_handler,
            "own_handlers": OWN_HANDLERS,
            "reference": reference if COUNTED is None else COUNTED.asked(reference),
            "counts": None if COUNTED is None else COUNTED.begin,
        }
    )


def _step_plan(step: Step, plan: Plan, responder: Responder) -> StepPlan:
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
    streams = _streams(responder)
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
        run = responder.run_in_thread if step.is_endpoint else step.in_thread
        return {**said, "action": "thread", "call": functools.partial(run, step.call)}
    if step.kind >= Kind.GENERATOR:
        opens = step.call if inspect.isasyncgenfunction(step.call) else step.open
        return {**said, "action": "context", "call": opens}
    return said


def _streams(responder: Responder) -> StreamResponder | None:
    """The same, if it is that of an endpoint that yields. Its module is only imported for those."""
    return cast("StreamResponder", responder) if responder.streams else None


def _in_hop(step: Step, responder: Responder) -> Callable[..., Any] | None:
    """What a step calls in a worker thread together with others; None for one that has a way of its own."""
    if step.concurrency is not None or (step.is_endpoint and responder.streams):
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
    streams = _streams(responder)
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


class Reference:
    """The reference path of a route, entered at the places where a program leaves the usual way.

    Parameters:
        app: the route's application.
        compiled: its plans and responder.
        plan: the one that is run.
        placed: the effective route, if it is not the declared one.
    """

    unwind = staticmethod(Teardown.throw_into)
    stop = staticmethod(stop)
    stop_thrown = staticmethod(stop_thrown)
    answer = staticmethod(answer_by)
    unanswered = staticmethod(unanswered)
    no_response = staticmethod(no_response)
    in_cancel_scope = staticmethod(in_cancel_scope)
    enter_shield = staticmethod(enter_shield)
    leave_shield = staticmethod(leave_shield)
    collect = staticmethod(body_bytes)
    is_refused_from_json = staticmethod(is_refused_alike)
    run_in_thread = staticmethod(run_in_thread)
    begin_background = staticmethod(background.begin)
    dump_other = staticmethod(dump_other)
    enter_in_thread = staticmethod(enter_in_thread)
    inside = Inside
    leave_generators = staticmethod(leave_generators)
    scope_here = staticmethod(scope_here)
    on_asyncio = staticmethod(on_asyncio)
    turn = staticmethod(asyncio.sleep)
    listening = Listening
    iterated_in_threads = staticmethod(iterated_in_threads)
    is_in_memory = staticmethod(is_in_memory)
    next_in_thread = staticmethod(next_in_thread)
    fail_stream = staticmethod(fail)

    def __init__(self, app: Served, compiled: Compiled, plan: Plan, placed: Any) -> None:
        self.app = app
        self.compiled = compiled
        self.plan = plan
        self.placed = placed
        self.reply = compiled.responder.reply
        self.respond = compiled.responder.respond
        self.response = compiled.responder.response
        self.send = compiled.responder.send
        streams = _streams(compiled.responder)
        if streams is not None:
            self.stream = streams.stream

    def overridden(self) -> Program:
        """The program of the route with the dependencies that are overridden now."""
        compiled = self.compiled
        overrides = compiled.provider.dependency_overrides
        plan = compiled.plan()
        program = plan.program
        if program is None or plan.program_place is not self.placed:
            program = plan.program = _program(self.app, compiled, plan, self.placed, dict(overrides or {}))
            plan.program_place = self.placed
        return program

    async def go_on(self, x: Exchange, parts: dict[str, Any]) -> None:
        """Go on behind the first steps.

        Parameters:
            x: the exchange.
            parts: the keyword arguments that were read (`groups`), what the steps came to (`results`, `failed`,
                `errors`), the contexts they have opened (`opened`, `function_opened`), and the `body`.
        """
        rest = self._rest(x, parts)
        await self.app.serve_rest(x, self.compiled, self.plan, rest, parts["opened"], parts["function_opened"])

    async def go_on_returning(self, x: Exchange, parts: dict[str, Any]) -> Response:
        """The same for a request whose response is returned."""
        return await self.response(x, await self._rest(x, parts))

    def _rest(self, x: Exchange, parts: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """What the endpoint returns."""
        plan = self.plan
        groups = parts.get("groups") if plan.reads else NOTHING_TO_READ
        so_far = parts["results"], set(parts["failed"]), list(parts.get("errors", ()))
        return self.compiled.rest(x, plan, groups, parts.get("body", MISSING), so_far)

    async def handle(self, x: Exchange, exc: Exception) -> None:
        """Answer an exception that the route has raised, with the handler that is registered for it."""
        try:
            raise exc  # handlers may look at the exception that is being handled
        except Exception:
            await handle_exception(x, exc)

    ask = staticmethod(answer_of)

    @staticmethod
    def shielded(made: Any, shield: Any) -> Shielded:
        """The context that `made` is, whose exit code is not cut short."""
        return Shielded(as_context(made), shield)

    @staticmethod
    def enter_on_stack(x: Exchange, for_function: bool, made: Any) -> Awaitable[Any]:
        """Enter the context that `made` is; it is left with one of the exchange's exit stacks."""
        stack = x.function_stack if for_function else x.request_stack
        if stack is None:
            raise RuntimeError("A yield dependency needs an open exit stack")
        return stack.enter_async_context(shielded(as_context(made), x))

    # What a request says: the keyword arguments of steps, and the mistakes in them.

    def parameters(self, x: Exchange, index: int) -> tuple[dict[str, Any], Errors]:
        """The parameters of a step, but for the body's."""
        return validate_parameters(self.plan.steps[index].dependant, x)

    def form_at_once(self, x: Exchange) -> Any:
        """The form in the body, if nothing has to be waited for; else None. Raises as `_read.read_form`."""
        return read_form_at_once(x, self.compiled.bounds)

    def read_form(self, x: Exchange) -> Awaitable[Any]:
        """The form in the body. Raises as `_read.read_form`."""
        return read_form(x, self.compiled.bounds)

    def form_values(self, index: int, form: Any) -> Awaitable[tuple[dict[str, Any], Errors]]:
        """The parameters of a step that are from a form."""
        step = self.plan.steps[index]
        return request_body_to_args(step.dependant.body_params, form, step.embed)

    def large_values(self, index: int, handlers: Any, body: Any, size: int) -> Awaitable[tuple[dict[str, Any], Errors]]:
        """The parameters of a step that are from a large JSON body.

        Parameters:
            index: the step's number.
            handlers: as for `_read.most_errors`.
            body: what the body says.
            size: bytes.
        """
        step = self.plan.steps[index]
        return body_values(step.dependant.body_params, body, step.embed, Large(size, most_errors(handlers)))

    @staticmethod
    def close_form(x: Exchange) -> Awaitable[None] | None:
        """Close the files of the form, if there is one. Returns what to wait for, if there is anything."""
        return None if close_in_memory(x) else close_files(x)

    def parse(self, content: bytes) -> Any:
        """The JSON value in a body, or the parts of an urlencoded form. Raises as `_read.parsed`."""
        if self.compiled.is_form:
            return urlencoded_form(content, self.compiled.bounds)
        try:
            return parsed(content)
        except RequestValidationError as exc:
            exc.tell_place(self.compiled.context())
            raise

    @staticmethod
    def absent(field: ModelField, is_whole: bool) -> tuple[Any, Errors]:
        """What it means that the body, or a key of it, is not there."""
        return validate_found(field, MISSING, ("body",) if is_whole else ("body", names_of(field)[0]))

    @staticmethod
    def without_key(field: ModelField) -> Errors:
        """The mistake of a body that is no object, where a field is one of its keys."""
        return [missing_error(("body", names_of(field)[0]))]

    @staticmethod
    def field_errors(key: str | None, exc: ValidationError) -> Errors:
        """The mistakes in the value under `key`, or in the whole body."""
        return prefix_locations(exc.errors(include_url=False), ("body",) if key is None else ("body", key))

    def invalid(self, errors: Errors, body: Any, content: bytes | None, size: int) -> Exception:
        """What to raise for the mistakes in a request.

        Parameters:
            errors: all of them.
            body: what is in the body, if it was parsed.
            content: the bytes of a body that was not parsed: JSON, or an urlencoded form.
            size: the length of the body in bytes.
        """
        context = self.compiled.context()
        if content is not None and self.compiled.is_form:
            body, content = self.parse(content), None
        if content is not None:
            error = RequestValidationError.of_json(errors, content, context)
        else:
            error = RequestValidationError(errors, body=body, endpoint_ctx=context)
        error._body_size = size
        return error

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

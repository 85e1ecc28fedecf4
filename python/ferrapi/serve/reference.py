"""`Reference`: what a program asks of Python.

A program calls what it finds here by name, for what is unusual at one of its steps: the words of errors, multipart
forms, contexts that are left with an exception, responses that are made by code of the user's. What its steps ask is a
`StepReference`, which serves those too that run dependencies for their own sake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from .. import background
from .._entering import Inside
from .._hooks import is_reading_seen, put_in_place
from .._native import Program
from .._scopes import on_asyncio, scope_here
from .._threads import enter_in_thread, run_in_thread
from ..compile.json_body import is_refused_alike
from ..compile.large_values import Large
from ..compile.plan import Plan
from ..compile.step import Values
from ..concurrency import leave_generators
from ..declare.fields import ModelField, prefix_locations
from ..declare.overrides import Overrides
from ..declare.sent import MISSING, names_of
from ..dependencies.models import Dependant, may_share
from ..exception_handlers import answer_by
from ..exceptions import RequestValidationError
from .body_values import body_values, request_body_to_args
from .compiled import Compiled
from .exchange import Exchange
from .failing import answer_of, handle_exception, no_response, unanswered
from .files import STACK_KEY, FileStack, close_files, close_in_memory
from .form import urlencoded_form
from .guard import Guard
from .listening import Listening, fail, is_in_memory, iterated_in_threads, next_in_thread
from .read import body_bytes, most_errors, parsed, read_form, read_form_at_once, unreadable
from .respond import dump_other
from .shield import SHIELD, Shielded, enter_shield, in_cancel_scope, leave_shield, shielded
from .teardown import as_context, stop, stop_thrown, unwind
from .tracer import Tracer, tell_unread
from .values import Errors, missing_error, request_params_to_args, validate_found

if TYPE_CHECKING:
    from anyio import CancelScope

    # whose module is only imported for endpoints that yield
    from .streams import StreamResponder


_UTILS = "ferrapi.dependencies.utils"


def overrides_of(provider: Any) -> Overrides:
    """A copy of the dependency overrides that an object has now, if it has any."""
    return dict(getattr(provider, "dependency_overrides", None) or {})


def validate_parameters(dependant: Dependant, x: Exchange) -> tuple[Values, Errors]:
    """Validate the parameters of one callable one by one: path, query, header, then cookie."""
    read = put_in_place(_UTILS, "request_params_to_args", request_params_to_args)
    is_seen = is_reading_seen()
    values: Values = {}
    errors: Errors = []
    for fields, source in (
        (dependant.path_params, lambda: x.path_params),
        (dependant.query_params, lambda: x.query),
        (dependant.header_params, lambda: x.headers),
        (dependant.cookie_params, lambda: x.cookies),
    ):
        if fields or is_seen:
            found, wrong = read(fields, source())
            values.update(found)
            errors.extend(wrong)
    return values, errors


class StepReference:
    """What the steps of a program ask of Python.

    Parameters:
        plan: the one that is run.
        remake: makes the program of another plan for the same.
    """

    unwind = staticmethod(unwind)
    stop = staticmethod(stop)
    stop_thrown = staticmethod(stop_thrown)
    in_cancel_scope = staticmethod(in_cancel_scope)
    enter_shield = staticmethod(enter_shield)
    leave_shield = staticmethod(leave_shield)
    run_in_thread = staticmethod(run_in_thread)
    enter_in_thread = staticmethod(enter_in_thread)
    leave_generators = staticmethod(leave_generators)
    inside = Inside

    def __init__(self, plan: Plan, remake: Callable[[Plan], Program]) -> None:
        self.plan = plan
        self._remake = remake

    @property
    def endpoint(self) -> Callable[..., Any]:
        """What the last step calls."""
        return self.plan.endpoint.call

    def replanned(self, done: int, failed: Collection[int]) -> Program:
        """The program for the rest of a request that has changed the dependency overrides.

        Parameters:
            done: how many steps have run.
            failed: those of them that have no result.
        """
        return self._remake(self.plan.replanned(overrides_of(self.plan.provider), done, failed))

    def overridden(self) -> Program:
        """The program with the dependencies that are overridden now."""
        return self.replanned(0, ())

    def remembered(self, index: int, cache: dict[Any, Any]) -> tuple[Any] | None:
        """The result that a step has in a cache of somebody's, if it may be shared and is there."""
        step = self.plan.steps[index]
        key = self.plan.key_of(step)
        return (cache[key],) if may_share(step.dependant) and key in cache else None

    def remember(self, index: int, cache: dict[Any, Any], result: Any) -> None:
        """Put the result of a step into a cache of somebody's."""
        cache.setdefault(self.plan.key_of(self.plan.steps[index]), result)

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

    def body_values(self, index: int, body: Any) -> Awaitable[tuple[dict[str, Any], Errors]]:
        """The parameters of a step that are from a body which is a form, or which somebody else has read."""
        step = self.plan.steps[index]
        read = put_in_place(_UTILS, "request_body_to_args", request_body_to_args)
        return read(step.dependant.body_params, body, step.embed)

    def large_values(self, index: int, handlers: Any, body: Any, size: int) -> Awaitable[tuple[dict[str, Any], Errors]]:
        """The parameters of a step that are from a large JSON body.

        Parameters:
            index: the step's number.
            handlers: as for `read.most_errors`.
            body: what the body says.
            size: bytes.
        """
        step = self.plan.steps[index]
        return body_values(step.dependant.body_params, body, step.embed, Large(size, most_errors(handlers)))

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

    @staticmethod
    def unyielded() -> Exception:
        """What to raise for a generator that yields nothing."""
        error = RuntimeError("generator didn't yield")
        error.__context__ = StopAsyncIteration()
        error.__suppress_context__ = True
        return error


class Reference(StepReference):
    """What the program of a route asks of Python, by name.

    Parameters:
        compiled: the route's plans and responder.
        plan: the one that is run.
        placed: the effective route, if it is not the declared one.
        remake: makes the program of another plan of the route.
    """

    answer = staticmethod(answer_by)
    unanswered = staticmethod(unanswered)
    no_response = staticmethod(no_response)
    collect = staticmethod(body_bytes)
    is_refused_from_json = staticmethod(is_refused_alike)
    begin_background = staticmethod(background.begin)
    dump_other = staticmethod(dump_other)
    scope_here = staticmethod(scope_here)
    on_asyncio = staticmethod(on_asyncio)
    turn = staticmethod(asyncio.sleep)
    listening = Listening
    iterated_in_threads = staticmethod(iterated_in_threads)
    is_in_memory = staticmethod(is_in_memory)
    next_in_thread = staticmethod(next_in_thread)
    fail_stream = staticmethod(fail)
    tell_unread = staticmethod(tell_unread)

    def __init__(self, compiled: Compiled, plan: Plan, placed: Any, remake: Callable[[Plan], Program]) -> None:
        super().__init__(plan, remake)
        self.compiled = compiled
        self.placed = placed
        self.reply = compiled.responder.reply
        self.respond = compiled.responder.respond
        self.response = compiled.responder.response
        self.response_of = compiled.responder.response_of
        self.send = compiled.responder.send
        if compiled.responder.streams:
            self.stream = cast("StreamResponder", compiled.responder).stream

    def overridden(self) -> Program:
        """The program with the dependencies that are overridden now, which is remembered."""
        plan = self.compiled.plan()
        program = plan.program
        if program is None or plan.program_place is not self.placed:
            program = plan.program = self._remake(plan)
            plan.program_place = self.placed
        return program

    async def traced_response(self, x: Exchange, result: Any, tracer: Tracer) -> Response:
        """The response to `result`, for somebody who follows the request. Rendering by a response class is no step."""
        responder = self.compiled.responder
        if isinstance(result, Response) or responder.streams:
            return await responder.response(x, result)
        serialize = responder.serializer.to_bytes if responder.writes_model else responder.serializer.to_data
        with tracer.step("serialization", self.endpoint):
            content = await serialize(result)
        return responder.rendered(x, content)

    async def handle(self, x: Exchange, exc: Exception) -> None:
        """Answer an exception that the route has raised, with the handler that is registered for it."""
        try:
            raise exc  # handlers may look at the exception that is being handled
        except Exception:
            await handle_exception(x, exc)
        finally:
            del exc

    ask = staticmethod(answer_of)

    def form_at_once(self, x: Exchange) -> Any:
        """The form in the body, if nothing has to be waited for; else None. Raises as `read.read_form`."""
        return read_form_at_once(x, self.compiled.bounds)

    def read_form(self, x: Exchange) -> Awaitable[Any]:
        """The form in the body. Raises as `read.read_form`."""
        return read_form(x, self.compiled.bounds)

    @staticmethod
    def close_form(x: Exchange) -> Awaitable[None] | None:
        """Close the files of the form, if there is one. Returns what to wait for, if there is anything."""
        return None if close_in_memory(x) else close_files(x)

    def parse(self, content: bytes) -> Any:
        """The JSON value in a body, or the parts of an urlencoded form. Raises as `read.parsed`."""
        if self.compiled.is_form:
            return urlencoded_form(content, self.compiled.bounds)
        try:
            return parsed(content)
        except RequestValidationError as exc:
            exc.tell_place(self.compiled.context())
            raise

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


class HandlerReference(Reference):
    """The same for a program that calls a handler of a route, which makes the response."""

    @staticmethod
    def open_stacks(x: Exchange) -> tuple[FileStack | None, AsyncExitStack, AsyncExitStack]:
        """Put exit stacks into the scope of a request.

        Returns:
            that around the request, if there was none yet; the one that is left when the response is sent; and the one
            that is left before.
        """
        scope = x.scope
        scope.pop(SHIELD, None)  # of an outer application
        outer = scope.get(STACK_KEY)
        around = None
        if outer is None or not isinstance(outer, AsyncExitStack):
            around = scope[STACK_KEY] = FileStack()
        request_stack = scope["fastapi_inner_astack"] = AsyncExitStack()
        function_stack = scope["fastapi_function_astack"] = AsyncExitStack()
        return around, request_stack, function_stack

    @staticmethod
    def drop_stack(x: Exchange) -> None:
        """Take the stack around the request out of its scope."""
        x.scope.pop(STACK_KEY, None)

    def enter_shield(self, x: Exchange) -> CancelScope:
        """Enter the cancel scope of the request, for the engine inside, too."""
        shield = x.scope[SHIELD] = enter_shield(x)
        return shield


class RefusingReference(Reference):
    """The same for a program that only raises what the router raises where no route is, which no route is around.

    So the handlers of the application are asked once, and what one of them raises is for those further out.
    """

    handle = staticmethod(Guard.raise_again)  # to whoever is around

    @staticmethod
    async def ask(x: Exchange, handler: Any, exc: Exception) -> Response | None:
        """What a handler answers to an exception."""
        x.is_past_handlers = True
        return await answer_of(x, handler, exc)

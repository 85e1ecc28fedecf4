"""`RouteApp`: a route as an ASGI application. Here the four steps meet: read, run, respond, and what errors become.

A route is served in one of two ways. Normally the engine takes the scope, solves the plan and sends the response. A
route class that overrides `get_route_handler` gets FastAPI's contract instead: a function from `Request` to `Response`,
around which it may do what it wants; the engine runs inside.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .._compat.starlette import gives_coroutine
from .._hooks import is_own, replaced
from .._native import LimitExceeded, Program
from .._pickling import Regained
from .._threads import run_later_in_thread
from .._version_counter import ROUTES_VERSION
from .._ways import COUNTED
from ..datastructures import DefaultPlaceholder
from ..dependencies._callables import Kind
from ..dependencies._overrides import Overrides
from ..dependencies._values import MISSING, Errors
from ..exception_handlers import handler_for, short_answer
from ..exceptions import EndpointContext, FastAPIError, RequestValidationError, ValidationException
from ._exchange import Exchange
from ._facts import HandlerFacts
from ._files import close_files, close_later, stack_around
from ._guard import Inside
from ._late import Late, NeedsContexts
from ._limits import FormBounds, serve_limited
from ._observed import Observed, is_observed
from ._plan import Groups, Plan, SoFar
from ._read import body_bytes, body_value, read_form
from ._respond import Responder, endpoint_context, send_response, sends_events, tell_way
from ._shield import SHIELD, exit_shield, in_cancel_scope
from ._teardown import Teardown
from ._tracer import followed, followed_result
from ._while_connected import serve_while_connected

if TYPE_CHECKING:
    from ._declared import Declared
    from ._effective import EffectiveRouteContext
    from ._route import APIRoute

RequestHandler = Callable[[Request], Coroutine[Any, Any, Response]]
_REMEMBERED_OVERRIDES = 16


class _Nobody:
    """Overrides no dependencies."""

    dependency_overrides: Mapping[Any, Any] = MappingProxyType({})


_NOBODY = _Nobody()
INSIDE = Inside()


class Compiled:
    """What a route needs per request, made at its first one and again after an edit."""

    def __init__(self, route: HandlerFacts) -> None:
        self.as_of = ROUTES_VERSION.value
        self.route = route
        embed = route._embed_body_fields
        self.embed = embed
        self.has_body = route._body_encoding is not None
        self.reads_body_last = self.has_body and bool(route.dependencies_before_body)
        self.base = self._plan({})
        self.is_form = route._body_encoding == "form"
        self.bounds = FormBounds.of({**route._outer_form_limits, **(route.form_limits or {})})
        strict = route.strict_content_type
        self.strict = bool(strict.value if isinstance(strict, DefaultPlaceholder) else strict)
        kind = self.base.endpoint.kind
        self.streams = (
            route.is_sse_stream
            or route.is_json_stream
            or kind in (Kind.GENERATOR, Kind.ASYNC_GENERATOR)
            or (kind is Kind.SYNC and sends_events(route))
        )
        self.responder = self._responder(route, streams=self.streams, in_thread=kind is Kind.SYNC)
        provider = route.dependency_overrides_provider
        self.provider = provider if hasattr(provider, "dependency_overrides") else _NOBODY
        self._overridden: dict[Any, Plan] = {}
        self.program: Program | Literal[False] | None = None  # made when it is first wanted
        self.observed = Observed(self) if is_observed() else None

    def obstacle(self) -> str | None:
        """What keeps the route from having a program, in a word of the table in docs/internals/architecture.md."""
        return None if self.observed is None else "replaced functions"

    def obstacle_inside(self) -> str | None:
        """The same for requests that come through something around the route: a stream is no response to return."""
        return self.obstacle() or ("yields" if self.responder.streams else None)

    def context(self) -> EndpointContext:
        """Where the endpoint is, for messages."""
        return endpoint_context(self.route)

    @staticmethod
    def _responder(route: HandlerFacts, *, streams: bool, in_thread: bool) -> Responder:
        if not streams:
            return Responder(route, in_thread)
        from ._streams import StreamResponder

        return StreamResponder(route, in_thread)

    def valid(self, values: dict[str, Any] | None, errors: Errors, body: Any = MISSING) -> dict[str, Any]:
        """`values`, unless there are none because of `errors`."""
        if values is None:
            shown = None if body is MISSING else body
            raise RequestValidationError(errors, body=shown, endpoint_ctx=self.context())
        return values

    async def rest(self, x: Exchange, plan: Plan, groups: Groups, body: Any, so_far: SoFar) -> Any:
        """What the endpoint returns, when the first steps of `plan` have run."""
        values = self.valid(*await plan.values(x, groups, body, self.provider, so_far), body)
        return await self.responder.call(x, plan.endpoint, values)

    async def finish(self, x: Exchange, late: Late) -> Any:
        """What the endpoint returns, when its dependencies have changed the overrides."""
        values = self.valid(*await late.values(), late.body)
        return await self.responder.call(x, late.plan.endpoint, values)

    def plan(self) -> Plan:
        """The plan for this request: the base plan, unless dependencies are overridden."""
        overrides = self.provider.dependency_overrides
        return self._override(overrides) if overrides else self.base

    def _override(self, overrides: Any) -> Plan:
        key = tuple((id(call), id(override)) for call, override in overrides.items())
        plan = self._overridden.get(key)
        if plan is None:
            if len(self._overridden) >= _REMEMBERED_OVERRIDES:
                self._overridden.clear()
            plan = self._overridden[key] = self._plan(dict(overrides))
        return plan

    def _plan(self, overrides: Overrides) -> Plan:
        return Plan(
            self.route.dependant,
            embed=self.embed,
            provider=self.route.dependency_overrides_provider,
            overrides=overrides,
            body_last=self.reads_body_last,
        )

    async def before_body(self, x: Exchange, plan: Plan) -> SoFar:
        """What the dependencies come to that need no body. They are run, and the body isn't read yet.

        Raises:
            RequestValidationError: for mistakes in what they need of the request. They are not told with the others.
        """
        so_far: SoFar = ([], set(), [])
        await plan.values(x, plan.read(x), MISSING, None, so_far, plan.before_body)
        if so_far[2]:
            raise RequestValidationError(so_far[2], endpoint_ctx=self.context())
        return so_far


class RouteApp(Regained):
    """A route as an ASGI application.

    Parameters:
        route: the (effective) route.
    """

    _made = frozenset({"_compiled"})
    _compiled: Compiled | None = None

    def __init__(self, route: APIRoute | EffectiveRouteContext) -> None:
        self.route: Any = route
        self.facts = HandlerFacts.of(route)
        self._handler: RequestHandler | None = None
        from ._route import APIRoute

        original: Any = getattr(route, "original_route", route)
        own = is_own(type(original), APIRoute, "get_route_handler") and "get_route_handler" not in original.__dict__
        if not own or replaced_handler() is not None:
            self._handler = self.custom_handler(route)

    @staticmethod
    def custom_handler(route: Any) -> RequestHandler:
        """What the route's `get_route_handler` returns for its place.

        Parameters:
            route: the route, or its place.
        """
        from ._effective import EFFECTIVE

        original: Any = getattr(route, "original_route", route)
        token = EFFECTIVE.set(None if original is route else route)
        try:
            handler: RequestHandler = original.get_route_handler()
            return handler
        finally:
            EFFECTIVE.reset(token)

    def compiled(self) -> Compiled:
        """The plan and responder, rebuilt if anything was edited since they were made."""
        compiled = self._compiled
        if compiled is None or compiled.as_of != ROUTES_VERSION.value:
            compiled = self._compiled = Compiled(self.facts)
        return compiled

    def compiled_for(self, x: Exchange) -> Compiled:
        """The same for one request, which somebody may follow."""
        compiled = self.compiled()
        return compiled if x.tracer is None else followed(compiled, x.tracer)

    def reads_body(self) -> bool:
        """Whether the body is read before any of the application's code runs; False before the first request."""
        compiled = self._compiled
        return self._handler is None and compiled is not None and compiled.has_body and not compiled.reads_body_last

    def is_wrapped(self) -> bool:
        """Whether there is something around the engine here: a handler of the user's, a limit, who cancels it."""
        facts = self.facts
        return self._handler is not None or facts.max_body_size is not None or bool(facts.cancel_on_disconnect)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer()(Exchange.of(scope, receive, send))

    def answer(self) -> Callable[[Exchange], Coroutine[Any, Any, None]]:
        """What answers a request; what no handler takes is raised."""
        facts = self.facts
        if facts is None:
            return self.serve
        limit: int | None = facts.max_body_size
        serve = self.serve if limit is None else lambda x: serve_limited(x, limit, self.serve)
        return serve if not facts.cancel_on_disconnect else lambda x: serve_while_connected(x, serve)

    def program(self, x: Exchange) -> Program | None:
        """What runs the engine for a request that has come through whatever is around it."""
        compiled = self.compiled()
        if compiled.program is None:
            from ._program import program_inside

            compiled.program = program_inside(self) or False
        program = compiled.program if x.tracer is None else False
        if COUNTED is not None and program is False:
            COUNTED.elsewhere(compiled.obstacle_inside() or "telemetry")
        return program or None

    async def serve(self, x: Exchange) -> None:
        """Answer a request, whatever its body's size; what no handler takes is raised."""
        handler = self._handler
        if handler is not None:
            await self._serve_custom(x, handler)
            return
        program = self.program(x)
        if program is not None:
            await program.serve(INSIDE, x, False)
            return
        observed = await self._serve_here(x)
        if observed is not None:
            await self._serve_custom(x, observed.respond)

    async def _serve_here(self, x: Exchange) -> Observed | None:
        """Answer a request without a program, unless somebody wants to see how."""
        try:
            compiled = self.compiled_for(x)
            if compiled.observed is not None:
                return compiled.observed
            plan = compiled.plan()
            await self._serve_result(x, compiled, plan, self._result(x, compiled, plan))
        except Exception as exc:
            await handle_exception(x, exc)
        finally:
            if x.form is not None:
                await close_files(x)
        return None

    async def serve_rest(
        self,
        x: Exchange,
        compiled: Compiled,
        plan: Plan,
        rest: Coroutine[Any, Any, Any],
        opened: Sequence[Any],
        function_opened: Sequence[Any],
    ) -> None:
        """Answer a request whose first steps have run and opened contexts; `rest` is what the endpoint returns."""
        try:
            await self._serve_result(x, compiled, plan, rest, opened, function_opened)
        except Exception as exc:
            await handle_exception(x, exc)

    async def _serve_result(
        self,
        x: Exchange,
        compiled: Compiled,
        plan: Plan,
        result: Coroutine[Any, Any, Any],
        opened: Sequence[Any] = (),
        function_opened: Sequence[Any] = (),
    ) -> None:
        """Run what comes to the endpoint's `result`, and send the response to it."""
        if plan.has_generators or x.tracer is not None:
            ends_with_function = plan.ends_with_function or x.tracer is not None
            await self._serve_in_contexts(x, compiled, ends_with_function, result, opened, function_opened)
            return
        late = None
        try:
            returned = await result
        except NeedsContexts as needed:
            late = needed.late
        if late is not None:
            await self._serve_in_contexts(x, compiled, True, compiled.finish(x, late))
            return
        pending = compiled.responder.reply(x, returned)
        if pending is not None:
            await pending

    async def _result(self, x: Exchange, compiled: Compiled, plan: Plan) -> Any:
        """What the endpoint returns, or the generator that it is."""
        if x.tracer is not None:
            return await followed_result(self, x, compiled, plan, x.tracer)
        if compiled.reads_body_last:
            so_far = await compiled.before_body(x, plan)
            return await compiled.rest(x, plan, plan.read(x), await self._body(x, compiled), so_far)
        body = await self._body(x, compiled) if compiled.has_body else MISSING
        values = compiled.valid(*await plan.values(x, plan.read(x), body, compiled.provider), body)
        return await compiled.responder.call(x, plan.endpoint, values)

    @staticmethod
    async def _body(x: Exchange, compiled: Compiled) -> Any:
        """What the body says."""
        if compiled.is_form:
            return await read_form(x, compiled.bounds)
        try:
            return body_value(x, await body_bytes(x), strict=compiled.strict)
        except RequestValidationError as exc:
            exc.tell_place(compiled.context())
            raise

    async def _serve_in_contexts(
        self,
        x: Exchange,
        compiled: Compiled,
        ends_with_function: bool,
        result: Coroutine[Any, Any, Any],
        opened: Sequence[Any] = (),
        function_opened: Sequence[Any] = (),
    ) -> None:
        responder = compiled.responder
        if not opened and not function_opened and in_cancel_scope():
            await self._serve_shielded(x, responder, result)
            return
        stack = x.request_stack = Teardown(opened)
        try:
            if ends_with_function:
                async with Teardown(function_opened) as x.function_stack:
                    response = await responder.respond(x, await result)
                # Unbound if a dependency's end swallowed an exception; that is what FastAPI says of it, too.
                await responder.send(x, response)
            else:
                pending = responder.reply(x, await result)
                if pending is not None:
                    await pending
                x.replied = True
        except BaseException as exc:
            tell_way(exc, x.scope)
            if not await stack.unwind(exc):
                raise
        else:
            await stack.close()
        if not x.replied:
            raise unanswered()

    @staticmethod
    async def _serve_shielded(x: Exchange, responder: Responder, result: Coroutine[Any, Any, Any]) -> None:
        """The same inside of a cancel scope, whose cancellation doesn't cut exit code short."""
        with exit_shield(x.scope) as x.shield:
            async with AsyncExitStack() as x.request_stack:
                async with AsyncExitStack() as x.function_stack:
                    response = await responder.respond(x, await result)
                await responder.send(x, response)
        if not x.replied:
            raise unanswered()

    async def _serve_custom(self, x: Exchange, handler: RequestHandler) -> None:
        async with stack_around(x):
            try:
                await self._serve_in_stacks(x, handler)
            except Exception as exc:
                await handle_exception(x, exc)

    @staticmethod
    async def _serve_in_stacks(x: Exchange, handler: RequestHandler) -> None:
        scope = x.scope
        with exit_shield(scope):
            async with AsyncExitStack() as request_stack:
                scope["fastapi_inner_astack"] = request_stack
                async with AsyncExitStack() as function_stack:
                    scope["fastapi_function_astack"] = function_stack
                    response = await handler(x.request)
                await send_response(x, response)
        if not x.replied:
            raise unanswered()

    async def respond_to_request(self, request: Request) -> Response:
        """FastAPI's route handler: from a request to a response. Exit stacks are those in the request's scope."""
        x = Exchange.of(request.scope, request.receive, request._send)
        compiled = self.compiled_for(x)
        if compiled.observed is not None:
            return await compiled.observed.respond(request)
        x.request_object = request
        x.request_stack = request.scope.get("fastapi_inner_astack")
        x.function_stack = request.scope.get("fastapi_function_astack")
        x.shield = request.scope.get(SHIELD)
        program = self.program(x)
        try:
            if program is not None:
                response: Response = await program.serve(INSIDE, x, True)
                return response
            return await compiled.responder.response(x, await self._result(x, compiled, compiled.plan()))
        except ValidationException as exc:
            tell_way(exc, request.scope)
            raise
        finally:
            await close_later(x, x.request_stack)


class Engine(RouteApp):
    """The engine of a route without its custom handler, for use inside of that.

    Parameters:
        facts: what the handler of the route is made with.
    """

    def __init__(self, facts: HandlerFacts | None) -> None:
        self.route = None
        self.facts: Any = facts  # None for a handler that is given
        self._compiled = None
        self._handler = None


def replaced_handler() -> Callable[..., RequestHandler] | None:
    """What stands in the place of `ferrapi.routing.get_request_handler`, if somebody replaced it (tracing tools do)."""
    return replaced("ferrapi.routing").get("get_request_handler")


def app_of(route: APIRoute | EffectiveRouteContext) -> ASGIApp:
    """The application that answers the requests to a route; through a replaced `request_response`, if any."""
    make = replaced("ferrapi.routing").get("request_response")
    return RouteApp(route) if make is None else make(RouteApp.custom_handler(route))


def engine_handler(route: Declared) -> RequestHandler:
    """The engine as a function from a request to a response, through a replaced `get_request_handler` if any."""
    make = replaced_handler()
    if make is None:
        return Engine(HandlerFacts.of(route)).respond_to_request
    return make(
        dependant=route.dependant,
        body_field=route.body_field,
        status_code=route.status_code,
        response_class=route.response_class,
        response_field=route.response_field,
        response_model_include=route.response_model_include,
        response_model_exclude=route.response_model_exclude,
        response_model_by_alias=route.response_model_by_alias,
        response_model_exclude_unset=route.response_model_exclude_unset,
        response_model_exclude_defaults=route.response_model_exclude_defaults,
        response_model_exclude_none=route.response_model_exclude_none,
        dependency_overrides_provider=route.dependency_overrides_provider,
        embed_body_fields=route._embed_body_fields,
        strict_content_type=route.strict_content_type,
        stream_item_field=route.stream_item_field,
        is_json_stream=route.is_json_stream,
        form_limits=route.form_limits,
    )


def unanswered() -> FastAPIError:
    """The complaint of a request that got no response because a dependency swallowed the exception that kept it."""
    return FastAPIError(
        "Response not awaited. There's a high chance that the application code is raising an exception and a "
        "dependency with yield has a block with a bare except, or a block with except Exception, and is not "
        "raising the exception again. Read more about it in the docs: "
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#dependencies-with-yield-and-except"
    )


def no_response() -> Exception:
    """What FastAPI says where a dependency that ends before the response swallowed the exception that kept it."""
    error = UnboundLocalError("cannot access local variable 'response' where it is not associated with a value")
    error.name = "response"
    return error


async def handle_exception(x: Exchange, exc: Exception, handlers: Any = None) -> None:
    """Answer with the handler that is registered for `exc`; raise it again without one.

    Parameters:
        x: the request.
        exc: the exception.
        handlers: by class and by status code, if they aren't those that the request has come to last.
    """
    if isinstance(exc, LimitExceeded):
        exc = HTTPException(status_code=400, detail=str(exc))
    handler = handler_for(x.handlers if handlers is None else handlers, exc)
    answer = short_answer(handler) if handler is not None else None
    if answer is None:
        tell_way(exc, x.scope)
    if handler is None:
        raise exc
    if x.started:
        raise RuntimeError("Caught handled exception, but response already started.") from exc
    ready = None if answer is None or not x.is_http else answer(exc)
    if ready is not None:
        pending = x.send_body(*ready)
        if pending is not None:
            await pending
        x.replied = True
    else:
        response = await _ask(handler, None if answer is not None else x.connection, exc)
        if response is not None:
            await send_response(x, response)
    exc.__traceback__ = None


async def _ask(handler: Any, connection: Any, exc: Exception) -> Any:
    """What an exception handler answers."""
    if gives_coroutine(handler):
        return await handler(connection, exc)
    return await run_later_in_thread(handler, connection, exc)

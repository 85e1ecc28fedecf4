"""`RouteApp`: a route as an ASGI application. Here the four steps meet: read, run, respond, and what errors become.

A route is served in one of two ways. Normally the engine takes the scope, solves the plan and sends the response. A
route class that overrides `get_route_handler` gets FastAPI's contract instead: a function from `Request` to `Response`,
around which it may do what it wants; the engine runs inside.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from starlette._exception_handler import _lookup_exception_handler
from starlette._utils import is_async_callable
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .._edits import EDITS
from .._native import LimitExceeded
from ..datastructures import DefaultPlaceholder
from ..dependencies._body import body_encoding
from ..dependencies._callables import Kind
from ..dependencies._values import MISSING
from ..exception_handlers import IGNORE_THE_REQUEST
from ..exceptions import FastAPIError, RequestValidationError
from ._exchange import Exchange
from ._form import close_form
from ._form_body import FormBody
from ._json_body import JsonBody
from ._limits import FormBounds, serve_limited
from ._plan import Plan
from ._read import body_bytes, body_now, body_value, read_form
from ._respond import Responder, endpoint_context, send_response
from ._teardown import Teardown

if TYPE_CHECKING:
    from ._route import APIRoute

RequestHandler = Callable[[Request], Coroutine[Any, Any, Response]]
_REMEMBERED_OVERRIDES = 16


class Compiled:
    """What a route needs per request, made at its first one and again after an edit."""

    def __init__(self, route: APIRoute) -> None:
        self.edits = EDITS.value
        self.route = route
        embed = route._embed_body_fields
        self.base = Plan(route.dependant, embed=embed)
        self.embed = embed
        encoding = body_encoding(route.dependant)
        self.has_body = encoding is not None
        self.is_form = encoding == "form"
        self.bounds = FormBounds.of(route.form_limits)
        strict = route.strict_content_type
        self.strict = bool(strict.value if isinstance(strict, DefaultPlaceholder) else strict)
        kind = self.base.endpoint.kind
        streams = route.is_sse_stream or route.is_json_stream or kind in (Kind.GENERATOR, Kind.ASYNC_GENERATOR)
        self.short_body = JsonBody.of(self.base, self.strict) or FormBody.of(self.base, self.bounds)
        self.is_async = kind is Kind.ASYNC
        self.responder = self._responder(route, streams=streams, in_thread=kind is Kind.SYNC)
        provider = route.dependency_overrides_provider
        self.provider = provider if hasattr(provider, "dependency_overrides") else None
        self._overridden: dict[Any, Plan] = {}

    @staticmethod
    def _responder(route: APIRoute, *, streams: bool, in_thread: bool) -> Responder:
        if not streams:
            return Responder(route, in_thread)
        from ._streams import StreamResponder

        return StreamResponder(route, in_thread)

    def plan(self) -> Plan:
        """The plan for this request: the base plan, unless dependencies are overridden."""
        overrides = None if self.provider is None else self.provider.dependency_overrides
        return self._override(overrides) if overrides else self.base

    def _override(self, overrides: Any) -> Plan:
        key = tuple((id(call), id(override)) for call, override in overrides.items())
        plan = self._overridden.get(key)
        if plan is None:
            if len(self._overridden) >= _REMEMBERED_OVERRIDES:
                self._overridden.clear()
            plan = Plan(self.route.dependant, embed=self.embed, overrides=dict(overrides))
            self._overridden[key] = plan
        return plan


class RouteApp:
    """A route as an ASGI application.

    Parameters:
        route: the (effective) route.
    """

    def __init__(self, route: APIRoute) -> None:
        self.route = route
        self._compiled: Compiled | None = None
        self._handler: RequestHandler | None = None
        from ._route import APIRoute

        if type(route).get_route_handler is not APIRoute.get_route_handler or replaced_handler() is not None:
            self._handler = self._custom_handler()

    def _custom_handler(self) -> RequestHandler:
        from ._contexts import EFFECTIVE
        from ._route import original_of

        token = EFFECTIVE.set(self.route)
        try:
            handler: RequestHandler = original_of(self.route).get_route_handler()  # type: ignore[attr-defined]
            return handler
        finally:
            EFFECTIVE.reset(token)

    def placed(self, route: APIRoute) -> RouteApp:
        """The application of the same route at another place."""
        return type(self)(route)

    def compiled(self) -> Compiled:
        """The plan and responder, rebuilt if anything was edited since they were made."""
        compiled = self._compiled
        if compiled is None or compiled.edits != EDITS.value:
            compiled = self._compiled = Compiled(self.route)
        return compiled

    def reads_body(self) -> bool:
        """Whether the body is read before any of the application's code runs; False before the first request."""
        return self._handler is None and self._compiled is not None and self._compiled.has_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer()(Exchange(scope, receive, send))

    def answer(self) -> Callable[[Exchange], Coroutine[Any, Any, None]]:
        """What answers a request; what no handler takes is raised."""
        limit = None if self.route is None else self.route.max_body_size
        return self._serve if limit is None else lambda x: serve_limited(x, limit, self._serve)

    async def _serve(self, x: Exchange) -> None:
        try:
            if self._handler is not None:
                await self._serve_custom(x, self._handler)
                return
            compiled = self._compiled
            if compiled is None or compiled.edits != EDITS.value:
                compiled = self.compiled()
            provider = compiled.provider
            plan = compiled.plan() if provider is not None and provider.dependency_overrides else compiled.base
            if plan.has_generators:
                await self._serve_in_contexts(x, compiled, plan)
                return
            values = plan.early(x)
            if values is None or compiled.has_body:
                values = await self._all_values(x, compiled, plan, values)
            if compiled.is_async:
                result = await plan.endpoint.call(**values)
            else:
                result = await compiled.responder.call(x, plan.endpoint, values)
            pending = compiled.responder.reply(x, result)
            if pending is not None:
                await pending
        except Exception as exc:
            await handle_exception(x, exc)
        finally:
            if x.form is not None:
                await close_form(x.form)

    async def _all_values(
        self, x: Exchange, compiled: Compiled, plan: Plan, early: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The endpoint's keyword arguments: what was read `early`, the body, and what the dependencies return."""
        body: Any = MISSING
        if compiled.has_body:
            content: bytes | None = None
            if early is not None and compiled.short_body is not None and compiled.short_body.fits(x):
                content = await body_now(x)
                if content is None and not compiled.is_form:
                    content = await body_bytes(x)
                values = None if content is None else compiled.short_body.complete(x, content, early)
                if values is not None:
                    return values
            body = await self._body(x, compiled, content)
        values, errors = await plan.values(x, body, self.route.dependency_overrides_provider)
        if values is None:
            shown = None if body is MISSING else body
            raise RequestValidationError(errors, body=shown, endpoint_ctx=endpoint_context(self.route))
        return values

    @staticmethod
    async def _body(x: Exchange, compiled: Compiled, content: bytes | None) -> Any:
        """What the body says; its bytes are `content`, unless they have still to be read."""
        if compiled.is_form:
            return await read_form(x, compiled.bounds)
        try:
            return body_value(x, await body_bytes(x) if content is None else content, strict=compiled.strict)
        except RequestValidationError as exc:
            exc.endpoint_ctx = endpoint_context(compiled.route)
            raise

    async def _result(self, x: Exchange, compiled: Compiled, plan: Plan) -> Any:
        """What the endpoint returns, or the generator that it is."""
        values = await self._all_values(x, compiled, plan, None)
        if compiled.is_async:
            return await plan.endpoint.call(**values)
        return await compiled.responder.call(x, plan.endpoint, values)

    async def _serve_in_contexts(self, x: Exchange, compiled: Compiled, plan: Plan) -> None:
        responder = compiled.responder
        async with Teardown() as x.request_stack:
            if plan.ends_with_function:
                async with Teardown() as x.function_stack:
                    reply = await responder.respond(x, await self._result(x, compiled, plan))
                # Unbound if a dependency's end swallowed an exception; that is what FastAPI says of it, too.
                await responder.send(x, reply)
            else:
                pending = responder.reply(x, await self._result(x, compiled, plan))
                if pending is not None:
                    await pending
                x.replied = True
        if not x.replied:
            raise unanswered()

    async def _serve_custom(self, x: Exchange, handler: RequestHandler) -> None:
        scope = x.scope
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
        x = Exchange(request.scope, request.receive, request._send)
        x.request_object = request
        x.request_stack = request.scope.get("fastapi_inner_astack")
        x.function_stack = request.scope.get("fastapi_function_astack")
        compiled = self.compiled()
        try:
            return await compiled.responder.response(x, await self._result(x, compiled, compiled.plan()))
        finally:
            if x.form is not None:
                await self._close_later(x)

    @staticmethod
    async def _close_later(x: Exchange) -> None:
        form, stack = x.form, x.request_stack
        if form is not None and isinstance(stack, AsyncExitStack):
            stack.push_async_callback(close_form, form)
        elif form is not None:
            await close_form(form)


class Engine(RouteApp):
    """The engine of a route without its custom handler, for use inside of that.

    Parameters:
        route: the route, or an object with the attributes of one that the engine reads.
    """

    def __init__(self, route: Any) -> None:
        self.route = route
        self._compiled = None
        self._handler = None


def replaced_handler() -> Callable[..., RequestHandler] | None:
    """What stands in the place of `ferrapi.routing.get_request_handler`, if somebody replaced it (tracing tools do)."""
    from .. import routing
    from ._facade import get_request_handler

    current: Any = getattr(routing, "get_request_handler", get_request_handler)
    return None if current is get_request_handler else current


def engine_handler(route: APIRoute) -> RequestHandler:
    """The engine as a function from a request to a response, through a replaced `get_request_handler` if any."""
    make = replaced_handler()
    if make is None:
        return Engine(route).respond_to_request
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


async def handle_exception(x: Exchange, exc: Exception) -> None:
    """Answer with the handler that is registered for `exc`; raise it again without one."""
    if isinstance(exc, LimitExceeded):
        exc = HTTPException(status_code=400, detail=str(exc))
    exception_handlers, status_handlers = x.handlers
    handler: Any = status_handlers.get(exc.status_code) if isinstance(exc, HTTPException) else None
    if handler is None:
        handler = _lookup_exception_handler(exception_handlers, exc)
    if handler is None:
        raise exc
    if x.started:
        raise RuntimeError("Caught handled exception, but response already started.") from exc
    if handler in IGNORE_THE_REQUEST:
        response = await handler(None, exc)
    elif is_async_callable(handler):
        response = await handler(x.connection, exc)
    else:
        response = await run_in_threadpool(handler, x.connection, exc)
    if response is not None:
        await send_response(x, response)
    exc.__traceback__ = None

"""`RouteApp`: a route as an ASGI application. Here the four steps meet: read, run, respond, and what errors become.

A route is served in one of two ways. Normally the engine takes the scope, solves the plan and sends the response. A
route class that overrides `get_route_handler` gets FastAPI's contract instead: a function from `Request` to `Response`,
around which it may do what it wants; the engine runs inside.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .._hooks import replaced
from .._native import Program
from .._pickling import Regained
from .._version_counter import ROUTES_VERSION
from .._ways import COUNTED
from ..declare.handler_facts import HandlerFacts
from ..declare.route import EFFECTIVE, Declared
from ..exceptions import ValidationException
from .compiled import Compiled
from .exchange import Exchange
from .files import close_later
from .guard import INSIDE
from .limits import serve_limited
from .observed import Observed, is_asked, is_observed
from .programs import RequestHandler, handling, program_inside
from .respond import tell_way
from .shield import SHIELD
from .while_connected import serve_while_connected


class RouteApp(Regained):
    """A route as an ASGI application.

    Parameters:
        route: the (effective) route.
    """

    _made = frozenset({"_compiled", "_handling"})
    _compiled: Compiled | None = None
    _handling: tuple[int, Program] | None = None

    def __init__(self, route: Declared) -> None:
        self.route: Any = route
        self.facts = HandlerFacts.of(route)
        self._handler: RequestHandler | None = None
        original: Any = getattr(route, "original_route", route)
        if original._has_own_handler() or replaced_handler() is not None:
            self._handler = self.custom_handler(route)

    @staticmethod
    def custom_handler(route: Any) -> RequestHandler:
        """What the route's `get_route_handler` returns for its place.

        Parameters:
            route: the route, or its place.
        """
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
            compiled = self._compiled = Compiled(self.facts, is_observed=is_observed())
        return compiled

    def reads_body(self) -> bool:
        """Whether the body is read before any of the application's code runs; False before the first request."""
        compiled = self._compiled
        return self._handler is None and compiled is not None and compiled.has_body and not compiled.reads_body_last

    def is_wrapped(self) -> bool:
        """Whether there is something around the engine here: a limit, who cancels it."""
        facts = self.facts
        return facts is not None and (facts.max_body_size is not None or bool(facts.cancel_on_disconnect))

    def handler(self) -> RequestHandler | None:
        """What is called with the request instead of the engine, if the route has a handler of its own."""
        return self._handler

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

    def program(self) -> Program | None:
        """What runs the engine for a request that has come through whatever is around it; None if somebody looks on."""
        compiled = self.compiled()
        if compiled.program is None:
            compiled.program = program_inside(self) or False
        obstacle = compiled.obstacle()
        if COUNTED is not None and obstacle is not None:
            COUNTED.elsewhere(obstacle)
        return compiled.program or None

    async def serve(self, x: Exchange) -> None:
        """Answer a request, whatever its body's size; what no handler takes is raised."""
        await self._outermost().serve(INSIDE, x, False)

    def _outermost(self) -> Program:
        """What answers a request: the engine, a handler of the user's, or for somebody who looks on, step by step."""
        program = self.program() if self._handler is None else None
        if program is not None:
            return program
        known = self._handling
        if known is None or known[0] != ROUTES_VERSION.value:
            handler = self._handler or Observed(self.compiled()).respond
            known = self._handling = ROUTES_VERSION.value, handling(handler)
        return known[1]

    async def respond_to_request(self, request: Request) -> Response:
        """FastAPI's route handler: from a request to a response. Exit stacks are those in the request's scope."""
        asks_request = is_asked(request)
        if asks_request and COUNTED is not None:
            COUNTED.elsewhere("request objects that are asked")
        program = None if asks_request else self.program()
        if program is None:
            return await Observed(self.compiled()).respond(request)
        x = Exchange.of(request.scope, request.receive, request._send)
        x.request_object = request
        x.request_stack = request.scope.get("fastapi_inner_astack")
        x.function_stack = request.scope.get("fastapi_function_astack")
        x.shield = request.scope.get(SHIELD)
        try:
            response: Response = await program.serve(INSIDE, x, True)
            return response
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


def app_of(route: Declared) -> ASGIApp:
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

"""WebSocket endpoints: the same parameters, dependencies and validation as HTTP ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from starlette.routing import Match, WebSocketRoute, get_name
from starlette.types import Receive, Scope, Send

from .. import params
from .._hooks import current, is_reading_seen, put_in_place, replaced, routing_class, watch
from .._pickling import Regained
from .._version_counter import ROUTES_VERSION
from ..compile.plan import Plan
from ..compile.step import Values
from ..declare.body import flat_body_params, should_embed_body_fields
from ..declare.handler_facts import HandlerFacts
from ..declare.include import IncludeContext
from ..declare.route import Placeable, declare_dependant
from ..declare.versions import both
from ..dependencies.models import Dependant
from ..exceptions import WebSocketRequestValidationError
from ..serve.exchange import Exchange
from ..serve.failing import handle_exception
from ..serve.files import STACK_KEY
from ..serve.respond import endpoint_context
from ..serve.shield import ExitShield
from ..serve.solving import solve_connection
from ..serve.tracer import SILENT
from ..serve.values import Errors

_ROUTING = "ferrapi.routing"


class WebSocketApp(Regained):
    """A WebSocket route as an ASGI application.

    Parameters:
        dependant: what the endpoint needs.
        dependency_overrides_provider: the object whose ``dependency_overrides`` apply.
        embed: whether each body parameter is a key of the body.
    """

    _made = frozenset({"_plan", "_as_of"})
    _plan: Plan | None = None
    _as_of = -1

    def __init__(self, dependant: Dependant, dependency_overrides_provider: Any, embed: bool) -> None:
        self._dependant = dependant
        self._provider = dependency_overrides_provider
        self._embed = embed
        self._facts = HandlerFacts(dependant, dependant.call, path_format=dependant.path or "")

    def _current_plan(self) -> Plan:
        """The plan as of now, without overrides: its program looks for those itself."""
        as_of = ROUTES_VERSION.value
        if self._plan is None or self._as_of != as_of:
            self._as_of = as_of
            self._plan = Plan(self._dependant, embed=self._embed, provider=self._provider, websocket=True)
        return self._plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as scope[STACK_KEY]:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        x = Exchange.of(scope, receive, send)
        x.is_http = False
        try:
            with ExitShield(scope) as x.shield:
                async with AsyncExitStack() as request_stack:
                    x.request_stack = scope["fastapi_inner_astack"] = request_stack
                    async with AsyncExitStack() as function_stack:
                        x.function_stack = scope["fastapi_function_astack"] = function_stack
                        await self._run(x)
        except Exception as exc:
            await handle_exception(x, exc)

    async def _run(self, x: Exchange) -> None:
        plan = self._current_plan()
        tracer, call = x.tracer or SILENT, plan.endpoint.call
        tracer.started(x)
        with tracer.step("dependencies", call):
            values, errors = await self._solve(x, plan)
            tracer.solved(values, errors)
        if errors:
            tracer.refused(errors)
            kind = put_in_place(_ROUTING, "WebSocketRequestValidationError", WebSocketRequestValidationError)
            raise kind(errors, endpoint_ctx=endpoint_context(self._facts))
        with tracer.step("endpoint", call):
            await call(**values)

    async def _solve(self, x: Exchange, plan: Plan) -> tuple[Values, Errors]:
        """Run the dependencies, by way of `solve_dependencies` if somebody has replaced it, or what reads for it."""
        replacements = replaced(_ROUTING)
        if "WebSocket" in replacements:
            x.__dict__["websocket"] = replacements["WebSocket"](x.scope, x.receive, x.send)
        if "solve_dependencies" not in replacements and not is_reading_seen():
            return await solve_connection(x, plan)
        solved = await current(_ROUTING, "solve_dependencies")(
            request=x.websocket,
            dependant=self._dependant,
            dependency_overrides_provider=self._provider,
            async_exit_stack=x.request_stack,
            embed_body_fields=self._embed,
        )
        return solved.values, solved.errors


class APIWebSocketRoute(Placeable, WebSocketRoute):
    """A WebSocket endpoint at a path.

    Parameters:
        path: the path template.
        endpoint: the coroutine function.
        name: for `url_path_for`; the endpoint's name if not given.
        dependencies: dependencies that pass nothing on.
        dependency_overrides_provider: the object whose ``dependency_overrides`` apply.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Awaitable[Any]],
        *,
        name: str | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        dependency_overrides_provider: Any | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.dependencies = list(dependencies or [])
        self.dependency_overrides_provider = dependency_overrides_provider
        self._place(path)
        self.dependant = declare_dependant(self.path_format, endpoint, self.dependencies)
        self._embed_body_fields = should_embed_body_fields(flat_body_params(self.dependant))
        self.app = WebSocketApp(self.dependant, dependency_overrides_provider, self._embed_body_fields)

    def included(self, context: IncludeContext) -> APIWebSocketRoute:
        """This route, as it is now, with what its includes add to it."""
        route: APIWebSocketRoute = routing_class("APIWebSocketRoute")(
            context.prefix + self.path,
            self.endpoint,
            name=self.name,
            dependencies=[*context.dependencies, *self.dependencies],
            dependency_overrides_provider=context.dependency_overrides_provider or self.dependency_overrides_provider,
        )
        route.__dict__["versions"] = both(context.versions, self.versions)  # not announced: no edit
        return route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this route answers `scope`, and what it adds to the scope (Starlette's contract)."""
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope


watch(APIWebSocketRoute)

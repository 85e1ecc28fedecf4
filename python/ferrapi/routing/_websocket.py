"""WebSocket endpoints: the same parameters, dependencies and validation as HTTP ones."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from starlette.exceptions import HTTPException
from starlette.routing import Match, WebSocketRoute, compile_path, get_name
from starlette.types import Receive, Scope, Send

from .. import params
from .._edits import EDITS
from .._hooks import watch
from .._native import LimitExceeded
from ..dependencies import _body
from ..dependencies._dependant import get_dependant, with_route_dependencies
from ..dependencies._values import MISSING
from ..exceptions import WebSocketRequestValidationError
from ._contexts import IncludeContext, new_path_parameters
from ._exchange import Exchange
from ._handler import handle_exception
from ._plan import Plan
from ._shield import exit_shield


class WebSocketApp:
    """A WebSocket route as an ASGI application.

    Parameters:
        route: the (effective) route.
    """

    def __init__(self, route: APIWebSocketRoute) -> None:
        self.route = route
        self._plan: Plan | None = None
        self._edits = -1

    def _current_plan(self) -> Plan:
        route = self.route
        overrides = getattr(route.dependency_overrides_provider, "dependency_overrides", None)
        if overrides:
            return Plan(route.dependant, embed=route._embed_body_fields, overrides=dict(overrides), websocket=True)
        if self._plan is None or self._edits != EDITS.value:
            self._edits = EDITS.value
            self._plan = Plan(route.dependant, embed=route._embed_body_fields, websocket=True)
        return self._plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        x = Exchange(scope, receive, send)
        x.is_http = False
        try:
            with exit_shield(scope) as x.shield:
                async with AsyncExitStack() as request_stack:
                    x.request_stack = scope["fastapi_inner_astack"] = request_stack
                    async with AsyncExitStack() as function_stack:
                        x.function_stack = scope["fastapi_function_astack"] = function_stack
                        await self._run(x)
        except Exception as exc:
            await handle_exception(x, exc)

    async def _run(self, x: Exchange) -> None:
        plan = self._current_plan()
        try:
            values, errors = await plan.values(x, plan.read(x), MISSING)
        except LimitExceeded as exc:
            raise HTTPException(status_code=400, detail=str(exc)) from None
        if values is None:
            raise WebSocketRequestValidationError(errors)
        await plan.endpoint.call(**values)


class APIWebSocketRoute(WebSocketRoute):
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
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.dependencies = list(dependencies or [])
        self.dependency_overrides_provider = dependency_overrides_provider
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._compiled_regex = self.path_regex
        self.dependant = with_route_dependencies(
            get_dependant(path=self.path_format, call=endpoint, scope="function"), self.dependencies, self.path_format
        )
        self._embed_body_fields = _body.should_embed_body_fields(_body.flat_body_params(self.dependant))
        self.app = WebSocketApp(self)

    def included(self, context: IncludeContext) -> APIWebSocketRoute:
        """This route with what an include adds to it."""
        route = copy.copy(self)
        route._original = self  # type: ignore[attr-defined]
        route.dependencies = [*context.dependencies, *self.dependencies]
        route.dependency_overrides_provider = (
            context.dependency_overrides_provider or self.dependency_overrides_provider
        )
        route.path = context.prefix + self.path
        route.path_regex, route.path_format, route.param_convertors = compile_path(route.path)
        route._compiled_regex = route.path_regex
        if new_path_parameters(context):
            own = get_dependant(path=route.path_format, call=self.endpoint, scope="function")
            dependencies = route.dependencies
        else:
            own, dependencies = self.dependant, list(context.dependencies)
        route.dependant = with_route_dependencies(own, dependencies, route.path_format)
        route.app = WebSocketApp(route) if isinstance(self.app, WebSocketApp) else self.app
        return route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this route answers `scope`, and what it adds to the scope (Starlette's contract)."""
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self.__dict__.get("_original", self)
        return match, child_scope


watch(APIWebSocketRoute)

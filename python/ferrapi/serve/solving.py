"""Running dependencies for their own sake: for WebSockets and front ends, and for `solve_dependencies`.

Those who call that have a request made by hand, or one that they have changed.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from .._hooks import is_reading_seen, written
from .._native import LimitExceeded, Reader
from ..compile.plan import Plan
from ..compile.step import Values
from ..declare.sent import MISSING
from ..dependencies.models import Dependant
from .exchange import Exchange
from .guard import INSIDE
from .observed import PLAN
from .programs import solver_of
from .shield import SHIELD
from .values import Errors

_HELD = {"query_params": "_query_params", "headers": "_headers", "cookies": "_cookies", "path_params": ""}
"""The sources of parameters, and where a request keeps each once somebody has looked at it."""


class _Given(Exchange):
    """The exchange of a request that is in a caller's hands, who may have changed what it has.

    Whatever somebody has looked at, has declared anew in a subclass or has replaced, is taken from the request itself.
    """

    def _is_held(self, name: str) -> bool:
        connection = self.connection
        if _HELD[name] in vars(connection) or getattr(type(connection), name) is not written(HTTPConnection, name):
            return True
        return is_reading_seen()

    def read(self, reader: Reader) -> list[dict[str, Any] | None] | None:
        """The declared parameters, read natively from the scope; None if the request may say something else."""
        return None if any(map(self._is_held, _HELD)) else super().read(reader)

    def header(self, name: bytes) -> bytes | None:
        """The first header called `name`, which is in lower case."""
        if not self._is_held("headers"):
            return super().header(name)
        value = self.connection.headers.get(name.decode("latin-1"))
        return None if value is None else value.encode("latin-1")

    @property
    def path_params(self) -> Any:
        """The parameters that are in the path."""
        return self.connection.path_params or {}

    @property
    def query(self) -> QueryParams:
        """The query parameters."""
        return self.connection.query_params if self._is_held("query_params") else super().query

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self.connection.headers if self._is_held("headers") else super().headers

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies."""
        is_held = self._is_held("cookies") or self._is_held("headers")  # which they are made of
        return self.connection.cookies if is_held else super().cookies


def plan_of(request: Request | WebSocket, dependant: Dependant, provider: Any, *, embed: bool) -> Plan:
    """The plan for `dependant`: that of the route which is serving the request, if it is its own."""
    compiled = request.scope.get(PLAN)
    if compiled is not None and compiled.route.dependant is dependant:
        plan: Plan = compiled.plan()
        return plan
    overrides = getattr(provider, "dependency_overrides", None)
    is_socket = not isinstance(request, Request)
    return Plan(dependant, embed=embed, provider=provider, overrides=overrides, websocket=is_socket)


def exchange_of(request: Request | WebSocket, stack: AsyncExitStack) -> Exchange:
    """The exchange of a request. What its scope may lack, or may hold as text, is settled here."""
    scope = request.scope
    query = scope.get("query_string", b"")
    if isinstance(query, str) or scope.get("path_params", {}) is None:
        query = query.encode() if isinstance(query, str) else query
        scope = {**scope, "query_string": query, "path_params": scope.get("path_params") or {}}
    x = _Given(scope, request.receive if isinstance(request, Request) else request._receive, request._send)
    if isinstance(request, Request):
        x.request_object = request
    else:
        x.__dict__["websocket"] = request
    x.shield = scope.get(SHIELD)
    x.request_stack = scope.get("fastapi_inner_astack") or stack
    x.function_stack = scope.get("fastapi_function_astack") or stack
    return x


async def solve(plan: Plan, x: Exchange, body: Any, cache: dict[Any, Any] | None = None) -> tuple[Values, Errors]:
    """Run the dependencies of `plan`.

    Parameters:
        plan: the plan.
        x: the exchange, with the exit stacks that contexts are entered on.
        body: what the body says.
        cache: results by cache key, if they are to outlive the request.

    Returns:
        the endpoint's keyword arguments, without those that are invalid or whose dependency was not called; the errors.
    """
    solved: tuple[Values, Errors] = await solver_of(plan).solve(INSIDE, x, body, cache)
    return solved


async def solve_connection(x: Exchange, plan: Plan) -> tuple[Values, Errors]:
    """The same for a connection, or a request without a body. Raises 400 where its head is beyond a limit."""
    try:
        return await solve(plan, x, MISSING)
    except LimitExceeded as exc:
        raise HTTPException(status_code=400, detail=str(exc)) from None

"""`solve_dependencies`: one run over a plan's steps for those who call it themselves, with a request made by hand.

`Plan.values` is what routes use: it stops where an error is certain. Here, the values of what is valid are told beside
the errors, and the results of dependencies are taken from, and put into, a cache that outlives the request.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from .._native import Reader
from ..dependencies._body import request_body_to_args
from ..dependencies._values import Errors
from ..dependencies.models import Dependant, may_share
from ._exchange import Exchange
from ._late import Late
from ._observed import PLAN
from ._plan import Plan, validate_parameters
from ._shield import SHIELD
from ._step import Step, Values

_HELD = {"query_params": "_query_params", "headers": "_headers", "cookies": "_cookies", "path_params": ""}
"""The sources of parameters, and where a request keeps each once somebody has looked at it."""


class _Given(Exchange):
    """The exchange of a request that is in a caller's hands, who may have changed what it has.

    Whatever somebody has looked at, or has declared anew in a subclass, is taken from the request itself.
    """

    def _is_held(self, name: str) -> bool:
        connection = self.connection
        return _HELD[name] in vars(connection) or getattr(type(connection), name) is not getattr(HTTPConnection, name)

    def read(self, reader: Reader) -> list[dict[str, Any] | None] | None:
        """The declared parameters, read natively from the scope; None if the request may say something else."""
        return None if any(map(self._is_held, _HELD)) else super().read(reader)

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


async def solve(
    plan: Plan, x: Exchange, body: Any, cache: dict[Any, Any], provider: Any = None
) -> tuple[Values, Errors]:
    """Run the dependencies of `plan`.

    Parameters:
        plan: the plan.
        x: the exchange.
        body: what the body says.
        cache: results by cache key.
        provider: the object whose ``dependency_overrides`` may still change while the dependencies run.

    Returns:
        the endpoint's keyword arguments, without those that are invalid or whose dependency was not called; the errors.
    """
    groups = plan.read(x)
    results: list[Any] = []
    failed: set[int] = set()
    errors: Errors = []
    for step in plan.steps:
        if provider is not None and plan.is_overridden_by(provider):
            known, errors = await Late(plan, x, body, provider, results, failed, errors).values()
            return known or {}, errors
        values, found = await _own_values(step, x, groups[step.index] if groups else None, body)
        errors.extend(found)
        if not step.is_endpoint and (found or not failed.isdisjoint(step.children)):
            failed.add(step.index)
            results.append(None)
            continue
        fed = {name: results[index] for name, index in step.feeds if index not in failed}
        values = fed | values | {name: get(x) for name, get in step.specials}
        if step.is_endpoint:
            return values, errors
        results.append(await _result(plan, step, x, values, cache))
    return {}, errors


async def _own_values(step: Step, x: Exchange, early: Values | None, body: Any) -> tuple[Values, Errors]:
    """The parameters of one step that are valid, and the errors of the others."""
    if not step.has_fields:
        return {}, []
    values, found = validate_parameters(step.dependant, x) if early is None else (dict(early), [])
    if step.has_body:
        more, wrong = await request_body_to_args(step.dependant.body_params, body, step.embed)
        values.update(more)
        found.extend(wrong)
    return values, found


async def _result(plan: Plan, step: Step, x: Exchange, values: Values, cache: dict[Any, Any]) -> Any:
    """What a dependency returns: as it did before, if it may be shared and has been called."""
    key = plan.key_of(step)
    if may_share(step.dependant) and key in cache:
        return cache[key]
    result = await step.run(x, values)
    cache.setdefault(key, result)
    return result

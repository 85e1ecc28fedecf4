"""The names of `fastapi.dependencies.utils`, kept for code that imports them; the work is done beside."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from .._fields import ModelField
from .._hooks import announce_assignments
from .._names import names_of
from ..background import BackgroundTasks
from ..exceptions import DependencyScopeError
from ._body import create_body_model, flat_body_params, get_body_field, request_body_to_args
from ._declaration import (
    ParamDetails,
    add_non_field_param_to_dependency,
    add_param_to_fields,
    analyze_param,
    copy_field_info,
)
from ._dependant import get_dependant, get_parameterless_sub_dependant
from ._signature import (
    get_stream_item_type,
    get_typed_annotation,
    get_typed_return_annotation,
    get_typed_signature,
)
from ._types import (
    field_annotation_is_scalar,
    field_annotation_is_scalar_sequence,
    field_annotation_is_sequence,
    is_bytes_or_nonable_bytes_annotation,
    is_bytes_sequence_annotation,
    is_typealiastype,
    is_uploadfile_or_nonable_uploadfile_annotation,
    is_uploadfile_sequence_annotation,
    lenient_issubclass,
    value_is_sequence,
)
from ._values import MISSING, get_missing_field_error, get_validation_alias, request_params_to_args
from .models import Dependant, walk

__all__ = [
    "Dependant",
    "DependencyScopeError",
    "ParamDetails",
    "SolvedDependency",
    "add_non_field_param_to_dependency",
    "add_param_to_fields",
    "analyze_param",
    "copy_field_info",
    "create_body_model",
    "field_annotation_is_scalar",
    "field_annotation_is_scalar_sequence",
    "field_annotation_is_sequence",
    "flat_body_params",
    "get_body_field",
    "get_dependant",
    "get_flat_params",
    "get_missing_field_error",
    "get_parameterless_sub_dependant",
    "get_stream_item_type",
    "get_typed_annotation",
    "get_typed_return_annotation",
    "get_typed_signature",
    "get_validation_alias",
    "is_bytes_or_nonable_bytes_annotation",
    "is_bytes_sequence_annotation",
    "is_typealiastype",
    "is_uploadfile_or_nonable_uploadfile_annotation",
    "is_uploadfile_sequence_annotation",
    "lenient_issubclass",
    "request_body_to_args",
    "request_params_to_args",
    "solve_dependencies",
    "value_is_sequence",
]


def get_flat_params(dependant: Dependant) -> list[ModelField]:
    """All path, query, header and cookie parameters of the tree."""
    nodes = list(walk(dependant))
    nodes.insert(0, nodes.pop())  # the root's own come first
    return [
        field
        for fields in ("path_params", "query_params", "header_params", "cookie_params")
        for node in nodes
        for field in getattr(node, fields)
    ]


@dataclass
class SolvedDependency:
    """What `solve_dependencies` found: keyword arguments, or errors."""

    values: dict[str, Any]
    errors: list[Any]
    background_tasks: StarletteBackgroundTasks | None
    response: Response
    dependency_cache: dict[Any, Any]


async def solve_dependencies(
    *,
    request: Request | WebSocket,
    dependant: Dependant,
    body: Any = MISSING,
    background_tasks: StarletteBackgroundTasks | None = None,
    response: Response | None = None,
    dependency_overrides_provider: Any | None = None,
    dependency_cache: dict[Any, Any] | None = None,
    async_exit_stack: AsyncExitStack,
    embed_body_fields: bool,
    _uses_scopes_cache: dict[Any, Any] | None = None,
) -> SolvedDependency:
    """Run the dependencies of `dependant` for `request` (an adapter over the plan that routes use)."""
    from ..routing._exchange import Exchange
    from ..routing._observed import PLAN
    from ..routing._plan import Plan
    from ..routing._shield import SHIELD

    compiled = request.scope.get(PLAN)
    if compiled is not None and compiled.route.dependant is dependant:
        plan = compiled.plan()
    else:
        overrides = getattr(dependency_overrides_provider, "dependency_overrides", None)
        websocket = not isinstance(request, Request)
        plan = Plan(dependant, embed=embed_body_fields, overrides=overrides, websocket=websocket)
    receive = request.receive if isinstance(request, Request) else request._receive
    x = Exchange(request.scope, receive, request._send)
    if isinstance(request, Request):
        x.request_object = request
    else:
        x.__dict__["websocket"] = request
    x.injected = response
    if isinstance(background_tasks, BackgroundTasks):
        x.background = background_tasks
    x.request_stack = async_exit_stack
    x.shield = request.scope.get(SHIELD)
    x.function_stack = request.scope.get("fastapi_function_astack") or async_exit_stack
    results: list[Any] = []
    values, errors = await plan.values(x, plan.read(x), body, results=results)
    if values is None:
        values = await plan.as_far(x, body, results)
    return SolvedDependency(values, errors, x.background, x.response, dependency_cache or {})


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

announce_assignments(__name__, "run_in_threadpool")

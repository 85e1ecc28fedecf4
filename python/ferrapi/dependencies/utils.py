"""The names of `fastapi.dependencies.utils`, kept for code that imports them; the work is done beside."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from .._hooks import announce_assignments
from .._names import names_of
from ..background import BackgroundTasks
from ..declare.annotation import field_annotation_is_sequence
from ..declare.body import create_body_model, flat_body_params, get_body_field
from ..declare.dependant import get_dependant, get_parameterless_sub_dependant
from ..declare.fields import ModelField
from ..declare.parameters import (
    ParamDetails,
    add_non_field_param_to_dependency,
    add_param_to_fields,
    analyze_param,
    copy_field_info,
)
from ..declare.sent import MISSING, get_validation_alias
from ..declare.signature import (
    get_stream_item_type,
    get_typed_annotation,
    get_typed_return_annotation,
    get_typed_signature,
)
from ..declare.type_kinds import (
    field_annotation_is_scalar,
    field_annotation_is_scalar_sequence,
    is_bytes_or_nonable_bytes_annotation,
    is_bytes_sequence_annotation,
    is_typealiastype,
    is_uploadfile_or_nonable_uploadfile_annotation,
    is_uploadfile_sequence_annotation,
    lenient_issubclass,
    value_is_sequence,
)
from ..exceptions import DependencyScopeError
from ..serve.body_values import request_body_to_args
from ..serve.values import get_missing_field_error, request_params_to_args
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
    """What `solve_dependencies` found: keyword arguments, those that are valid if there are errors."""

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
    """Run the dependencies of `dependant` for `request`, which may be made by hand.

    Parameters:
        request: its scope needs a `query_string` and `headers` only if parameters come from there.
        dependant: the endpoint's tree.
        body: what the body says: fields of a form, a JSON value, bytes.
        background_tasks: where tasks are added.
        response: the response that dependencies are given; else one without a status.
        dependency_overrides_provider: an object with `dependency_overrides`.
        dependency_cache: results by cache key. What is in it is not called again, and what is called is put into it.
        async_exit_stack: where ``yield`` dependencies end, unless the scope has stacks for them.
        embed_body_fields: whether each body parameter is a key of the body.
    """
    from ..serve.solving import exchange_of, plan_of, solve

    plan = plan_of(request, dependant, dependency_overrides_provider, embed=embed_body_fields)
    x = exchange_of(request, async_exit_stack)
    x.injected = response
    x.background = cast(BackgroundTasks | None, background_tasks)  # Starlette's has the same methods
    cache = {} if dependency_cache is None else dependency_cache
    values, errors = await solve(plan, x, body, cache)
    return SolvedDependency(values, errors, x.background, x.response, cache)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

announce_assignments(__name__, "request_body_to_args", "request_params_to_args", "run_in_threadpool")

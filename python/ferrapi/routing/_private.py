"""Private names of `fastapi.routing` that libraries call: lifespans, the scope, what a response is made with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from starlette.types import Scope

from .. import params
from ..declare.body import flat_body_params, should_embed_body_fields
from ..declare.dependant import get_dependant, get_parameterless_sub_dependant
from ..declare.fields import ModelField
from ..dependencies.models import Dependant, with_first
from ..exceptions import EndpointContext
from ..serve.lifespan import LifespanContext, as_context, merged
from ..serve.respond import locate
from ..serve.streams import finite

T = TypeVar("T")

SCOPE_KEY = "fastapi"
"""Where the scope of a request has what FastAPI, and ferrapi, note in it."""

FORM_LIMITS_KEY = "form_limits"
EFFECTIVE_ROUTE_CONTEXT_KEY = "effective_route_context"
INCLUDED_ROUTER_KEY = "included_router"


def merge_lifespan_context(original_context: LifespanContext, nested_context: LifespanContext) -> LifespanContext:
    """Both lifespans, the nested one inside; their states are merged, the original's values winning."""
    return merged(original_context, nested_context)


def wrap_gen_lifespan_context(
    lifespan_context: Callable[[Any], Generator[Any, Any, Any]],
) -> LifespanContext:
    """A lifespan given as a generator function as a function that makes an asynchronous context manager."""
    return as_context(lifespan_context)


def get_fastapi_scope(scope: Scope) -> dict[str, Any]:
    """What is noted in `scope`; an empty dictionary is put there if nothing is."""
    noted: dict[str, Any] = scope.setdefault(SCOPE_KEY, {})
    return noted


def update_scope(scope: Scope, child_scope: Scope) -> None:
    """Put a match's `child_scope` into `scope`; what is noted for the framework is merged."""
    noted = child_scope.get(SCOPE_KEY)
    scope.update({name: value for name, value in child_scope.items() if name != SCOPE_KEY})
    if noted:
        get_fastapi_scope(scope).update(noted)


def build_response_args(*, status_code: int | None, solved_result: Any) -> dict[str, Any]:
    """The keyword arguments of a response: background tasks, and the status that a dependency or the route has set."""
    arguments: dict[str, Any] = {"background": solved_result.background_tasks}
    chosen = solved_result.response.status_code or status_code
    if chosen is not None:
        arguments["status_code"] = chosen
    return arguments


def extract_endpoint_context(func: Any) -> EndpointContext:
    """The file, line and name of `func`; nothing if one of them can't be found."""
    return locate(func)


def build_dependant_with_parameterless_dependencies(
    *, path: str, call: Callable[..., Any], dependencies: Sequence[params.Depends]
) -> tuple[Dependant, list[ModelField], bool]:
    """The dependant of `call` behind `dependencies`, all its body parameters, and whether each is a key of the body."""
    own = get_dependant(path=path, call=call, scope="function")
    dependant = with_first(own, [get_parameterless_sub_dependant(depends=one, path=path) for one in dependencies])
    fields = flat_body_params(dependant)
    return dependant, fields, should_embed_body_fields(fields)


def normalize_non_finite_floats(data: Any) -> Any:
    """`data` with None in place of NaN and infinities."""
    return finite(data)

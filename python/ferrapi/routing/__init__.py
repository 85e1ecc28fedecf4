"""Routes and routers, and the functions of `fastapi.routing`.

`_route`, `_router` and `_contexts` are what applications declare, `_table` finds the route of a request. What a request
goes through then is in `ferrapi.serve`.
"""

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.routing import BaseRoute as BaseRoute
from starlette.routing import Match as Match
from starlette.routing import Mount as Mount
from starlette.routing import NoMatchFound as NoMatchFound
from starlette.routing import compile_path as compile_path
from starlette.routing import get_name as get_name
from starlette.routing import websocket_session as websocket_session

from .._compat.starlette import MAX_BODY_SIZE_SCOPE_KEY as MAX_BODY_SIZE_SCOPE_KEY
from .._hooks import announce_assignments as _announce_assignments
from .._names import names_of
from ..declare.include import _RouterIncludeContext as _RouterIncludeContext
from ..declare.limits import get_body_size_limit as get_body_size_limit
from ..declare.limits import validate_max_body_size as validate_max_body_size
from ..dependencies.utils import solve_dependencies as solve_dependencies
from ..utils import generate_unique_id as generate_unique_id
from ._contexts import RouteContext as RouteContext
from ._contexts import _IncludedRouter as _IncludedRouter
from ._contexts import iter_route_contexts as iter_route_contexts
from ._contexts import iter_routes_with_context as _iter_routes_with_context  # noqa: F401  # tools read this name
from ._effective import _EffectiveRouteContext as _EffectiveRouteContext
from ._effective import effective_of as _get_scope_effective_route_context  # noqa: F401  # as above
from ._facade import get_request_handler as get_request_handler
from ._facade import get_websocket_app as get_websocket_app
from ._facade import request_response as request_response
from ._facade import run_endpoint_function as run_endpoint_function
from ._facade import serialize_response as serialize_response
from ._route import APIRoute as APIRoute
from ._router import APIRouter as APIRouter
from ._websocket import APIWebSocketRoute as APIWebSocketRoute

__all__ = [
    "MAX_BODY_SIZE_SCOPE_KEY",
    "APIRoute",
    "APIRouter",
    "APIWebSocketRoute",
    "RouteContext",
    "get_body_size_limit",
    "get_request_handler",
    "get_websocket_app",
    "iter_route_contexts",
    "request_response",
    "run_endpoint_function",
    "serialize_response",
    "validate_max_body_size",
]


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
_announce_assignments(
    __name__,
    "Request",
    "RequestValidationError",
    "ResponseValidationError",
    "StreamingResponse",
    "WebSocket",
    "WebSocketRequestValidationError",
    "format_sse_event",
    "get_request_handler",
    "jsonable_encoder",
    "request_response",
    "run_endpoint_function",
    "run_in_threadpool",
    "serialize_response",
    "solve_dependencies",
)

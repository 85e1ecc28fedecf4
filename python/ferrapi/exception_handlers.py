"""What the application answers to the exceptions that it knows, unless it is told otherwise.

They are ordinary handlers: call them from your own, or register one of your own in their place.
"""

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket

from ._error_report import DEFAULT_LIMITS, UNLIMITED, ReportLimits, render_errors
from ._native import encode_json
from .encoders import jsonable_encoder
from .exceptions import RequestValidationError, WebSocketRequestValidationError
from .utils import is_body_allowed_for_status_code

__all__ = [
    "http_exception_handler",
    "request_validation_exception_handler",
    "unlimited_request_validation_exception_handler",
    "websocket_request_validation_exception_handler",
]


class _PlainJSON(JSONResponse):
    """A `JSONResponse` with the same bytes, natively."""

    def render(self, content: Any) -> bytes:
        body = encode_json(content, whole=True)
        return super().render(content) if body is None else body


class _ErrorReport(JSONResponse):
    """A 422 whose body is rendered error by error."""

    def __init__(self, errors: Sequence[Any], limits: ReportLimits) -> None:
        self._limits = limits
        super().__init__(errors, status_code=422)

    def render(self, content: Any) -> bytes:
        return render_errors(content, self._limits)


async def http_exception_handler(request: Request, exc: HTTPException) -> Response:
    """Answer with the exception's status and headers, and its detail as JSON where a body is allowed."""
    headers = getattr(exc, "headers", None)
    if not is_body_allowed_for_status_code(exc.status_code):
        return Response(status_code=exc.status_code, headers=headers)
    return _PlainJSON({"detail": exc.detail}, status_code=exc.status_code, headers=headers)


async def request_validation_exception_handler(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Answer 422 with the errors: at most 1,000 of them and 1 MiB, the rest counted in a last entry."""
    return _ErrorReport(exc.errors(), DEFAULT_LIMITS)


async def unlimited_request_validation_exception_handler(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Answer 422 with all errors, however many the client provoked. Register it to have FastAPI's own behaviour."""
    return _ErrorReport(exc.errors(), UNLIMITED)


async def websocket_request_validation_exception_handler(
    websocket: WebSocket, exc: WebSocketRequestValidationError
) -> None:
    """Close the socket with code 1008 (policy violation) and the errors as reason."""
    await websocket.close(code=WS_1008_POLICY_VIOLATION, reason=jsonable_encoder(exc.errors()))


IGNORE_THE_REQUEST = frozenset(
    {
        http_exception_handler,
        request_validation_exception_handler,
        unlimited_request_validation_exception_handler,
    }
)
"""Those that never look at their first argument; nobody has to make it for them."""

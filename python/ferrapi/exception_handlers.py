"""What the application answers to the exceptions that it knows, unless it is told otherwise.

They are ordinary handlers: call them from your own, or register one of your own in their place.
"""

import json
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket

from ._error_report import DEFAULT_LIMITS, UNLIMITED, ReportLimits, render_errors
from ._hooks import announce_assignments, is_exchange_seen, replaced, untouched
from ._native import answer_http_exception
from .encoders import jsonable_encoder
from .exceptions import RequestValidationError, WebSocketRequestValidationError
from .utils import is_body_allowed_for_status_code

__all__ = [
    "http_exception_handler",
    "request_validation_exception_handler",
    "unlimited_request_validation_exception_handler",
    "websocket_request_validation_exception_handler",
]


JSON = b"application/json"
_decode = json.JSONDecoder().decode


class _ErrorReport(JSONResponse):
    """A 422 whose body is rendered error by error."""

    def __init__(self, errors: Sequence[Any], limits: ReportLimits) -> None:
        self._limits = limits
        super().__init__(errors, status_code=422)

    def render(self, content: Any) -> bytes:
        body = render_errors(content, self._limits)
        # Somebody who has replaced the way in which JSON is rendered wants to see this, too.
        is_seen = not untouched(JSONResponse, "render") or replaced("json")
        return super().render(_decode(body.decode())) if is_seen else body


async def http_exception_handler(request: Request, exc: HTTPException) -> Response:
    """Answer with the exception's status and headers, and its detail as JSON where a body is allowed."""
    headers = getattr(exc, "headers", None)
    if not is_body_allowed_for_status_code(exc.status_code):
        return Response(status_code=exc.status_code, headers=headers)
    return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=headers)


async def request_validation_exception_handler(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Answer 422 with the errors: at most 1,000, in no more bytes than the request allows for (`ReportLimits`).

    The rest is counted in a last entry.
    """
    if replaced(__name__):
        return JSONResponse(status_code=422, content={"detail": jsonable_encoder(exc.errors())})
    return _ErrorReport(exc.errors(), DEFAULT_LIMITS.of_request(getattr(exc, "_body_size", None)))


async def unlimited_request_validation_exception_handler(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Answer 422 with all errors, however many the client provoked. Register it to have FastAPI's own behaviour."""
    return _ErrorReport(exc.errors(), UNLIMITED)


async def websocket_request_validation_exception_handler(
    websocket: WebSocket, exc: WebSocketRequestValidationError
) -> None:
    """Close the socket with code 1008 (policy violation) and the errors as reason."""
    await websocket.close(code=WS_1008_POLICY_VIOLATION, reason=jsonable_encoder(exc.errors()))


AnswerHead = bytes | list[tuple[bytes, bytes]]
"""The headers of a response; or a content type, for a response that has that, the body's length and nothing else."""


def handler_for(handlers: tuple[Any, Any], exc: Exception) -> Any:
    """The handler of an exception: by its status code, or by the nearest of its classes; None without one."""
    by_class, by_status = handlers
    handler: Any = by_status.get(exc.status_code) if by_status and isinstance(exc, HTTPException) else None
    if handler:
        return handler
    for kind in type(exc).__mro__:
        if kind in by_class:
            return by_class[kind]
    return None


def _report(exc: RequestValidationError) -> bytes:
    """The body of the answer to a request whose data did not validate."""
    return render_errors(exc.errors(), DEFAULT_LIMITS.of_request(getattr(exc, "_body_size", None)))


Answer = Callable[[Any], tuple[int, AnswerHead, bytes] | None]
"""Status, headers and body of the answer to an exception; None if only the handler itself can make it."""

_ANSWERS: dict[Any, Answer] = {
    http_exception_handler: answer_http_exception,
    request_validation_exception_handler: lambda exc: (422, JSON, _report(exc)),
    unlimited_request_validation_exception_handler: lambda exc: (422, JSON, render_errors(exc.errors(), UNLIMITED)),
}
OWN_HANDLERS = tuple(_ANSWERS)
"""The handlers of this module whose answers are made without objects."""


def short_answer(handler: Any) -> Answer | None:
    """The answer of a handler of this module without objects, which nobody else would see; None for other handlers."""
    is_seen = type(handler) is not FunctionType or is_exchange_seen() or replaced(__name__)
    return None if is_seen else _ANSWERS.get(handler)


def answer_now(handlers: tuple[Any, Any], exc: Exception) -> tuple[int, AnswerHead, bytes] | None:
    """Status, headers and body of the answer to an exception, if one of the handlers of this module is for it.

    Parameters:
        handlers: by class and by status code.
        exc: the exception.
    """
    handler = handler_for(handlers, exc)
    return None if handler is None else answer_by(handler, exc)


def is_asked_natively(handler: Any) -> bool:
    """Whether the engine may ask an exception handler.

    It makes the answers of those of this module itself, which whoever has replaced what they are made of doesn't see.
    """
    return handler not in OWN_HANDLERS or short_answer(handler) is not None


def answer_by(handler: Any, exc: Exception) -> tuple[int, AnswerHead, bytes] | None:
    """The same, if `handler` is the one that is for it."""
    answer = short_answer(handler)
    return None if answer is None else answer(exc)


announce_assignments(__name__, "JSONResponse", "Response", "is_body_allowed_for_status_code", "jsonable_encoder")

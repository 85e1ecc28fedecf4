"""Exceptions that applications raise, handle, or get told about.

Three families:

* `HTTPException` and `WebSocketException` are raised by application code to end a request or a connection.
* `ValidationException` and its three subclasses say that data did not validate: of a request, of a WebSocket
  handshake, or of what an endpoint returned. They carry pydantic's error list, and optionally the place of the
  endpoint in the source so that a log line leads to the code.
* `FastAPIError` and its subclasses are mistakes in the application itself, found while it is put together.
  FastAPI reports some of them with a bare `AssertionError`; here they are subclasses of `UsageError`, which is
  an `AssertionError` as well, so that code written to catch either keeps working.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import BaseModel, create_model
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.exceptions import WebSocketException as StarletteWebSocketException

from ._names import names_of

__all__ = [
    "AccessRuleError",
    "AliasError",
    "CircularDependencyError",
    "DependencyScopeError",
    "EndpointContext",
    "FastAPIDeprecationWarning",
    "FastAPIError",
    "ForeignObjectError",
    "HTTPException",
    "LimitError",
    "ParameterError",
    "PydanticV1NotSupportedError",
    "RequestErrorModel",
    "RequestValidationError",
    "ResponseValidationError",
    "RouteError",
    "TelemetryError",
    "UsageError",
    "ValidationException",
    "VersioningError",
    "WebSocketErrorModel",
    "WebSocketException",
    "WebSocketRequestValidationError",
]


class EndpointContext(TypedDict, total=False):
    """Where an endpoint is: its function's name, its method and path, and the file and line of its definition."""

    function: str
    path: str
    file: str
    line: int


class HTTPException(StarletteHTTPException):
    """Ends the request with an error response when raised in an endpoint or a dependency.

    Args:
        status_code: The HTTP status code of the response.
        detail: Any JSON-serialisable value; it becomes the `detail` member of the body. Without one it is the
            status code's standard phrase.
        headers: Headers to add to the response.
    """

    if TYPE_CHECKING:  # Starlette's says that the detail is text

        def __init__(self, status_code: int, detail: Any = None, headers: Mapping[str, str] | None = None) -> None: ...


class WebSocketException(StarletteWebSocketException):
    """Closes the WebSocket when raised in an endpoint or a dependency.

    Args:
        code: The close code, one of RFC 6455 section 7.4 (1008 is a violated policy).
        reason: Why, at most 123 bytes of UTF-8 on the wire.
    """

    def __init__(self, code: int, reason: str | None = None) -> None:
        super().__init__(code=code, reason=reason)


RequestErrorModel: type[BaseModel] = create_model("Request")
"""An empty model titled `Request`, the title under which pydantic reports errors of a request."""

WebSocketErrorModel: type[BaseModel] = create_model("WebSocket")
"""An empty model titled `WebSocket`, the title under which pydantic reports errors of a handshake."""


class FastAPIError(RuntimeError):
    """A mistake in the application that is not tied to one request."""


class AliasError(FastAPIError):
    """`fastapi` can't be made to mean ferrapi any more (`ferrapi.as_fastapi`)."""


class DependencyScopeError(FastAPIError):
    """A dependency depends on one that is closed before it: of the request on one of the function, or of the
    application on one of the request, or on the request itself.
    """


class CircularDependencyError(FastAPIError, RecursionError):
    """A dependency needs itself, perhaps through others. Also a `RecursionError`, which is what FastAPI ends in."""


class ForeignObjectError(FastAPIError, TypeError):
    """An object that means something to another framework stands where only ferrapi's own would mean it.

    Without this error it would be taken for an ordinary value: a dependency that checks access would never run.
    """


class PydanticV1NotSupportedError(FastAPIError):
    """A model made with `pydantic.v1` was used where a pydantic 2 type is needed."""


class UsageError(FastAPIError, AssertionError):
    """A declaration contradicts itself; the message says what to change. Also an `AssertionError`, as in FastAPI."""


class ParameterError(UsageError):
    """A parameter of an endpoint or a dependency is declared in a way that can't work."""


class RouteError(UsageError):
    """A route, a router or an application is declared in a way that can't work."""


class LimitError(UsageError, ValueError):
    """A limit of bodies or forms is no limit. Also a `ValueError`, as in FastAPI."""


class VersioningError(UsageError, ValueError):
    """The versions of an API, or those that a route is for, are declared in a way that can't work."""


class AccessRuleError(UsageError):
    """A rule about roles or scopes doesn't say whose, or a user says nothing of them."""


class TelemetryError(FastAPIError, TypeError):
    """The settings of telemetry are none. Also a `TypeError`, as in FastAPI."""


class InvalidResponseError(FastAPIError):
    """A response has a status or a header that HTTP can't carry (RFC 9110, sections 5 and 15)."""


class FastAPIDeprecationWarning(UserWarning):
    """Something still works and will be removed. Not a `DeprecationWarning`, because those are hidden by default."""


class ValidationException(Exception):
    """Data that did not validate. `str()` lists every error and, if known, names the endpoint.

    Args:
        errors: pydantic's error dictionaries (`type`, `loc`, `msg`, `input` and perhaps `ctx`), in order.
        endpoint_ctx: The endpoint that the data was for, or that made it.
    """

    def __init__(self, errors: Sequence[Any], *, endpoint_ctx: EndpointContext | None = None) -> None:
        self._errors = errors
        self.tell_place(endpoint_ctx)

    def tell_place(self, endpoint_ctx: EndpointContext | None) -> None:
        """Note which endpoint the data was for, or made it."""
        place: EndpointContext = endpoint_ctx or {}
        self.endpoint_ctx = endpoint_ctx
        self.endpoint_function = place.get("function")
        self.endpoint_path = place.get("path")
        self.endpoint_file = place.get("file")
        self.endpoint_line = place.get("line")

    def errors(self) -> Sequence[Any]:
        """The error dictionaries, as they were given."""
        return self._errors

    def __str__(self) -> str:
        count = len(self._errors)
        lines = [f"{count} validation error{'' if count == 1 else 's'}:"]
        lines += [f"  {error}" for error in self._errors]
        return "\n".join(lines + self._place())

    def _place(self) -> list[str]:
        """The lines that name the endpoint: in a traceback's form if file, line and function are all known."""
        if self.endpoint_file and self.endpoint_line and self.endpoint_function:
            source = f'  File "{self.endpoint_file}", line {self.endpoint_line}, in {self.endpoint_function}'
            return ["", source] + ([f"    {self.endpoint_path}"] if self.endpoint_path else [])
        return ["", f"  Endpoint: {self.endpoint_path}"] if self.endpoint_path else []


class RequestValidationError(ValidationException):
    """The request's parameters or body did not validate; answered with 422 unless the application handles it.

    Args:
        errors: pydantic's error dictionaries; each `loc` begins with `path`, `query`, `header`, `cookie` or `body`.
        body: The parsed body, if there was one.
        endpoint_ctx: The endpoint that the request was for.
    """

    _json: bytes
    _body_size: int | None = None
    """The bytes of the request's body, if the engine has raised this: they say how large the answer may be."""

    def __init__(self, errors: Sequence[Any], *, body: Any = None, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)
        self.body = body

    @cached_property
    def body(self) -> Any:
        """The parsed body, if there was one."""
        return json.loads(self._json)

    @classmethod
    def of_json(cls, errors: Sequence[Any], content: bytes, endpoint_ctx: EndpointContext) -> "RequestValidationError":
        """The error of a body whose JSON is only parsed when somebody asks for it."""
        error = cls(errors, endpoint_ctx=endpoint_ctx)
        del error.body
        error._json = content
        return error


class WebSocketRequestValidationError(ValidationException):
    """The parameters of a WebSocket handshake did not validate; the socket is closed with code 1008."""

    def __init__(self, errors: Sequence[Any], *, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)


class ResponseValidationError(ValidationException):
    """What an endpoint returned does not fit its response model. A bug in the application, so it becomes a 500.

    Args:
        errors: pydantic's error dictionaries; each `loc` begins with `response`.
        body: The value that the endpoint returned.
        endpoint_ctx: The endpoint that returned it.
    """

    def __init__(self, errors: Sequence[Any], *, body: Any = None, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)
        self.body = body


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

"""`Exchange`: one request and its response while the engine works on them.

A transport makes it, the engine fills it. The objects that users know (`Request`, `Response`, `BackgroundTasks`, the
query as a multi-dictionary) are made when something asks for them and not before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData, Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from .._disconnect import Request as LiveRequest
from .._hooks import touches_any, written
from .._native import Noting, Reader, describes_body, parse_cookies, parse_query, send_whole
from ..background import BackgroundTasks
from .file_response import quick
from .files import offer_stack

if TYPE_CHECKING:
    from anyio import CancelScope

TRACER = "ferrapi.tracer"
"""The key under which a scope has who follows the request (`tracer.py`)."""


class Exchange:
    """One request on its way through the engine.

    Parameters:
        scope: the ASGI connection scope; ``path_params`` are set.
        receive: the ASGI receive callable.
        send: the ASGI send callable.
    """

    is_http = True  # whether the response is one of HTTP's, rather than the denial of a WebSocket

    # What most requests never set costs nothing here.
    request_object: Request | None = None
    injected: Response | None = None
    background: BackgroundTasks | None = None
    raw: bytes | None = None  # the body, once it was read
    unread: Message | None = None  # the first message of the body, if that was looked at and not taken
    form: FormData | None = None
    closes_form = True  # rather than an exit stack that was in the scope before
    file_stack: AsyncExitStack | None = None  # see `files.py`
    started = False
    replied = False
    is_past_handlers = False  # whether the handlers of the application have been asked about what has been raised
    tracer: Any = None  # the `Tracer` (`tracer.py`) that follows this request, if there is one
    function_stack: AsyncExitStack | None = None
    request_stack: AsyncExitStack | None = None
    shield: CancelScope | None = None  # see `shield.py`
    around: Sequence[tuple[Any, Any]] = ()  # layers of the applications that it is mounted in, and their handlers

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send

    @classmethod
    def of(cls, scope: Scope, receive: Receive, send: Send) -> Exchange:
        """The exchange of a request that came by way of ASGI: somebody may have put a tracer into its scope."""
        x = cls(scope, receive, send)
        tracer = scope.get(TRACER)
        if tracer is not None:
            x.tracer = tracer
        return x

    @property
    def request(self) -> Request:
        """The request as users see it."""
        request = self.request_object
        if request is None:
            request = self.request_object = LiveRequest(self.scope, self.receive, self.send)
            if self.form is not None:
                request._form = self.form
                request._stream_consumed = True
                offer_stack(self, self.form)
            elif self.raw is not None:
                request._body = self.raw
        return request

    @cached_property
    def websocket(self) -> WebSocket:
        """The WebSocket as users see it."""
        return WebSocket(self.scope, self.receive, self.send)

    @property
    def connection(self) -> HTTPConnection:
        """The request or the WebSocket."""
        return self.request if self.scope["type"] == "http" else self.websocket

    @property
    def response(self) -> Response:
        """The response that endpoint and dependencies may set headers, cookies and a status on."""
        response = self.injected
        if response is None:
            response = self.injected = _fresh_response()
        return response

    @property
    def tasks(self) -> BackgroundTasks:
        """The tasks to run after the response."""
        tasks = self.background
        if tasks is None:
            tasks = self.background = BackgroundTasks()
        return tasks

    @property
    def path_params(self) -> dict[str, Any]:
        """The parameters that are in the path."""
        return self.scope.get("path_params") or {}

    @cached_property
    def query(self) -> QueryParams:
        """The query parameters.

        Raises:
            LimitExceeded: when there are too many.
        """
        query = self.scope["query_string"]
        return QueryParams(parse_query(query.encode() if isinstance(query, str) else query))

    @cached_property
    def headers(self) -> Headers:
        """The request headers."""
        return Headers(scope=self.scope)

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The request cookies; the last of several equal names counts.

        Raises:
            LimitExceeded: when they are too many or too long.
        """
        return parse_cookies(self.scope["headers"])

    # What a transport may do in a way of its own

    @property
    def has_left(self) -> bool:
        """Whether the response has begun behind all middleware: some of it may hold a head back."""
        return self.started

    def enter(self, router: Any, handlers: Any) -> None:
        """Note the router and the exception handlers that this request has come to."""
        self.scope.setdefault("router", router)
        self.scope["starlette.exception_handlers"] = handlers

    @property
    def handlers(self) -> Any:
        """The exception handlers by class and by status code."""
        return self.scope.get("starlette.exception_handlers") or ({}, {})

    def read(self, reader: Reader) -> list[dict[str, Any] | None] | None:
        """The declared parameters, read natively; None if they have to be read one by one."""
        return reader.read(self.scope)

    def peek(self, key: str) -> Any:
        """What the scope holds under `key`, if anything."""
        return self.scope.get(key)

    def header(self, name: bytes) -> bytes | None:
        """The first header called `name`, which is in lower case."""
        for own, value in self.scope["headers"]:
            if own == name:
                return bytes(value)
        return None

    async def next_message(self) -> Message:
        """What the body goes on with."""
        message, self.unread = self.unread, None
        return await self.receive() if message is None else message

    def has_whole_body(self, most: int) -> bool:
        """Whether all of the body is here, not longer than `most` bytes, and nobody has taken any of it."""
        if self.raw is not None:
            return len(self.raw) <= most
        message = self.unread
        if self.request_object is not None or message is None or message["type"] != "http.request":
            return False
        return not message.get("more_body", False) and len(message.get("body", b"")) <= most

    def take_whole_body(self) -> bytes:
        """The body; only if `has_whole_body`."""
        if self.raw is not None:
            return self.raw
        message, self.unread = self.unread, None
        return b"" if message is None else bytes(message.get("body", b""))

    def settle_headers(self) -> None:
        """Keep what arrives after the head out of the headers.

        uvicorn appends the trailers of a chunked body to the very list that is in the scope, where they could pass for
        headers (RFC 9110, section 6.5.1, forbids to merge them).
        """
        self.scope["headers"] = list(self.scope["headers"])

    def place(self, route: Any) -> None:
        """Note the effective route of a request to an included router."""
        self.scope["fastapi"] = {**(self.scope.get("fastapi") or {}), **route.noted()}

    def send_body(self, status: int, headers: bytes | list[tuple[bytes, bytes]], body: bytes) -> Awaitable[None] | None:
        """Send a whole response.

        Parameters:
            status: the status code.
            headers: pairs of bytes that were checked and describe the body; or a content type, for a head with that,
                the body's length and nothing else.
            body: the body.

        Returns:
            what to wait for; None if all is done.
        """
        self.started = True
        pairs = pairs_of(headers, body)
        return None if send_whole(self.send, status, pairs, body) else send_in_messages(self.send, status, pairs, body)

    async def send_response(self, response: Response) -> None:
        """Send a response object, its background tasks included."""
        body: Any = getattr(response, "body", None)
        is_plain = self.is_http and is_plainly_sent(response) and type(body) is bytes
        if not is_plain or not describes_body(response.status_code, response.raw_headers, len(body)):
            await self.run(quick(response))
            return
        pending = self.send_body(response.status_code, response.raw_headers, body)
        if pending is not None:
            await pending
        if response.background is not None:
            await response.background()

    async def run(self, app: ASGIApp) -> None:
        """Let an ASGI application answer, a response object or a route that the engine doesn't serve."""
        await app(self.scope, self.receive, self.send_noting)

    @property
    def send_noting(self) -> Send:
        """The send callable for code that sends by itself: notes that the response has begun."""
        return Noting(self, self.send)


def _make_response() -> Response:
    """A response as endpoints and dependencies get it: no status, no headers yet."""
    response = Response()
    del response.headers["content-length"]
    vars(response).pop("_headers", None)  # a view of them, made again for whoever asks
    response.status_code = None  # type: ignore[assignment]
    return response


_BLANK = vars(_make_response())
_IS_KNOWN = _BLANK == {"background": None, "body": b"", "raw_headers": [], "status_code": None}
"""Whether copying what a response is made of is all that making one does."""


def _fresh_response() -> Response:
    """The same, made by copying while nobody has replaced a method of `Response`."""
    if not _IS_KNOWN or touches_any((Response,)):
        return _make_response()
    response = object.__new__(Response)
    own = vars(response)
    own.update(_BLANK)
    own["raw_headers"] = []
    return response


_SEND = written(Response, "__call__")


def is_plainly_sent(response: Any) -> bool:
    """Whether sending an object is what sending a `Response` of Starlette's is."""
    return isinstance(response, Response) and type(response).__call__ is _SEND


def pairs_of(headers: bytes | list[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a whole response: pairs as they are, or those of a head that only says a content type."""
    if isinstance(headers, bytes):
        return [(b"content-length", b"%d" % len(body)), (b"content-type", headers)]
    return headers


async def send_in_messages(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a whole response by an ASGI `send`, in two messages."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

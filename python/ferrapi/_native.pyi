"""The compiled half of ferrapi (crate `rust/src`). Not a public interface; checked against the binary by stubtest.

A `scope` is typed as Starlette types it; ASGI says that it is a `dict`, and nothing else is taken.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from types import FrameType, TracebackType
from typing import Any, Self, final

from typing_extensions import disjoint_base

from .compile.boundary import GroupPlan, ProgramPlan, RoutePlan

__all__ = [
    "AccessLog",
    "Adding",
    "Compressing",
    "Compression",
    "Decisions",
    "End",
    "Entrance",
    "FormParser",
    "FormReader",
    "FormRefused",
    "Front",
    "HttpConnection",
    "InFlightRequest",
    "LimitExceeded",
    "MessageCall",
    "NativeServer",
    "NativeSite",
    "Noting",
    "Outlet",
    "Passage",
    "PlanError",
    "Program",
    "Reader",
    "Ready",
    "Registry",
    "RequestHead",
    "RouteTable",
    "Serving",
    "Short",
    "Surroundings",
    "TypeWatch",
    "VersionCounter",
    "answer_http_exception",
    "describes_body",
    "encode_json",
    "gzip_bytes",
    "has_long_number",
    "is_json_content_type",
    "parse_cookies",
    "parse_query",
    "plain_url",
    "response_head_problem",
    "send_whole",
    "to_jsonable",
]

class PlanError(Exception):
    """A plan that Python handed over doesn't make sense."""

class LimitExceeded(Exception):
    """A request carries more parameters than ferrapi reads."""

class FormRefused(Exception):
    """A form that can't be read or is beyond its limits; says why."""

@final
class VersionCounter:
    """A number that grows with each edit."""

    def __new__(cls) -> VersionCounter: ...
    @property
    def value(self) -> int:
        """How many edits there have been."""
    def announce(self) -> None:
        """Say that something was edited."""

@final
class TypeWatch:
    """Classes whose methods other tools replace, and what to do when they have."""

    def __new__(cls, on_change: Callable[[], object]) -> TypeWatch:
        """`on_change` is called when any of the classes is another than it was."""
    def add(self, kind: type) -> None:
        """Watch `kind` from now on."""
    def look(self) -> None:
        """See whether anything has changed, and have it dealt with."""

@final
class AccessLog:
    """The access log of a server."""

    def __new__(
        cls,
        logger: logging.Logger,
        find_handler: Callable[[logging.Logger], tuple[logging.Handler, Any, Any] | None],
        template: Callable[[logging.Logger, Any, int], list[str | int]],
        write: Callable[[Any, Any, list[str]], None],
        settings: VersionCounter,
        watch: TypeWatch,
    ) -> AccessLog:
        """An access log.

        Parameters:
            logger: uvicorn's.
            find_handler: the handler that all lines go to as they are, its stream, and the `ferrapi._facts.Facts` which
                that stands on; None if the logger has to be called.
            template: the parts of the line for a status: text, and numbers where values go.
            write: writes lines to the stream of a handler.
            settings: the counter of edits.
            watch: notices that a class was changed, and announces that as an edit.
        """

    def flush(self) -> None:
        """Write the lines that there are."""

@final
class NativeServer:
    """What the connections of one server share."""

    def __new__(
        cls,
        event_loop: asyncio.AbstractEventLoop,
        new_task: Any | None,
        resets_context: bool,
        state: Any,
        status_lines: dict[int, bytes],
        loggers: tuple[logging.Logger, AccessLog | None],
        limits: tuple[int, int | None],
        patience: tuple[float, float | None, float | None],
        settings: tuple[int | None, str, str],
    ) -> NativeServer:
        """A server.

        Parameters:
            event_loop: its event loop.
            new_task: makes tasks, as `asyncio.Task`; None if the loop is to make them.
            resets_context: whether tasks begin without context variables.
            state: `uvicorn.server.ServerState`.
            status_lines: by status.
            loggers: for errors, and the access log if there is one.
            limits: bytes of a head, and of a body if that has a limit.
            patience: seconds between requests, and for a head and for more of a body if those have limits.
            settings: the limit of concurrency, the version of ASGI, the root path.
        """

@disjoint_base
class HttpConnection:
    """A connection, between the transport and the requests in flight: the base of `ferrapi.server.HttpProtocol`."""

    def __new__(cls, server: NativeServer, app_state: Any) -> Self:
        """A connection of a server.

        Parameters:
            server: what is known of it.
            app_state: what the lifespan has left for each scope.
        """

    @property
    def server(self) -> NativeServer:
        """What is known of the server."""

    @property
    def is_resuming(self) -> bool:
        """Whether bytes that are held are going to be taken up."""

    @property
    def timeout_keep_alive_task(self) -> asyncio.TimerHandle | None:
        """The timer, if the connection is idle."""

    @property
    def transport(self) -> Any:
        """The transport; None before there is one."""

    @property
    def client(self) -> tuple[str, int] | None:
        """The client's address."""

    def open(self, transport: Any, ends: tuple[Any, Any, str]) -> None:
        """Serve what comes by `transport`.

        Parameters:
            transport: it.
            ends: the server's and the client's address, and the scheme.
        """

    def data_received(self, data: bytes) -> None:
        """Take bytes of the connection."""

    def eof_received(self) -> bool:
        """The client sends nothing more. Returns whether the connection is to stay open."""

    def pause_writing(self) -> None:
        """The client reads too slowly."""

    def resume_writing(self) -> None:
        """It has read on."""

    def close_down(self) -> None:
        """There is no connection any more."""

    def shutdown(self) -> None:
        """Close the connection when nothing is in flight any more."""

    def resume(self) -> None:
        """Take up what is held."""

    def on_timer(self) -> None:
        """Look whether the client has had enough time."""

@final
class InFlightRequest:
    """A request in flight, and the `receive` and `send` of who answers it."""

    @property
    def disconnected(self) -> bool:
        """Whether the client is gone."""

    @property
    def response_complete(self) -> bool:
        """Whether the whole response has been written."""

    @property
    def started(self) -> bool:
        """Whether a response has begun."""

    def scope_at(
        self, site: NativeSite, target: Any, params: dict[str, Any], roots: tuple[str, str] | None
    ) -> dict[str, Any]:
        """The ASGI scope, as the server and the application have made it when a route is called.

        Parameters:
            site: the application.
            target: the route.
            params: the path parameters.
            roots: the root paths of a mounted application, and of the one around all.
        """

    def receive(self) -> MessageCall:
        """The ASGI receive callable: a coroutine that returns the next message."""

    def send(self, message: MutableMapping[str, Any]) -> MessageCall:
        """The ASGI send callable: a coroutine that sends a message, when the client has read enough.

        Raises:
            RuntimeError: for a message or a head that can't be sent, in uvicorn's words.
        """

    def sending(self, site: NativeSite) -> Callable[[MutableMapping[str, Any]], Awaitable[None]] | None:
        """What takes the messages of the response behind the layers of an application that requests pass.

        None if there are none.
        """

    def respond(self, status: int, headers: bytes | list[tuple[bytes, bytes]], body: bytes) -> None:
        """Write a whole response; nothing if the client is gone.

        Parameters:
            status: the status code.
            headers: pairs of bytes that were checked; or a content type, for a head with that, the body's length and
                nothing else.
            body: the body.
        """

    def flush(self) -> None:
        """Write what has been taken, without waiting for the event loop's next turn."""

    def conclude(self) -> None:
        """Say that whoever answers is back: without a whole response, the request is refused."""

    def fail(self, error: BaseException) -> None:
        """Answer or log what whoever answers has raised, as uvicorn does."""

@final
class MessageCall(Coroutine[Any, Any, Any]):
    """What `receive()` and `send(message)` return: a coroutine that is done in one step unless it has to wait."""

    @property
    def cr_await(self) -> Any:
        """What it waits for."""
    def __await__(self) -> Any: ...
    def __iter__(self) -> MessageCall: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any) -> Any:
        """Go on with a value for what is awaited."""
    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None) -> Any:
        """Go on with an exception in what is awaited."""
    def close(self) -> None:
        """End it."""

@final
class NativeSite:
    """An application that connections serve, as of one moment."""

    def __new__(
        cls,
        owner: Any,
        app: Any,
        table: RouteTable,
        handlers: Any,
        router: Any,
        root_path: str,
        outer: NativeSite | None,
        layers: list[Short],
        routes: VersionCounter,
        settings: VersionCounter,
        watch: TypeWatch,
    ) -> NativeSite:
        """The application with these routes, exception handlers (by class and by status) and router.

        `owner`: the same, as Python knows it. `app`: the application itself. `root_path`: its own. `outer`: the
        application that it is mounted in.
        `layers`: those that requests pass, outermost first, all of them of kinds that are known.
        `routes` and `settings` are the version counters of routes and of applications; `watch` notices changed classes.
        """

    def limits_forms(self) -> bool:
        """Whether a router has limits for forms that its routes don't know."""

@disjoint_base
class End:
    """The innermost layer of an application.

    A subclass says in `settings_version` what counts edits, and has `entrance`, and `_is_open` as of `_as_of`;
    `goes_short` looks again.
    """

    def __new__(cls, *_arguments: Any, **_options: Any) -> Self: ...
    def enter(self, scope: Any, receive: Any, send: Any) -> Awaitable[None] | None:
        """What serves an HTTP request, which is to be awaited; None if Starlette's class has to be asked."""

@final
class Front:
    """The way into applications of one class."""

    def __new__(cls, settings: VersionCounter, watch: TypeWatch) -> Self:
        """`settings`: the version counter of applications. `watch`: notices changed classes, announced as edits."""

    def enter(self, app: Any, scope: Any, receive: Any, send: Any) -> Awaitable[None] | None:
        """What serves an HTTP request, which is to be awaited; None if Starlette's class has to be asked.

        The application's `_way` is what does, as of `_way_as_of`; `_find_way` looks again.
        """

@final
class Entrance:
    """Where HTTP requests come to a router by ASGI."""

    def __new__(
        cls, layer: Any, router: Any, handlers: Any, routes: VersionCounter, settings: VersionCounter
    ) -> Entrance:
        """The entrance to `router`. `layer` makes exchanges and guards what is done in Python."""

    def serve(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> Serving:
        """A coroutine that serves a request."""
    def serve_inside_stack(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> Serving:
        """The same, inside of an exit stack that is in the scope."""

@final
class Surroundings:
    """The outermost layer of an application with middleware."""

    def __new__(cls, layer: Any, below: Any, limit: Any) -> Surroundings:
        """The layer around `below`. `layer` answers exceptions; `limit` is between both, if it limits."""

    def serve(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> Serving:
        """A coroutine that serves a request."""

@final
class Outlet:
    """The `send` of a request below the outermost layer."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def started(self) -> bool:
        """Whether the response has begun."""
    def __call__(self, message: MutableMapping[str, Any]) -> Awaitable[None]: ...

@final
class Adding:
    """The `send` of a layer that adds the same headers to each response to one origin."""

    def __call__(self, message: MutableMapping[str, Any]) -> Awaitable[None]: ...

@disjoint_base
class Decisions:
    """What a middleware has decided, as long as its settings are what they were. A subclass has `decide(key)`."""

    def __new__(cls, middleware: Any, ask: Callable[[Any, Any], Any]) -> Self:
        """Nothing yet; `ask` has the middleware decide."""

    @property
    def ask(self) -> Callable[[Any, Any], Any]: ...
    @property
    def middleware(self) -> Any:
        """The middleware."""

    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def answers(self) -> dict[Any, Any]: ...
    def of(self, *key: bytes | None) -> Any:
        """The answer to what it depends on."""

@disjoint_base
class Short:
    """A layer around a middleware. A subclass says in `kind` which one, and in `settings_version` what counts edits."""

    app: Any
    def __new__(cls, *_arguments: Any) -> Self: ...
    def is_open(self) -> bool:
        """Whether no method of the middleware was replaced."""

    def pass_through(self, scope: Any, send: Any) -> tuple[Any, Any] | None:
        """What a request goes on with behind the middleware: the application and the `send` there.

        None if the middleware has to be called, or what it answers by itself is to be sent.
        """

@final
class Compression:
    """What a GZip middleware does to the responses to some requests."""

    def __new__(
        cls,
        layer: Any,
        level: int | None,
        minimum: int,
        minimum_in_thread: int,
        excluded: list[str],
        instead: Callable[
            [Callable[[MutableMapping[str, Any]], Awaitable[None]]],
            Callable[[MutableMapping[str, Any]], Awaitable[None]],
        ],
    ) -> Compression:
        """Sizes are in bytes, `level` is zlib's, or None if nothing is compressed.

        `layer` does what is rarer; `instead` makes the `send` of a responder of Starlette's.
        """

    def send(self, target: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> Compressing:
        """The `send` for one request, in front of `target`."""

@final
class Compressing:
    """The `send` of a request whose response may be compressed."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    def __call__(self, message: MutableMapping[str, Any]) -> Awaitable[None]: ...
    def compress(self, body: bytes, more: bool) -> bytes:
        """Compress a piece of the body, in a thread."""

    def compress_aside(self, body: bytes, more: bool) -> bytes:
        """The same, and keep what comes out for the engine; nothing of it is returned."""

@final
class Noting:
    """The `send` of an application that a route hands a request to: notes that the response has begun."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    def __new__(cls, exchange: Any, target: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> Noting:
        """One in front of `target`."""

    def __call__(self, message: MutableMapping[str, Any]) -> Awaitable[None]: ...

@final
class Passage:
    """One request on its way through a `BaseHTTPMiddleware`."""

    @staticmethod
    def serve(
        layer: Any,
        middleware: Any,
        request: Any,
        scope: MutableMapping[str, Any],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        around: Any,
    ) -> Serving:
        """A coroutine that calls the middleware's `dispatch_func`, and sends its response."""

    @property
    def is_sent(self) -> bool:
        """Whether the response has been sent."""
    @property
    def request(self) -> Any: ...
    @property
    def send(self) -> Callable[[MutableMapping[str, Any]], Awaitable[None]]: ...
    @property
    def receiving(self) -> set[Any]:
        """Cancel scopes in which the application below waits for a message."""
    def call_next(self, request: Any) -> Serving:
        """Run the application below until its response begins, and return that."""
    def next_message(self) -> Awaitable[MutableMapping[str, Any] | None]:
        """The next message from below; None when there will be none."""
    def begin_body(self) -> None:
        """Note that somebody has asked for the body of the response."""

@final
class Ready(Coroutine[Any, Any, None]):
    """A coroutine that returns None at once."""

    def __await__(self) -> Any: ...
    def __iter__(self) -> Any: ...
    def __next__(self) -> Any: ...
    def send(self, _value: Any) -> Any:
        """Go on, which is to return."""
    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise an exception."""
    def close(self) -> None:
        """Nothing is left to be ended."""

@final
class Program:
    """What a route runs natively, and how; only what is asked for by name is done in Python."""

    def __new__(cls, plan: ProgramPlan) -> Program: ...
    def serve(self, layer: Any, exchange: Any, returns: bool) -> Coroutine[Any, Any, Any]:
        """A coroutine that serves a request which Python has as an exchange.

        If it `returns`, it returns the response and sends nothing; contexts are the exchange's to leave then.
        """
    def solve(
        self, layer: Any, exchange: Any, body: Any, cache: dict[Any, Any] | None = None
    ) -> Coroutine[Any, Any, Any]:
        """A coroutine that runs the dependencies of a request whose body says `body`.

        It returns the endpoint's keyword arguments, as far as they are valid, and the mistakes in the request. Results
        are taken from `cache`, and put into it, if there is one. Contexts are the exchange's to leave.
        """

@final
class Serving(Coroutine[Any, Any, None]):
    """A request being served: a coroutine that returns None."""

    @property
    def cr_await(self) -> Any:
        """What it waits for."""
    @property
    def cr_frame(self) -> FrameType | None:
        """The frame of what it waits for: where a task that runs it stands."""
    @property
    def cr_suspended(self) -> bool:
        """Whether it has begun, and waits."""
    @property
    def cr_running(self) -> bool:
        """Whether it is running."""
    def __await__(self) -> Any: ...
    def __iter__(self) -> Serving: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any) -> Any:
        """Go on with a value for what is awaited."""
    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None) -> Any:
        """Go on with an exception in what is awaited."""
    def close(self) -> None:
        """End it: raise `GeneratorExit` in what is awaited."""

@final
class FormParser:
    """A form, read in pieces of any size."""

    def __new__(cls, content_type: bytes, max_files: int, max_fields: int, max_part_size: int) -> FormParser:
        """Raises `FormRefused` for a multipart form without a boundary."""

    @property
    def is_form(self) -> bool:
        """Whether the content type is that of a form. Otherwise the body is not to be read."""

    def feed(self, chunk: bytes) -> list[tuple[str, str] | tuple[str, str, list[tuple[bytes, bytes]]] | bytes | None]:
        """Take the next piece of the body.

        Returns what it completes, in order: a field as a pair of name and value; a file's beginning as its name, file
        name and headers; its data as bytes; its end as None. Raises `FormRefused`.
        """

    def finish(self) -> list[tuple[str, str]]:
        """End the body. Returns the fields of an urlencoded form; the parser is of no more use."""

@final
class FormReader:
    """The declared fields of a form, validated in one call. For fields whose validation runs no code of the user's."""

    def __new__(cls, plan: GroupPlan) -> FormReader: ...
    def read(self, items: list[tuple[str, Any]]) -> dict[str, Any] | None:
        """Read the fields from the pairs of a form.

        Returns the keyword arguments, or None if any field is missing, invalid or no text.
        """

    def read_body(self, content_type: bytes, body: bytes, max_fields: int, max_part_size: int) -> dict[str, Any] | None:
        """Read the fields from the whole body of an urlencoded form.

        Returns the keyword arguments, or None if the body is of another type, beyond the limits (a number of fields,
        and bytes of each), or any field is missing or invalid.
        """

@final
class RequestHead:
    """The head of a request that the HTTP/1.1 transport serves."""

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header called `name`, which is in lower case."""
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI has them: a list of pairs of bytes, names in lower case."""

@final
class Registry:
    """The two things that a `weakref.WeakSet` does for each object that comes and goes, without Python."""

    def __new__(cls, weak_set: Any, task: type[Any]) -> Registry: ...
    def add(self, item: Any) -> None:
        """Put an object into the set, unless it is the task of a request of the transport."""

@final
class RouteTable:
    """The routes of a router, indexed by path."""

    def __new__(cls, plans: Iterable[RoutePlan]) -> RouteTable: ...
    def find(self, scope: MutableMapping[str, Any]) -> tuple[Any, bool] | None:
        """Find the route that answers `scope` and add to the scope what a match adds.

        Returns the route's target and whether the match is full (else the method is not one of its own), or None.
        """

@final
class Reader:
    """The parameters of a route's callables, in the order in which these run."""

    def __new__(cls, plans: Iterable[GroupPlan | None]) -> Reader: ...
    def read(self, scope: MutableMapping[str, Any]) -> list[dict[str, Any] | None] | None:
        """Read the parameters from `scope`.

        Returns a list with the keyword arguments of each callable (None for one that the plan leaves out), or None if
        any parameter is missing or invalid. Raises `LimitExceeded`.
        """

    def read_head(self, head: RequestHead, params: dict[str, Any]) -> list[dict[str, Any] | None] | None:
        """Read the parameters from a head and the path parameters that routing found. As `read`."""

def encode_json(value: object, max_bytes: int | None = None, whole: bool = False) -> bytes | None:
    """The JSON text of `value`, or None if it isn't made of plain values or gets longer than `max_bytes`.

    Without `whole`, what `jsonable_encoder` leaves out is left out.
    """

def answer_http_exception(exc: Any) -> tuple[int, bytes | list[tuple[bytes, bytes]], bytes] | None:
    """Status, headers and body of the answer to an exception with a `status_code`, a `detail` and maybe `headers`.

    The headers may be a content type, for a head with that, the body's length and nothing else. None if the answer
    takes a response object.
    """

def describes_body(status: int, headers: list[tuple[bytes, bytes]], length: int) -> bool:
    """Whether the head of a response says how long its body is, and leaves the connection to the server."""

def response_head_problem(status: object, headers: list[tuple[bytes, bytes]]) -> str | None:
    """What is wrong with a status and raw headers; None if HTTP can carry them."""

def send_whole(
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> bool:
    """Send a whole response by an ASGI `send`, without messages; answers whether that could be done.

    `send` is a request's of ferrapi's own protocol, or one of the known layers in front of that; the headers are
    checked pairs.
    """

def to_jsonable(value: object, encode: Callable[[Any], Any]) -> Any:
    """What `jsonable_encoder` makes of a value; `encode` is for what is no plain value, list, tuple or dictionary."""

def gzip_bytes(body: bytes, level: int) -> bytes:
    """What a response with this body is compressed to, whole; raises ValueError for a level that is not 1 to 9."""

def has_long_number(text: bytes) -> bool:
    """Whether JSON text has a number that is too long for parsers to agree about it: 309 digits or more."""

def is_json_content_type(content_type: bytes) -> bool:
    """Whether a `Content-Type` value means JSON: `application/json` or `application/*+json`."""

def parse_cookies(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The cookies in ASGI headers; the last of several equal names counts. Raises `LimitExceeded`."""

def parse_query(query: bytes) -> list[tuple[str, str]]:
    """The names and values of a query string, decoded, in order. Raises `LimitExceeded`."""

def plain_url(scope: Any, root: str | None = None) -> tuple[str, tuple[str, str, str, str, str]] | None:
    """The URL that Starlette makes of a scope, and what `urllib.parse.urlsplit` makes of that.

    None if either is for them to find out: hosts that are no plain names, characters to quote, scopes that lack
    something.

    Parameters:
        scope: the ASGI scope.
        root: instead of the scope's path; there is no query then.
    """

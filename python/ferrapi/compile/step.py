"""`Step`: one use of one callable, as a plan has it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from .._hooks import is_reading_seen, replaced, watch
from .._threads import run_in_thread
from ..concurrency import opener_of
from ..declare.body import wants_key
from ..declare.callables import Kind, header_scheme, kind_of
from ..dependencies.models import Dependant, computed_scope, oauth_scopes

Special = tuple[str, Callable[[Any], Any]]
"""A keyword argument, and how to get it from an exchange."""
Values = dict[str, Any]


def _specials(dependant: Dependant, *, websocket: bool) -> tuple[Special, ...]:
    """The keyword arguments that take an object of the connection, each with how to get it.

    A request for a WebSocket, or a WebSocket for a request, is left out: the parameter's default counts.
    """
    connection: tuple[str | None, Callable[[Any], Any]] = (
        (dependant.websocket_param_name, attrgetter("websocket"))
        if websocket
        else (dependant.request_param_name, attrgetter("request"))
    )
    table: tuple[tuple[str | None, Callable[[Any], Any]], ...] = (
        (dependant.http_connection_param_name, attrgetter("connection")),
        connection,
        (dependant.background_tasks_param_name, attrgetter("tasks")),
        (dependant.response_param_name, attrgetter("response")),
    )
    found = [(name, get) for name, get in table if name]
    if dependant.security_scopes_param_name:
        from ..security.oauth2 import SecurityScopes

        scopes = oauth_scopes(dependant)
        found.append((dependant.security_scopes_param_name, lambda _: SecurityScopes(scopes=scopes)))
    return tuple(found)


@dataclass(slots=True)
class Visit:
    """A node of the tree while it is flattened.

    Attributes:
        node: what runs. original: what it was before an override took its place. embed: whether its body parameters are
        keys of the body. begins: the first step of the tree below. begun: the step that it is in a plan of which a part
        has been run. children: parameter name and step of each dependency so far. position: of the next one.
    """

    node: Dependant
    original: Dependant
    embed: bool
    begins: int
    begun: Step | None = None
    children: list[tuple[str | None, int]] = field(default_factory=list)
    position: int = 0


class Step:
    """One use of one callable."""

    __slots__ = (
        "begins",
        "call",
        "children",
        "concurrency",
        "dependant",
        "embed",
        "feeds",
        "for_function",
        "has_body",
        "has_params",
        "header",
        "in_thread",
        "index",
        "is_endpoint",
        "kind",
        "open",
        "original",
        "ran_as",
        "read_credentials",
        "same_as",
        "specials",
        "token_scheme",
    )

    def __init__(self, index: int, visit: Visit, *, is_endpoint: bool, websocket: bool) -> None:
        dependant, children = visit.node, visit.children
        self.index = index
        self.is_endpoint = is_endpoint
        self.dependant = dependant
        self.original = visit.original  # before an override took its place
        self.embed = visit.embed or wants_key(dependant.body_params)
        self.begins = visit.begins
        self.call: Callable[..., Any] = dependant.call  # type: ignore[assignment]  # a route's tree always has calls
        self.kind = kind_of(dependant.call)
        self.children = tuple(child for _, child in children)
        self.feeds = tuple((name, child) for name, child in children if name is not None)
        self.specials = _specials(dependant, websocket=websocket)
        self.same_as: int | None = None
        self.ran_as = None if visit.begun is None else visit.begun.index
        self.concurrency = dependant.concurrency
        self.for_function = computed_scope(dependant) == "function"
        self.has_body = bool(dependant.body_params)
        has_params = (
            dependant.path_params or dependant.query_params or dependant.header_params or dependant.cookie_params
        )
        self.has_params = bool(has_params) or is_reading_seen()
        if self.kind >= Kind.GENERATOR:
            self.open = opener_of(self.call, is_asynchronous=self.kind is Kind.ASYNC_GENERATOR)
        # A replaced function of `routing`, which endpoints are run by, makes requests be served by `Observed`.
        elsewhere = {} if is_endpoint else replaced("ferrapi.dependencies.utils")
        self.in_thread: Callable[..., Coroutine[Any, Any, Any]] = elsewhere.get("run_in_threadpool", run_in_thread)
        is_direct = self.kind is Kind.ASYNC and self.concurrency is None
        scheme = header_scheme(self.call) if is_direct and not is_endpoint else None
        if scheme is not None:
            watch(type(scheme))  # for whoever replaces its `__call__`
        # A security scheme that reads one header needs no request object.
        self.header = b"" if scheme is None else scheme._header.lower().encode("latin-1")
        self.read_credentials = None if scheme is None else scheme._credentials_in
        self.token_scheme = None if scheme is None else scheme._token_scheme

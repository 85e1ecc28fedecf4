"""The attributes of requests by OpenTelemetry's semantic conventions for HTTP (version 1.44).

A span says everything; a metric only what has few values. What is not in the scope, or makes no sense there, is left
out: a wrong `Host` header gives no `server.address`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.types import Scope

Attributes = dict[str, Any]

_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"},
)
_OTHER = "_OTHER"
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SECRET = frozenset({"X-Amz-Credential", "X-Amz-Security-Token", "X-Amz-Signature", "X-Goog-Signature", "sig"})
"""Query parameters that open what they are in the address of."""


def of_request(scope: Scope) -> tuple[str, Attributes, Attributes, Attributes]:
    """The verb of an HTTP request's span name, and its attributes: on counters, on timers, and on spans besides."""
    method = scope["method"]
    known = method if method in _METHODS else _OTHER
    counted = {"url.scheme": scope.get("scheme", "http"), "http.request.method": known}
    timed = dict(counted)
    version = scope.get("http_version")
    if version:
        timed["network.protocol.version"] = version
    own = {**server(scope), "url.path": scope["path"]}
    query = scope.get("query_string")
    if query:
        own["url.query"] = shown_query(query.decode("latin-1"))
    if known != method:
        own["http.request.method_original"] = method
    return ("HTTP" if known == _OTHER else known), counted, timed, own


def of_socket(scope: Scope) -> tuple[Attributes, Attributes]:
    """The attributes of a WebSocket connection's span: those that have few values, and the others."""
    return {"url.scheme": scope.get("scheme", "ws"), "network.protocol.name": "websocket"}, server(scope)


def server(scope: Scope) -> Attributes:
    """Whom the client has asked: by its `Host` header, else by the address of the server."""
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    if host is not None:
        return _authority(host.decode("latin-1"), scope.get("scheme", "http"))
    listening = scope.get("server")
    if not listening:
        return {}
    address, port = listening
    return {"server.address": address} if port is None else {"server.address": address, "server.port": port}


def _authority(host: str, scheme: str) -> Attributes:
    try:
        parts = urlsplit(f"//{host}")
        address, port = parts.hostname, parts.port
    except ValueError:
        return {}
    if not address or parts.path or parts.query or parts.fragment or parts.username is not None:
        return {}
    port = _PORTS.get(scheme) if port is None else port
    return {"server.address": address} if port is None else {"server.address": address, "server.port": port}


def shown_query(query: str) -> str:
    """A query string as it may be shown: without the values that are secrets."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, "REDACTED" if name in _SECRET else value) for name, value in pairs])


def error_type(exc: BaseException) -> str:
    """The name of an exception's class; with its module, unless it is built in."""
    kind = type(exc)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def function_name(call: Callable[..., Any]) -> str:
    """The name of what runs: a function's own, or that of the class of a callable object."""
    named: Any = call if hasattr(call, "__qualname__") else type(call)
    return f"{named.__module__}.{named.__qualname__}"

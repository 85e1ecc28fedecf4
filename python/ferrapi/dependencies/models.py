"""`Dependant`: what one callable asks for, as a tree.

A `Dependant` is made once per use of a callable, at registration. It is data: the engine compiles it to a plan
(`ferrapi.compile.plan`), OpenAPI reads it, and users may edit it (`call`, `name` and the lists are watched).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from .._names import names_of
from .._version_counter import ROUTES_VERSION, TrackedList
from ..declare.callables import is_generator, unwrap
from ..declare.fields import ModelField
from ..declare.foreign_classes import is_foreign_scheme
from ..types import DependencyCacheKey

_LISTS = ("path_params", "query_params", "header_params", "cookie_params", "body_params", "dependencies")
_WATCHED = frozenset({"call", "name", *_LISTS})


@dataclass(slots=True)
class Dependant:
    """The declared inputs of one callable.

    The lists hold the parameters by source; the ``*_param_name`` attributes name the keyword arguments that receive a
    request, a response and so on; ``own_oauth_scopes`` and ``parent_oauth_scopes`` are security scopes; ``scope`` says
    when a ``yield`` dependency closes: ``"function"`` before the response is sent, ``"request"`` (or None) after it,
    ``"app"`` (of any dependency) when the application stops.
    """

    path_params: list[ModelField] = field(default_factory=list)
    query_params: list[ModelField] = field(default_factory=list)
    header_params: list[ModelField] = field(default_factory=list)
    cookie_params: list[ModelField] = field(default_factory=list)
    body_params: list[ModelField] = field(default_factory=list)
    dependencies: list[Dependant] = field(default_factory=list)
    name: str | None = None
    call: Callable[..., Any] | None = None
    request_param_name: str | None = None
    websocket_param_name: str | None = None
    http_connection_param_name: str | None = None
    response_param_name: str | None = None
    background_tasks_param_name: str | None = None
    security_scopes_param_name: str | None = None
    own_oauth_scopes: list[str] | None = None
    parent_oauth_scopes: list[str] | None = None
    use_cache: bool = True
    path: str | None = None
    scope: Literal["function", "request", "app"] | None = None
    concurrency: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _WATCHED:
            if hasattr(self, name):  # not while the object is being made
                ROUTES_VERSION.announce()
            if type(value) is list:
                value = TrackedList(value)
        # A slotted dataclass is rebuilt as a new class, in which zero-argument super() would not work.
        object.__setattr__(self, name, value)


def oauth_scopes(dependant: Dependant) -> list[str]:
    """The security scopes in effect at `dependant`: its parents', then its own, each once."""
    scopes = list(dependant.parent_oauth_scopes or ())
    scopes.extend(scope for scope in dependant.own_oauth_scopes or () if scope not in scopes)
    return scopes


def looks_at_scopes(dependant: Dependant) -> bool:
    """Whether `dependant` itself declares or looks at security scopes."""
    from ..security.base import SecurityBase

    if dependant.own_oauth_scopes or dependant.security_scopes_param_name is not None:
        return True
    call = unwrap(dependant.call)
    return isinstance(call, SecurityBase) or is_foreign_scheme(call)


def may_share(dependant: Dependant) -> bool:
    """Whether what an equal use has returned will do; without a parameter to receive the result it always does."""
    return dependant.use_cache or dependant.name is None


def computed_scope(dependant: Dependant) -> str | None:
    """The declared ``scope``, or ``"request"`` for a ``yield`` dependency that declares none."""
    if dependant.scope:
        return dependant.scope
    return "request" if is_generator(dependant.call) else None


def cache_key(dependant: Dependant, uses_scopes: bool) -> DependencyCacheKey:
    """What makes two uses of a dependency one call: the callable, the scopes it can see, and its ``scope``.

    Parameters:
        dependant: the use.
        uses_scopes: whether it, or anything below it, looks at the security scopes.
    """
    scopes = tuple(sorted(set(oauth_scopes(dependant)))) if uses_scopes else ()
    return (dependant.call, scopes, computed_scope(dependant) or "")


def with_first(dependant: Dependant, subs: Sequence[Dependant]) -> Dependant:
    """A dependant of its own, with `subs` before its other dependencies. Everything below is shared."""
    return replace(dependant, dependencies=[*subs, *dependant.dependencies])


def walk(dependant: Dependant) -> Iterator[Dependant]:
    """All of the tree, children before their parent."""
    stack = [(dependant, iter(dependant.dependencies))]
    while stack:
        node, subs = stack[-1]
        sub = next(subs, None)
        if sub is None:
            stack.pop()
            yield node
        else:
            stack.append((sub, iter(sub.dependencies)))


def in_order(dependant: Dependant) -> Iterator[Dependant]:
    """All of the tree in the order of declaration, parents before their children; repeated ones repeatedly."""
    pending = [dependant]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.dependencies))


def scope_users(dependant: Dependant) -> set[int]:
    """The ids of the nodes that look at security scopes, themselves or below."""
    found: set[int] = set()
    for node in walk(dependant):
        if looks_at_scopes(node) or any(id(sub) in found for sub in node.dependencies):
            found.add(id(node))
    return found


def each_call(dependant: Dependant) -> Iterator[Dependant]:
    """The tree in the order of declaration, parents before their children; a shared dependency once."""
    users = scope_users(dependant)
    seen: set[DependencyCacheKey] = set()
    pending = [dependant]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.dependencies))
        while pending and (key := cache_key(pending[-1], id(pending[-1]) in users)) in seen:
            pending.pop()
        if pending:
            seen.add(key)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

"""A dependency tree as a list of steps, and running it.

A tree of `Dependant`s is flattened once: children before parents, in the order in which FastAPI would solve them. Each
step validates its own parameters when its children are done, and calls its callable if nothing below it failed. A use
that shares another one's call (same callable, scopes and ``scope``) points at it. One list serves every request; only
dependency overrides make another one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from .._native import Reader
from .._plan import reader_plan
from .._threads import run_in_thread
from ..concurrency import contextmanager_in_threadpool
from ..dependencies import _plain
from ..dependencies._body import flat_body_params, request_body_to_args, should_embed_body_fields
from ..dependencies._callables import Kind, computed_scope, header_scheme, kind_of
from ..dependencies._dependant import get_dependant
from ..dependencies._values import Errors, request_params_to_args
from ..dependencies.models import Dependant, cache_key, looks_at_scopes, oauth_scopes
from ._exchange import Exchange
from ._teardown import Teardown

Special = tuple[str, Callable[[Exchange], Any]]
Values = dict[str, Any]
Groups = list[Values | None] | None
"""The keyword arguments of each step; None for a step that is not read early, or for all if any of them is invalid."""
NOTHING_TO_READ: list[Values | None] = []
"""Stands for a plan whose steps have no parameters, but for bodies."""


def _specials(dependant: Dependant) -> tuple[Special, ...]:
    """The keyword arguments that take an object of the request, each with how to get it."""
    table: tuple[tuple[str | None, Callable[[Exchange], Any]], ...] = (
        (dependant.request_param_name, lambda x: x.request),
        (dependant.websocket_param_name, lambda x: x.websocket),
        (dependant.http_connection_param_name, lambda x: x.connection),
        (dependant.background_tasks_param_name, lambda x: x.tasks),
        (dependant.response_param_name, lambda x: x.response),
    )
    found = [(name, get) for name, get in table if name]
    if dependant.security_scopes_param_name:
        from ..security.oauth2 import SecurityScopes

        scopes = oauth_scopes(dependant)
        found.append((dependant.security_scopes_param_name, lambda _: SecurityScopes(scopes=scopes)))
    return tuple(found)


@dataclass(slots=True)
class _Visit:
    """A node of the tree while it is flattened.

    Attributes:
        node: what runs. original: what it was before an override took its place. embed: whether its body parameters are
        keys of the body. children: parameter name and step of each dependency so far. position: of the next one.
    """

    node: Dependant
    original: Dependant
    embed: bool
    children: list[tuple[str | None, int]] = field(default_factory=list)
    position: int = 0


class Step:
    """One use of one callable."""

    __slots__ = (
        "call",
        "children",
        "concurrency",
        "dependant",
        "embed",
        "feeds",
        "for_function",
        "has_body",
        "has_fields",
        "header",
        "index",
        "is_direct",
        "kind",
        "open",
        "original",
        "same_as",
        "scheme",
        "specials",
    )

    def __init__(self, index: int, visit: _Visit, is_endpoint: bool) -> None:
        dependant, children = visit.node, visit.children
        self.index = index
        self.dependant = dependant
        self.original = visit.original  # before an override took its place
        self.embed = visit.embed
        self.call: Callable[..., Any] = dependant.call  # type: ignore[assignment]  # a route's tree always has calls
        self.kind = kind_of(dependant.call)
        self.children = tuple(child for _, child in children)
        self.feeds = tuple((name, child) for name, child in children if name is not None)
        self.specials = _specials(dependant)
        self.same_as: int | None = None
        self.concurrency = dependant.concurrency
        self.for_function = computed_scope(dependant) == "function"
        self.has_body = bool(dependant.body_params)
        self.has_fields = bool(
            dependant.path_params
            or dependant.query_params
            or dependant.header_params
            or dependant.cookie_params
            or dependant.body_params
        )
        self.open = self._opener()
        self.is_direct = self.kind is Kind.ASYNC and self.concurrency is None
        self.scheme = header_scheme(self.call) if self.is_direct and not is_endpoint else None
        self.header = b"" if self.scheme is None else self.scheme._header.lower().encode("latin-1")

    def _opener(self) -> Callable[..., AbstractAsyncContextManager[Any]]:
        call = self.call
        if self.kind is Kind.ASYNC_GENERATOR:
            return asynccontextmanager(call)
        manager = contextmanager(call)
        return lambda **values: contextmanager_in_threadpool(manager(**values))

    def fill(self, values: Values, x: Exchange, results: list[Any]) -> None:
        """Add to `values` what dependencies returned, and the objects of the request that the callable takes."""
        for name, index in self.feeds:
            values[name] = results[index]
        for name, get in self.specials:
            values[name] = get(x)

    def run(self, x: Exchange, values: Values) -> Coroutine[Any, Any, Any]:
        """Call the callable, or enter the context that it is."""
        return self._start(x, values) if self.concurrency is None else self._run_limited(x, values)

    def _start(self, x: Exchange, values: Values) -> Coroutine[Any, Any, Any]:
        kind = self.kind
        if kind is Kind.ASYNC:
            coroutine: Coroutine[Any, Any, Any] = self.call(**values)
            return coroutine
        if kind is Kind.SYNC:
            return run_in_thread(self.call, **values)
        stack = self._stack(x)
        if kind is Kind.ASYNC_GENERATOR and isinstance(stack, Teardown):
            return stack.enter_generator(self.call(**values))
        return stack.enter_async_context(self.open(**values))

    def read_credentials(self, scheme: Any, x: Exchange) -> Any:
        """Call a security scheme that reads one header, and so needs no request object."""
        value = x.header(self.header)
        return scheme._credentials_in(None if value is None else value.decode("latin-1"))

    async def _run_limited(self, x: Exchange, values: Values) -> Any:
        semaphore = self.concurrency.get_semaphore()
        if self.kind >= Kind.GENERATOR:
            await self._stack(x).enter_async_context(semaphore)
            return await self._start(x, values)
        async with semaphore:
            return await self._start(x, values)

    def _stack(self, x: Exchange) -> AsyncExitStack | Teardown:
        stack = x.function_stack if self.for_function else x.request_stack
        if stack is None:  # `Plan.has_generators` made the handler open both
            raise RuntimeError("A yield dependency needs an open exit stack")
        return stack


class Plan:
    """How to run one endpoint: its steps, the last being the endpoint itself.

    Parameters:
        dependant: the endpoint's tree.
        embed: whether each body parameter is a key of the body.
        overrides: dependency overrides that apply.
    """

    def __init__(
        self,
        dependant: Dependant,
        *,
        embed: bool,
        overrides: Mapping[Callable[..., Any], Callable[..., Any]] | None = None,
    ) -> None:
        self.embed = embed
        self._overrides = overrides or {}
        self._first: dict[Any, int] = {}
        self._uses_scopes: list[bool] = []
        steps: list[Step] = []
        self._flatten(dependant, steps)
        self.endpoint = steps[-1]
        self.dependencies = tuple(steps[:-1])
        generators = [step for step in self.dependencies if step.kind >= Kind.GENERATOR or step.concurrency is not None]
        self.has_generators = bool(generators)
        self.ends_with_function = any(step.for_function for step in generators)
        hoisted = [_plain.hoistable(step.dependant) for step in steps]
        self.simple = not self.dependencies and not self.endpoint.specials and hoisted[-1]
        early = [step.dependant if plain else None for step, plain in zip(steps, hoisted, strict=True)]
        self.reads = any(next(_plain.parameters(step.dependant), None) is not None for step in steps)
        self.reader = Reader(reader_plan(early))

    def _flatten(self, root: Dependant, steps: list[Step]) -> int:
        """Append the steps of the tree below `root`, then its own; answer its index. No recursion over user data."""
        stack = [_Visit(root, root, self.embed)]
        while True:
            visit = stack[-1]
            if visit.position < len(visit.node.dependencies):
                sub = visit.node.dependencies[visit.position]
                visit.position += 1
                stack.append(self._visit(sub, stack))
                continue
            stack.pop()
            step = Step(len(steps), visit, is_endpoint=not stack)
            self._uses_scopes.append(
                looks_at_scopes(visit.node) or any(self._uses_scopes[child] for child in step.children)
            )
            self._share(step, is_root=not stack)
            steps.append(step)
            if not stack:
                return step.index
            stack[-1].children.append((visit.original.name, step.index))

    def _visit(self, dependant: Dependant, above: list[_Visit]) -> _Visit:
        """The visit of a dependency, or of what overrides it."""
        embed = above[-1].embed
        override = self._overrides.get(dependant.call) if self._overrides and dependant.call is not None else None
        if override is None:
            return _Visit(dependant, dependant, embed)
        if any(visit.node is not visit.original and visit.node.call == override for visit in above):
            raise RecursionError(f"Dependency overrides form a cycle: {override!r} is overridden by itself")
        node = self._replaced(dependant, override)
        # An override may want the body's keys where the route doesn't.
        return _Visit(node, dependant, embed or should_embed_body_fields(flat_body_params(node)))

    @staticmethod
    def _replaced(dependant: Dependant, override: Callable[..., Any]) -> Dependant:
        return get_dependant(
            path=dependant.path or "",
            call=override,
            name=dependant.name,
            own_oauth_scopes=dependant.own_oauth_scopes,
            parent_oauth_scopes=dependant.parent_oauth_scopes,
            use_cache=dependant.use_cache,
            scope=dependant.scope,
            concurrency=dependant.concurrency,
        )

    def _share(self, step: Step, *, is_root: bool) -> None:
        if is_root:
            return
        key = cache_key(step.original, self._uses_scopes[step.index])
        first = self._first.setdefault(key, step.index)
        if first != step.index and step.dependant.use_cache:
            step.same_as = first

    def early(self, x: Exchange) -> Values | None:
        """The endpoint's keyword arguments but for its body, if it has no dependencies and all can be read at once."""
        if not self.simple:
            return None
        if not self.reads:
            return {}
        groups = x.read(self.reader)
        return None if groups is None else groups[0]

    async def values(self, x: Exchange, body: Any, provider: Any = None) -> tuple[Values | None, Errors]:
        """Run the dependencies; answer the endpoint's keyword arguments, or None and the errors.

        Parameters:
            x: the exchange.
            body: the parsed body.
            provider: the object whose ``dependency_overrides`` may still change while the dependencies run.
        """
        groups: Groups = x.read(self.reader) if self.reads else NOTHING_TO_READ
        errors: Errors = []
        results: list[Any] = []
        failed: set[int] = set()
        for step in self.dependencies:
            values: Values | None
            if not step.has_fields:
                values = {}
            else:
                values = self._early(step, groups)
                if values is None or step.has_body:
                    values = await self._step_values(step, x, values, body, errors)
            if values is None or (failed and not failed.isdisjoint(step.children)):
                failed.add(step.index)
                results.append(None)
                continue
            if step.same_as is not None and step.same_as not in failed:
                results.append(results[step.same_as])
                continue
            late = None if provider is None else provider.dependency_overrides
            if late and late.get(step.original.call, step.call) is not step.call:
                results.append(await self._run_late(step, x, body, late, errors))
                continue
            if step.scheme is not None:
                results.append(step.read_credentials(step.scheme, x))
                continue
            step.fill(values, x, results)
            results.append(await (step.call(**values) if step.is_direct else step.run(x, values)))
        step = self.endpoint
        values = self._early(step, groups) if step.has_fields else {}
        if values is None or step.has_body:
            values = await self._step_values(step, x, values, body, errors)
        if values is None or errors:
            return None, errors
        step.fill(values, x, results)
        return values, errors

    @staticmethod
    def _early(step: Step, groups: Groups) -> Values | None:
        """What was read early for a step; None if that has to be read now."""
        if groups is NOTHING_TO_READ:
            return {}
        return None if groups is None else groups[step.index]

    async def _run_late(self, step: Step, x: Exchange, body: Any, overrides: Any, errors: Errors) -> Any:
        """Run the override that an earlier dependency of the same request has put in the place of this one."""
        dependant = self._replaced(step.original, overrides[step.original.call])
        plan = Plan(dependant, embed=self.embed, overrides=dict(overrides))
        values, found = await plan.values(x, body)
        errors.extend(found)
        return None if values is None else await plan.endpoint.run(x, values)

    async def _step_values(
        self, step: Step, x: Exchange, early: Values | None, body: Any, errors: Errors
    ) -> Values | None:
        """The parameters of one step, validated on the reference path; None, with the errors noted, if any is invalid.

        What was read early needs no second look, but for the body.
        """
        if early is None:
            values, found = validate_parameters(step.dependant, x)
        else:
            values, found = early, []
        if step.has_body:
            more, wrong = await request_body_to_args(step.dependant.body_params, body, step.embed)
            values.update(more)
            found.extend(wrong)
        if found:
            errors.extend(found)
            return None
        return values


def validate_parameters(dependant: Dependant, x: Exchange) -> tuple[Values, Errors]:
    """Validate the parameters of one callable on the reference path: path, query, header, then cookie."""
    values: Values = {}
    errors: Errors = []
    for fields, source in (
        (dependant.path_params, lambda: x.scope.get("path_params") or {}),
        (dependant.query_params, lambda: x.query),
        (dependant.header_params, lambda: x.headers),
        (dependant.cookie_params, lambda: x.cookies),
    ):
        if fields:
            found, wrong = request_params_to_args(fields, source())
            values.update(found)
            errors.extend(wrong)
    return values, errors

"""A dependency tree as a list of steps, and running it.

A tree of `Dependant`s is flattened once: children before parents, in the order in which FastAPI would solve them. Each
step validates its own parameters when its children are done, and calls its callable if nothing below it failed. A use
that shares another one's call (same callable, scopes and ``scope``) points at it. One list serves every request; only
dependency overrides make another one.
"""

from __future__ import annotations

from typing import Any

from .._boundary import reader_plan
from .._native import Program, Reader
from ..dependencies import _plain
from ..dependencies._body import body_values
from ..dependencies._callables import Kind
from ..dependencies._dependant import circular_dependency
from ..dependencies._overrides import Overrides, override_in_turn, refusing
from ..dependencies._values import Errors, request_params_to_args
from ..dependencies.models import Dependant, cache_key, may_share, scope_users
from ..types import DependencyCacheKey
from ._app_scope import leaf
from ._exchange import Exchange
from ._late import Late, NeedsContexts
from ._read import large_body
from ._step import Step, Values, Visit
from ._teardown import Teardown

Groups = list[Values | None] | None
"""The keyword arguments of each step; None for a step that is not read early, or for all if any of them is invalid."""
NOTHING_TO_READ: list[Values | None] = []
"""Stands for a plan whose steps have no parameters, but for bodies."""


SoFar = tuple[list[Any], set[int], Errors]
"""The results of the first steps, the indexes of those of them that have failed, and the mistakes in the request."""


async def _call(step: Step, x: Exchange, values: Values) -> Any:
    """What a dependency comes to."""
    if step.is_direct:
        return await step.call(**values)
    if step.is_generator and (stack := step.stack(x)).__class__ is Teardown:
        return await stack.enter_generator(step.call(**values))
    return await step.run(x, values)


class Plan:
    """How to run one endpoint: its steps, the last being the endpoint itself.

    Parameters:
        dependant: the endpoint's tree.
        embed: whether each body parameter is a key of the body.
        provider: the application, to which what is application-scoped belongs.
        overrides: dependency overrides that apply.
        websocket: whether it serves WebSockets, not requests.
        body_last: whether the steps that need no body come before those that do (`before_body` is their number).
    """

    def __init__(
        self,
        dependant: Dependant,
        *,
        embed: bool,
        provider: Any = None,
        overrides: Overrides | None = None,
        websocket: bool = False,
        body_last: bool = False,
    ) -> None:
        self.embed = embed
        self.program: Program | None = None  # of a plan with overrides: see `_program.py`
        self.program_place: Any = None
        self._websocket = websocket
        self._provider = provider
        self._overrides = overrides or {}
        self._first: dict[Any, int] = {}
        self._scope_users = scope_users(dependant)
        steps: list[Step] = []
        self._flatten(dependant, steps)
        self.before_body = _put_body_last(steps) if body_last else 0
        self.steps = tuple(steps)
        self.endpoint = steps[-1]
        self.dependencies = tuple(steps[:-1])
        generators = [step for step in self.dependencies if step.kind >= Kind.GENERATOR or step.concurrency is not None]
        self.has_generators = bool(generators)
        self.ends_with_function = any(step.for_function for step in generators)
        self.hoisted = tuple(_plain.hoistable(step.dependant) for step in steps)
        """Which steps have no parameters but those that are read before anything runs, and the body's."""
        with_body = [step for step in steps if step.has_body]
        self.body_step = with_body[0] if len(with_body) == 1 else None
        """The one step with parameters from the body, if no other has any."""
        early = [step.dependant if plain else None for step, plain in zip(steps, self.hoisted, strict=True)]
        self.reads = any(step.has_params for step in steps)
        self.reader = Reader(reader_plan(early))

    def _flatten(self, root: Dependant, steps: list[Step]) -> int:
        """Append the steps of the tree below `root`, then its own; answer its index. No recursion over user data."""
        stack = [Visit(root, root, self.embed, 0)]
        while True:
            visit = stack[-1]
            if visit.position < len(visit.node.dependencies):
                sub = visit.node.dependencies[visit.position]
                visit.position += 1
                stack.append(self._visit(sub, stack, len(steps)))
                continue
            stack.pop()
            step = Step(len(steps), visit, is_endpoint=not stack, websocket=self._websocket)
            self._share(step, is_root=not stack)
            steps.append(step)
            if not stack:
                return step.index
            stack[-1].children.append((visit.original.name, step.index))

    def _visit(self, dependant: Dependant, above: list[Visit], begins: int) -> Visit:
        """The visit of a dependency, or of what overrides it."""
        visit = self._overridden(dependant, above[-1].embed, self._overrides, begins)
        if visit.node is not dependant:
            self._scope_users |= scope_users(visit.node)
        if visit.node is not dependant and any(
            one.node is not one.original and one.node.call == visit.node.call for one in above
        ):
            calls = [one.node.call for one in above if one.node is not one.original]
            cycle = [*calls[calls.index(visit.node.call) :], visit.node.call]

            def refuse() -> None:
                raise circular_dependency(cycle, "overrides")

            visit.node = refusing(dependant, circular_dependency(cycle, "overrides"), refuse)
        return visit

    def _share(self, step: Step, *, is_root: bool) -> None:
        if is_root:
            return
        key = self.key_of(step)
        first = self._first.setdefault(key, step.index)
        if first != step.index and may_share(step.dependant):
            step.same_as = first

    def key_of(self, step: Step) -> DependencyCacheKey:
        """What makes two steps one call. What an override looks at doesn't count, but what it stands for does."""
        return cache_key(step.original, id(step.original) in self._scope_users)

    def read(self, x: Exchange) -> Groups:
        """The parameters of all steps, as far as they can be read before anything runs."""
        return x.read(self.reader) if self.reads else NOTHING_TO_READ

    async def values(
        self,
        x: Exchange,
        groups: Groups,
        body: Any,
        provider: Any = None,
        so_far: SoFar | None = None,
        until: int | None = None,
    ) -> tuple[Values | None, Errors]:
        """Run the dependencies; answer the endpoint's keyword arguments, or None and the errors.

        Parameters:
            x: the exchange.
            groups: what `read` answers.
            body: the parsed body.
            provider: the object whose ``dependency_overrides`` may still change while the dependencies run.
            so_far: of the first steps, if they have run.
            until: the number of steps after which to stop, with nothing but what is then in `so_far`.
        """
        results, failed, errors = so_far or ([], set(), [])
        for step in self.steps[len(results) : until]:
            if provider is not None and self.is_overridden_by(provider):
                late = Late(self, x, body, provider, results, failed, errors)
                if x.request_stack is None:
                    raise NeedsContexts(late)
                return await late.values()
            values = await self._own_values(step, x, groups, body, errors)
            if values is None or (failed and not failed.isdisjoint(step.children)):
                failed.add(step.index)
                results.append(None)
                continue
            if step.same_as is not None and step.same_as not in failed:
                results.append(results[step.same_as])
                continue
            if step.read_credentials is not None:
                results.append(step.read_credentials(x.header_text(step.header)))
                continue
            if step.feeds:
                values = {name: results[index] for name, index in step.feeds} | values
            for name, get in step.specials:
                values[name] = get(x)
            if step.is_endpoint:
                return (None if errors else values), errors
            results.append(await _call(step, x, values))
        return None, errors

    async def _own_values(self, step: Step, x: Exchange, groups: Groups, body: Any, errors: Errors) -> Values | None:
        """What the request has for the parameters of a step; None, and more `errors`, if something of it is invalid."""
        if not step.has_fields:
            return {}
        values: Values | None = {}
        if groups is not NOTHING_TO_READ:
            values = None if groups is None else groups[step.index]
        if values is None or step.has_body:
            values = await self.step_values(step, x, values, body, errors)
        return values

    def is_overridden_by(self, provider: Any) -> bool:
        """Whether `provider` has other overrides by now than this plan was made with."""
        overrides = provider.dependency_overrides
        return bool(overrides or self._overrides) and overrides != self._overrides

    async def as_far(self, x: Exchange, body: Any, results: list[Any]) -> Values:
        """The endpoint's arguments as far as there are any, when some are invalid; for those who look at them."""
        endpoint = self.endpoint
        values = {name: results[index] for name, index in endpoint.feeds if results[index] is not None}
        values.update(validate_parameters(endpoint.dependant, x)[0])
        fields = endpoint.dependant.body_params
        if fields:
            if len(fields) == 1 and not endpoint.embed:
                values[fields[0].name] = None
            values.update((await body_values(fields, body, endpoint.embed, large_body(x)))[0])
        return values | {name: get(x) for name, get in endpoint.specials}

    def step_of(self, dependant: Dependant, embed: bool, overrides: Overrides) -> Step:
        """A step that is not in the plan: the use of a dependency, or of what overrides it."""
        visit = self._overridden(dependant, embed, overrides)
        return Step(-1, visit, is_endpoint=False, websocket=self._websocket)

    def _overridden(self, dependant: Dependant, embed: bool, overrides: Overrides, begins: int = 0) -> Visit:
        """The visit of a dependency, or of what overrides it."""
        if dependant.scope == "app":
            return Visit(leaf(dependant, overrides, self._provider), dependant, embed, begins)
        # Whether the body has keys is the route's say, overrides or not. A callable with several parameters looks for
        # keys all the same.
        return Visit(override_in_turn(dependant, overrides), dependant, embed, begins)

    async def step_values(
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
            more, wrong = await body_values(step.dependant.body_params, body, step.embed, large_body(x))
            values.update(more)
            found.extend(wrong)
        if found:
            errors.extend(found)
            return None
        return values


def _put_body_last(steps: list[Step]) -> int:
    """Put the steps that need a body, themselves or below, behind those that need none; answer the number of these.

    Uses that share a call need the same, so that the first of them stays before the others.
    """
    needing: set[int] = {len(steps) - 1}
    for step in steps:
        if step.has_body or not needing.isdisjoint(step.children):
            needing.add(step.index)
    order = sorted(range(len(steps)), key=lambda index: index in needing)
    now = {old: new for new, old in enumerate(order)}
    for step in steps:
        step.index = now[step.index]
        step.children = tuple(now[child] for child in step.children)
        step.feeds = tuple((name, now[child]) for name, child in step.feeds)
        step.same_as = None if step.same_as is None else now[step.same_as]
    steps.sort(key=lambda step: step.index)
    for step in steps:
        step.begins = min((steps[child].begins for child in step.children), default=step.index)
    return len(steps) - len(needing)


def validate_parameters(dependant: Dependant, x: Exchange) -> tuple[Values, Errors]:
    """Validate the parameters of one callable on the reference path: path, query, header, then cookie."""
    values: Values = {}
    errors: Errors = []
    for fields, source in (
        (dependant.path_params, lambda: x.path_params),
        (dependant.query_params, lambda: x.query),
        (dependant.header_params, lambda: x.headers),
        (dependant.cookie_params, lambda: x.cookies),
    ):
        if fields:
            found, wrong = request_params_to_args(fields, source())
            values.update(found)
            errors.extend(wrong)
    return values, errors

"""A dependency tree as a list of steps, and running it.

A tree of `Dependant`s is flattened once: children before parents, in the order in which FastAPI would solve them. Each
step validates its own parameters when its children are done, and calls its callable if nothing below it failed. A use
that shares another one's call (same callable, scopes and ``scope``) points at it. One list serves every request; only
dependency overrides make another one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from .._native import Program, Reader
from ..declare.dependant import circular_dependency
from ..declare.overrides import Overrides, override_in_turn, refusing
from ..dependencies.models import Dependant, cache_key, may_share, scope_users
from ..types import DependencyCacheKey
from .app_scope import leaf
from .boundary import reader_plan
from .plain import hoistable
from .step import Step, Visit


class Begun(NamedTuple):
    """A plan of which a part has been run. What has begun stays as it is there when dependency overrides change.

    Attributes:
        plan: the plan. done: how many of its steps have run. failed: those of them that have no result.
    """

    plan: Plan
    done: int
    failed: Collection[int]

    def step(self, parent: Visit) -> Step | None:
        """The step that the next dependency of `parent` is there, if it has begun."""
        if parent.begun is None:
            return None
        step = self.plan.steps[parent.begun.children[parent.position - 1]]
        return step if step.begins < self.done else None


class Plan:
    """How to run one endpoint: its steps, the last being the endpoint itself.

    Parameters:
        dependant: the endpoint's tree.
        embed: whether each body parameter is a key of the body.
        provider: the application, to which what is application-scoped belongs.
        overrides: dependency overrides that apply.
        websocket: whether it serves WebSockets, not requests.
        body_last: whether the steps that need no body come before those that do (`before_body` is their number).
        begun: a plan for the same that has been run so far.
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
        begun: Begun | None = None,
    ) -> None:
        self.embed = embed
        self.program: Program | None = None  # of a plan with overrides: see `serve/programs.py`
        self.program_place: Any = None
        self.solver: Program | None = None  # see `solver_of`
        self.provider = provider
        self.overrides = overrides or {}
        self._dependant = dependant
        self._body_last = body_last
        self._begun = begun
        self._websocket = websocket
        self._first: dict[Any, int] = {}
        self._scope_users = scope_users(dependant)
        steps: list[Step] = []
        self._flatten(dependant, steps)
        self.before_body = _put_body_last(steps, 0 if begun is None else begun.done) if body_last else 0
        self.steps = tuple(steps)
        self.endpoint = steps[-1]
        self.hoisted = tuple(hoistable(step.dependant) for step in steps)
        """Which steps have no parameters but those that are read before anything runs, and the body's."""
        with_body = [step for step in steps if step.has_body]
        self.body_step = with_body[0] if len(with_body) == 1 else None
        """The one step with parameters from the body, if no other has any."""
        early = [step.dependant if plain else None for step, plain in zip(steps, self.hoisted, strict=True)]
        self.reads = any(step.has_params for step in steps)
        self.reader = Reader(reader_plan(early))

    def _flatten(self, root: Dependant, steps: list[Step]) -> int:
        """Append the steps of the tree below `root`, then its own; answer its index. No recursion over user data."""
        stack = [Visit(root, root, self.embed, 0, None if self._begun is None else self._begun.plan.endpoint)]
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
        begun = None if self._begun is None else self._begun.step(above[-1])
        if begun is not None:
            self._scope_users |= scope_users(begun.dependant)
            return Visit(begun.dependant, dependant, above[-1].embed, begins, begun)
        visit = self._overridden(dependant, above[-1].embed, begins)
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
        if is_root or (self._begun is not None and step.ran_as in self._begun.failed):
            return
        key = self.key_of(step)
        first = self._first.setdefault(key, step.index)
        if first != step.index and may_share(step.dependant):
            step.same_as = first

    def key_of(self, step: Step) -> DependencyCacheKey:
        """What makes two steps one call. What an override looks at doesn't count, but what it stands for does."""
        return cache_key(step.original, id(step.original) in self._scope_users)

    def replanned(self, overrides: Overrides, done: int, failed: Collection[int]) -> Plan:
        """The plan for the rest of a request whose dependencies have changed the overrides when `done` steps had run.

        FastAPI looks for an override whenever it comes to a use of a dependency, before it goes into it; so what has
        been begun goes on as it was, and all that comes after is what it is by now. The steps that have run are the
        same.
        """
        return Plan(
            self._dependant,
            embed=self.embed,
            provider=self.provider,
            overrides=overrides,
            websocket=self._websocket,
            body_last=self._body_last,
            begun=Begun(self, done, failed),
        )

    def _overridden(self, dependant: Dependant, embed: bool, begins: int) -> Visit:
        """The visit of a dependency, or of what overrides it."""
        if dependant.scope == "app":
            return Visit(leaf(dependant, self.overrides, self.provider), dependant, embed, begins)
        # Whether the body has keys is the route's say, overrides or not. A callable with several parameters looks for
        # keys all the same.
        return Visit(override_in_turn(dependant, self.overrides), dependant, embed, begins)


def _put_body_last(steps: list[Step], done: int) -> int:
    """Put the steps that need a body, themselves or below, behind those that need none; answer the number of these.

    Uses that share a call need the same, so that the first of them stays before the others. The first `done` steps are
    those that have run already, in their order.
    """
    needing: set[int] = {len(steps) - 1}
    for step in steps:
        if step.has_body or not needing.isdisjoint(step.children):
            needing.add(step.index)

    def place(index: int) -> tuple[bool, int]:
        ran = steps[index].ran_as
        return (False, ran - done) if ran is not None and ran < done else (index in needing, 0)

    order = sorted(range(len(steps)), key=place)
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

"""Going on after a dependency has changed the dependency overrides of its own request.

A plan is made for the overrides that there are when the request comes. FastAPI looks for an override whenever it comes
to a use of a dependency, before it goes into it; so what has been begun goes on as it was, and all that comes after is
looked up as it is reached. That is what happens here, by the rule and not by a plan: it is for tests of applications.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..dependencies._overrides import Overrides
from ..dependencies._values import Errors
from ..dependencies.models import Dependant, cache_key, looks_at_scopes, may_share, walk
from ._exchange import Exchange
from ._step import Step, Values

_FAILED = object()


class Begun(Protocol):
    """The plan that was made for the overrides that there were: what is asked of it here."""

    steps: tuple[Step, ...]
    endpoint: Step

    def step_of(self, dependant: Dependant, embed: bool, overrides: Overrides) -> Step:
        """A step that is not in the plan."""

    async def step_values(
        self, step: Step, x: Exchange, early: Values | None, body: Any, errors: Errors
    ) -> Values | None:
        """The parameters of one step."""


class NeedsContexts(Exception):  # it is no error
    """Raised where an override may be a generator and no exit stack is open, because no dependency was one before.

    Parameters:
        late: what is left to do when both are open.
    """

    def __init__(self, late: Late) -> None:
        self.late = late


class Late:
    """The rest of a request.

    Parameters:
        plan: that of the request so far.
        x: the exchange.
        body: the parsed body.
        provider: the object whose ``dependency_overrides`` have changed.
        results: of the steps that have run.
        failed: the indexes of those of them that have failed.
        errors: theirs.
    """

    def __init__(
        self, plan: Begun, x: Exchange, body: Any, provider: Any, results: list[Any], failed: set[int], errors: Errors
    ) -> None:
        self.plan = plan
        self.body = body
        self.errors = errors
        self._x = x
        self._provider = provider
        self._results = [_FAILED if index in failed else result for index, result in enumerate(results)]
        self._cache: dict[Any, Any] = {}
        for step, result in zip(plan.steps, self._results, strict=False):
            if result is not _FAILED:
                self._cache.setdefault(_key(step), result)

    async def values(self) -> tuple[Values | None, Errors]:
        """The endpoint's keyword arguments, or None and the errors."""
        found = await self._arguments(self.plan.endpoint)
        return (None if self.errors else found), self.errors

    async def _arguments(self, step: Step) -> Values | None:
        """The keyword arguments of a step, its dependencies having run; None if any of them has failed."""
        given: Values | None = {}
        for position, use in enumerate(step.dependant.dependencies):
            result = await self._child(step, position, use)
            if result is _FAILED:
                given = None
            elif given is not None and use.name is not None:
                given[use.name] = result
        values = await self.plan.step_values(step, self._x, None, self.body, self.errors)
        if values is None or given is None:
            return None
        return given | values | {name: get(self._x) for name, get in step.specials}

    async def _child(self, parent: Step, position: int, use: Dependant) -> Any:
        """The result of a dependency of `parent`: what it was, what comes of it, or what is in its place by now."""
        if parent.children:  # a step of the plan
            step = self.plan.steps[parent.children[position]]
            if step.index < len(self._results):
                return self._results[step.index]
            if step.begins < len(self._results):
                return await self._run(step)
        return await self._run(self.plan.step_of(use, parent.embed, self._provider.dependency_overrides or {}))

    async def _run(self, step: Step) -> Any:
        """The result of a step: from before, if it has been called and is to be called once."""
        arguments = await self._arguments(step)
        if arguments is None:
            return _FAILED
        key = _key(step)
        if may_share(step.original) and key in self._cache:
            return self._cache[key]
        result = await step.run(self._x, arguments)
        self._cache.setdefault(key, result)
        return result


def _key(step: Step) -> Any:
    return cache_key(step.original, any(looks_at_scopes(node) for node in walk(step.original)))

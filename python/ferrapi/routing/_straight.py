"""The common run of a plan as one function, written for it: each dependency called in turn, then the endpoint.

`Plan.values` can run any plan; most of what it asks for each step has the same answer in every request. Those answers
are given here once, when the plan is made, and what is left is compiled: for a session, a token and a user something
like

    async def run(x, groups, compiled):
        provider = compiled.provider
        v0 = await x.request_stack.enter_generator(call0())
        if provider.dependency_overrides:
            return await compiled.rest(x, plan, groups, [v0])
        v1 = read1(x.header_text(header1))
        v2 = await call2(session=v0, token=v1)
        if provider.dependency_overrides:
            return await compiled.rest(x, plan, groups, [v0, v1, v2])
        return await call3(user=v2, **groups[3])

It is only for requests without errors and bodies. The names in it are those of parameters; nothing of a request is.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from ..dependencies import _plain

if TYPE_CHECKING:
    from ._plan import Plan, Step

Run = Callable[..., Coroutine[Any, Any, Any]]
_CHECK = "    if provider.dependency_overrides:\n        return await compiled.rest(x, plan, groups, [{}])\n"


def straight_run(plan: Plan) -> Run | None:
    """The function for `plan`, or None if it is not for that."""
    steps = plan.steps
    known: dict[str, Any] = {"plan": plan}
    lines = ["async def run(x, groups, compiled):\n    provider = compiled.provider\n"]
    ran_code = False
    for step in steps:
        if step.has_body or not _can_be_written(step):
            return None
        if ran_code and not step.is_endpoint:
            lines.append(_CHECK.format(", ".join(f"v{index}" for index in range(step.index))))
            ran_code = False
        lines.append(_line(step, known))
        ran_code = ran_code or (step.same_as is None and step.read_credentials is None)
    exec(compile("".join(lines), f"<ferrapi: the dependencies of {steps[-1].call!r}>", "exec"), known)
    run: Run = known["run"]
    return run


def _can_be_written(step: Step) -> bool:
    """Whether the keyword arguments can stand in source text: not if an edited tree has the same one twice, and not if
    Python would read another name there (identifiers beyond ASCII are normalised)."""
    given = [name for name, _ in (*step.feeds, *step.specials)]
    names = [*given, *(field.name for _, field in _plain.parameters(step.dependant))]
    return len(set(names)) == len(names) and all(
        name.isascii() and name.isidentifier() and not iskeyword(name) and name != "__debug__" for name in given
    )


def _line(step: Step, known: dict[str, Any]) -> str:
    """The line that runs a step; what it needs is put into `known`."""
    number = step.index
    if step.same_as is not None:
        return f"    v{number} = v{step.same_as}\n"
    if step.read_credentials is not None:
        known[f"read{number}"], known[f"header{number}"] = step.read_credentials, step.header
        return f"    v{number} = read{number}(x.header_text(header{number}))\n"
    known[f"call{number}"], known[f"step{number}"] = step.call, step
    given = [f"{name}=v{index}" for name, index in step.feeds]
    given += [f"**groups[{number}]"] if step.has_fields else []
    for position, (name, get) in enumerate(step.specials):
        known[f"get{number}_{position}"] = get
        given.append(f"{name}=get{number}_{position}(x)")
    arguments = ", ".join(given)
    if step.is_direct:
        made = f"call{number}({arguments})"
    elif step.is_endpoint:
        made = f"compiled.responder.call(x, step{number}, dict({arguments}))"
    elif step.is_generator:
        made = f"x.{'function' if step.for_function else 'request'}_stack.enter_generator(call{number}({arguments}))"
    else:
        made = f"step{number}.run(x, dict({arguments}))"
    return f"    return await {made}\n" if step.is_endpoint else f"    v{number} = await {made}\n"

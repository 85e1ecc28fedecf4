"""The programs of routes, each with what it asks Python."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from .._native import Program
from .._ways import COUNTED
from ..compile.plan import Plan
from ..compile.program import body_plan, made_program
from ..declare.dependant import get_dependant
from ..declare.handler_facts import HandlerFacts
from .compiled import Compiled
from .observed import is_observed
from .reference import HandlerReference, Reference, RefusingReference, StepReference
from .respond import PassingResponder

RequestHandler = Callable[[Request], Coroutine[Any, Any, Response]]
"""From a request to its response."""


class Served(Protocol):
    """A route as an application (`RouteApp`): what a program asks of it."""

    def is_wrapped(self) -> bool:
        """Whether there is something around the engine."""

    def handler(self) -> RequestHandler | None:
        """What is called with the request instead of the engine, if the route has a handler of its own."""

    def compiled(self) -> Compiled:
        """The plan and responder, as of now."""


def program_of(app: Served, placed: Any) -> Program | None:
    """The program of a route, or None if somebody else has to be asked first, or if it has none.

    Parameters:
        app: the route's application.
        placed: the effective route, if it is not the declared one.
    """
    if app.is_wrapped():
        return None
    handler = app.handler()
    return program_inside(app, placed) if handler is None else handling(handler, placed)


def program_inside(app: Served, placed: Any = None) -> Program | None:
    """The same for a request that has come through whatever is around the engine."""
    compiled = app.compiled()
    return None if compiled.obstacle() is not None else _program(compiled, compiled.base, placed)


def _program(compiled: Compiled, plan: Plan, placed: Any) -> Program:
    reference = Reference(compiled, plan, placed, lambda other: _program(compiled, other, placed))
    return made_program(
        plan,
        reference if COUNTED is None else COUNTED.asked(reference),
        compiled.responder,
        body=body_plan(compiled, plan),
        placed=placed,
        counts=None if COUNTED is None else COUNTED.begin,
    )


def handling(handler: RequestHandler, placed: Any = None) -> Program:
    """The program that answers a request with what a function makes of it.

    Parameters:
        handler: the function.
        placed: the effective route that the request has come to, if it is not the declared one.
    """

    async def handle(request: Request) -> Any:
        return await handler(request)

    facts = HandlerFacts(get_dependant(path="", call=handle), handle)
    compiled = Compiled(facts, is_observed=is_observed())
    compiled.responder = PassingResponder(facts, in_thread=False)
    reference = HandlerReference(compiled, compiled.base, placed, solver_of)
    return made_program(
        compiled.base,
        reference,
        compiled.responder,
        placed=placed,
        is_handler=True,
        is_observed=compiled.is_observed,
    )


def refusing(make: Callable[[], Exception], placed: Any = None) -> Program:
    """The program that answers requests with what the handler for an exception makes of it.

    Parameters:
        make: makes the exception.
        placed: the effective route that the request has come to, if it is not the declared one.
    """

    async def refuse() -> None:
        raise make()

    compiled = Compiled(HandlerFacts(get_dependant(path="", call=refuse), refuse), is_observed=False)
    reference = RefusingReference(compiled, compiled.base, placed, solver_of)
    return made_program(compiled.base, reference, compiled.responder, placed=placed)


def solver_of(plan: Plan) -> Program:
    """The program that runs the dependencies of `plan` for their own sake (`Program.solve`)."""
    if plan.solver is None:
        plan.solver = made_program(plan, StepReference(plan, solver_of))
    return plan.solver

"""What of a route runs in Python beside the user's functions, and why.

The decisions are the engine's (`ferrapi.compile.program`, `ferrapi.compile.plan`, `ferrapi.serve.respond`); this module
asks the same questions again and puts the answers into words. The table that they follow is in
docs/internals/architecture.md.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._hooks import is_own
from .._threads import run_in_thread
from ..compile.form_body import plain_form
from ..compile.json_body import early_model
from ..compile.plain import hoistable, is_plain_field, parameters
from ..compile.plan import Plan
from ..compile.step import Step
from ..declare.callables import Kind, name_of
from ..dependencies.models import Dependant
from ..routing import APIRoute, APIWebSocketRoute
from ..serve.compiled import Compiled
from ..serve.handler import RouteApp
from ..serve.programs import program_of
from ..serve.respond import Responder
from ..serve.streams import StreamResponder
from ..telemetry._activation import active
from ._listing import FRONT_END, MOUNT, Listed


@dataclass
class StepTold:
    """One callable that a request to the route calls.

    Attributes:
        call: its name.
        runs: how it is run.
        python: what else runs in Python on its behalf, and why.
    """

    call: str
    runs: str
    python: list[str] = field(default_factory=list)


@dataclass
class Told:
    """What is known of a route.

    Attributes:
        native: whether the compiled engine serves it.
        native_inside: whether it serves what is inside of that which runs in Python around the route.
        python: what runs in Python for the whole route, or around it, and why.
        steps: the callables, in the order in which they are called; the last is the endpoint.
        body: how the request's body is read; None if it isn't.
        response: how the result becomes the response.
    """

    native: bool
    native_inside: bool = False
    python: list[str] = field(default_factory=list)
    steps: list[StepTold] = field(default_factory=list)
    body: How | None = None
    response: How | None = None


class How(NamedTuple):
    """How something is done, in words, and whether that is in Python."""

    words: str
    in_python: bool


_RUNS = {
    Kind.ASYNC: "in the event loop",
    Kind.SYNC: "in a worker thread",
    Kind.GENERATOR: "around the request, in a worker thread",
    Kind.ASYNC_GENERATOR: "around the request, in the event loop",
}


def explain(listed: Listed) -> Told:
    """Look into a route as its first request would."""
    if listed.kind in (MOUNT, FRONT_END) or not listed.is_api:
        what = {MOUNT: "a mounted application", FRONT_END: "a front end: files are read in threads"}
        return Told(False, python=[what.get(listed.kind, "a route of Starlette's, which has no parameters to read")])
    route = listed.route
    if isinstance(listed.placed.original, APIWebSocketRoute):  # type: ignore[union-attr]  # it has a place
        plan = Plan(route.dependant, embed=route._embed_body_fields, websocket=True)
        steps = [_step(step, None) for step in plan.steps]
        return Told(False, python=["it is a WebSocket's"], steps=steps)
    return _of_api_route(listed, route)


def _of_api_route(listed: Listed, route: Any) -> Told:
    app = route.app
    reasons = [] if _is_engines(listed.placed.original) else ["the route's class has a `handle` of its own"]  # type: ignore[union-attr]
    if not isinstance(app, RouteApp) or type(app) is not RouteApp:
        reasons.append("something else has been put around the route's application")
        return Told(False, python=reasons)
    compiled = app.compiled()
    plan = compiled.base
    replaced = ["a tool has replaced functions of ferrapi"] if compiled.is_observed else []
    told = Told(False, python=reasons + _around(listed, app) + replaced)
    program = None if reasons else program_of(app, listed.placed.place)  # type: ignore[union-attr]
    told.native = program is not None and not told.python
    told.native_inside = bool(told.python) and not replaced
    responder = compiled.responder
    told.steps = [_step(step, responder) for step in plan.steps if step.same_as is None]
    told.body = _body(compiled, plan)
    told.response = _response(responder)
    return told


def _is_engines(route: Any) -> bool:
    return is_own(type(route), APIRoute, "handle") and "handle" not in vars(route)


def _around(listed: Listed, app: RouteApp) -> list[str]:
    """What runs in Python around the route."""
    reasons = []
    if app._handler is not None:
        reasons.append("the route's class has a `get_route_handler` of its own")
    if app.facts.max_body_size is not None:
        reasons.append(f"bodies are limited to {app.facts.max_body_size} bytes")
    if app.facts.cancel_on_disconnect:
        reasons.append("somebody waits for the client to leave")
    if listed.app is not None and active(listed.app._telemetry) is not None:
        reasons.append("telemetry follows each request")
    return reasons


def _step(step: Step, responder: Responder | None) -> StepTold:
    runs = "reads a header natively" if step.read_credentials is not None else _RUNS[step.kind]
    python = [] if responder is None else _parameters(step.dependant)
    if step.kind is Kind.SYNC and not step.is_endpoint and step.in_thread is not run_in_thread:
        python.append("a tool has replaced the function that runs it in a thread")
    if step.kind >= Kind.GENERATOR and not (
        inspect.isasyncgenfunction(step.call) or inspect.isgeneratorfunction(step.call)
    ):
        python.append("its context is made by contextlib, because it is no plain generator function")
    if step.concurrency is not None:
        python.append("waits for its turn by Depends(max_concurrency=)")
    if step.read_credentials is None:
        python += [f"an object is made for its parameter `{name}`" for name, _ in step.specials]
    return StepTold(name_of(step.call), runs, python)


def _parameters(dependant: Dependant) -> list[str]:
    """The parameters that make a callable's parameters be read in Python."""
    if hoistable(dependant):
        return []
    found = []
    for source, one in parameters(dependant):
        if not is_plain_field(one):
            why = "a type whose validation may run code of yours, or a model that keeps what it doesn't know"
            found.append(f"{source.value} parameter `{one.name}` is read in Python when its turn comes: it has {why}")
    return found or ["its parameters are read in Python: two have the same name"]


def _body(compiled: Compiled, plan: Plan) -> How | None:
    if not compiled.has_body:
        return None
    if compiled.is_form:
        if plain_form(plan, compiled.bounds) is not None:
            return How("urlencoded forms are read natively, multipart ones in Python", False)
        why = "it has validators of yours, or files declared as bytes, or somebody is given the request"
        return How(f"the form is read in Python: {why}", True)
    if early_model(plan) is not None:
        return How("JSON is validated from its bytes", False)
    return How("JSON is parsed and then validated", False)


def _response(responder: Responder) -> How:
    serializer = responder.serializer
    kind = responder.response_class.__qualname__
    if isinstance(responder, StreamResponder):
        is_encoded = responder.is_json or responder.is_events
        return How("items are encoded in Python, and sent natively" if is_encoded else "sent natively", False)
    if not responder.is_short:
        return How(f"the response is made in Python by {kind}, for its class or its status", True)
    if not responder.is_default:
        if responder.is_text and (serializer.field is None or serializer.is_plain_text):
            return How("text is written natively", False)
        return How(f"the response is made in Python by {kind}", True)
    if serializer.field is None:
        return How("plain data is written natively, anything else by jsonable_encoder", False)
    return How("written natively" if serializer.shape is not None else "written by pydantic", False)

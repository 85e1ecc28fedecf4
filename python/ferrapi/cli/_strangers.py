"""Objects of the real FastAPI in an application of ferrapi.

Those whose meaning is known count as ferrapi's own (docs/compatibility.md), so the application works. They are found
all the same, because they are nearly always an import that was forgotten: whoever compares classes, or catches
exceptions, will be surprised by them.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from ..declare.callables import name_of
from ..declare.foreign import fastapi_class
from ..dependencies.models import Dependant
from ._finding import Finding
from ._listing import Listed, routes_of

RULE = "fastapi-object"


def strangers(app: Any) -> Iterator[Finding]:
    """What of the real FastAPI is in an application: each object once for each function that has it."""
    for kind in app.exception_handlers:
        yield from _of("an exception handler is registered for", (kind,), app.exception_handlers[kind])
    for middleware in app.user_middleware:
        yield from _of("the application has the middleware", (middleware.cls,), None)
    seen: set[tuple[str, str]] = set()
    for listed in routes_of(app):
        for finding in _of_route(listed):
            if (finding.place, finding.message) not in seen:
                seen.add((finding.place, finding.message))
                yield finding


def _of_route(listed: Listed) -> Iterator[Finding]:
    where = f"{' '.join(listed.methods) or listed.kind} {listed.path}"
    yield from _of(f"{where} is", (listed.endpoint,), listed.endpoint)
    route: Any = None if listed.placed is None else listed.placed.original
    yield from _of(f"{where} is", (route,), listed.endpoint)
    declared = getattr(route, "response_class", None)
    yield from _of(f"{where} responds with", (getattr(declared, "value", declared),), listed.endpoint)
    dependant = getattr(listed.route, "dependant", None)
    if isinstance(dependant, Dependant):
        for call in _calls(dependant):
            yield from _of(f"{where} calls", (call,), listed.endpoint)
            yield from _of(f"{name_of(call)} declares", _declared(call), call)


def _calls(dependant: Dependant) -> Iterator[Any]:
    pending = [dependant]
    while pending:
        current = pending.pop()
        yield current.call
        pending.extend(current.dependencies)


def _declared(call: Any) -> Iterator[Any]:
    """The markers in a signature: defaults, and what annotations carry."""
    try:
        parameters = inspect.signature(call, eval_str=True).parameters.values()
    except Exception:  # names that can't be resolved here, or no signature
        return
    for parameter in parameters:
        yield parameter.default
        yield parameter.annotation
        if typing.get_origin(parameter.annotation) is typing.Annotated:
            yield from typing.get_args(parameter.annotation)


def _of(words: str, objects: Iterable[Any], call: Any) -> Iterator[Finding]:
    for one in objects:
        if one is None or one is inspect.Parameter.empty:
            continue
        kind = one if inspect.isclass(one) else type(one)
        stranger = fastapi_class(kind)
        if stranger is None and inspect.isroutine(one) and str(one.__module__).partition(".")[0] == "fastapi":
            name = f"{one.__module__}.{one.__qualname__}"
        elif stranger is not None:
            name = f"{stranger.__module__}.{stranger.__qualname__}"
        else:
            continue
        yield Finding.at(RULE, call, f"{words} {name}, which is the real FastAPI's: import it from ferrapi")

"""``ferrapi check``: mistakes in an application that nothing else reports, with an exit status for CI."""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from .._draining import mounted_in
from ..applications import FastAPI
from ..declare.callables import Kind, kind_of, name_of
from ..dependencies.models import Dependant
from ._blocking import blocking_calls
from ._finding import NOTE, PROBLEM, Finding
from ._listing import WEBSOCKET, Listed, routes_of
from ._loading import application
from ._messages import Refused
from ._strangers import strangers
from ._unreachable import unreachable


def check(options: argparse.Namespace) -> int:
    """Print what is found. Answers 1 if that is a problem, or anything at all with ``--strict``.

    Raises:
        Refused: for an application that isn't there, and a rule that isn't there.
    """
    unknown = set(options.ignore) - RULES.keys()
    if unknown:
        raise Refused(f"--ignore: there is no rule {min(unknown)}; there are {', '.join(RULES)}", 2)
    app = application(options.path, options.app)
    found = [finding for name, rule in RULES.items() if name not in options.ignore for finding in rule(app)]
    if options.json:
        print(json.dumps([vars(finding) for finding in found], indent=2))
    else:
        _print(found, len(list(routes_of(app))))
    return int(any(options.strict or finding.kind == PROBLEM for finding in found))


def _print(found: list[Finding], routes: int) -> None:
    for finding in found:
        print(finding)
    problems = sum(finding.kind == PROBLEM for finding in found)
    print(f"{routes} routes: {problems or 'no'} problem{'' if problems == 1 else 's'}, {len(found) - problems} notes")


def duplicate_operation_ids(app: FastAPI) -> Iterator[Finding]:
    """Operations with the same id in one document; and a document that can't be made."""
    for one in mounted_in(app):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                document = one.openapi()
        except Exception as exc:
            name = type(exc).__name__
            yield Finding("operation-id", "", f"the OpenAPI document of {one.title!r} can't be made: {name}: {exc}")
            continue
        endpoints = {
            (getattr(listed.route, "path_format", None), method): listed.endpoint
            for listed in reversed([listed for listed in routes_of(one) if listed.app is one])
            for method in listed.methods
        }
        users: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for path, item in document.get("paths", {}).items():
            for method, operation in item.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    users[operation["operationId"]].append((path, method.upper()))
        for operation_id, places in users.items():
            if len(places) > 1:
                shown = ", ".join(f"{method} {path}" for path, method in places)
                message = f"the operation id {operation_id} is that of {shown}"
                yield Finding.at("operation-id", endpoints.get(places[-1]), message)


def blocking(app: FastAPI) -> Iterator[Finding]:
    """Calls in coroutine functions during which no other request goes on."""
    for call, listed in _callables(app):
        for found in blocking_calls(call):
            file = found.file.removeprefix(os.getcwd() + os.sep)
            message = (
                f"{name_of(call)} ({listed.path}) calls {found.name}, and no other request goes on meanwhile: "
                f"use {found.instead}"
            )
            yield Finding("blocking-call", f"{file}:{found.line}", message)


def synchronous(app: FastAPI) -> Iterator[Finding]:
    """Endpoints that need a worker thread for each request."""
    seen: set[Any] = set()
    for listed in routes_of(app):
        if not listed.is_api or listed.kind == WEBSOCKET or listed.endpoint in seen:
            continue
        if kind_of(listed.endpoint) in (Kind.SYNC, Kind.GENERATOR):
            seen.add(listed.endpoint)
            message = f"{name_of(listed.endpoint)} ({listed.path}) is synchronous: each request takes a worker thread"
            yield Finding.at("synchronous-endpoint", listed.endpoint, message, NOTE)


def _callables(app: FastAPI) -> Iterator[tuple[Any, Listed]]:
    """The functions that requests call, each once, with a route that calls it."""
    seen: set[int] = set()
    for listed in routes_of(app):
        dependant = getattr(listed.route, "dependant", None)
        pending: list[Any] = [dependant] if isinstance(dependant, Dependant) else []
        if not pending and listed.endpoint is not None and id(listed.endpoint) not in seen:
            seen.add(id(listed.endpoint))
            yield listed.endpoint, listed
        while pending:
            current = pending.pop()
            if id(current.call) not in seen:
                seen.add(id(current.call))
                yield current.call, listed
            pending.extend(current.dependencies)


RULES: dict[str, Callable[[FastAPI], Iterator[Finding]]] = {
    "unreachable-route": unreachable,
    "operation-id": duplicate_operation_ids,
    "fastapi-object": strangers,
    "blocking-call": blocking,
    "synchronous-endpoint": synchronous,
}
"""The checks by their names, in the order of their output."""

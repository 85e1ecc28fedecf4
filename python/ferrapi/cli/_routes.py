"""``ferrapi routes``: what an application answers, by which functions, and what of that runs in Python."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..applications import FastAPI
from ..declare.callables import name_of
from ._explain import Told, explain
from ._listing import FRONT_END, MOUNT, WEBSOCKET, Listed, place_of, routes_of, shown_place
from ._loading import application


def routes(options: argparse.Namespace) -> int:
    """Print the table, or JSON. Answers the exit status."""
    app = application(options.path, options.app)
    listed = list(routes_of(app))
    if options.json:
        print(json.dumps({"application": _application(app), "routes": [as_data(one) for one in listed]}, indent=2))
        return 0
    rows = [_row(one) for one in listed]
    _print_table(("METHODS", "PATH", "ENDPOINT", "DEFINED AT", "DEPENDENCIES"), rows, listed)
    protocol = _application(app)["protocol"]
    print(f"\n{len(listed)} routes. ferrapi's HTTP protocol: {protocol}.")
    return 0


def short_list(app: FastAPI) -> list[str]:
    """One line for each route: methods and path."""
    return [f"{_methods(one):<8} {one.path}" for one in routes_of(app)]


def as_data(listed: Listed) -> dict[str, Any]:
    """A route for ``--json``."""
    told = explain(listed)
    found = place_of(listed.endpoint)
    return {
        "path": listed.path,
        "methods": list(listed.methods),
        "kind": listed.kind,
        "name": listed.name,
        "endpoint": None if listed.endpoint is None else name_of(listed.endpoint),
        "file": None if found is None else found[0],
        "line": None if found is None else found[1],
        "dependencies": [step.call for step in told.steps[:-1]],
        "in_schema": bool(getattr(listed.route, "include_in_schema", False)) and listed.kind != WEBSOCKET,
        "native": told.native,
        "native_inside": told.native_inside,
        "python": told.python,
        "steps": [{"call": step.call, "runs": step.runs, "python": step.python} for step in told.steps],
        "body": None if told.body is None else told.body.words,
        "response": None if told.response is None else told.response.words,
    }


def _application(app: FastAPI) -> dict[str, Any]:
    """What is around all routes."""
    middleware = [name_of(one.cls) for one in app.user_middleware]
    try:
        from ..server._site import Site
    except ImportError:
        return {"middleware": middleware, "protocol": "not there (pip install 'ferrapi[standard]')"}
    if Site.of(app) is not None:
        return {"middleware": middleware, "protocol": "requests go to the routes directly"}
    why = f" because of the middleware {', '.join(middleware)}" if middleware else ""
    return {"middleware": middleware, "protocol": f"requests go through ASGI{why}"}


def _methods(listed: Listed) -> str:
    words = {WEBSOCKET: "WS", MOUNT: "MOUNT", FRONT_END: "FILES"}
    return words.get(listed.kind) or ",".join(listed.methods) or "-"


def _row(listed: Listed) -> tuple[str, ...]:
    told = explain(listed)
    endpoint = "-" if listed.endpoint is None else name_of(listed.endpoint)
    dependencies = ", ".join(step.call.rpartition(".")[2] for step in told.steps[:-1])
    return _methods(listed), listed.path, endpoint, shown_place(listed.endpoint), dependencies


def _print_table(heads: tuple[str, ...], rows: list[tuple[str, ...]], listed: list[Listed]) -> None:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]

    def line(cells: tuple[str, ...]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    print(line(heads))
    for row, one in zip(rows, listed, strict=True):
        print(line(row))
        for reason in _reasons(explain(one)):
            print(f"{'':{widths[0]}}  - {reason}")


def _reasons(told: Told) -> list[str]:
    """What runs in Python beside the user's functions, in the table's words."""
    how = "entered through Python" if told.native_inside else "served in Python"
    reasons = [f"{how}: {reason}" for reason in told.python]
    for step in told.steps:
        short = step.call.rpartition(".")[2]
        if step.runs.endswith("worker thread"):
            reasons.append(f"{short} runs {step.runs}")
        reasons += [f"{short}: {reason}" for reason in step.python]
    return reasons + [how.words for how in (told.body, told.response) if how is not None and how.in_python]

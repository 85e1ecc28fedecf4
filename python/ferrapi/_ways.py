"""Counts how requests to API routes are served: by a program, which asks Python for what, or elsewhere and why.

Off unless the environment variable ``FERRAPI_COUNT_WAYS`` names a file: then each process appends a line of JSON to it
when it ends (`Ways.told`). What is allowed is the table "what calls Python" in docs/internals/architecture.md;
`scripts/ways.py` adds the lines up and holds them to it.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

__all__ = ["COUNTED", "PLACES", "Ways"]

PLACES: dict[str, str] = {
    "parameters": "parameters",
    "absent": "body field",
    "field_errors": "body field",
    "without_key": "body field",
    "parse": "JSON",
    "form_at_once": "form",
    "read_form": "form",
    "body_values": "form",
    "unwind": "contexts",
    "reply": "response",
    "respond": "response",
    "send": "response",
    "handle": "exception handler",
    "ask": "exception handler",
    "replanned": "overrides that change",
}
"""What a program asks Python for by name, and what that is called in the counts. The rest is no step of a request."""


class _Request:
    """One request that a program serves."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: set[str] = set()


_current: ContextVar[_Request | None] = ContextVar("ferrapi_counted_request", default=None)


class _Asked:
    """What goes on in Python for a program, noting what is asked for.

    Parameters:
        reference: the `Reference`.
    """

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def __getattr__(self, name: str) -> Any:
        place, request = PLACES.get(name), _current.get()
        if place is not None and request is not None:
            request.steps.add(place)
        return getattr(self._reference, name)


class Ways:
    """The requests of this process."""

    def __init__(self) -> None:
        self._begun: list[_Request] = []
        self._elsewhere: Counter[str] = Counter()

    def begin(self) -> None:
        """A program begins to serve a request, in a context of its own."""
        request = _Request()
        self._begun.append(request)
        _current.set(request)

    def asked(self, reference: Any) -> Any:
        """`reference`, noting what a program asks it for."""
        return _Asked(reference)

    def elsewhere(self, reason: str) -> None:
        """A request is served by public functions, one by one."""
        self._elsewhere[reason] += 1

    def told(self) -> dict[str, Any]:
        """What was counted.

        Returns:
            `program`: requests that a program has served; `steps`: how many of them asked Python for what (one may ask
            for several things); `elsewhere`: the other requests, by reason.
        """
        steps: Counter[str] = Counter()
        for request in self._begun:
            steps.update(request.steps or {"none"})
        return {"program": len(self._begun), "steps": dict(steps), "elsewhere": dict(self._elsewhere)}

    def write(self, path: Path) -> None:
        """Append what was counted to a file, as a line of JSON."""
        told = self.told()
        if told["program"] or told["elsewhere"]:
            with path.open("a") as file:
                file.write(json.dumps(told) + "\n")


def _counted() -> Ways | None:
    path = os.environ.get("FERRAPI_COUNT_WAYS")
    if not path:
        return None
    ways = Ways()
    write: Callable[[Path], None] = ways.write
    atexit.register(write, Path(path).absolute())
    return ways


COUNTED = _counted()

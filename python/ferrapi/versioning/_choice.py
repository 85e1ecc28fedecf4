"""Which version a request names."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import Message
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Scope

from ._version import Versioning

Choose = Callable[[Scope], str | None]
"""Gives the name of a version that a request asks for, known or not; None for a request that doesn't ask."""

_ENTRIES = re.compile(r"""(?:[^,"]|"(?:[^"\\]|\\.)*")+""")
"""The entries of a list in a header, whose quoted strings may hold commas (RFC 9110, section 5.6)."""
_MOST = 50
"""More media types than this in one ``Accept`` are not looked at."""


def chooser(versioning: Versioning) -> Choose:
    """How the versions of requests are found out where the path doesn't say it."""
    by: Any = versioning.by
    if callable(by):
        return lambda scope: by(HTTPConnection(scope))
    if by == "header":
        wanted = versioning.field.lower().encode()
        return lambda scope: next(
            (value.decode("latin-1").strip() for name, value in scope["headers"] if name == wanted), None
        )
    return _accepting(versioning)


def _accepting(versioning: Versioning) -> Choose:
    parameter = versioning.field.lower()

    def choose(scope: Scope) -> str | None:
        accepted = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"]
        if parameter not in "".join(accepted).lower():
            return None
        named = sorted(_named(", ".join(accepted), parameter), key=lambda one: -one[0])
        versions = [version for _, version in named]
        known = [version for version in versions if version in versioning.known]
        if known:
            return known[0]  # the best of them; of equal ones the first
        if None in versions and versioning.default is not None:
            return None
        return next((version for version in versions if version is not None), None)

    return choose


def _named(accept: str, parameter: str) -> list[tuple[float, str | None]]:
    """The quality and the version of each media type that is accepted."""
    found = []
    for entry in _ENTRIES.findall(accept)[:_MOST]:
        message = Message()
        message["content-type"] = entry.strip()
        parameters = {name.lower(): value for name, value in message.get_params(failobj=[])[1:]}
        quality = _quality(parameters.get("q"))
        if quality > 0:
            found.append((quality, parameters.get(parameter)))
    return found


def _quality(text: str | None) -> float:
    try:
        return 1.0 if text is None else min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0

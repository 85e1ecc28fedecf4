"""The body of a 422: every error that a request's data had, as JSON, whatever the client put into it.

A client decides how many errors there are and what their `input` is, so three things are bounded or made safe that
FastAPI leaves open (each is a line in `docs/compatibility.md`):

* A list of bad items gives one error per item, and a missing field echoes the whole object it is missing from; a
  body of 4 kB could ask for an answer of 136 kB. At most `max_errors` errors are reported, in a document that is no
  larger than `max_bytes`, nor than the larger of 64 KiB and four times the request's body. When the next error does not
  fit any more, the `input` members are left out from there on; when that does not fit either, the rest is only counted,
  in a last entry of type `errors_truncated`.
* NaN and the infinities, which Python's JSON parser accepts and JSON can't hold, are shown as null.
* A lone surrogate, which UTF-8 can't hold, is shown as the JSON escape that it came in as.

Limits of None switch the first off; `UNLIMITED` is that.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ._native import encode_json
from .encoders import jsonable_encoder

__all__ = ["DEFAULT_LIMITS", "TRUNCATED", "UNLIMITED", "ReportLimits", "render_errors"]

TRUNCATED = "errors_truncated"
"""The type of the last entry of a report that is not complete."""
_ALWAYS = 64 * 1024
_TIMES = 4
_ENDING = 256
"""Bytes that are kept for the document around the entries, and for the last of them."""


@dataclass(frozen=True)
class ReportLimits:
    """How much of a request's errors to report.

    Args:
        max_errors: The number of errors, or None for all.
        max_bytes: The size of their JSON in bytes, or None for no limit.
    """

    max_errors: int | None = 1_000
    max_bytes: int | None = 1024 * 1024

    def of_request(self, size: int | None) -> "ReportLimits":
        """The limits for a request with a body of so many bytes; None if that isn't known."""
        if size is None or self.max_bytes is None:
            return self
        return replace(self, max_bytes=min(self.max_bytes, max(_ALWAYS, _TIMES * size)))


DEFAULT_LIMITS = ReportLimits()
UNLIMITED = ReportLimits(max_errors=None, max_bytes=None)

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def render_errors(errors: Sequence[Any], limits: ReportLimits = DEFAULT_LIMITS) -> bytes:
    """Render `{"detail": [...]}` for the errors of a request.

    Args:
        errors: pydantic's error dictionaries.
        limits: How much of them to show.

    Raises:
        ValueError: An error holds an object that has no JSON form.
    """
    is_cut = bool(errors) and isinstance(errors[-1], dict) and errors[-1].get("type") == TRUNCATED
    if is_cut:  # where they were found out, which were no more than are shown
        errors, last = errors[:-1], errors[-1]
    elif limits.max_errors is None or len(errors) <= limits.max_errors:
        whole = encode_json({"detail": errors}, limits.max_bytes)
        if whole is not None and (limits.max_bytes is None or len(whole) <= limits.max_bytes):
            return whole
    total = len(errors)
    room = math.inf if limits.max_bytes is None else limits.max_bytes - _ENDING
    with_input = True
    entries: list[bytes] = []
    for error in errors[: limits.max_errors]:
        entry = _to_json(error if with_input else _without_input(error))
        if len(entry) > room and with_input:
            with_input = False
            entry = _to_json(_without_input(error))
        if len(entry) > room:
            break
        room -= len(entry) + 1
        entries.append(entry)
    if is_cut:
        entries.append(_to_json(last))
    elif len(entries) < total:
        entries.append(_to_json(_left_out(total - len(entries))))
    return b'{"detail":[' + b",".join(entries) + b"]}"


def _without_input(error: Any) -> Any:
    """The error without the value that the client sent."""
    if not isinstance(error, dict):
        return error
    return {name: value for name, value in error.items() if name != "input"}


def _left_out(count: int) -> dict[str, Any]:
    """The last entry of a report that is not complete."""
    noun = "error was" if count == 1 else "errors were"
    return {"type": TRUNCATED, "loc": [], "msg": f"{count} more {noun} left out", "ctx": {"left_out": count}}


def _to_json(error: Any) -> bytes:
    """One error in the JSON form of `JSONResponse`, but never refused for a number or a character."""
    value = jsonable_encoder(error)
    try:
        text = _encoder.encode(value)
    except ValueError:
        text = _encoder.encode(_finite(value))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace")


def _finite(value: Any) -> Any:
    """Replace NaN and infinities by None, in place: the encoder's containers are its own. Nesting costs no stack."""
    root = [value]
    containers: list[Any] = [root]
    while containers:
        container = containers.pop()
        for key, item in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(item, float) and not math.isfinite(item):
                container[key] = None
            elif isinstance(item, (dict, list)):
                containers.append(item)
    return root[0]

"""Reading a body: the bytes, and what they say.

Happens before the first dependency, so a body that can't be read is answered without running any of them. JSON is what
the standard library says it is: the same encodings, numbers and depth are accepted as by FastAPI on the same Python.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from .._error_report import DEFAULT_LIMITS
from .._hooks import put_in_place
from .._native import is_json_content_type
from ..declare.limits import FORM_LIMITS, FormBounds
from ..exception_handlers import request_validation_exception_handler
from ..exceptions import RequestValidationError
from .exchange import Exchange
from .form import parse_form, parse_form_at_once
from .limits import body_limit_error

UNREADABLE = "There was an error parsing the body"


async def collect(x: Exchange) -> bytes:
    """All bytes of the body.

    Raises:
        ClientDisconnect: when the client goes away first.
    """
    if x.raw is not None:
        return x.raw
    request = x.request_object
    if request is not None:
        return await request.body()
    chunks = []
    more = True
    while more:
        message = await x.next_message()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    x.raw = b"".join(chunks)
    return x.raw


def is_json(declared: bytes | None, strict: bool) -> bool:
    """Whether the `declared` content type says JSON; when there is none, `strict` says no."""
    if not declared:
        return not strict
    return is_json_content_type(declared)


def parse_json(body: bytes) -> Any:
    """The JSON value in `body`.

    Raises:
        RequestValidationError: for malformed JSON, with the place and reason of the standard library's parser.
    """
    try:
        return json.loads(body)
    except json.JSONDecodeError as exc:
        raise invalid_json(exc) from exc


def invalid_json(exc: json.JSONDecodeError) -> RequestValidationError:
    """What to raise for JSON that the standard library's parser refuses."""
    error = {
        "type": "json_invalid",
        "loc": ("body", exc.pos),
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": exc.msg},
    }
    kind = put_in_place("ferrapi.routing", "RequestValidationError", RequestValidationError)
    return kind([error], body=exc.doc)


def unreadable(exc: Exception) -> Exception:
    """What to raise for a body that can't be read: 400, or what a limit raised inside a middleware's task group."""
    return body_limit_error(exc) or HTTPException(status_code=400, detail=UNREADABLE)


async def body_bytes(x: Exchange) -> bytes:
    """All bytes of the body.

    Raises:
        HTTPException: 400 when they can't be read.
    """
    x.settle_headers()
    try:
        return await collect(x)
    except HTTPException:
        raise
    except Exception as exc:
        raise unreadable(exc) from exc


async def read_form(x: Exchange, bounds: FormBounds) -> FormData:
    """The parts of a form; no parts under another content type.

    Raises:
        HTTPException: 400 for a form that can't be read or is beyond `bounds`.
    """
    if x.form is not None:
        return x.form
    x.settle_headers()
    try:
        return await parse_form(x, bounds.inside(x.peek(FORM_LIMITS)))
    except HTTPException:
        raise
    except Exception as exc:
        raise unreadable(exc) from exc


def read_form_at_once(x: Exchange, bounds: FormBounds) -> FormData | None:
    """The same without waiting, if all of it is here; else None. Raises as `read_form`."""
    if x.form is not None:
        return x.form
    try:
        return parse_form_at_once(x, bounds.inside(x.peek(FORM_LIMITS)))
    except HTTPException:
        raise
    except Exception as exc:
        raise unreadable(exc) from exc


def parsed(body: bytes) -> Any:
    """The JSON value in a body.

    Raises:
        RequestValidationError: for malformed JSON.
        HTTPException: 400 for JSON that can't be read at all.
    """
    try:
        return parse_json(body)
    except RequestValidationError:
        raise
    except Exception as exc:
        raise unreadable(exc) from exc


def most_errors(handlers: Any) -> int | None:
    """How many of a request's mistakes somebody will see; None for all of them.

    Parameters:
        handlers: the exception handlers, by class and by status. If the one for mistakes is ferrapi's own, no more are
            wanted than it shows. None if somebody else takes the exception.
    """
    own = None if handlers is None else handlers[0].get(RequestValidationError)
    return DEFAULT_LIMITS.max_errors if own is request_validation_exception_handler else None

"""Server-sent events: a stream of small texts over one response (WHATWG HTML, section 9.2).

An endpoint that yields, declared with `response_class=EventSourceResponse`, sends each value as one event. Yield
`ServerSentEvent`s to set more than the data.

A line break ends a field on the wire, so data and comments are written as one line each of `data:` or comment, and
the fields that have to be one line refuse to be more. Only CR, LF and CR LF break lines here; the other
characters that `str.splitlines` knows (U+2028 and so on) are data.
"""

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, model_validator
from starlette.responses import StreamingResponse

from ._names import names_of

__all__ = ["KEEPALIVE_COMMENT", "EventSourceResponse", "ServerSentEvent", "format_sse_event"]

KEEPALIVE_COMMENT = b": ping\n\n"
"""A comment, which clients ignore, sent while there is no event so that proxies keep the connection open."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class EventSourceResponse(StreamingResponse):
    """A stream of server-sent events; as `response_class` it makes a yielding endpoint one."""

    media_type = "text/event-stream"


def _one_line(name: str, value: str) -> str:
    """Refuse a line break, with which a value would write fields of its own."""
    if "\n" in value or "\r" in value:
        raise ValueError(f"SSE '{name}' must be a single line")
    return value


def _valid_event(value: str | None) -> str | None:
    return None if value is None else _one_line("event", value)


def _valid_id(value: str | None) -> str | None:
    if value is not None and "\0" in _one_line("id", value):
        raise ValueError("SSE 'id' must not contain null characters")
    return value


class ServerSentEvent(BaseModel):
    """One event.

    Args:
        data: The payload, sent as JSON.
        raw_data: The payload, sent as it is; instead of `data`.
        event: The event's type; a browser's default is `message`.
        id: What a client that reconnects sends as `Last-Event-ID`.
        retry: How long a client waits before it reconnects, in milliseconds.
        comment: Text that clients ignore.

    Raises:
        ValidationError: `event` or `id` has a line break, `id` a null character, or both kinds of data are given.
    """

    data: Any = None
    raw_data: str | None = None
    event: Annotated[str | None, AfterValidator(_valid_event)] = None
    id: Annotated[str | None, AfterValidator(_valid_id)] = None
    retry: Annotated[int | None, Field(ge=0)] = None
    comment: str | None = None

    @model_validator(mode="after")
    def _one_kind_of_data(self) -> "ServerSentEvent":
        if self.data is not None and self.raw_data is not None:
            raise ValueError(
                "Cannot set both 'data' and 'raw_data' on the same ServerSentEvent. Use 'data' for JSON-serialized "
                "payloads or 'raw_data' for pre-formatted strings."
            )
        return self


def format_sse_event(
    *,
    data_str: str | None = None,
    event: str | None = None,
    id: str | None = None,
    retry: int | None = None,
    comment: str | None = None,
) -> bytes:
    """Write one event in its wire form.

    Args:
        data_str: The data; each of its lines becomes a `data:` line.
        event: The event's type.
        id: The event's id.
        retry: The time before a reconnection, in milliseconds.
        comment: A comment; each of its lines becomes one.

    Raises:
        ValueError: `event` or `id` has a line break.
    """
    lines: list[str] = []
    if comment is not None:
        lines += [f": {line}" for line in _LINE_BREAK.split(comment)]
    if event is not None:
        lines.append(f"event: {_one_line('event', str(event))}")
    if data_str is not None:
        lines += [f"data: {line}" for line in _LINE_BREAK.split(data_str)]
    if id is not None:
        lines.append(f"id: {_one_line('id', str(id))}")
    if retry is not None:
        lines.append(f"retry: {retry}")
    return "".join(f"{line}\n" for line in [*lines, ""]).encode()


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

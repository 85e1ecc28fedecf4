"""uvicorn's access log at a fraction of its price: the same lines, written where its handler writes them.

A line of the access log is a record of `logging`, made, handed to a handler, copied and formatted: several times what
the rest of a short request costs. Where logger, handler and formatter are the ones that uvicorn configures, and nobody
has changed what they do, the line is known in advance but for five values. The native `AccessLog` puts those in, and
lets the lines of one turn of the event loop be written at its end, before the loop waits again.

Everything else is logged by calling the logger. What was found out stands on facts (`_facts.py`) that are compared for
each line, so a handler, filter, formatter or level that comes later counts from the next line on.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from ._facts import Facts, has_own_methods
from ._hooks import WATCH, untouched, watch
from ._native import AccessLog
from ._version_counter import SETTINGS_VERSION

FORMAT = '%s - "%s %s HTTP/%s" %d'
"""What uvicorn gives its logger."""

_FIXED = re.compile(r"(?:[^%]|%\((?:levelprefix|levelname|name|client_addr|request_line|status_code|message)\)s)*")
"""A format of which the text depends on the five values alone."""

_MARKS = tuple(f"\0{number}\0" for number in range(4))
_MARK = re.compile(r"\0(\d)\0")

_logs: dict[logging.Logger, AccessLog] = {}


def access_log(logger: logging.Logger) -> AccessLog:
    """The access log that `logger` is for."""
    known = _logs.get(logger)
    if known is None:
        known = _logs[logger] = AccessLog(logger, find_handler, template, write, SETTINGS_VERSION, WATCH)
    return known


def find_handler(logger: logging.Logger) -> tuple[logging.Handler, Any, Facts] | None:
    """The handler that all lines go to as they are, its stream, and what that stands on.

    None if the logger has to be called.
    """
    handlers = logger.handlers
    if type(logger) is not logging.Logger or len(handlers) != 1 or logger.filters or logger.propagate:
        return None
    handler: Any = handlers[0]
    formatter = getattr(handler, "formatter", None)
    if type(handler) is not logging.StreamHandler or handler.filters or not _is_uvicorns(formatter):
        return None
    style: Any = vars(formatter).get("_style")
    if type(style) is not logging.PercentStyle or _FIXED.fullmatch(style._fmt) is None:
        return None
    kinds = (logging.Logger, logging.StreamHandler, logging.LogRecord, logging.PercentStyle, type(formatter))
    for kind in kinds:
        watch(kind)
    if not all(untouched(kind) for kind in kinds) or logging.getLogRecordFactory() is not logging.LogRecord:
        return None
    if any(has_own_methods(owner) for owner in (logger, handler, formatter, style)):
        return None
    if not logger.isEnabledFor(logging.INFO) or handler.level > logging.INFO or logger.disabled:
        return None
    facts = Facts()
    try:
        facts.attributes(logger, "disabled", "filters", "handlers", "level", "manager", "name", "propagate")
        facts.attributes(handler, "filters", "formatter", "level", "stream")
        facts.attributes(formatter, "_style", "use_colors")
        facts.attributes(style, "_fmt")
        facts.item(vars(logger.manager), "_disable")
        facts.item(vars(logging), "_logRecordFactory")
        facts.item(vars(logging)["_levelToName"], logging.INFO)
    except (KeyError, TypeError):  # a `logging` that is made in another way
        return None
    for holder in (logger.filters, logger.handlers, handler.filters):
        facts.only(holder)
    if logger.level == logging.NOTSET:  # its parents say which level it has, and they tell nobody of edits
        return None
    return handler, handler.stream, facts


def _is_uvicorns(formatter: Any) -> bool:
    kind = type(formatter)
    return (
        kind.__module__ == "uvicorn.logging" and kind.__name__ == "AccessFormatter" and "use_colors" in vars(formatter)
    )


def template(logger: logging.Logger, handler: Any, status: int) -> list[str | int]:
    """The text of the line for a status, with a number where a value goes: client, method, path and version."""
    record = logging.LogRecord(logger.name, logging.INFO, __file__, 0, FORMAT, (*_MARKS, status), None)
    parts: list[str] = _MARK.split(handler.format(record) + handler.terminator)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def write(handler: Any, stream: Any, lines: list[str]) -> None:
    """Write lines to the stream of a handler, or to what was its stream when they were logged, as it does that."""
    handler.acquire()
    try:
        stream.write("".join(lines))
        if stream is handler.stream:
            handler.flush()
        elif hasattr(stream, "flush"):
            stream.flush()
    except RecursionError:
        raise
    except Exception:
        if len(lines) > 1:  # each by itself: one of them may be to blame
            for line in lines:
                write(handler, stream, [line])
        else:
            text = lines[0].removesuffix(handler.terminator)
            handler.handleError(logging.LogRecord("uvicorn.access", logging.INFO, __file__, 0, text, None, None))
    finally:
        handler.release()

"""What the commands say when they end early, and how they show errors of the user's code."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType


class Refused(Exception):
    """The command ends here.

    Parameters:
        message: one sentence that says what is wrong and what to change.
        status: the exit status.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


_OURS = str(Path(__file__).parents[1])


def _is_users(filename: str) -> bool:
    is_importer = filename.startswith("<frozen ") or "importlib" in Path(filename).parts
    return not (is_importer or filename.startswith(_OURS) or "uvicorn" in Path(filename).parts)


def users_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the first frame that belongs to the user's code; None if no frame does."""
    while trace is not None and not _is_users(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _without_importer(told: traceback.TracebackException) -> None:
    """Leave the importer's frames out, here and in the exceptions that this one came from."""
    seen: set[int] = set()
    pending: list[traceback.TracebackException | None] = [told]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        kept = [frame for frame in one.stack if not frame.filename.startswith("<frozen importlib")]
        one.stack = traceback.StackSummary.from_list(kept)
        pending += [one.__cause__, one.__context__, *(one.exceptions or ())]


def show_error(error: BaseException) -> None:
    """Print the traceback of an error of the user's code, from the user's first line on."""
    told = traceback.TracebackException(type(error), error, users_part(error.__traceback__))
    _without_importer(told)
    print("".join(told.format(chain=True)), end="", file=sys.stdout)

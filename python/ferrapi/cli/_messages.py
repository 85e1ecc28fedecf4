"""What the commands say when they end early, and how they show errors of the user's code."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
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


_OURS = os.path.join(Path(__file__).parents[1], "")


def _is_users(filename: str) -> bool:
    is_importer = filename.startswith("<frozen ") or "importlib" in Path(filename).parts
    return not (is_importer or filename.startswith(_OURS) or "uvicorn" in Path(filename).parts)


def users_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the first frame that belongs to the user's code; None if no frame does."""
    while trace is not None and not _is_users(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


_LIBRARIES = tuple({os.path.join(sysconfig.get_path(name), "") for name in ("purelib", "platlib", "stdlib")})


def _is_librarys(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith((_OURS, *_LIBRARIES, "<"))


def _told(frames: Iterable[traceback.FrameSummary]) -> Iterator[traceback.FrameSummary]:
    """The frames without the importer's, ferrapi's, and those of libraries that ferrapi has called."""
    below = False
    for frame in frames:
        if frame.filename.startswith("<frozen importlib"):
            continue
        if frame.filename.startswith(_OURS):
            below = True
        elif not (below and _is_librarys(frame)):
            below = False
            yield frame


def _without_internals(told: traceback.TracebackException) -> None:
    """Leave frames out that tell nothing about the user's code, here and in the exceptions that this one came from."""
    seen: set[int] = set()
    pending: list[traceback.TracebackException | None] = [told]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        kept = list(_told(one.stack))
        context = one.__context__
        if len(kept) < len(one.stack) and context is not None and all(map(_is_librarys, context.stack)):
            one.__context__ = None  # how the library went about it
        one.stack = traceback.StackSummary.from_list(kept)
        pending += [one.__cause__, one.__context__, *(one.exceptions or ())]


def show_error(error: BaseException) -> None:
    """Print the traceback of an error of the user's code, from the user's first line on, without ferrapi's lines."""
    told = traceback.TracebackException(type(error), error, users_part(error.__traceback__))
    _without_internals(told)
    print("".join(told.format(chain=True)), end="", file=sys.stdout)

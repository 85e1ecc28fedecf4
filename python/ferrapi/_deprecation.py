"""Warnings that point at the application's line, however deep in the package they are raised."""

import os
import sys
import warnings

from .exceptions import FastAPIDeprecationWarning

__all__ = ["warn_at_caller", "warn_deprecated"]

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
"""Of the package. Names of modules don't tell: under `ferrapi.as_fastapi` they are FastAPI's."""


def warn_deprecated(message: str) -> None:
    """Emit a `FastAPIDeprecationWarning` at the nearest calling line that is outside the package.

    Args:
        message: What is deprecated and what to use instead.
    """
    warn_at_caller(message, FastAPIDeprecationWarning)


def warn_at_caller(message: str, category: type[Warning]) -> None:
    """Emit a warning at the nearest calling line that is outside the package.

    Args:
        message: What is wrong and what to do.
        category: The warning's class.
    """
    level = 1
    frame = sys._getframe(0)
    while frame is not None and frame.f_code.co_filename.startswith(_FOLDER):
        if frame.f_back is None:
            break
        frame = frame.f_back
        level += 1
    warnings.warn(message, category=category, stacklevel=level)

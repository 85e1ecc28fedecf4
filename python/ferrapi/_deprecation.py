"""Warnings that point at the application's line, however deep in the package they are raised."""

import sys
import warnings

from .exceptions import FastAPIDeprecationWarning

__all__ = ["warn_at_caller", "warn_deprecated"]

_PACKAGE = __name__.partition(".")[0]


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
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        if frame.f_back is None:
            break
        frame = frame.f_back
        level += 1
    warnings.warn(message, category=category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(_PACKAGE + ".")

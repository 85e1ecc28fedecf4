"""What records for an application: decided when its stack is made, after start-up, and when another records."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from .._version_counter import SETTINGS_VERSION
from ._config import Settings
from ._received import is_wanted

if TYPE_CHECKING:
    from ._stack import Telemetry

_ACTIVE: WeakSet[Telemetry] = WeakSet()
"""What records in this process of its own accord."""


def active(settings: Settings) -> Telemetry | None:
    """What records for an application with these settings; None if nothing is to be recorded, or nobody receives it."""
    # While one application of the process records, requests to any other may be part of one of its own.
    if not _ACTIVE and not is_wanted(settings):
        return None
    try:
        from ._stack import Telemetry
    except ImportError:  # OpenTelemetry's API is not installed
        return None
    telemetry = Telemetry(settings)
    if is_wanted(settings):
        if not _ACTIVE:
            SETTINGS_VERSION.announce()  # other applications decide again
        _ACTIVE.add(telemetry)
    return telemetry

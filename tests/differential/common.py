"""What the differential tests have in common: how many examples, and the usual headers."""

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from support.asgi import Ask
from support.compare import compare, registration

FUZZ = int(os.environ.get("FERRAPI_FUZZ", "0"))
"""How many times as many examples as usual, at random; 0 for the usual ones in a fixed order."""

JSON = [(b"content-type", b"application/json")]


def examples(count: int) -> settings:
    """The number of examples of one test."""
    return settings(
        max_examples=count * max(FUZZ, 1),
        derandomize=not FUZZ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


def compare_or_both_refuse(make: Any, asks: list[Ask]) -> None:
    """Compare, unless both refuse to build the application."""
    theirs, ours = registration(make)
    assert (theirs[0] == "none") == (ours[0] == "none"), (theirs, ours)
    if theirs[0] == "none":
        compare(make, asks)

"""Names of test cases."""

from __future__ import annotations

import re
from typing import Any


def steady_name(value: Any) -> str:
    """A value's ``repr`` without addresses: each process that collects the tests gives a case the same name."""
    return re.sub(r" at 0x[0-9a-f]+| id='[0-9]+'", "", repr(value))

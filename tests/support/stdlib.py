"""What the standard library does in some patch releases of a Python and not in others."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress


def _closes() -> bool:
    closed = []

    @contextmanager
    def twice() -> Iterator[None]:
        try:
            yield
            yield
        finally:
            closed.append(True)

    context = twice()
    with suppress(RuntimeError), context:
        pass
    return bool(closed)


CLOSES_GENERATORS = _closes()
"""Whether `contextlib` closes a generator that has yielded twice (not in 3.11.2). ferrapi does on every Python."""

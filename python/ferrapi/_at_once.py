"""`run_at_once`: code of a middleware that is asynchronous by its form alone."""

from collections.abc import Coroutine
from typing import Any


def run_at_once(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that never has to wait. What it raises is raised here.

    Parameters:
        coroutine: one that awaits nothing but what is known to be ready. If it waits after all, it is closed.
    """
    try:
        coroutine.send(None)
    except StopIteration:
        pass
    finally:
        coroutine.close()

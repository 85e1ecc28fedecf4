"""Work to do after the response was sent."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ParamSpec

from starlette.background import BackgroundTask
from starlette.background import BackgroundTasks as StarletteBackgroundTasks

from ._names import names_of

__all__ = ["BackgroundTasks"]

P = ParamSpec("P")


class BackgroundTasks(StarletteBackgroundTasks):
    """The tasks of one request, run one after the other once its response is on its way.

    Declare a parameter of this type in an endpoint or a dependency; all of them in one request share one object.
    """

    def add_task(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Add a call to make.

        Args:
            func: A function, run in a thread, or an `async def` function.
            args: Its positional arguments.
            kwargs: Its keyword arguments.
        """
        super().add_task(func, *args, **kwargs)

    async def __call__(self) -> None:
        for task in self.tasks:
            await run_task(task)


def _run(task: BackgroundTask) -> Awaitable[None]:
    return task()


run_task: Callable[[BackgroundTask], Awaitable[None]] = _run
"""Runs one task. Telemetry puts something in its place that also watches it."""


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

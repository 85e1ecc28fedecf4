"""Work to do after the response was sent."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec

from starlette import background
from starlette.background import BackgroundTask
from starlette.background import BackgroundTasks as StarletteBackgroundTasks

from ._hooks import as_written, untouched, watch
from ._names import names_of
from ._threads import run_in_thread

__all__ = ["BackgroundTasks"]

P = ParamSpec("P")

watch(BackgroundTask)
_RUN_IN_THREADPOOL = as_written("starlette.concurrency", "run_in_threadpool")


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


def begin(task: Any) -> Awaitable[None]:
    """What runs a task, or several, as calling it does; a synchronous function shares the threads of endpoints."""
    is_starlettes = type(task) is BackgroundTask and untouched(BackgroundTask)
    if is_starlettes and not task.is_async and vars(background).get("run_in_threadpool") is _RUN_IN_THREADPOOL:
        return run_in_thread(partial(task.func, *task.args), **task.kwargs)
    running: Awaitable[None] = task()
    return running


run_task: Callable[[BackgroundTask], Awaitable[None]] = begin
"""Runs one task. Telemetry puts something in its place that also watches it."""


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

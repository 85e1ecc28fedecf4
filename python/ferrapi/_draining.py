"""Draining: an application has been told that it will stop, and says so before it does.

Between the signal to stop and the end of the process a server finishes what it has begun. `FastAPI.draining` is true
then, so that a readiness route can turn away whoever sends requests, and endless streams can end by themselves. Who
tells the application is the server: ``ferrapi run``, ferrapi's HTTP protocol under another server, or your own code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import anyio
from starlette.routing import Mount


class Drain:
    """Whether an application is about to stop, and who waits to be told.

    Attributes:
        begun: whether it is.
    """

    def __init__(self) -> None:
        self.begun = False
        self._waiting: set[anyio.Event] = set()

    def begin(self) -> None:
        """Tell everybody, once."""
        self.begun = True
        waiting, self._waiting = self._waiting, set()
        for event in waiting:
            event.set()

    def end(self) -> None:
        """The application begins again."""
        self.begun = False

    async def wait(self) -> None:
        """Wait until the application is about to stop."""
        if self.begun:
            return
        event = anyio.Event()
        self._waiting.add(event)
        try:
            await event.wait()
        finally:
            self._waiting.discard(event)


class Drainable(ABC):
    """What can be told that it is about to stop: an application, or a layer around one."""

    @property
    @abstractmethod
    def draining(self) -> bool:
        """Whether it has been told."""

    @abstractmethod
    def drain(self) -> None:
        """Tell it."""


class Application(Drainable):
    """An application of ferrapi's: `FastAPI` is registered as one, and has no base class more for it."""


def _below(app: Any, kind: type) -> Any:
    seen: set[int] = set()
    while not isinstance(app, kind) and id(app) not in seen:
        seen.add(id(app))
        app = getattr(app, "app", None)
    return app if isinstance(app, kind) else None


def application_in(app: Any) -> Any:
    """The ferrapi application (`FastAPI`) below the ASGI wrappers that call what they wrap ``app``, or None."""
    return _below(app, Application)


def mounted_in(app: Any) -> Iterator[Any]:
    """An application and the ferrapi applications that are mounted in it, at any depth, each once."""
    seen, pending = {id(app)}, [app]
    while pending:
        current = pending.pop()
        yield current
        for route in current.routes:
            inner = application_in(route.app) if isinstance(route, Mount) else None
            if inner is not None and id(inner) not in seen:
                seen.add(id(inner))
                pending.append(inner)


def drain(loaded: Any) -> None:
    """Tell a server's application that it is about to stop, whatever is around it.

    Parameters:
        loaded: the outermost object: the application, `ferrapi._readiness.Readiness`, or a wrapper around one.
    """
    app = _below(loaded, Drainable)
    if app is not None:
        app.drain()

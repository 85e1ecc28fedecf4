"""Running an application with uvicorn: the choice of the HTTP protocol, the collector's long-lived objects, the end.

Worker and reload processes are started afresh and get only the configuration, so what has to happen in each of them
happens in `ServeConfig.load` and in the lifespan that it chooses. The command imports uvicorn here and nowhere else.

uvicorn closes its listening sockets as soon as it is told to stop, so nobody could learn from a readiness route that it
is about to. `Drains` puts handlers in front of uvicorn's for the signals: they begin to drain, and call uvicorn's when
that has lasted long enough, or at the second signal.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import logging
import signal
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import HTTP_PROTOCOLS, Config
from uvicorn.importer import ImportFromStringError, import_from_string
from uvicorn.server import HANDLED_SIGNALS
from uvicorn.supervisors import ChangeReload, Multiprocess

from .._draining import application_in, drain
from .._readiness import Readiness, add_route
from ..exceptions import FastAPIError

PROTOCOL = "ferrapi.server:HttpProtocol"


class UnknownProtocol(FastAPIError):
    """There is no HTTP protocol of this name."""


def http_choice(name: str) -> str:
    """What uvicorn takes as its HTTP protocol.

    Parameters:
        name: ``"ferrapi"``, ``"auto"`` (ferrapi's where it can be imported, else uvicorn's choice), one of uvicorn's
            names, or an import string.

    Raises:
        UnknownProtocol: when it is none of these.
        ImportError: when something that the protocol needs is missing.
    """
    if name not in ("auto", "ferrapi"):
        try:
            import_from_string(HTTP_PROTOCOLS.get(name, name))
        except (ImportFromStringError, ModuleNotFoundError) as exc:
            module = name.partition(":")[0]
            if isinstance(exc, ModuleNotFoundError) and not f"{module}.".startswith(f"{exc.name}."):
                raise
            known = ", ".join(dict.fromkeys(["auto", "ferrapi", *HTTP_PROTOCOLS]))
            raise UnknownProtocol(f"There is no HTTP protocol {name}: choose {known}, or module:class") from exc
        return name
    try:
        importlib.import_module(PROTOCOL.partition(":")[0])
    except ImportError:
        if name == "ferrapi":
            raise
        return "auto"
    return PROTOCOL


_LAST_SECONDS = 1.0
"""How long requests that were cancelled have for their exit code."""


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


class FreezeAfterStartup:
    """A uvicorn lifespan after whose start-up the garbage collector leaves alone whatever exists."""

    should_exit: bool

    async def startup(self) -> None:
        """Start the application up, then freeze what is alive."""
        await super().startup()  # type: ignore[misc]  # uvicorn's lifespan is the other base
        if not self.should_exit:
            gc.collect()
            gc.freeze()


class Drains:
    """A uvicorn lifespan that hears the signals to stop before the server does."""

    config: ServeConfig
    should_exit: bool

    async def startup(self) -> None:
        """Start the application up, then take the signals."""
        await super().startup()  # type: ignore[misc]  # uvicorn's lifespan is the other base
        if not self.should_exit and threading.current_thread() is threading.main_thread():
            Stopping(self.config, asyncio.get_running_loop())

    async def shutdown(self) -> None:
        """Tell the application, if it was no signal that ends the server; then shut it down.

        Requests that the server has cancelled end first: their exit code may need what the application closes now.
        """
        drain(self.config.loaded_app)
        cancelled = {task for task in asyncio.all_tasks() if task.cancelling()}
        if cancelled:
            logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)  # the server has said so
            await asyncio.wait(cancelled, timeout=_LAST_SECONDS)
        await super().shutdown()  # type: ignore[misc]  # the same


class Stopping:
    """What happens between the first signal to stop and the moment in which the server hears of it.

    Parameters:
        config: what is served; its time for a graceful shutdown is shortened by what draining takes.
        loop: the server's event loop.
    """

    def __init__(self, config: ServeConfig, loop: asyncio.AbstractEventLoop) -> None:
        self._config = config
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._has_begun = False
        self._server: dict[int, Any] = {number: signal.getsignal(number) for number in HANDLED_SIGNALS}
        for number, handler in self._server.items():
            if callable(handler):
                signal.signal(number, self._hear)

    def _hear(self, number: int, frame: types.FrameType | None) -> None:
        if self._has_begun:
            if self._timer is not None:
                self._timer.cancel()
            self._server[number](number, frame)
            return
        self._has_begun = True
        self._loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        config = self._config
        drain(config.loaded_app)
        patience = config.timeout_graceful_shutdown
        delay = config.drain_delay if patience is None else min(config.drain_delay, patience)
        if not delay:
            self._server[number](number, None)
            return
        said = "Draining for %d s: new requests are still answered%s. (CTRL+C to skip)"
        ready = "" if config.health is None else f", {config.health} with 503"
        logging.getLogger("uvicorn.error").info(said, delay, ready)
        if patience is not None:
            config.timeout_graceful_shutdown = patience - delay
        self._timer = self._loop.call_later(delay, self._server[number], number, None)


class ServeConfig(Config):
    """uvicorn's configuration, and ferrapi's part of it.

    Parameters:
        app: the import string.
        gc_freeze: whether to call `gc.freeze` after start-up, in each serving process.
        health: the path at which the server says whether it takes requests; None for none.
        drain_delay: seconds between the signal to stop and the end of listening.
        limits: those of ferrapi's protocol (`ferrapi.server.HttpProtocol`) that are not its own.
        options: uvicorn's.

    Attributes:
        before: called once before serving, in the process that was started, and not passed on to others.
    """

    before: Callable[[], None] | None = None

    def __init__(
        self,
        app: str,
        *,
        gc_freeze: bool,
        health: str | None = None,
        drain_delay: int = 0,
        limits: dict[str, int] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(app, **options)
        self.limits = limits
        self.gc_freeze = gc_freeze
        self.health = health
        self.drain_delay = drain_delay

    def load(self) -> None:
        """Load everything; called in the process that serves."""
        if self.http == PROTOCOL:  # older releases of uvicorn don't take the name of a class
            protocol = importlib.import_module(PROTOCOL.partition(":")[0]).HttpProtocol
            self.http = type(protocol)(protocol.__name__, (protocol,), self.limits) if self.limits else protocol
        super().load()
        parts: list[type[Any]] = [FreezeAfterStartup] if self.gc_freeze else []
        self.lifespan_class: type[Any] = type("Lifespan", (*parts, Drains, self.lifespan_class), {})
        if self.health is not None:
            app = application_in(self.loaded_app)
            self.loaded_app = Readiness(self.loaded_app, self.health)
            if app is not None:
                add_route(app, self.health)

    def load_app(self) -> Any:
        """Import the application; with one sentence and the user's traceback, and an exit, where that fails."""
        from ._loading import load
        from ._messages import Refused

        try:
            return load(self.app)  # type: ignore[arg-type]  # it is an import string
        except Refused as exc:
            print(exc, flush=True)
            sys.exit(3)


def serve(config: ServeConfig) -> int:
    """Serve until told to stop, in this process or in others. Answers the exit status."""
    before, config.before = config.before, None
    if before is not None:
        before()
    server = uvicorn.Server(config)
    watched = config.should_reload or config.workers > 1
    try:
        if config.should_reload:
            ChangeReload(config, target=server.run, sockets=[config.bind_socket()]).run()
        elif watched:
            _supervise(config, server)
        else:
            server.run()
    except KeyboardInterrupt:
        pass
    finally:
        if config.uds:
            Path(config.uds).unlink(missing_ok=True)
    return 0 if watched or server.started else 3


def _supervise(config: ServeConfig, server: uvicorn.Server) -> None:
    supervisor: Any = Multiprocess
    options: dict[str, Any] = {"sockets": [config.bind_socket()]}
    if "target" in inspect.signature(supervisor).parameters:  # older releases of uvicorn
        options["target"] = server.run
    supervisor(config, **options).run()
    sys.stdout.flush()

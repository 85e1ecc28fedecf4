"""Running an application with uvicorn: the choice of the HTTP protocol, and the collector's long-lived objects.

Worker and reload processes are started afresh and get only the configuration, so what has to happen in each of them
happens in `ServeConfig.load`. uvicorn is imported here and nowhere else in the command.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import sys
from typing import Any

import uvicorn
from uvicorn.config import Config
from uvicorn.supervisors import ChangeReload, Multiprocess

DOOR = "ferrapi.server:HttpProtocol"


def http_choice(name: str) -> str:
    """What uvicorn takes as its HTTP protocol.

    Parameters:
        name: ``"ferrapi"``, ``"auto"`` (ferrapi's where it can be imported, else uvicorn's choice), one of uvicorn's
            names, or an import string.

    Raises:
        ImportError: when ``"ferrapi"`` is asked for and something that it needs is missing.
    """
    if name not in ("auto", "ferrapi"):
        return name
    try:
        importlib.import_module(DOOR.partition(":")[0])
    except ImportError:
        if name == "ferrapi":
            raise
        return "auto"
    return DOOR


class FreezeAfterStartup:
    """A uvicorn lifespan after whose start-up the garbage collector leaves alone whatever exists."""

    should_exit: bool

    async def startup(self) -> None:
        """Start the application up, then freeze what is alive."""
        await super().startup()  # type: ignore[misc]  # uvicorn's lifespan is the other base
        if not self.should_exit:
            gc.collect()
            gc.freeze()


class ServeConfig(Config):
    """uvicorn's configuration, and ferrapi's part of it.

    Parameters:
        app: the import string.
        gc_freeze: whether to call `gc.freeze` after start-up, in each serving process.
        options: uvicorn's.
    """

    def __init__(self, app: str, *, gc_freeze: bool, **options: Any) -> None:
        super().__init__(app, **options)
        self.gc_freeze = gc_freeze

    def load(self) -> None:
        """Load everything; called in the process that serves."""
        super().load()
        if self.gc_freeze:
            self.lifespan_class: type[Any] = type("Lifespan", (FreezeAfterStartup, self.lifespan_class), {})


def serve(config: ServeConfig) -> int:
    """Serve until told to stop, in this process or in others. Answers the exit status."""
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
    return 0 if watched or server.started else 3


def _supervise(config: ServeConfig, server: uvicorn.Server) -> None:
    supervisor: Any = Multiprocess
    options: dict[str, Any] = {"sockets": [config.bind_socket()]}
    if "target" in inspect.signature(supervisor).parameters:  # older releases of uvicorn
        options["target"] = server.run
    supervisor(config, **options).run()
    sys.stdout.flush()

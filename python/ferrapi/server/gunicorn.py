"""A gunicorn worker with ferrapi's HTTP/1.1 protocol: ``gunicorn -k ferrapi.server.gunicorn.Worker main:app``.

It is uvicorn's worker (package ``uvicorn-worker``) with ferrapi's protocol in the place of uvicorn's own; gunicorn's
settings mean what they mean there. The protocol is named, not imported: a worker process imports it after the fork, so
that nothing that belongs to a process or to an event loop exists before.
"""

from __future__ import annotations

from typing import Any

from uvicorn.importer import import_from_string
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # it has no types

__all__ = ["Worker"]


class Worker(UvicornWorker):  # type: ignore[misc]  # the same
    """uvicorn's worker, with ferrapi's HTTP protocol."""

    CONFIG_KWARGS: dict[str, Any] = {**UvicornWorker.CONFIG_KWARGS, "http": "ferrapi.server:HttpProtocol"}

    def init_process(self) -> None:
        """Import the protocol, in the worker's process: older releases of uvicorn take no class's name."""
        if ":" in str(self.config.http):
            self.config.http = import_from_string(self.config.http)
        super().init_process()

"""An application that a page shows, served from a thread, so that the page's commands can ask it."""

import threading
from typing import Any


class Served:
    """Serves one application at a time, on a port that is free.

    It is stopped for each block of code, as `ferrapi dev` starts afresh after a change of the file: exception handlers
    and middleware that a page adds later count.
    """

    def __init__(self) -> None:
        self.app: Any = None
        self.server: Any = None
        self.thread: threading.Thread | None = None

    def address(self, app: Any) -> str:
        """Where `app` is served, from now on if it was not.

        Raises `LookupError` if there is none.
        """
        if app is None:
            raise LookupError("the page has no `app` that its commands could ask")
        if app is not self.app:
            self.stop()
            self._start(app)
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def _start(self, app: Any) -> None:
        import uvicorn

        class Server(uvicorn.Server):
            """Says when it listens."""

            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                started.set()

        started = threading.Event()
        config = uvicorn.Config(app, port=0, http="ferrapi.server:HttpProtocol", log_level="warning", workers=1)
        self.app, self.server = app, Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        if not started.wait(30) or not self.server.started:
            raise RuntimeError("the page's application did not start")

    def stop(self) -> None:
        """Stop serving, if something is served."""
        if self.thread is not None:
            self.server.should_exit = True
            self.thread.join()
            self.app.middleware_stack = None  # it is made anew when the application starts again
            self.app = self.thread = None

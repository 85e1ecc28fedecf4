"""uvicorn as every ASGI peer gets it: one process, uvloop, no access log. `python -m benchmarks.load.serve --help`.

The one thing that uvicorn's own command can't do is `gc.freeze()` after start-up, which `ferrapi run` does by default.
Here any peer can have it, so that it is compared with itself and with others that have it too.
"""

import argparse
import gc
import socket

import uvicorn


class Freezing(uvicorn.Server):
    """A server after whose start-up the garbage collector leaves alone whatever exists."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start up, then freeze."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.serve", description=__doc__)
    parser.add_argument("application", help="module:attribute")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--http", default="httptools", help="uvicorn's HTTP protocol")
    parser.add_argument("--gc-freeze", action="store_true", help="with one worker")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--timeout-keep-alive", type=int, default=5, help="seconds")
    parser.add_argument("--access-log", action="store_true", help="uvicorn's, as it is by default")
    options = parser.parse_args()
    settings = {
        "port": options.port,
        "http": options.http,
        "loop": "uvloop",
        "access_log": options.access_log,
        "log_level": "info" if options.access_log else "warning",
        "workers": options.workers,
        "timeout_keep_alive": options.timeout_keep_alive,
    }
    if options.gc_freeze:
        Freezing(uvicorn.Config(options.application, **settings)).run()
    else:
        uvicorn.run(options.application, **settings)


if __name__ == "__main__":
    main()

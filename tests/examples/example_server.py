"""A uvicorn process that serves an example, and a PostgreSQL database to give it."""

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from uuid import uuid4

import httpx2

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN_SECRET = "not much of a secret, but long enough"
OPERATIONS_PASSWORD = "watch"
# The store's settings in tests: nothing is limited, and whoever watches may.
STORE = {
    "STORE_TOKEN_SECRET": TOKEN_SECRET,
    "STORE_OPERATIONS_PASSWORD": OPERATIONS_PASSWORD,
    "STORE_RATE_LIMIT": "",
    "STORE_LOGIN_RATE_LIMIT": "",
}
RUNNING = re.compile(r"Uvicorn running on (http://\S+)")


def transports() -> list[str]:
    """Returns the ways of uvicorn into an application: ASGI and, where it is built, the HTTP/1.1 transport."""
    return ["asgi", "http1"] if importlib.util.find_spec("ferrapi.server") else ["asgi"]


def transport_arguments(transport: str) -> list[str]:
    """Returns uvicorn's arguments for a transport."""
    return ["--http", "ferrapi.server:HttpProtocol"] if transport == "http1" else []


class ServerDidNotStart(Exception):
    """The process ended before it said where it listens; its log is the message."""


class Server:
    """A context manager around ``python -m uvicorn`` in the repository's root: serving inside, stopped outside.

    The port is the kernel's choice, read from uvicorn's log: no port can be taken and nothing has to be polled or
    slept for. The log must hold no traceback in the end.
    """

    def __init__(self, app: str, environment: Mapping[str, str] | None = None, arguments: Sequence[str] = ()) -> None:
        self.command = [sys.executable, "-m", "uvicorn", app, "--port", "0", "--no-access-log", *arguments]
        self.environment = {**os.environ, **(environment or {})}
        self.log: list[str] = []
        self.url = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.url = self._wait_for_url(self.process.stderr)
        self.reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,))
        self.reader.start()
        self.client = httpx2.Client(base_url=self.url, timeout=None)
        return self

    def _wait_for_url(self, stderr: IO[str]) -> str:
        for line in stderr:
            self.log.append(line)
            if found := RUNNING.search(line):
                return found[1]
        raise ServerDidNotStart("".join(self.log))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        if error is None:
            assert "Traceback" not in "".join(self.log), "".join(self.log)


@contextmanager
def new_postgres_database(server_url: str) -> Iterator[str]:
    """Creates an empty database on a PostgreSQL server, yields its URL and drops it in the end."""
    import asyncpg  # type: ignore[import-untyped, unused-ignore]  # only there when PostgreSQL is tested

    name = f"store_test_{uuid4().hex}"

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    try:
        yield str(httpx2.URL(server_url).copy_with(path=f"/{name}"))
    finally:
        asyncio.run(execute(f"DROP DATABASE {name}"))

"""Many concurrent requests that need a thread and a connection.

`python -m support.pooled PACKAGE SHAPE MIDDLEWARE THREADS` prints the number of requests that were answered with 200
and with 500, of those whose endpoint ran after that, and of connections that were given back; nothing if requests wait
for each other for ever. THREADS is `all`; or `rlimit` for few by the system's limit, for which the process gives up
being root; or the seed of a `Thread.start` that fails at times.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import random
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, field_validator
from starlette.background import BackgroundTasks
from starlette.middleware.base import BaseHTTPMiddleware

from .frameworks import Framework

REQUESTS = 300
CONNECTIONS = 10
MIDDLEWARE = ("none", "function", "base")


class Row(BaseModel):
    """A response whose validation needs a thread."""

    connection: int

    @field_validator("connection")
    @classmethod
    def _checked(cls, value: int) -> int:
        return value


class Pool:
    """Connections."""

    def __init__(self) -> None:
        self.free: queue.Queue[int] = queue.Queue()
        for number in range(CONNECTIONS):
            self.free.put(number)
        self.answered: set[str] = set()
        self.ran_late: list[str] = []

    def run(self, n: str) -> None:
        """Note that the code of a request runs."""
        if n in self.answered:
            self.ran_late.append(n)

    @contextlib.contextmanager
    def taken(self) -> Iterator[int]:
        """One of them."""
        connection = self.free.get()
        try:
            yield connection
        finally:
            self.free.put(connection)

    def connection(self) -> Iterator[int]:
        """The same as a dependency."""
        with self.taken() as connection:
            yield connection


def nothing() -> Iterator[int]:
    """A dependency that holds nothing."""
    yield 0


Endpoint = Callable[..., Any]


def _plain(fw: Any, pool: Pool) -> list[Any]:
    return [fw.Depends(pool.connection)]


def _function(fw: Any, pool: Pool) -> list[Any]:
    return [fw.Depends(pool.connection, scope="function")]


def _nested(fw: Any, pool: Pool) -> list[Any]:
    def repository(connection: int = fw.Depends(pool.connection)) -> Iterator[int]:
        yield connection

    def checked(found: int = fw.Depends(repository)) -> int:
        return found

    return [fw.Depends(checked)]


def _late(fw: Any, pool: Pool) -> list[Any]:
    def repository(first: int = fw.Depends(nothing), connection: int = fw.Depends(pool.connection)) -> Iterator[int]:
        yield connection

    return [fw.Depends(repository)]


def _crossed(fw: Any, pool: Pool) -> list[Any]:
    def other(connection: int = fw.Depends(pool.connection), last: int = fw.Depends(nothing)) -> Iterator[int]:
        yield connection

    return [*_late(fw, pool), fw.Depends(other)]


def _between(fw: Any, pool: Pool) -> list[Any]:
    async def user(connection: int = fw.Depends(pool.connection)) -> int:
        await asyncio.sleep(0)
        return connection

    return [fw.Depends(user)]


SHAPES: dict[str, Callable[[Any, Pool], list[Any]]] = {
    "plain": _plain,
    "function": _function,
    "nested": _nested,
    "between": _between,
    "late": _late,
    "crossed": _crossed,
    "beside": _plain,
    "stream": _plain,
    "items": _plain,
    "background": _plain,
}


def application(fw: Any, shape: str, middleware: str, pool: Pool) -> Any:
    """Routes that need a connection, `/0` and so on."""
    app = fw.FastAPI()
    for number, dependency in enumerate(SHAPES[shape](fw, pool)):
        _add_route(fw, app, f"/{number}", dependency, shape, pool)
    if shape == "beside":

        @app.get("/1")
        def itself(n: str) -> Row:
            with pool.taken() as connection:
                pool.run(n)
                return Row(connection=connection)

    async def pass_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    if middleware == "function":
        app.middleware("http")(pass_on)
    elif middleware == "base":
        app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    return app


def _add_route(fw: Any, app: Any, path: str, dependency: Any, shape: str, pool: Pool) -> None:
    if shape == "stream":

        @app.get(path)
        def stream(n: str, connection: int = dependency) -> Any:
            pool.run(n)
            return fw.responses.StreamingResponse(str(number) for number in range(3))

    elif shape == "items":

        @app.get(path)
        def items(n: str, connection: int = dependency) -> Any:
            yield from range(3)

    elif shape == "background":

        @app.get(path)
        def background(n: str, tasks: BackgroundTasks, connection: int = dependency) -> Any:
            tasks.add_task(int, n)

    else:

        @app.get(path)
        def endpoint(n: str, connection: int = dependency) -> Row:
            pool.run(n)
            return Row(connection=connection)


async def ask(app: Any, pool: Pool, path: str, n: str) -> int | None:
    """The status of one request."""
    statuses = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            pool.answered.add(n)

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": f"n={n}".encode(), "root_path": "",
        "headers": [], "client": None, "server": ("unit.test", 80), "state": {},
    }  # fmt: skip
    with contextlib.suppress(RuntimeError):  # that there are no threads
        await app(scope, receive, send)
    return statuses[0] if len(statuses) == 1 else None


def limit_threads(how: str) -> None:
    """See to it that not every thread can be started."""
    if how == "rlimit":
        nobody = 54321
        os.setuid(nobody)
        resource.setrlimit(resource.RLIMIT_NPROC, (12, 12))
    elif how != "all":
        start, chance = threading.Thread.start, random.Random(int(how))

        def fail_at_times(self: threading.Thread) -> None:
            if chance.random() < 0.7:
                raise RuntimeError("can't start new thread")
            start(self)

        threading.Thread.start = fail_at_times  # type: ignore[method-assign]


async def main(package: str, shape: str, middleware: str, threads: str) -> None:
    """Send all requests at once."""
    pool = Pool()
    fw = Framework(package)
    app = application(fw, shape, middleware, pool)
    routes = len(SHAPES[shape](fw, pool)) + (shape == "beside")
    limit_threads(threads)
    asked = [ask(app, pool, f"/{number % routes}", str(number)) for number in range(REQUESTS)]
    statuses = await asyncio.gather(*asked)
    await asyncio.sleep(0.05)  # in which nothing may run that was refused
    print(statuses.count(200), statuses.count(500), len(pool.ran_late), pool.free.qsize())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

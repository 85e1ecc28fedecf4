"""Requests that are cancelled, everywhere and in every way: `python -m support.cancelling PACKAGE [FIRST]`.

One line of JSON for each case, as it is done. A case that hangs in the event loop can't be ended from inside, so
whoever runs this sets the time limit, and goes on with the case behind.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import anyio
from starlette.middleware.base import BaseHTTPMiddleware

from .frameworks import Framework

MIDDLEWARE = ("none", "function", "base", "pure", "function in base", "base in function", "two functions")
DEPENDENCIES = (
    "sync request", "async request", "sync function", "async function", "sync, async request", "async, sync request",
    "sync request, async function", "async request, sync function",
)  # fmt: skip
WAYS = (
    "cancel", "cancel thrice", "scope", "group", "middleware scope", "endpoint scope", "middleware error",
    "middleware group", "middleware limit", "send error", "leave",
)  # fmt: skip
PLACES = ("endpoint", "sync endpoint", "dependency", "exit", "response", "stream")


class Case(NamedTuple):
    """What a request goes through: middleware, dependencies, what ends it, and where it is by then."""

    middleware: str
    dependencies: str
    way: str
    place: str


CASES = [Case(*case) for case in itertools.product(MIDDLEWARE, DEPENDENCIES, WAYS, PLACES)]


class Run:
    """One request of one case.

    Parameters:
        fw: the package.
        case: the case.
    """

    def __init__(self, fw: Framework, case: Case) -> None:
        self.fw = fw
        self.case = case
        self.log: list[str] = []
        self.reached = asyncio.Event()
        self.may_end = threading.Event()
        self.loop = asyncio.get_running_loop()
        self.scope: anyio.CancelScope | None = None

    async def pause(self, place: str) -> None:
        """Wait for what the case has in store, if this is its place."""
        if place == self.case.place:
            self.reached.set()
            await asyncio.sleep(0.03 if place == "exit" else 3600)

    def block(self, place: str) -> None:
        """The same in a worker thread, which nothing interrupts."""
        if place == self.case.place:
            self.loop.call_soon_threadsafe(self.reached.set)
            self.may_end.wait(0.03)

    # The application

    def dependency(self, number: int, kind: str) -> Any:
        """A dependency with ``yield``; it is in the first one's exit code that a request may be ended."""
        log = self.log

        async def opened() -> Any:
            log.append(f"{number} opened")
            try:
                yield number
            except BaseException as exc:
                log.append(f"{number} saw {type(exc).__name__}")
                raise
            finally:
                log.append(f"{number} closing")
                try:
                    await asyncio.sleep(0)
                    if number == 1:
                        await self.pause("exit")
                except BaseException as exc:
                    log.append(f"{number} cut short by {type(exc).__name__}")
                    raise
                log.append(f"{number} closed")

        def opened_in_thread() -> Any:
            log.append(f"{number} opened")
            try:
                yield number
            except BaseException as exc:
                log.append(f"{number} saw {type(exc).__name__}")
                raise
            finally:
                log.append(f"{number} closing")
                if number == 1:
                    self.block("exit")
                log.append(f"{number} closed")

        return opened if kind.startswith("async") else opened_in_thread

    def application(self) -> Any:
        """The application of the case."""
        fw, case, log = self.fw, self.case, self.log
        kinds = case.dependencies.split(", ")
        kinds = [kind if " " in kind else f"{kind} request" for kind in kinds]
        dependencies = []
        for number, kind in enumerate(kinds, 1):
            scope = kind.split(" ")[1]
            dependencies.append(fw.Depends(self.dependency(number, kind), scope=scope))

        async def last() -> None:
            await self.pause("dependency")

        app = fw.FastAPI()
        path_options: dict[str, Any] = {"dependencies": [*dependencies, fw.Depends(last)]}
        if case.place == "sync endpoint":

            @app.get("/", **path_options)
            def blocking() -> Any:
                self.block("sync endpoint")
                log.append("endpoint went on")
                return {}

        elif case.place in ("response", "stream"):

            @app.get("/", **path_options)
            async def streaming() -> Any:
                async def chunks() -> Any:
                    try:
                        yield b"a"
                        await self.pause("stream")
                        yield b"b"
                    except BaseException as exc:
                        log.append(f"stream saw {type(exc).__name__}")
                        raise
                    finally:
                        log.append("stream closed")

                return fw.responses.StreamingResponse(chunks())

        else:

            @app.get("/", **path_options)
            async def endpoint() -> Any:
                try:
                    with anyio.CancelScope() as scope:
                        if case.way == "endpoint scope":
                            self.scope = scope
                        await self.pause("endpoint")
                except BaseException as exc:
                    log.append(f"endpoint saw {type(exc).__name__}")
                    raise
                return {}

        self.add_middleware(app)
        return app

    def add_middleware(self, app: Any) -> None:
        """Put the middleware of the case around the application."""
        names = {"two functions": ["function", "function"]}.get(
            self.case.middleware, list(reversed(self.case.middleware.split(" in ")))
        )
        for position, name in enumerate(names):
            outermost = position == len(names) - 1
            dispatch = self.dispatch if outermost else _pass_on
            if name == "function":
                app.middleware("http")(dispatch)
            elif name == "base":
                app.add_middleware(_Base, dispatch=dispatch)
            elif name == "pure":
                app.add_middleware(_Pure, run=self)

    async def dispatch(self, request: Any, call_next: Callable[..., Any]) -> Any:
        """What a middleware does with the application below."""
        return await self.within(lambda: call_next(request))

    async def within(self, below: Callable[[], Any]) -> Any:
        """What is below, in what the case has a middleware do around it."""
        way = self.case.way
        try:
            if way == "middleware scope":
                with anyio.CancelScope() as self.scope:
                    return await below()
                return self.fw.responses.PlainTextResponse("late", 504)
            if way == "middleware limit":
                with anyio.CancelScope() as scope:
                    watching = asyncio.create_task(self.when_reached(scope.cancel))
                    try:
                        return await below()
                    finally:
                        watching.cancel()
                if scope.cancelled_caught:
                    raise TimeoutError
            if way == "middleware error":
                result: list[Any] = []
                if self.case.place in ("response", "stream"):
                    await below()
                    raise ValueError("middleware")
                task = asyncio.ensure_future(below())
                await asyncio.wait([task, asyncio.ensure_future(self.reached.wait())], return_when="FIRST_COMPLETED")
                if not task.done():
                    raise ValueError("middleware")
                return result or await task
            if way == "middleware group":
                async with anyio.create_task_group() as group:
                    group.start_soon(self.when_reached, _fail)
                    response = await below()
                    group.cancel_scope.cancel()
                return response
            return await below()
        except BaseException as exc:
            self.log.append(f"middleware saw {_name(exc)}")
            raise

    # The server

    async def when_reached(self, act: Callable[[], Any]) -> None:
        """Do something when the request has come to its place."""
        await self.reached.wait()
        act()

    async def serve(self) -> list[str]:
        """Send the request and see to what ends it; tell what has happened."""
        app, way = self.application(), self.case.way
        begun, body_sent = False, 0
        gone = asyncio.Event()

        async def receive() -> Any:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal body_sent
            if message["type"] == "http.response.start":
                self.log.append(f"status {message['status']}")
            elif message.get("body"):
                body_sent += 1
                await self.pause("response")
            if way == "send error":
                raise OSError("gone")

        async def request() -> None:
            scope = {
                "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
                "method": "GET", "scheme": "http", "path": "/", "raw_path": b"/", "query_string": b"",
                "root_path": "", "headers": [], "client": ("192.0.2.1", 40000), "server": ("unit.test", 80),
                "state": {},
            }  # fmt: skip
            await app(scope, receive, send)

        def leave() -> None:
            gone.set()
            task.cancel() if way == "leave" and self.case.place not in ("response", "stream") else None

        async def acting() -> None:
            await self.reached.wait()
            await asyncio.sleep(0)
            if way.startswith("cancel"):
                for _ in range(3 if way == "cancel thrice" else 1):
                    task.cancel()
                    await asyncio.sleep(0)
            elif way in ("middleware scope", "endpoint scope") and self.scope is not None:
                self.scope.cancel()
            elif way == "leave":
                leave()
            elif way in ("scope", "middleware limit", "middleware group", "middleware error", "group"):
                pass
            else:
                task.cancel()

        async def scoped() -> None:
            if way == "scope":
                with anyio.CancelScope() as scope:
                    watch = asyncio.create_task(self.when_reached(scope.cancel))
                    try:
                        await request()
                    finally:
                        watch.cancel()
                self.log.append(f"scope {scope.cancelled_caught}")
            elif way == "group":
                async with anyio.create_task_group() as group:
                    group.start_soon(self.when_reached, _fail)
                    await request()
                    group.cancel_scope.cancel()
            else:
                await request()

        task = asyncio.create_task(scoped())
        actor = asyncio.create_task(acting())
        done, _ = await asyncio.wait([task], timeout=1.5)
        if not done:
            self.log.append("pending")
            task.cancel()
            await asyncio.wait([task], timeout=1)
        if not task.done():
            self.log.append("stuck")
        elif task.cancelled():
            self.log.append("cancelled")
        elif (error := task.exception()) is not None:
            self.log.append(f"raised {_name(error)}")
        else:
            self.log.append("returned")
        actor.cancel()
        await asyncio.sleep(0.05 if "sync" in self.case.dependencies else 0)
        return self.log


def _name(exc: BaseException) -> str:
    if isinstance(exc, BaseExceptionGroup):
        return f"{type(exc).__name__}[{', '.join(map(_name, exc.exceptions))}]"
    return type(exc).__name__


def _fail() -> None:
    raise ValueError("beside the request")


async def _pass_on(request: Any, call_next: Callable[..., Any]) -> Any:
    return await call_next(request)


class _Base(BaseHTTPMiddleware):
    """Starlette's own way, whatever there is for functions."""


class _Pure:
    """A middleware that is an ASGI application.

    Parameters:
        app: what is below.
        run: what it does.
    """

    def __init__(self, app: Any, run: Run) -> None:
        self.app = app
        self.run = run

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        response = await self.run.within(lambda: self.app(scope, receive, send))
        if response is not None:
            await response(scope, receive, send)


def main() -> None:
    """Run the cases, from the first one named on."""
    fw = Framework(sys.argv[1])
    numbers = map(int, sys.stdin.read().split()) if sys.argv[2:] == ["-"] else range(len(CASES))
    for number in numbers:
        unretrieved: list[str] = []

        async def one(number: int = number, noted: list[str] = unretrieved) -> list[str]:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: noted.append(context["message"]))
            return await Run(fw, CASES[number]).serve()

        print(json.dumps([number, "begins"]), flush=True)
        log = asyncio.run(one())
        print(json.dumps([number, log + unretrieved]), flush=True)


if __name__ == "__main__":
    main()

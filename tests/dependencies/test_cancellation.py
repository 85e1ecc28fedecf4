"""What becomes of exit code of dependencies when a request is cancelled: random requests, asked of both packages."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from starlette.responses import PlainTextResponse
from support.frameworks import BOTH, Framework

ROUNDS = int(os.environ.get("FERRAPI_FUZZ", "1")) * 150

EXITS = ("ends", "awaits", "raises", "swallows", "limits itself", "replaces")
"""What a dependency does when it is left."""


@dataclass(frozen=True)
class Dependency:
    """One dependency: how it is entered and left."""

    scope: str
    exit: str
    holds: bool  # a cancel scope open across its yield
    is_sync: bool = False


@dataclass(frozen=True)
class Case:
    """One request and its cancellation."""

    dependencies: tuple[Dependency, ...]
    where: str  # it is when this place is reached: "endpoint", "late", "send", "exit 0" …
    how: str  # "none", "task", "scope", "group"
    endpoint: str  # "returns", "raises", "refuses"
    route: str  # "plain", "custom", "overridden", "included"


@dataclass
class Running:
    """What a case has come to."""

    case: Case
    log: list[str] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    task: Any = None

    async def at(self, place: str) -> None:
        """Let the cancellation come, if this is the place for it."""
        if self.case.where == place:
            self.reached.set()
            # The cancellation ends that, unless there is none, or exit code is shielded from it.
            await asyncio.sleep(0.05 if self.case.how == "none" or place.startswith("exit") else 1)
            self.log.append(f"waited at {place}")


def _chain(error: BaseException | None) -> str:
    """An exception and what it is from; of which cancellation another one is, is listed as a difference."""
    names: list[str] = []
    while error is not None and len(names) < 2:
        name = type(error).__name__
        if names != [name] or not isinstance(error, asyncio.CancelledError):
            names.append(name)
        error = error.__cause__ or error.__context__
    return " of ".join(names)


async def _leave(running: Running, index: int, kind: str, error: BaseException | None) -> None:
    name = f"exit {index}"
    running.log.append(f"{name}: {_chain(error)} {asyncio.current_task() is running.task}")
    try:
        await running.at(name)
        if kind == "awaits":
            await anyio.sleep(0.001)
        if kind == "limits itself":
            with anyio.move_on_after(0.005):
                await anyio.sleep(5)
    except BaseException as cut:
        running.log.append(f"{name} cut: {type(cut).__name__}")
        raise
    running.log.append(f"{name} done")
    if kind == "raises":
        raise KeyError(name)
    if kind == "replaces" and error is not None:
        raise LookupError(name) from error


def _dependency(running: Running, index: int, kind: Dependency) -> Callable[..., Any]:
    if kind.is_sync:

        def synchronous() -> Iterator[int]:
            running.log.append(f"enter {index}")
            try:
                yield index
            except BaseException as error:
                running.log.append(f"exit {index}: {type(error).__name__}")
                raise
            else:
                running.log.append(f"exit {index}")

        return synchronous

    async def asynchronous() -> AsyncIterator[int]:
        running.log.append(f"enter {index}")
        with anyio.CancelScope() if kind.holds else nullcontext():
            try:
                yield index
            except BaseException as error:
                await _leave(running, index, kind.exit, error)
                if kind.exit != "swallows":
                    raise
            else:
                await _leave(running, index, kind.exit, None)

    return asynchronous


def _application(fw: Framework, running: Running) -> Any:
    case = running.case
    app = fw.FastAPI()
    calls = [_dependency(running, index, kind) for index, kind in enumerate(case.dependencies)]

    async def late() -> None:
        await running.at("late")

    async def endpoint(**values: int) -> Any:
        running.log.append(f"endpoint {sorted(values)}")
        await running.at("endpoint")
        if case.endpoint == "raises":
            raise ValueError("endpoint")
        if case.endpoint == "refuses":
            raise fw.HTTPException(status_code=418)
        return 1

    if case.route == "overridden":
        for index, call in enumerate(calls):

            async def overridden() -> None: ...

            app.dependency_overrides[overridden] = call
            calls[index] = overridden
    uses = {
        f"value{index}": fw.Depends(call, scope=kind.scope)
        for index, (call, kind) in enumerate(zip(calls, case.dependencies, strict=True))
    }
    uses["value_late"] = fw.Depends(late)
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=use) for name, use in uses.items()]
    )
    if case.route == "custom":

        class Custom(fw.routing.APIRoute):
            def get_route_handler(self) -> Any:
                own = super().get_route_handler()

                async def handler(request: Any) -> Any:
                    return await own(request)

                return handler

        app.router.route_class = Custom
    router = fw.APIRouter() if case.route == "included" else app
    router.get("/")(endpoint)
    if router is not app:
        app.include_router(router)
    app.add_exception_handler(LookupError, lambda request, exc: PlainTextResponse(str(exc), 409))
    return app


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "scheme": "http",
        "http_version": "1.1",
        "server": ("unit.test", 80),
        "client": None,
    }


async def _outcome(fw: Framework, case: Case) -> list[str]:
    running = Running(case)
    log = running.log
    cancel: list[Callable[[], Any]] = []
    app = _application(fw, running)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        log.append(f"{message['type']} {message.get('status')}")
        await running.at("send")

    async def serve() -> None:
        running.task = asyncio.current_task()
        try:
            if case.how == "group":
                async with anyio.create_task_group() as group:
                    cancel.append(group.cancel_scope.cancel)
                    await app(_scope(), receive, send)
            elif case.how == "scope":
                with anyio.CancelScope() as scope:
                    cancel.append(scope.cancel)
                    await app(_scope(), receive, send)
                log.append(f"caught: {scope.cancelled_caught}")
            else:
                await app(_scope(), receive, send)
        except BaseException as error:
            log.append(f"out: {type(error).__name__}")

    task = asyncio.ensure_future(serve())
    await _first(task, running.reached.wait())
    if case.how == "task":
        task.cancel()
    elif cancel and case.how != "none":
        cancel[0]()
    done, _ = await asyncio.wait([task], timeout=20)
    if not done:
        task.cancel()
        log.append("hangs")
    return log


async def _first(task: asyncio.Future[Any], other: Awaitable[Any]) -> None:
    waiting = asyncio.ensure_future(other)
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _random_case(rng: random.Random) -> Case:
    dependencies = tuple(
        Dependency(
            rng.choice(("request", "function")),
            rng.choice(EXITS),
            holds=rng.random() < 0.2,
            is_sync=rng.random() < 0.15,
        )
        for _ in range(rng.randint(1, 3))
    )
    places = ["endpoint", "late", "send", *(f"exit {index}" for index in range(len(dependencies)))]
    return Case(
        _nested(dependencies),
        rng.choice(places),
        rng.choice(("none", "task", "scope", "scope", "group")),
        rng.choice(("returns", "returns", "raises", "refuses")),
        rng.choice(("plain", "plain", "custom", "overridden", "included")),
    )


def _nested(dependencies: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
    """Cancel scopes can only be held open by dependencies that are left in the order of their scopes."""
    if len({one.scope for one in dependencies}) > 1:
        return tuple(Dependency(one.scope, one.exit, False, one.is_sync) for one in dependencies)
    return dependencies


def test_random_requests_that_are_cancelled(quiet: None) -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    for number in range(ROUNDS):
        case = _random_case(rng)
        expected, actual = (asyncio.run(_outcome(fw, case)) for fw in BOTH)
        assert actual == expected, f"seed {seed}, case {number}: {case}"


FIXED = [
    Case((Dependency("request", "awaits", False),), "endpoint", "scope", "returns", "plain"),
    Case((Dependency("function", "awaits", False),), "exit 0", "scope", "returns", "plain"),
    Case((Dependency("request", "awaits", False),) * 2, "exit 1", "group", "returns", "plain"),
    Case((Dependency("request", "swallows", False),), "endpoint", "scope", "returns", "plain"),
    Case((Dependency("request", "raises", False),) * 2, "exit 1", "scope", "raises", "plain"),
    Case((Dependency("request", "awaits", True),) * 2, "endpoint", "scope", "returns", "plain"),
    Case((Dependency("request", "limits itself", False),) * 2, "late", "scope", "returns", "custom"),
    Case((Dependency("request", "awaits", False),), "send", "scope", "returns", "overridden"),
]


@pytest.mark.parametrize("case", FIXED, ids=range(len(FIXED)))
def test_a_request_that_is_cancelled(case: Case, quiet: None) -> None:
    expected, actual = (asyncio.run(_outcome(fw, case)) for fw in BOTH)
    assert actual == expected
    assert any("done" in line for line in actual)

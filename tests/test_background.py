"""Background tasks run in order, functions in threads and coroutines on the loop."""

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from _oracle import Framework, same
from ferrapi import FastAPI
from ferrapi.background import BackgroundTasks
from ferrapi.responses import JSONResponse
from ferrapi.testclient import TestClient
from starlette.background import BackgroundTask


def test_tasks_run_in_order_with_their_arguments() -> None:
    log: list[Any] = []

    async def on_the_loop(x: int, *, y: int) -> None:
        log.append((x, y, threading.current_thread() is threading.main_thread()))

    def in_a_thread(x: int) -> None:
        log.append((x, threading.current_thread() is threading.main_thread()))

    tasks = BackgroundTasks([BackgroundTask(in_a_thread, 0)])
    tasks.add_task(on_the_loop, 1, y=2)
    tasks.add_task(in_a_thread, 3)
    asyncio.run(tasks())
    assert log == [(0, False), (1, 2, True), (3, False)]


held: contextvars.ContextVar[str] = contextvars.ContextVar("held", default="nothing")


@pytest.mark.parametrize("by", ["parameter", "response", "response with several"])
@pytest.mark.parametrize("fails", [False, True])
def test_synchronous_tasks_see_the_context_and_their_errors_are_raised(by: str, fails: bool) -> None:
    def question(framework: Framework) -> Any:
        app = framework.applications.FastAPI()
        log: list[Any] = []

        def task(number: int, *, name: str = "") -> None:
            log.append((number, name, held.get(), threading.current_thread() is threading.main_thread()))
            if fails and number == 1:
                raise LookupError(number)

        if by == "parameter":

            @app.get("/")
            async def endpoint(background: framework.background.BackgroundTasks) -> dict[str, int]:
                held.set("something")
                background.add_task(task, 1, name="a")
                background.add_task(task, 2)
                return {"a": 1}

        else:

            @app.get("/")
            async def respond() -> Any:
                held.set("something")
                first: Any = BackgroundTask(task, 1, name="a")
                if by != "response":
                    first = framework.background.BackgroundTasks([first])
                    first.add_task(task, 2)
                return JSONResponse({"a": 1}, background=first)

        client = framework.testclient.TestClient(app, raise_server_exceptions=False)
        response = client.get("/")
        return response.status_code, response.text, log

    kind, _, _ = same(question)
    assert kind == "value"


def test_a_task_whose_call_is_replaced_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    original = BackgroundTask.__call__

    async def watched(self: BackgroundTask) -> None:
        called.append(self.func)
        await original(self)

    app = FastAPI()

    @app.get("/")
    async def endpoint() -> Any:
        return JSONResponse({}, background=BackgroundTask(print, end=""))

    client = TestClient(app)
    client.get("/")
    monkeypatch.setattr(BackgroundTask, "__call__", watched)
    client.get("/")
    assert called == [print]

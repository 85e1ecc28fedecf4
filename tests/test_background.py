"""Background tasks run in order, functions in threads and coroutines on the loop."""

import asyncio
import threading
from typing import Any

from ferrapi.background import BackgroundTasks
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

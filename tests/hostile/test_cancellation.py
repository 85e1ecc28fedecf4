"""Requests that are cancelled end as with FastAPI: in every way, wherever they are, under every kind of middleware.

They run in a process of their own. When one of them hangs, and be it in an event loop that spins, the process is ended.
"""

import json
import os
import selectors
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.cancelling import CASES, Case

TESTS = Path(__file__).parent.parent
PATIENCE = 30


def differs(case: Case) -> bool:
    """Whether ferrapi is known to do something else in a case. It ends all the same."""
    below_function = "function" in case.middleware
    return (
        # A synchronous context is left to the end before a cancellation goes on.
        (case.way == "cancel thrice" and case.place in ("exit", "sync endpoint"))
        # Below a middleware function that is in no scope, exit code sees a cancellation that comes while it runs, and a
        # synchronous endpoint doesn't end with one that comes while it runs.
        or (below_function and case.place in ("exit", "sync endpoint"))
        # How far the application gets before the start of its response can't be sent is a matter of the loop's turns.
        or (case.way == "send error" and case.place == "stream" and case.middleware == "two functions")
    )


SAMPLE = range(0, len(CASES), 37)
"""Every value of each dimension meets every other one."""

Logs = dict[int, list[str]]


def logs_of(package: str) -> Logs:
    """What happens in each case of the sample."""
    paths = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    command = [sys.executable, "-W", "ignore", "-m", "support.cancelling", package, "-"]
    environment = {**os.environ, "PYTHONPATH": paths}
    logs: Logs = {}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(" ".join(map(str, SAMPLE)).encode())
        process.stdin.close()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while ready.select(PATIENCE) and (line := process.stdout.readline()):
                number, log = json.loads(line)
                logs[number] = log
        process.kill()
    return logs


@pytest.fixture(scope="module")
def logs() -> tuple[Logs, Logs]:
    """FastAPI's and ferrapi's."""
    with ThreadPoolExecutor(2) as both:
        theirs, ours = both.map(logs_of, ("fastapi", "ferrapi"))
    return theirs, ours


def comparable(log: list[str]) -> list[str]:
    """Without what differs: ferrapi closes a stream that is cut short at once, before dependencies.

    And without what a middleware leaves that goes away from a task of its own.
    """
    return [entry for entry in log if not entry.startswith(("stream ", "Task exception "))]


@pytest.mark.parametrize("number", SAMPLE, ids=lambda number: "-".join(CASES[number]))
def test_cancelled(number: int, logs: tuple[Logs, Logs]) -> None:
    theirs, ours = logs
    assert number in theirs
    assert number in ours, "the process hangs"
    if not differs(CASES[number]):
        assert comparable(ours[number]) == comparable(theirs[number])

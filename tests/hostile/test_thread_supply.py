"""Requests to synchronous code come to their end, however few threads and connections there are.

Each case is a process of its own, so that one in which requests wait for each other for ever can be ended.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.pooled import CONNECTIONS, MIDDLEWARE, REQUESTS, SHAPES

TESTS = Path(__file__).parent.parent
PATIENCE = 60


def outcome(shape: str, middleware: str, threads: str) -> tuple[int, int, int, int]:
    """How many requests were answered with 200 and with 500, how many ran late, and the connections in the end."""
    command = [sys.executable, "-W", "ignore", "-m", "support.pooled", "ferrapi", shape, middleware, threads]
    paths = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "PYTHONPATH": paths}, check=False
    )
    assert "Exception in thread" not in done.stderr
    assert done.returncode == 0, done.stderr
    answered, failed, late, connections = map(int, done.stdout.split())
    return answered, failed, late, connections


@pytest.mark.parametrize("middleware", MIDDLEWARE)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_request_waits_for_ever_for_a_connection(shape: str, middleware: str) -> None:
    """With FastAPI, all threads wait for a connection, and those that have one for a thread."""
    assert outcome(shape, middleware, "all") == (REQUESTS, 0, 0, CONNECTIONS)


@pytest.mark.parametrize("middleware", MIDDLEWARE)
@pytest.mark.parametrize("shape", ["plain", "between", "late", "items"])
@pytest.mark.parametrize("threads", ["1", "2", "rlimit"])
def test_every_request_is_answered_when_there_are_no_more_threads(shape: str, middleware: str, threads: str) -> None:
    """Some with an error; their code doesn't run afterwards, and what was acquired is given back."""
    if threads == "rlimit" and os.getuid() != 0:
        pytest.skip("only a user who has no other processes has a limit of his own")
    answered, failed, late, connections = outcome(shape, middleware, threads)
    assert (answered + failed, late, connections) == (REQUESTS, 0, CONNECTIONS)
    assert answered
    assert failed or threads != "rlimit"

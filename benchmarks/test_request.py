"""Whole requests through the ASGI callable, in process: every case, each peer.

Timed: the 64 requests of a case, one after the other, from the call of the application to its last message. Control:
FastAPI, and the application written by hand, in the same run. Outside: sockets, HTTP parsing, checking the answers.
"""

import asyncio

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .asgi import PEERS, Client, peer
from .cases import CASES, Case


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_request(benchmark: BenchmarkFixture, case: Case, name: str) -> None:
    benchmark.group = f"{len(case.exchanges)} requests: {case.title}"
    client = Client(getattr(peer(name), case.app), case)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        benchmark(lambda: loop.run_until_complete(client.send_all()))
    client.check()

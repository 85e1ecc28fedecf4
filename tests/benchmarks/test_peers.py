"""The peers of the benchmarks do the same work: each gives every right answer, and runs the same handlers for it."""

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from benchmarks.apps.data import calls  # noqa: E402  # needs the path above
from benchmarks.asgi import PEERS, Client, peer  # noqa: E402
from benchmarks.cases import CASES, Case  # noqa: E402


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("name", PEERS)
def test_right_answers(name: str, case: Case) -> None:
    calls.clear()
    client = Client(getattr(peer(name), case.app), case)
    asyncio.run(client.send_all())
    client.check()
    assert calls == dict.fromkeys(case.counts, len(case.exchanges))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_requests_differ(case: Case) -> None:
    asked = {(exchange.path, str(exchange.headers), exchange.body) for exchange in case.exchanges}
    assert len(asked) == len(case.exchanges)

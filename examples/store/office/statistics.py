"""What is in stock, counted once for all who ask within a while: a dependency of the application.

Counting reads the whole catalogue. It is a task of its own, so that a client that leaves doesn't end it for others who
wait; when the application stops, what is still counting is cancelled before the store closes its database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from ferrapi import Depends

from ..database import Database
from ..models import utc_now
from ..repositories import products


@dataclass(frozen=True, slots=True)
class Figures:
    """What was in stock at some moment."""

    counted_at: datetime
    categories: Sequence[products.CategoryStock]


class Statistics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._latest: asyncio.Task[Figures] | None = None
        self._begun = 0.0
        self._counting: set[asyncio.Task[Figures]] = set()

    async def current(self, database: Database, age: timedelta) -> Figures:
        """Returns figures that are at most ``age`` old, and counts if there are none."""
        if self._latest is None or time.monotonic() - self._begun >= age.total_seconds() or _failed(self._latest):
            self._begun = time.monotonic()
            self._latest = asyncio.create_task(_count(database))
            self._counting.add(self._latest)
            self._latest.add_done_callback(self._counting.discard)
        return await asyncio.shield(self._latest)

    def forget(self) -> None:
        """Makes the next one who asks count again."""
        self._latest = None

    async def close(self) -> None:
        """Cancels what is still counting and waits for its end."""
        counting = list(self._counting)
        for task in counting:
            task.cancel()
        await asyncio.gather(*counting, return_exceptions=True)


def _failed(task: asyncio.Task[Figures]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _count(database: Database) -> Figures:
    async with database.sessions() as session:
        return Figures(utc_now(), await products.stock_by_category(session))


async def open_statistics() -> AsyncIterator[Statistics]:
    """Opens the statistics for as long as the application runs."""
    statistics = Statistics()
    try:
        yield statistics
    finally:
        await statistics.close()


StatisticsDep = Annotated[Statistics, Depends(open_statistics, scope="app")]

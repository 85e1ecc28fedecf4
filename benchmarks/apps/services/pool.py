"""A pool of connections to a database, and what else `live` works with."""

import time
from queue import SimpleQueue

from pydantic import BaseModel

POOL_SIZE = 10
POOL_TIMEOUT = 30
"""Seconds that a request waits for a connection; more than any client here waits."""
QUERY = 0.002
"""Seconds that a query takes."""
EVENTS = 10
INTERVAL = 0.02
"""Seconds between two events."""


class Connection:
    """A connection to a database, for one request at a time."""

    def query(self, number: int) -> int:
        """Wait for the database."""
        time.sleep(QUERY)
        return number * number


class Position(BaseModel):
    """Where a truck is."""

    truck: int
    latitude: float
    longitude: float


pool: "SimpleQueue[Connection]" = SimpleQueue()
for _ in range(POOL_SIZE):
    pool.put(Connection())

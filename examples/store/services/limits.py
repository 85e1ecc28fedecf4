"""Rate limits (the library ``limits``): in this process's memory, or in Redis for all processes together."""

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands: whether it may go on, and for the headers how many are left and the seconds to wait."""

    allowed: bool
    limit: int
    remaining: int
    seconds: int


class Limiter:
    """Counts requests per subject and client.

    Parameters:
        rules: what limits each subject, like ``20/minute``; an empty text limits nothing.
        redis_url: where to count.
    """

    def __init__(self, rules: dict[str, str], redis_url: str | None) -> None:
        storage = (
            RedisStorage(f"async+{redis_url}", implementation="redispy") if redis_url is not None else MemoryStorage()
        )
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._rules: dict[str, RateLimitItem] = {name: parse(rule) for name, rule in rules.items() if rule}

    async def hit(self, subject: str, client: str) -> Standing | None:
        """Counts one request; None where nothing is limited."""
        rule = self._rules.get(subject)
        if rule is None:
            return None
        allowed = await self._strategy.hit(rule, subject, client)
        window = await self._strategy.get_window_stats(rule, subject, client)
        seconds = max(math.ceil(window.reset_time - time.time()), 1)
        return Standing(allowed, rule.amount, window.remaining, seconds)

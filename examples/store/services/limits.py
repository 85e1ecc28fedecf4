"""Rate limits (the library ``limits``): in this process's memory, or in Redis for all processes together."""

import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

logger = logging.getLogger(__name__)


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
            RedisStorage(f"async+{redis_url}", wrap_exceptions=True, implementation="redispy")
            if redis_url is not None
            else MemoryStorage()
        )
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._rules: dict[str, RateLimitItem] = {name: parse(rule) for name, rule in rules.items() if rule}

    async def hit(self, subject: str, client: str) -> Standing | None:
        """Counts one request; None where nothing is limited, and while there is no Redis to count in."""
        rule = self._rules.get(subject)
        if rule is None:
            return None
        try:
            allowed = await self._strategy.hit(rule, subject, client)
            window = await self._strategy.get_window_stats(rule, subject, client)
        except StorageError:
            logger.warning("nothing is limited: there is no Redis", exc_info=True)
            return None
        seconds = max(math.ceil(window.reset_time - time.time()), 1)
        return Standing(allowed, rule.amount, window.remaining, seconds)

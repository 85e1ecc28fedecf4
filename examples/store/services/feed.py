"""The feed of what happens to orders: from the process that changes one to all that listen.

``LocalFeed`` is enough for one process. ``RedisFeed`` hands each event through Redis' publish and subscribe, so that
those who listen at other workers and machines get it too. A listener that does not keep up is let go of: it reads the
orders again when it comes back, and nobody waits for it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from pydantic import BaseModel

from ..models import OrderStatus

if TYPE_CHECKING:
    from redis.asyncio import Redis

CHANNEL = "store:orders"
BEHIND = 100
"""How many events a listener may be behind before it is let go of."""
PAUSE = 1.0
"""Seconds before Redis is asked again after it was gone."""
PATIENCE = 5.0
"""Seconds that a start waits for Redis."""
logger = logging.getLogger(__name__)


class OrderEvent(BaseModel):
    """One change of an order."""

    event: str
    order_id: UUID
    customer_id: int
    reference: str
    status: OrderStatus
    total: Decimal
    at: datetime


class Listener:
    """Somebody who listens: their events in order, then None if they were let go of."""

    def __init__(self, wanted: Callable[[OrderEvent], bool]) -> None:
        self.wanted = wanted
        self._waiting: asyncio.Queue[OrderEvent | None] = asyncio.Queue()

    def hand(self, event: OrderEvent) -> bool:
        """Adds an event, if it is wanted; False when too many are waiting: this was the last one."""
        if not self.wanted(event):
            return True
        if self._waiting.qsize() >= BEHIND:
            self._waiting.put_nowait(None)
            return False
        self._waiting.put_nowait(event)
        return True

    async def next(self) -> OrderEvent | None:
        """Waits for the next event."""
        return await self._waiting.get()


class Feed(Protocol):
    """Hands events to those who listen."""

    async def publish(self, event: OrderEvent) -> None:
        """Tells everybody."""

    def listening(self, wanted: Callable[[OrderEvent], bool]) -> Listener:
        """Begins to listen for events that are wanted."""

    def leave(self, listener: Listener) -> None:
        """Ends listening."""


class LocalFeed:
    """Within this process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    async def publish(self, event: OrderEvent) -> None:
        """Tells everybody who listens in this process."""
        for listener in list(self._listeners):
            if not listener.hand(event):
                self._listeners.discard(listener)

    def listening(self, wanted: Callable[[OrderEvent], bool]) -> Listener:
        """Begins to listen for events that are wanted."""
        listener = Listener(wanted)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Ends listening."""
        self._listeners.discard(listener)


class RedisFeed(LocalFeed):
    """Between processes: one connection of each process subscribes, and tells those who listen there."""

    def __init__(self, redis: "Redis") -> None:
        super().__init__()
        self._redis = redis

    async def publish(self, event: OrderEvent) -> None:
        """Tells everybody, through Redis; while it is gone, nobody: the order is in the database all the same."""
        from redis.exceptions import RedisError

        try:
            await self._redis.publish(CHANNEL, event.model_dump_json())
        except (RedisError, OSError):
            logger.warning("an event of the order feed is lost: there is no Redis", exc_info=True)

    async def deliver(self, subscribed: asyncio.Event) -> None:
        """Hands on what Redis says until it is cancelled; what is said while Redis is gone is lost."""
        from redis.exceptions import RedisError

        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    subscribed.set()
                    async for message in channel.listen():
                        await super().publish(OrderEvent.model_validate_json(message["data"]))
            except (RedisError, OSError):
                logger.warning("the order feed has lost Redis", exc_info=True)
                await asyncio.sleep(PAUSE)


@asynccontextmanager
async def open_feed(redis_url: str | None) -> AsyncIterator[Feed]:
    """Opens the feed for the setting ``redis_url`` and closes it."""
    if redis_url is None:
        yield LocalFeed()
        return
    from redis.asyncio import Redis

    async with Redis.from_url(redis_url) as redis:
        feed = RedisFeed(redis)
        subscribed = asyncio.Event()
        task = asyncio.create_task(feed.deliver(subscribed))
        try:
            with suppress(TimeoutError):  # a shop without Redis sells, too
                await asyncio.wait_for(subscribed.wait(), PATIENCE)
            yield feed
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

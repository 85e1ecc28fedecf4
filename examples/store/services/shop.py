"""Everything that lives as long as the application: opened by its lifespan, closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ..database import Database
from ..seed import prepare
from ..settings import Settings
from .feed import Feed, open_feed
from .limits import Limiter
from .mail import make_mailer
from .metrics import Metrics
from .notices import Notices


@dataclass(frozen=True, slots=True)
class Shop:
    """The open parts, for routes to ask for."""

    settings: Settings
    database: Database
    feed: Feed
    limiter: Limiter
    metrics: Metrics
    notices: Notices


@asynccontextmanager
async def open_shop(settings: Settings, metrics: Metrics) -> AsyncIterator[Shop]:
    """Opens the database, brings it up to date, fills it where that's wanted, and opens the rest."""
    database = Database(settings.sqlalchemy_url(), settings.database_pool)
    limiter = Limiter({"api": settings.rate_limit, "login": settings.login_rate_limit}, settings.redis_url)
    try:
        await prepare(database, settings)
        async with open_feed(settings.redis_url) as feed:
            notices = Notices(database, feed, make_mailer(settings.smtp_url), metrics, settings.mail_from)
            yield Shop(settings, database, feed, limiter, metrics, notices)
    finally:
        await database.close()

"""Connections, sessions and transactions, for SQLite (the default) and PostgreSQL.

SQLite has one writer at a time. A transaction that reads first and writes later can fail at that moment because
someone else has written in between, so writing transactions say so when they begin (``BEGIN IMMEDIATE``) and queue
for their turn; reading ones never wait. PostgreSQL needs none of this and ignores it.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from .migrations.runner import upgrade

SQLITE_BUSY_SECONDS = 30
WRITES = "store_writes"
SCHEMA_LOCK = 0x53544F5245  # any number that no other program on the same PostgreSQL server locks


class Database:
    """One engine and the sessions on it; made by the application's lifespan and closed with it."""

    def __init__(self, url: URL, pool_size: int = 10) -> None:
        self.engine = make_engine(url, pool_size)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def preparing(self, migrate: bool = True) -> AsyncIterator[AsyncSession]:
        """Opens the transaction that brings the tables up to date, if it is to, and may fill them.

        Workers that start at the same moment take turns, and the later ones find the work done.
        """
        await self._first_connection()
        async with self.sessions() as session, writing(session):
            if self.engine.dialect.name == "postgresql":
                await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
            if migrate:
                await (await session.connection()).run_sync(upgrade)
            yield session

    async def _first_connection(self) -> None:
        """Waits until a connection can be set up.

        The first one to a new SQLite file changes its journal (``configure_sqlite``). While one worker does that, the
        others get an error at once: SQLite doesn't wait for this lock. Later connections find the journal changed.
        """
        give_up = time.monotonic() + SQLITE_BUSY_SECONDS
        while True:
            try:
                async with self.engine.connect():
                    return
            except OperationalError as exc:
                if getattr(exc.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Closes the pool's connections."""
        await self.engine.dispose()


@asynccontextmanager
async def writing(session: AsyncSession) -> AsyncIterator[None]:
    """Runs a block as one writing transaction: committed at its end, rolled back when it raises.

    Whatever the session has read before (authentication, for instance) ends with a commit first, so that a request
    never holds a read transaction while it queues for its turn to write.
    """
    await session.commit()
    await session.connection(execution_options={WRITES: True})
    try:
        yield
        await session.commit()
    except BaseException:
        await session.rollback()
        raise


def make_engine(url: URL, pool_size: int) -> AsyncEngine:
    """Creates the engine for ``url`` and, on SQLite, takes over how its transactions begin."""
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=pool_size, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS})
    event.listen(engine.sync_engine, "connect", configure_sqlite)
    event.listen(engine.sync_engine, "begin", begin_sqlite)
    return engine


def configure_sqlite(connection: Any, _record: object) -> None:
    """Sets up a new SQLite connection: foreign keys on, readers beside the writer, no implicit BEGIN."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def begin_sqlite(connection: Connection) -> None:
    """Begins a transaction as the session announced it; see ``writing``."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

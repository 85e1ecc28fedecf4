"""What Alembic runs: on the connection that the shop gives it, or on one of its own to ``STORE_DATABASE_URL``."""

import asyncio
from importlib import import_module

from alembic import context
from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import create_async_engine

# Alembic runs this file by its path, so it is in no package and imports the shop by its name.
metadata = import_module("examples.store.models").Base.metadata


def database_url() -> URL:
    """Returns the address of the settings."""
    url: URL = import_module("examples.store.settings").Settings().sqlalchemy_url()
    return url


def migrate(connection: Connection) -> None:
    """Runs the migrations that were asked for, all or none."""
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_database() -> None:
    """Connects to the database of the settings first."""
    engine = create_async_engine(database_url())
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(url=database_url(), target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif given is None:
    asyncio.run(migrate_database())
else:
    migrate(given)

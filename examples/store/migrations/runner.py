"""Applies the migrations on a connection that is open already."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

CONFIGURATION = Path(__file__).parent.parent / "alembic.ini"


def upgrade(connection: Connection) -> None:
    """Brings the tables up to date, inside of the connection's transaction."""
    configuration = Config(CONFIGURATION)
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")

"""Makes the examples importable however pytest is started, and serves them to the tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (str(HERE), str(HERE.parent.parent)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

from example_server import TOKEN_SECRET, Server, door_arguments, doors, new_postgres_database  # noqa: E402  # needs the path above

POSTGRES = "STORE_TEST_POSTGRES_URL"


@pytest.fixture(scope="session", params=doors())
def door(request: pytest.FixtureRequest) -> str:
    """The way into the application."""
    return str(request.param)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"] if POSTGRES in os.environ else ["sqlite"])
def shop(request: pytest.FixtureRequest, door: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A store on a database of its own, behind a real uvicorn process.

    On PostgreSQL too if ``STORE_TEST_POSTGRES_URL`` names a server that lets its user create databases.
    """
    if request.param == "sqlite":
        with serve_store(f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite3", door) as server:
            yield server
    else:
        with new_postgres_database(os.environ[POSTGRES]) as url, serve_store(url, door) as server:
            yield server


def serve_store(database_url: str, door: str) -> Server:
    """Returns the store's server, to be entered with ``with``."""
    environment = {"STORE_DATABASE_URL": database_url, "STORE_TOKEN_SECRET": TOKEN_SECRET}
    return Server("examples.store.main:app", environment, door_arguments(door))

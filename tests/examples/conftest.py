"""Makes the examples importable however pytest is started, and serves them to the tests."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (str(HERE), str(HERE.parent.parent)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

from example_server import STORE, Server, new_postgres_database, transport_arguments, transports  # noqa: E402  # needs the path
from services import WANTED, postgres, redis  # noqa: E402
from store_client import sample_data  # noqa: E402

POSTGRES = "STORE_TEST_POSTGRES_URL"
"""A PostgreSQL server that lets its user create databases, to be used in place of one that the tests start."""
DATABASES = ["sqlite", "postgresql"] if {POSTGRES, WANTED} & os.environ.keys() else ["sqlite"]


@pytest.fixture(scope="session", params=transports())
def transport(request: pytest.FixtureRequest) -> str:
    """The way into the application."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    if POSTGRES in os.environ:
        yield os.environ[POSTGRES]
    else:
        with postgres() as url:
            yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis server."""
    with redis() as url:
        yield url


@pytest.fixture(scope="module", params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of its own: sample data in SQLite, nothing yet in PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("store") / "shop.sqlite3"
        file.write_bytes(sample_data())
        yield f"sqlite:///{file}"
    else:
        with new_postgres_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture(scope="module")
def shop(request: pytest.FixtureRequest, transport: str, database_url: str) -> Iterator[Server]:
    """A store behind a real uvicorn process; on PostgreSQL with Redis where `make store-services` starts it."""
    more = {}
    if WANTED in os.environ and not database_url.startswith("sqlite"):
        more["STORE_REDIS_URL"] = request.getfixturevalue("redis_server")
    with serve_store(database_url, transport, more) as server:
        yield server


def serve_store(database_url: str, transport: str = "asgi", more: Mapping[str, str] | None = None) -> Server:
    """Returns the store's server, to be entered with ``with``."""
    environment = {"STORE_DATABASE_URL": database_url, **STORE, **(more or {})}
    return Server("examples.store.main:app", environment, transport_arguments(transport))

"""The store's tables are its migrations: up and down again, in SQLite and, with `make store-services`, PostgreSQL."""

from collections.abc import Callable
from io import StringIO

import pytest
from alembic import command
from alembic.config import Config
from conftest import DATABASES  # type: ignore[attr-defined]  # that of this folder
from example_server import ROOT, new_postgres_database

Alembic = Callable[..., str]


@pytest.fixture
def alembic(monkeypatch: pytest.MonkeyPatch) -> Alembic:
    """Runs one of Alembic's commands on a database, with the store's alembic.ini; returns what it prints."""

    def run(url: str, name: str, *arguments: str, **options: bool) -> str:
        monkeypatch.setenv("STORE_DATABASE_URL", url)
        output = StringIO()
        config = Config(ROOT / "examples/store/alembic.ini", stdout=output, output_buffer=output)
        getattr(command, name)(config, *arguments, **options)
        return output.getvalue()

    return run


@pytest.mark.parametrize("database", DATABASES)
def test_migrations_make_the_tables_of_the_models_and_can_be_taken_back(
    request: pytest.FixtureRequest, alembic: Alembic, database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if database == "sqlite":
        up_and_down(alembic, f"sqlite:///{tmp_path_factory.mktemp('migrations')}/shop.sqlite3")
    else:
        with new_postgres_database(request.getfixturevalue("postgres_server")) as url:
            up_and_down(alembic, url)


def up_and_down(alembic: Alembic, url: str) -> None:
    """Applies the migrations, compares with the models, takes them back and applies them again."""
    alembic(url, "upgrade", "head")
    assert "No new upgrade operations detected" in alembic(url, "check")
    alembic(url, "downgrade", "base")
    alembic(url, "upgrade", "head")
    assert "(head)" in alembic(url, "current")


def test_migrations_can_be_read_as_sql_before_they_are_applied(alembic: Alembic) -> None:
    script = alembic("postgresql://nobody@127.0.0.1:1/none", "upgrade", "head", sql=True)
    assert "CREATE TABLE products" in script
    assert "CREATE TABLE refresh_tokens" in script

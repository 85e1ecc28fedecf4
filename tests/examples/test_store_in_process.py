"""The store in the test's own process: start-up, background tasks, overrides, its document and its parts."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from ferrapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Dialect
from sqlalchemy.engine import make_url
from store_client import DENVER, STAFF, TEN_LINES, log_in, opened, order

from examples.store.columns import Hundredths, UtcDateTime
from examples.store.database import Database
from examples.store.dependencies import get_current_customer, get_session
from examples.store.models import Customer, Role
from examples.store.security.passwords import hash_password, password_matches
from examples.store.security.tokens import ISSUER, TokenError, issue_token, read_token
from examples.store.seed import prepare
from examples.store.settings import Settings

SECRET = "a secret of thirty-two characters"
SQLITE, POSTGRESQL = (make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+asyncpg"))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a fresh shop."""
    with opened(tmp_path / "store.sqlite3") as client:
        yield client


def test_a_background_task_has_run_when_the_answer_is_there(client: TestClient) -> None:
    placed = client.post("/orders", json=order(TEN_LINES["lines"]), headers=log_in(client, DENVER)).json()
    (entry,) = client.get("/admin/audit", headers=log_in(client, STAFF)).json()
    assert (entry["subject"], entry["detail"]) == (f"order {placed['id']}", "10 lines, 23359.00 USD")


def test_a_second_start_finds_everything_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite3"
    with opened(file) as client:
        client.patch("/products/ID-D-IF-050", json={"stock": 7}, headers=log_in(client, STAFF))
    with opened(file) as client:
        assert client.get("/products/ID-D-IF-050").json()["stock"] == 7
        assert client.get("/search").json()["total"] == 857


def test_an_unseeded_shop_is_empty(tmp_path: Path) -> None:
    with opened(tmp_path / "store.sqlite3", seed=False) as client:
        assert client.get("/search").json() == {"total": 0, "items": []}


def test_the_current_customer_can_be_overridden(client: TestClient) -> None:
    boss = Customer(id=1, email="boss@example.com", name="Boss", role=Role.ADMIN)
    client.app.dependency_overrides[get_current_customer] = lambda: boss  # type: ignore[attr-defined]  # any ASGI app
    assert client.get("/admin/audit").json() == []


def test_a_database_that_fails_makes_the_service_not_ready(client: TestClient) -> None:
    class Broken:
        async def execute(self, _statement: object) -> None:
            raise OSError("no route to the database")

    client.app.dependency_overrides[get_session] = Broken  # type: ignore[attr-defined]  # any ASGI app
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": "unreachable"})


def test_the_address_itself_says_where_to_go_on(client: TestClient) -> None:
    links = client.get("/").json()
    assert links.pop("service") == "Loose diamonds"
    assert {client.get(link).status_code for link in links.values()} == {200}


def test_the_document_names_every_route_with_a_tag_and_a_summary(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    routes = [(path, method, route) for path, item in document["paths"].items() for method, route in item.items()]
    assert len(routes) == 38
    known = {tag["name"] for tag in document["tags"]}
    assert [row[:2] for row in routes if not (row[2].get("summary") and set(row[2].get("tags", [])) & known)] == []
    assert document["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]["tokenUrl"] == "login"
    order_in = document["components"]["schemas"]["OrderIn"]
    assert order_in["required"] == ["reference", "ship_to", "lines"]
    assert {parameter["in"] for parameter in document["paths"]["/v1/search"]["get"]["parameters"]} == {
        "query",
        "header",
        "cookie",
    }


def test_workers_that_start_together_fill_the_database_once(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/store.sqlite3", token_secret=SecretStr(SECRET))

    async def start_all() -> None:
        databases = [Database(settings.sqlalchemy_url()) for _ in range(4)]
        await asyncio.gather(*(prepare(database, settings) for database in databases))
        for database in databases:
            await database.close()

    asyncio.run(start_all())
    with opened(tmp_path / "store.sqlite3") as client:
        assert client.get("/search").json()["total"] == 857


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///shop.sqlite3", "sqlite+aiosqlite"),
        ("postgres://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
    ],
)
def test_a_plain_database_url_gets_an_asyncio_driver(url: str, driver: str) -> None:
    assert Settings(database_url=url).sqlalchemy_url().drivername == driver


def test_settings_come_from_the_environment_and_a_dotenv_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("STORE_DATABASE_URL=sqlite:///from-file\nSTORE_SEED=false\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE_SEED", "true")
    settings = Settings()
    assert (settings.database_url, settings.seed) == ("sqlite:///from-file", True)


def test_a_token_says_whose_it_is_until_it_is_changed_or_old() -> None:
    token = issue_token(7, timedelta(minutes=1), SECRET)
    assert read_token(token, SECRET).customer_id == 7
    head, content, signature = token.split(".")
    no_key: Any = None
    unsigned = jwt.encode({"iss": ISSUER, "sub": "7", "exp": 2**40}, no_key, algorithm="none")
    endless = jwt.encode({"iss": ISSUER, "sub": "7"}, SECRET)
    another = jwt.encode({"iss": "somebody else", "sub": "7", "exp": 2**33}, SECRET)
    nobody = jwt.encode({"iss": ISSUER, "sub": "ada", "exp": 2**33}, SECRET)
    swapped = f"{unsigned.split('.')[0]}.{content}.{signature}"
    old = issue_token(7, timedelta(0), SECRET)
    pieces = [token[1:], token[:-1], f"{head}.{content}.", f"{head}.{content}", "", ".", "é.é", "a.b.c"]
    for changed in [old, unsigned, endless, another, nobody, swapped, *pieces]:
        with pytest.raises(TokenError):
            read_token(changed, SECRET)
    with pytest.raises(TokenError):
        read_token(token, SECRET[::-1])


def test_a_password_matches_its_own_hash_alone() -> None:
    stored = hash_password("correct horse")
    assert stored != hash_password("correct horse")
    assert password_matches("correct horse", stored)
    assert not password_matches("correct horses", stored)
    assert not password_matches("correct horse", "a hash of another kind")


def test_money_is_stored_as_whole_cents() -> None:
    column = Hundredths()
    for value, stored in [("12.50", 1250), ("0", 0), ("0.01", 1), ("9999999999.99", 999999999999)]:
        assert column.process_bind_param(Decimal(value), SQLITE) == stored
        assert str(column.process_result_value(stored, SQLITE)) == f"{Decimal(value):.2f}"
    with pytest.raises(ValueError, match="two decimal places"):
        column.process_bind_param(Decimal("0.005"), SQLITE)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
def test_a_time_comes_back_as_the_same_moment_in_utc(dialect: Dialect) -> None:
    column = UtcDateTime()
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    stored = column.process_bind_param(moment, dialect)
    got = column.process_result_value(stored, dialect)
    assert got is not None
    assert (got, got.tzinfo) == (moment, UTC)
    with pytest.raises(ValueError, match="timezone"):
        column.process_bind_param(datetime(2026, 3, 1), dialect)

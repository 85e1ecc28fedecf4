"""What tests of the store share: its accounts, and orders made to measure."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakKeyDictionary

import httpx2
from example_server import ROOT, TOKEN_SECRET
from ferrapi.testclient import TestClient

from examples.store.database import Database
from examples.store.main import create_app
from examples.store.seed import prepare
from examples.store.settings import Settings

DENVER = "den@buyers.example.com"
CHICAGO = "ord@buyers.example.com"
STAFF = "staff@shop.example.com"
PASSWORD = "brilliant-cut"
TEN_LINES: dict[str, Any] = json.loads((ROOT / "examples/store/data/order-example.json").read_text(encoding="utf-8"))
NOBODY: dict[str, str] = {}

_numbers = count(1)
_headers: WeakKeyDictionary[httpx2.Client, dict[str, dict[str, str]]] = WeakKeyDictionary()


def settings_of(database: Path, **changes: object) -> Settings:
    """Returns the settings of a shop on a database file, without limits."""
    values = {"database_url": f"sqlite:///{database}", "token_secret": TOKEN_SECRET}
    return Settings.model_validate({**values, "rate_limit": "", "login_rate_limit": "", **changes})


@cache
def sample_data() -> bytes:
    """Returns a database file with the sample data, made once: filling one takes a second."""

    async def make(settings: Settings) -> None:
        database = Database(settings.sqlalchemy_url())
        await prepare(database, settings)
        await database.close()

    with TemporaryDirectory() as folder:
        file = Path(folder, "shop.sqlite3")
        asyncio.run(make(settings_of(file)))
        return file.read_bytes()


@contextmanager
def opened(database: Path, **changes: object) -> Iterator[TestClient]:
    """A client of a new application on the database file, started up; there is sample data in a new one."""
    if not database.exists() and changes.get("seed", True):
        database.write_bytes(sample_data())
    with TestClient(create_app(settings_of(database, **changes))) as client:
        yield client


def log_in(client: httpx2.Client, email: str) -> dict[str, str]:
    """Returns the headers of a request by the account with that address; passwords are slow, so each logs in once."""
    known = _headers.setdefault(client, {})
    if email not in known:
        answer = client.post("/login", data={"username": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        known[email] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return dict(known[email])


def new_reference() -> str:
    """Returns an order reference that no other test has used."""
    return f"T-{next(_numbers)}"


def order(lines: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """Returns the body of an order with a reference of its own."""
    return {**TEN_LINES, "reference": new_reference(), "lines": lines, **changes}


def line(sku: str, quantity: int, unit_price: str) -> dict[str, Any]:
    """Returns one line of an order."""
    return {"sku": sku, "quantity": quantity, "unit_price": unit_price}


def new_product(client: httpx2.Client, staff: Mapping[str, str], stock: int, price: str = "100.00") -> str:
    """Adds a product that no other test knows and returns its SKU."""
    sku = f"TEST-{next(_numbers)}"
    body = {
        "sku": sku,
        "name": f"Test diamond {sku}",
        "category": "Good",
        "color": "H",
        "clarity": "SI1",
        "carat": "1.00",
        "price": price,
        "stock": stock,
    }
    answer = client.post("/products", json=body, headers=staff)
    assert answer.status_code == 201, answer.text
    return sku


def stock_of(client: httpx2.Client, sku: str) -> int:
    """Returns how many stones of a product there are."""
    return int(client.get(f"/products/{sku}").json()["stock"])

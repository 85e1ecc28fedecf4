"""What tests of the store share: its accounts, and orders made to measure."""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx2
from example_server import ROOT

DENVER = "den@buyers.example.com"
CHICAGO = "ord@buyers.example.com"
STAFF = "staff@shop.example.com"
PASSWORD = "brilliant-cut"
TEN_LINES: dict[str, Any] = json.loads((ROOT / "examples/store/data/order-example.json").read_text(encoding="utf-8"))
NOBODY: dict[str, str] = {}

_numbers = count(1)


def log_in(client: httpx2.Client, email: str) -> dict[str, str]:
    """Returns the headers of a request by the account with that address."""
    answer = client.post("/login", data={"username": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


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

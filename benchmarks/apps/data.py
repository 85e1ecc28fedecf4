"""What all peers' handlers work with: pydantic models, a catalogue, the users behind the tokens, and call counters.

The models use nothing of a framework, so that each peer validates and serialises the very same schemas.
"""

from collections import Counter

from pydantic import BaseModel, Field

VARIATIONS = 64
"""How many different requests a case has."""

calls: Counter[str] = Counter()
"""How often each handler and dependency ran; `/calls` shows it."""


class Customer(BaseModel):
    """Who orders."""

    name: str = Field(min_length=1, max_length=80)
    email: str = Field(pattern=r"^[^@ ]+@[^@ ]+$")
    country: str = Field(min_length=2, max_length=2)


class OrderLine(BaseModel):
    """One line of an order."""

    sku: str = Field(min_length=3, max_length=20)
    quantity: int = Field(ge=1, le=999)
    unit_cents: int = Field(ge=0)


class Order(BaseModel):
    """An order: about 750 bytes of JSON with ten lines."""

    reference: str = Field(min_length=3, max_length=40)
    customer: Customer
    lines: list[OrderLine] = Field(min_length=1)
    note: str = ""


class Receipt(BaseModel):
    """The answer to an order."""

    reference: str
    lines: int
    total_cents: int


class Product(BaseModel):
    """An entry of the catalogue."""

    id: int
    name: str
    price: float
    tags: list[str]
    in_stock: bool


CATALOGUE = [
    Product(id=n, name=f"Product {n}", price=n + 0.25, tags=["new", f"shelf-{n % 7}"], in_stock=n % 3 > 0)
    for n in range(VARIATIONS + 50)
]
USERS = {f"token-{n}": {"id": n, "name": f"user{n}", "role": "staff"} for n in range(VARIATIONS)}
SECTIONS = [f"section{n:02}" for n in range(100)]
THINGS = [f"thing{n}" for n in range(5)]


def receipt(order: Order) -> dict[str, object]:
    """What a handler answers to an order; the response model leaves `internal` out."""
    total = sum(line.quantity * line.unit_cents for line in order.lines)
    return {"reference": order.reference, "lines": len(order.lines), "total_cents": total, "internal": "not for you"}

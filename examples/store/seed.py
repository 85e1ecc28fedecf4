"""Fills an empty database with the sample catalogue, customers and past orders of ``data/``."""

import csv
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ferrapi.concurrency import run_in_threadpool
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .models import Customer, Order, OrderLine, OrderStatus, Product, Role
from .security.passwords import hash_password
from .settings import Settings

DATA = Path(__file__).parent / "data"
OFFICE: dict[str, object] = {
    "line1": "36 West 47th Street",
    "city": "New York",
    "state": "NY",
    "country": "USA",
}
ADMIN: dict[str, object] = {**OFFICE, "email": "staff@shop.example.com", "name": "Shop staff", "role": Role.ADMIN}
CLERK: dict[str, object] = {**OFFICE, "email": "clerk@shop.example.com", "name": "Shipping clerk", "role": Role.CLERK}

Row = dict[str, str]


async def prepare(database: Database, settings: Settings) -> None:
    """Brings the tables up to date and, if the settings want it and there are no products yet, adds the sample data."""
    async with database.preparing(settings.migrate) as session:
        if not settings.seed or await session.scalar(select(Product.id).limit(1)) is not None:
            return
        # One hash serves all sample accounts: they share one published password, so own salts would hide nothing.
        password_hash = await run_in_threadpool(hash_password, settings.seed_password.get_secret_value())
        products = [product_values(row) for row in read("products.csv")]
        await session.execute(insert(Product), products)
        customers = [ADMIN, *(customer_values(row) for row in read("customers.csv")), CLERK]
        await session.execute(insert(Customer), [{**values, "password_hash": password_hash} for values in customers])
        await add_orders(session, {str(values["sku"]): values for values in products})


def read(name: str) -> list[Row]:
    """Returns the rows of one of the data files."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def product_values(row: Row) -> dict[str, object]:
    """Turns a row of ``products.csv`` into a product's columns."""
    return {
        "sku": row["sku"],
        "name": f"{row['cut']} cut diamond, color {row['color']}, clarity {row['clarity']}, {row['carat']} ct",
        "category": row["cut"],
        "color": row["color"],
        "clarity": row["clarity"],
        "carat": Decimal(row["carat"]),
        "price": Decimal(row["price"]),
        "stock": int(row["stones"]),
    }


def customer_values(row: Row) -> dict[str, object]:
    """Turns a row of ``customers.csv`` into a customer's columns."""
    return {**row, "role": Role.CUSTOMER}


async def add_orders(session: AsyncSession, products: dict[str, dict[str, object]]) -> None:
    """Adds the past orders, shipped and at today's prices; today's stock already lacks their stones."""
    rows_of: dict[str, list[Row]] = defaultdict(list)
    for row in read("orders.csv"):
        rows_of[row["reference"]].append(row)
    customers = {customer.email: customer for customer in await session.scalars(select(Customer))}
    for reference, rows in rows_of.items():
        customer = customers[rows[0]["email"]]
        session.add(past_order(reference, customer, rows, products))


def past_order(reference: str, customer: Customer, rows: list[Row], products: dict[str, dict[str, object]]) -> Order:
    """Makes one shipped order from its rows in ``orders.csv``."""
    lines = []
    for position, row in enumerate(rows, start=1):
        product = products[row["sku"]]
        lines.append(
            OrderLine(
                position=position,
                sku=row["sku"],
                name=product["name"],
                quantity=int(row["quantity"]),
                unit_price=product["price"],
            )
        )
    return Order(
        customer_id=customer.id,
        reference=reference,
        status=OrderStatus.SHIPPED,
        placed_at=datetime.fromisoformat(rows[0]["placed_at"]),
        total=sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
        ship_name=customer.name,
        ship_line1=customer.line1,
        ship_city=customer.city,
        ship_state=customer.state,
        ship_country=customer.country,
        lines=lines,
    )

"""The first version of the API."""

from ferrapi import APIRouter

from . import admin, customers, feed, orders, products, search

router = APIRouter()
for part in (
    search.router,
    products.router,
    products.changes,
    customers.router,
    orders.router,
    orders.steps,
    feed.router,
    admin.router,
):
    router.include_router(part)
SUBJECTS = ("search", "products", "customers", "orders", "admin")
"""The first parts of this version's paths."""

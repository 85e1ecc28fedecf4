"""The second version: prices with their currency, lists that say where they go on, orders that need no reference.

What has not changed is the first version's.
"""

from ferrapi import APIRouter

from ..v1 import admin, customers, feed
from ..v1.orders import steps
from ..v1.products import changes
from . import orders, products

router = APIRouter()
for part in (
    products.router,
    changes,
    customers.router,
    orders.router,
    steps,
    feed.router,
    admin.router,
):
    router.include_router(part)

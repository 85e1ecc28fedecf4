"""Placing, reading, cancelling and shipping orders."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from ferrapi import APIRouter, BackgroundTasks, Query, Request, Response, status

from ...dependencies import FOR_CUSTOMERS, FOR_STAFF, Clerk, CurrentCustomer, NoticesDep, SessionDep, announce_page
from ...errors import Problem
from ...models import Order
from ...repositories import orders
from ...schemas import OrderFilter, OrderIn, OrderOut, OrderSummary

router = APIRouter(prefix="/orders", tags=["orders"], responses=FOR_CUSTOMERS)
steps = APIRouter(prefix="/orders", tags=["orders"], responses=FOR_CUSTOMERS)


@router.post(
    "",
    summary="Place an order",
    response_model=OrderOut,
    status_code=status.HTTP_201_CREATED,
    responses={409: {"model": Problem}},
)
async def place_order(
    body: OrderIn,
    customer: CurrentCustomer,
    session: SessionDep,
    notices: NoticesDep,
    background: BackgroundTasks,
    request: Request,
    response: Response,
) -> Order:
    """Orders stones at the prices that the body names: all of the lines, or a 409 that says which ones are to blame."""
    order = await orders.place(session, customer, body)
    response.headers["Location"] = f"{request.url.path}/{order.id}"
    detail = f"{len(order.lines)} lines, {order.total} USD"
    background.add_task(notices.order_changed, "placed", customer, order, detail)
    return order


@router.get("", summary="List orders", response_model=list[OrderSummary])
async def list_orders(
    wanted: Annotated[OrderFilter, Query()],
    customer: CurrentCustomer,
    session: SessionDep,
    request: Request,
    response: Response,
) -> Sequence[Order]:
    """Lists your orders, newest first; for the staff, everybody's."""
    total, found = await orders.page(session, customer, wanted)
    announce_page(request, response, total, wanted.limit, wanted.offset)
    return found


@router.get("/{order_id}", summary="Look at an order", response_model=OrderOut, responses={404: {"model": Problem}})
async def read_order(order_id: UUID, customer: CurrentCustomer, session: SessionDep) -> Order:
    """Returns one of your orders."""
    return await orders.get(session, customer, order_id)


@steps.post(
    "/{order_id}/cancel",
    summary="Cancel an order",
    response_model=OrderOut,
    responses={404: {"model": Problem}, 409: {"model": Problem}},
)
async def cancel_order(
    order_id: UUID,
    customer: CurrentCustomer,
    session: SessionDep,
    notices: NoticesDep,
    background: BackgroundTasks,
) -> Order:
    """Cancels an order that has not been shipped; its stones go back into stock."""
    order = await orders.cancel(session, customer, order_id)
    background.add_task(notices.order_changed, "cancelled", customer, order, order.reference)
    return order


@steps.post(
    "/{order_id}/ship",
    summary="Ship an order",
    tags=["administration"],
    response_model=OrderSummary,
    responses={**FOR_STAFF, 404: {"model": Problem}, 409: {"model": Problem}},
)
async def ship_order(
    order_id: UUID, clerk: Clerk, session: SessionDep, notices: NoticesDep, background: BackgroundTasks
) -> Order:
    """Marks an order as shipped; it can't be cancelled from then on."""
    order = await orders.ship(session, clerk, order_id)
    background.add_task(notices.order_changed, "shipped", clerk, order, order.reference)
    return order

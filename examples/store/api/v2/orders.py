"""Placing, reading and listing orders."""

from typing import Annotated
from uuid import UUID

from ferrapi import APIRouter, BackgroundTasks, Query, Request, Response, status

from ...dependencies import FOR_CUSTOMERS, CurrentCustomer, NoticesDep, SessionDep
from ...errors import Problem
from ...repositories import orders
from ...schemas import OrderFilter
from .paging import next_page
from .schemas import NewOrder, OrderAnswer, OrderEntry, PagedList

router = APIRouter(prefix="/orders", tags=["orders"], responses=FOR_CUSTOMERS)


@router.post("", summary="Place an order", status_code=status.HTTP_201_CREATED, responses={409: {"model": Problem}})
async def place_order(
    body: NewOrder,
    customer: CurrentCustomer,
    session: SessionDep,
    notices: NoticesDep,
    background: BackgroundTasks,
    request: Request,
    response: Response,
) -> OrderAnswer:
    """Orders stones at the prices that the body names: all of the lines, or a 409 that says which ones are to blame."""
    order = await orders.place(session, customer, body)
    path = response.headers["Location"] = f"{request.url.path}/{order.id}"
    detail = f"{len(order.lines)} lines, {order.total} USD"
    background.add_task(notices.order_changed, "placed", customer, order, detail)
    return OrderAnswer.of(order, path)


@router.get("", summary="List orders")
async def list_orders(
    wanted: Annotated[OrderFilter, Query()], customer: CurrentCustomer, session: SessionDep, request: Request
) -> PagedList[OrderEntry]:
    """Lists your orders, newest first; for the staff, everybody's."""
    total, found = await orders.page(session, customer, wanted)
    items = [OrderEntry.of(order) for order in found]
    return PagedList(total=total, next=next_page(request, total, wanted.limit, wanted.offset), items=items)


@router.get("/{order_id}", summary="Look at an order", responses={404: {"model": Problem}})
async def read_order(order_id: UUID, customer: CurrentCustomer, session: SessionDep, request: Request) -> OrderAnswer:
    """Returns one of your orders."""
    return OrderAnswer.of(await orders.get(session, customer, order_id), request.url.path)

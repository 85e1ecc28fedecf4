"""Signing up, and who the customers are."""

from collections.abc import Sequence

from ferrapi import APIRouter, BackgroundTasks, Depends, Request, Response, status
from ferrapi.concurrency import run_in_threadpool

from ...dependencies import (
    FOR_CUSTOMERS,
    FOR_STAFF,
    CurrentCustomer,
    NoticesDep,
    PageDep,
    SessionDep,
    announce_page,
    require_admin,
)
from ...errors import Problem
from ...models import Customer
from ...repositories import customers
from ...schemas import CustomerIn, CustomerOut, RowId
from ...security.passwords import hash_password

router = APIRouter(prefix="/customers", tags=["accounts"])


@router.post(
    "",
    summary="Sign up",
    response_model=CustomerOut,
    status_code=status.HTTP_201_CREATED,
    responses={409: {"model": Problem}},
)
async def sign_up(body: CustomerIn, session: SessionDep, notices: NoticesDep, background: BackgroundTasks) -> Customer:
    """Makes an account with the ordinary role."""
    password_hash = await run_in_threadpool(hash_password, body.password.get_secret_value())
    customer = await customers.create(session, body, password_hash)
    background.add_task(notices.signed_up, customer)
    return customer


@router.get("/me", summary="Who am I", response_model=CustomerOut, responses=FOR_CUSTOMERS)
async def read_me(customer: CurrentCustomer) -> Customer:
    """Returns the account behind the token."""
    return customer


@router.get(
    "",
    summary="List customers",
    tags=["administration"],
    response_model=list[CustomerOut],
    dependencies=[Depends(require_admin)],
    responses=FOR_STAFF,
)
async def list_customers(
    request: Request, response: Response, session: SessionDep, page: PageDep
) -> Sequence[Customer]:
    """Lists all accounts, oldest first."""
    total, found = await customers.page(session, page.limit, page.offset)
    announce_page(request, response, total, page.limit, page.offset)
    return found


@router.get(
    "/{customer_id}",
    summary="Look at a customer",
    tags=["administration"],
    response_model=CustomerOut,
    dependencies=[Depends(require_admin)],
    responses={**FOR_STAFF, 404: {"model": Problem}},
)
async def read_customer(customer_id: RowId, session: SessionDep) -> Customer:
    """Returns one account."""
    return await customers.get(session, customer_id)

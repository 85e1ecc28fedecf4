"""Finding and adding customers."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import writing
from ..errors import DuplicateKey, NotFound
from ..models import Customer
from ..schemas import CustomerIn


async def by_email(session: AsyncSession, email: str) -> Customer | None:
    """Returns the customer with that address, whatever its case, if there is one."""
    if "\0" in email:  # PostgreSQL refuses to look for it
        return None
    return await session.scalar(select(Customer).where(Customer.email == email.lower()))


async def get(session: AsyncSession, customer_id: int) -> Customer:
    """Returns one customer.

    Raises:
        NotFound: there is none with that number.
    """
    customer = await session.get(Customer, customer_id)
    if customer is None:
        raise NotFound(f"there is no customer {customer_id}")
    return customer


async def page(session: AsyncSession, limit: int, offset: int) -> tuple[int, Sequence[Customer]]:
    """Returns how many customers there are and one page of them, oldest first."""
    total = await session.scalar(select(func.count()).select_from(Customer))
    rows = await session.scalars(select(Customer).order_by(Customer.id).limit(limit).offset(offset))
    return total or 0, rows.all()


async def create(session: AsyncSession, body: CustomerIn, password_hash: str) -> Customer:
    """Adds a customer with the ordinary role.

    Raises:
        DuplicateKey: the email address has an account.
    """
    fields = body.model_dump(exclude={"password", "email"})
    customer = Customer(**fields, email=body.email.lower(), password_hash=password_hash)
    try:
        async with writing(session):
            session.add(customer)
    except IntegrityError as error:
        raise DuplicateKey(f"{body.email} has an account already") from error
    return customer

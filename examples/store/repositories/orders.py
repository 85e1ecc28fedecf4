"""Placing, finding and cancelling orders, and the stock that goes with them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import writing
from ..errors import DuplicateKey, InsufficientStock, NotFound, PriceChanged, UnknownProducts, WrongState
from ..models import Customer, Order, OrderLine, OrderStatus, Product, Role
from ..schemas import OrderFilter, OrderIn, OrderLineIn

STAFF = frozenset({Role.CLERK, Role.ADMIN})


async def place(session: AsyncSession, customer: Customer, body: OrderIn) -> Order:
    """Takes the ordered stones out of stock and stores the order, all or nothing.

    Raises:
        UnknownProducts, PriceChanged, InsufficientStock: with all lines that are to blame.
        DuplicateKey: the customer has used the reference before.
    """
    try:
        async with writing(session):
            products = await lock_products(session, (line.sku for line in body.lines))
            check_lines(body.lines, products)
            for line in body.lines:
                products[line.sku].stock -= line.quantity
            order = new_order(customer, body, products)
            session.add(order)
    except IntegrityError as error:
        raise DuplicateKey(f"you have an order with the reference {body.reference} already") from error
    return order


async def lock_products(session: AsyncSession, skus: Iterable[str]) -> dict[str, Product]:
    """Reads products and keeps others from changing them until the transaction ends.

    They are locked in the order of their SKUs: two orders that share products can't wait for each other.
    """
    query = select(Product).where(Product.sku.in_(list(skus))).order_by(Product.sku).with_for_update()
    rows = await session.scalars(query, execution_options={"populate_existing": True})
    return {product.sku: product for product in rows}


def check_lines(lines: Sequence[OrderLineIn], products: dict[str, Product]) -> None:
    """Compares an order's lines with the catalogue.

    Raises:
        UnknownProducts: lines whose SKU is not in ``products``.
        PriceChanged: lines with another price than the catalogue's.
        InsufficientStock: lines that ask for more than there is.
    """
    unknown = [{"sku": line.sku} for line in lines if line.sku not in products]
    if unknown:
        raise UnknownProducts("some products are not in the catalogue", unknown)
    pairs = [(line, products[line.sku]) for line in lines]
    changed = [
        {"sku": line.sku, "expected": str(line.unit_price), "current": str(product.price)}
        for line, product in pairs
        if line.unit_price != product.price
    ]
    if changed:
        raise PriceChanged("some prices have changed", changed)
    short = [
        {"sku": line.sku, "requested": line.quantity, "available": product.stock}
        for line, product in pairs
        if line.quantity > product.stock
    ]
    if short:
        raise InsufficientStock("there are not enough stones of some products", short)


def new_order(customer: Customer, body: OrderIn, products: dict[str, Product]) -> Order:
    """Makes the row of an order and the rows of its lines."""
    lines = []
    for position, line in enumerate(body.lines, start=1):
        product = products[line.sku]
        lines.append(
            OrderLine(
                position=position,
                sku=product.sku,
                name=product.name,
                quantity=line.quantity,
                unit_price=product.price,
            )
        )
    return Order(
        customer_id=customer.id,
        reference=body.reference,
        total=sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
        **{f"ship_{name}": value for name, value in body.ship_to.model_dump().items()},
        lines=lines,
    )


def visible_to(customer: Customer) -> list[ColumnElement[bool]]:
    """Returns the condition that keeps customers to their own orders; the staff sees all."""
    return [] if customer.role in STAFF else [Order.customer_id == customer.id]


async def get(session: AsyncSession, customer: Customer, order_id: UUID, for_update: bool = False) -> Order:
    """Returns an order that the customer may see.

    Raises:
        NotFound: there is no such order, or it is somebody else's (which is not told apart).
    """
    query = select(Order).where(Order.id == order_id, *visible_to(customer))
    order = await session.scalar(query.with_for_update() if for_update else query)
    if order is None:
        raise NotFound(f"there is no order {order_id}")
    return order


async def page(session: AsyncSession, customer: Customer, wanted: OrderFilter) -> tuple[int, Sequence[Order]]:
    """Returns how many orders match and one page of them, newest first."""
    conditions = visible_to(customer)
    if wanted.status is not None:
        conditions.append(Order.status == wanted.status)
    if wanted.placed_from is not None:
        conditions.append(Order.placed_at >= wanted.placed_from)
    if wanted.placed_before is not None:
        conditions.append(Order.placed_at < wanted.placed_before)
    total = await session.scalar(select(func.count()).select_from(Order).where(*conditions))
    newest_first = select(Order).where(*conditions).order_by(Order.placed_at.desc(), Order.id)
    return total or 0, (await session.scalars(newest_first.limit(wanted.limit).offset(wanted.offset))).all()


async def cancel(session: AsyncSession, customer: Customer, order_id: UUID) -> Order:
    """Cancels an order that has not been shipped and puts its stones back into stock.

    Raises:
        NotFound: there is no such order for this customer.
        WrongState: it is shipped or cancelled already.
    """
    async with writing(session):
        order = await leave_placed(session, customer, order_id, OrderStatus.CANCELLED)
        products = await lock_products(session, (line.sku for line in order.lines))
        for line in order.lines:
            products[line.sku].stock += line.quantity
    return order


async def ship(session: AsyncSession, clerk: Customer, order_id: UUID) -> Order:
    """Marks an order as shipped.

    Raises:
        NotFound: there is no such order.
        WrongState: it is shipped already, or cancelled.
    """
    async with writing(session):
        return await leave_placed(session, clerk, order_id, OrderStatus.SHIPPED)


async def leave_placed(session: AsyncSession, customer: Customer, order_id: UUID, status: OrderStatus) -> Order:
    """Moves a placed order on to another status, inside the caller's transaction."""
    order = await get(session, customer, order_id, for_update=True)
    if order.status != OrderStatus.PLACED:
        raise WrongState(f"order {order_id} is {OrderStatus(order.status).value}")
    order.status = status
    return order

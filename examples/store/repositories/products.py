"""Finding and changing products."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, UnaryExpression, func, select, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..columns import Hundredths
from ..database import writing
from ..errors import DuplicateKey, NotFound, WrongState
from ..models import Product
from ..schemas import Category, Clarity, Color, ProductIn, ProductPatch, Sort

ORDERINGS: dict[Sort, UnaryExpression[Any]] = {
    Sort.NAME: Product.name.asc(),
    Sort.PRICE: Product.price.asc(),
    Sort.PRICE_DOWN: Product.price.desc(),
    Sort.CARAT: Product.carat.asc(),
    Sort.CARAT_DOWN: Product.carat.desc(),
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What to search for. Every word of ``text`` has to be in the name; an empty list or None asks for nothing."""

    text: str = ""
    categories: Sequence[Category] = ()
    colors: Sequence[Color] = ()
    clarities: Sequence[Clarity] = ()
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    in_stock: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """Returns the WHERE clause's parts."""
        found: list[ColumnElement[bool]] = [Product.name.icontains(word, autoescape=True) for word in self.text.split()]
        one_of = ((Product.category, self.categories), (Product.color, self.colors), (Product.clarity, self.clarities))
        found += [column.in_([choice.value for choice in choices]) for column, choices in one_of if choices]
        if self.min_price is not None:
            found.append(Product.price >= self.min_price)
        if self.max_price is not None:
            found.append(Product.price <= self.max_price)
        if self.in_stock:
            found.append(Product.stock > 0)
        return found


async def search(
    session: AsyncSession, criteria: Criteria, sort: Sort, limit: int, offset: int
) -> tuple[int, Sequence[Product]]:
    """Returns how many products match and the page of them; equals are ordered by SKU, so pages don't overlap."""
    conditions = criteria.conditions()
    total = await session.scalar(select(func.count()).select_from(Product).where(*conditions))
    page = select(Product).where(*conditions).order_by(ORDERINGS[sort], Product.sku).limit(limit).offset(offset)
    return total or 0, (await session.scalars(page)).all()


async def get(session: AsyncSession, sku: str, for_update: bool = False) -> Product:
    """Returns one product, locked until the transaction ends if it is to be changed.

    Raises:
        NotFound: there is no such SKU.
    """
    query = select(Product).where(Product.sku == sku)
    product = await session.scalar(query.with_for_update() if for_update else query)
    if product is None:
        raise NotFound(f"there is no product {sku}")
    return product


async def create(session: AsyncSession, body: ProductIn) -> Product:
    """Adds a product.

    Raises:
        DuplicateKey: the SKU is taken.
    """
    product = Product(**body.model_dump())
    try:
        async with writing(session):
            session.add(product)
            await reread(session, product)
    except IntegrityError as error:
        raise DuplicateKey(f"there is a product {body.sku} already") from error
    return product


async def change(session: AsyncSession, sku: str, patch: ProductPatch) -> Product:
    """Sets the fields that the patch names.

    Raises:
        NotFound: there is no such SKU.
    """
    async with writing(session):
        product = await get(session, sku, for_update=True)
        for name, value in patch.model_dump(exclude_unset=True).items():
            setattr(product, name, value)
        await reread(session, product)
    return product


async def put_all(session: AsyncSession, bodies: Sequence[ProductIn]) -> tuple[int, int]:
    """Adds the products that are new and changes the others, in one transaction.

    Parameters:
        bodies: the products, each SKU once.

    Returns:
        how many were added and how many changed.

    Raises:
        DuplicateKey: another request has added one of the new ones at the same moment.
    """
    wanted = {body.sku: body.model_dump() for body in bodies}
    query = select(Product).where(Product.sku.in_(wanted)).order_by(Product.sku).with_for_update()
    try:
        async with writing(session):
            known = {product.sku: product for product in await session.scalars(query)}
            for sku, product in known.items():
                for name, value in wanted[sku].items():
                    setattr(product, name, value)
            changed = sum(map(session.is_modified, known.values()))
            session.add_all(Product(**wanted[sku]) for sku in wanted if sku not in known)
    except IntegrityError as error:
        raise DuplicateKey("somebody else has added one of the products meanwhile") from error
    return len(wanted) - len(known), changed


@dataclass(frozen=True, slots=True)
class CategoryStock:
    """What there is of one category; the value is in US dollars."""

    category: str
    products: int
    stones: int
    value: Decimal


async def stock_by_category(session: AsyncSession) -> Sequence[CategoryStock]:
    """Counts the products and stones of each category, and what they are worth at today's prices."""
    cents = func.sum(type_coerce(Product.price, BigInteger) * Product.stock)
    query = select(Product.category, func.count(), func.sum(Product.stock), type_coerce(cents, Hundredths))
    rows = await session.execute(query.group_by(Product.category).order_by(Product.category))
    return [CategoryStock(*row) for row in rows]


async def reread(session: AsyncSession, product: Product) -> None:
    """Writes the product and reads it back: 120.5 dollars become the 120.50 that every later reader sees."""
    await session.flush()
    await session.refresh(product)


async def delete(session: AsyncSession, sku: str) -> None:
    """Takes a product that was never ordered out of the catalogue.

    Raises:
        NotFound: there is no such SKU.
        WrongState: orders refer to it.
    """
    try:
        async with writing(session):
            await session.delete(await get(session, sku, for_update=True))
    except IntegrityError as error:
        raise WrongState(f"product {sku} is part of orders; set its stock to 0 instead") from error

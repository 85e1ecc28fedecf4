"""Looking at products and finding them, with one price each: in the currency that was asked for."""

from decimal import Decimal
from typing import Annotated

from ferrapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, Field

from ...dependencies import SessionDep, SettingsDep
from ...errors import Problem
from ...repositories import products
from ...schemas import NO_NUL, Category, Clarity, Color, Money, Sku, Sort
from ...settings import Currency, Settings
from .paging import next_page
from .schemas import PagedList, PricedProduct

router = APIRouter(tags=["catalogue"])
Shown = Annotated[Currency, Header(alias="X-Currency", description="Show prices in this currency.")]


class Wanted(BaseModel):
    """What to search for."""

    q: Annotated[str, Field(max_length=100, pattern=NO_NUL, description="Words that the name has to contain.")] = ""
    cut: list[Category] = []
    color: list[Color] = []
    clarity: list[Clarity] = []
    min_price: Money | None = None
    max_price: Money | None = None
    available: bool = False
    sort: Sort = Sort.NAME
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


def rate_of(settings: Settings, currency: Currency) -> tuple[Currency, Decimal]:
    """Returns a currency and its rate; one without a rate falls back to US dollars."""
    rate = settings.exchange_rates.get(currency)
    return (Currency.USD, Decimal(1)) if rate is None else (currency, rate)


@router.get("/products", summary="Find products")
async def find_products(
    wanted: Annotated[Wanted, Query()],
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    currency: Shown = Currency.USD,
) -> PagedList[PricedProduct]:
    """Lists the products that meet all conditions, a page at a time."""
    criteria = products.Criteria(
        wanted.q, wanted.cut, wanted.color, wanted.clarity, wanted.min_price, wanted.max_price, wanted.available
    )
    total, found = await products.search(session, criteria, wanted.sort, wanted.limit, wanted.offset)
    shown = rate_of(settings, currency)
    items = [PricedProduct.of(product, *shown) for product in found]
    return PagedList(total=total, next=next_page(request, total, wanted.limit, wanted.offset), items=items)


@router.get("/products/{sku}", summary="Look at a product", responses={404: {"model": Problem}})
async def read_product(
    sku: Annotated[Sku, Path()], session: SessionDep, settings: SettingsDep, currency: Shown = Currency.USD
) -> PricedProduct:
    """Returns the product."""
    return PricedProduct.of(await products.get(session, sku), *rate_of(settings, currency))

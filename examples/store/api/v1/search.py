"""Searching the catalogue."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from ferrapi import APIRouter, Cookie, Header, Query, Request, Response

from ...dependencies import PageDep, SessionDep, SettingsDep, announce_page
from ...models import Product
from ...repositories import products
from ...schemas import NO_NUL, Category, Clarity, Color, DisplayPrice, Money, ProductOut, SearchHit, SearchResult, Sort
from ...settings import Currency
from .products import RECENTLY_VIEWED, split_skus

router = APIRouter(prefix="/search", tags=["catalogue"])

SMALLEST_UNIT = {Currency.JPY: Decimal(1)}
CENT = Decimal("0.01")


@router.get("", summary="Find products")
async def search(
    request: Request,
    response: Response,
    session: SessionDep,
    settings: SettingsDep,
    page: PageDep,
    q: Annotated[
        str, Query(max_length=100, pattern=NO_NUL, description="Words that the name has to contain, all of them.")
    ] = "",
    category: Annotated[list[Category], Query(description="May be given several times.")] = [],  # noqa: B006
    color: Annotated[list[Color], Query(description="May be given several times.")] = [],  # noqa: B006
    clarity: Annotated[list[Clarity], Query(description="May be given several times.")] = [],  # noqa: B006
    min_price: Annotated[Money | None, Query()] = None,
    max_price: Annotated[Money | None, Query()] = None,
    in_stock: Annotated[bool, Query(description="Leave out what is sold out.")] = False,
    sort: Annotated[Sort, Query()] = Sort.NAME,
    x_currency: Annotated[Currency, Header(description="Show prices in this currency as well.")] = Currency.USD,
    recently_viewed: Annotated[str, Cookie(alias=RECENTLY_VIEWED, description="Set by GET /products/{sku}.")] = "",
) -> SearchResult:
    """Lists the products that meet all conditions, a page at a time (see the `Link` header for the others)."""
    criteria = products.Criteria(q, category, color, clarity, min_price, max_price, in_stock)
    total, found = await products.search(session, criteria, sort, page.limit, page.offset)
    announce_page(request, response, total, page.limit, page.offset)
    seen = set(split_skus(recently_viewed))
    rate = settings.exchange_rates.get(x_currency)
    return SearchResult(total=total, items=[to_hit(product, x_currency, rate, seen) for product in found])


def to_hit(product: Product, currency: Currency, rate: Decimal | None, seen: set[str]) -> SearchHit:
    """Adds what depends on the client; a currency without a rate falls back to US dollars."""
    if rate is None:
        currency, rate = Currency.USD, Decimal(1)
    amount = (product.price * rate).quantize(SMALLEST_UNIT.get(currency, CENT), rounding=ROUND_HALF_UP)
    return SearchHit(
        **ProductOut.model_validate(product).model_dump(),
        display_price=DisplayPrice(amount=amount, currency=currency),
        recently_viewed=product.sku in seen,
    )

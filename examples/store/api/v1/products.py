"""Looking at products, and changing them as an administrator."""

import re
from typing import Annotated

from ferrapi import APIRouter, Cookie, Depends, Path, Request, Response, status

from ...dependencies import FOR_STAFF, SessionDep, require_admin
from ...errors import Problem
from ...models import Product
from ...repositories import products
from ...schemas import SKU_PATTERN, ProductIn, ProductOut, ProductPatch, Sku

RECENTLY_VIEWED = "recently_viewed"
REMEMBERED = 10
SEPARATOR = "."  # in no SKU, and a cookie may hold it without quotes

router = APIRouter(prefix="/products", tags=["catalogue"], responses={404: {"model": Problem}})
changes = APIRouter(prefix="/products", tags=["catalogue"], responses={404: {"model": Problem}})
SkuPath = Annotated[Sku, Path()]


def split_skus(cookie: str) -> list[str]:
    """Reads the cookie of looked-at products; whatever a client makes of it, at most ten SKUs come out."""
    return [sku for sku in cookie.split(SEPARATOR) if re.fullmatch(SKU_PATTERN, sku)][:REMEMBERED]


@router.get("/{sku}", summary="Look at a product", response_model=ProductOut)
async def read_product(
    sku: SkuPath,
    session: SessionDep,
    response: Response,
    recently_viewed: Annotated[str, Cookie(alias=RECENTLY_VIEWED, max_length=400)] = "",
) -> Product:
    """Returns the product and remembers in a cookie that this client has looked at it."""
    product = await products.get(session, sku)
    seen = [sku, *(other for other in split_skus(recently_viewed) if other != sku)][:REMEMBERED]
    response.set_cookie(RECENTLY_VIEWED, SEPARATOR.join(seen), httponly=True, samesite="lax")
    return product


@changes.post(
    "",
    summary="Add a product",
    response_model=ProductOut,
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(require_admin)],
    responses={**FOR_STAFF, 409: {"model": Problem}},
)
async def create_product(body: ProductIn, session: SessionDep, request: Request, response: Response) -> Product:
    """Adds a product to the catalogue."""
    product = await products.create(session, body)
    response.headers["Location"] = f"{request.url.path}/{product.sku}"
    return product


@changes.patch(
    "/{sku}",
    summary="Change a product",
    response_model=ProductOut,
    dependencies=[Depends(require_admin)],
    responses=FOR_STAFF,
)
async def change_product(sku: SkuPath, body: ProductPatch, session: SessionDep) -> Product:
    """Changes the name, the price or the stock."""
    return await products.change(session, sku, body)


@changes.delete(
    "/{sku}",
    summary="Remove a product",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(require_admin)],
    responses={**FOR_STAFF, 409: {"model": Problem}},
)
async def delete_product(sku: SkuPath, session: SessionDep) -> None:
    """Takes a product that nobody ever ordered out of the catalogue."""
    await products.delete(session, sku)

"""Importing a catalogue: a CSV file with the columns of ``data/products.csv``.

Who may not do it is told so before the file is read (``dependencies_before_body``).
"""

import csv
from io import TextIOWrapper
from typing import IO, Annotated

from ferrapi import APIRouter, BackgroundTasks, File, UploadFile
from ferrapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, ValidationError

from ..dependencies import DatabaseDep, SessionDep, SettingsDep
from ..errors import Problem, StoreError
from ..repositories import audit, products
from ..schemas import ProductIn
from ..seed import product_values
from .access import Admin
from .statistics import StatisticsDep

router = APIRouter(prefix="/catalogue", tags=["catalogue"])


class BadCatalogue(StoreError):
    """A file that is no catalogue, or a line of it that is no product."""

    status = 422
    code = "bad_catalogue"


class Imported(BaseModel):
    """What an import did."""

    added: int
    changed: int
    unchanged: int = Field(description="Products that were in the catalogue as they are in the file.")


@router.post(
    "",
    summary="Import a catalogue",
    dependencies_before_body=True,
    responses={409: {"model": Problem}, 422: {"model": Problem}},
)
async def import_catalogue(
    admin: Admin,
    file: Annotated[UploadFile, File(description="CSV in UTF-8: sku,cut,color,clarity,carat,price,stones")],
    session: SessionDep,
    database: DatabaseDep,
    settings: SettingsDep,
    statistics: StatisticsDep,
    background: BackgroundTasks,
) -> Imported:
    """Adds the products that are new and changes the others: all of the file, or nothing if a line is wrong."""
    bodies = await run_in_threadpool(read_catalogue, file.file, settings.import_rows)
    added, changed = await products.put_all(session, bodies)
    statistics.forget()
    background.add_task(
        audit.record, database, admin.email, "imported", "catalogue", f"{added} added, {changed} changed"
    )
    return Imported(added=added, changed=changed, unchanged=len(bodies) - added - changed)


def read_catalogue(file: IO[bytes], most: int) -> list[ProductIn]:
    """Reads the products of a CSV file.

    Raises:
        BadCatalogue: it holds none, more than ``most``, one twice, or something else; the line is named.
    """
    found: dict[str, ProductIn] = {}
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    rows = csv.DictReader(text)
    try:
        for row in rows:
            product = ProductIn.model_validate(product_values(row))
            if product.sku in found:
                raise BadCatalogue(f"line {rows.line_num}: {product.sku} is there twice")
            if len(found) == most:
                raise BadCatalogue(f"there are more than {most} products")
            found[product.sku] = product
    except (LookupError, TypeError, ValueError, ArithmeticError, csv.Error) as error:
        raise BadCatalogue(f"line {rows.line_num}: {_reason(error)}") from error
    finally:
        text.detach()  # the file is the request's to close
    if not found:
        raise BadCatalogue("there is no product in the file")
    return list(found.values())


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(error, KeyError):
        return f"there is no column {error.args[0]}"
    if isinstance(error, UnicodeDecodeError):
        return "this is not UTF-8"
    return "a number is missing, or is none"

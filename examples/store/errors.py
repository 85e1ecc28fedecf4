"""The shop's own errors and the JSON answer they share.

Each answer looks like the framework's (``{"detail": …}``) with a code for programs, a sentence for people and, where
one helps, the order lines that are to blame.
"""

from typing import Any

from ferrapi import FastAPI, Request
from ferrapi.responses import JSONResponse
from pydantic import BaseModel, Field


class ProblemDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable and made for programs.", examples=["insufficient_stock"])
    message: str = Field(description="A sentence for people.")
    lines: list[dict[str, Any]] = Field(default=[], description="The order lines concerned, if any.")


class Problem(BaseModel):
    """The body of the shop's own error answers."""

    detail: ProblemDetail


class StoreError(Exception):
    """A request that is well formed and that the shop refuses."""

    status = 409
    code = "conflict"

    def __init__(self, message: str, lines: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.detail = ProblemDetail(code=self.code, message=message, lines=lines or [])


class NotFound(StoreError):
    """The thing that the path names does not exist, or not for this customer."""

    status = 404
    code = "not_found"


class DuplicateKey(StoreError):
    """An email address, SKU or order reference that is already taken."""

    code = "already_exists"


class UnknownProducts(StoreError):
    """An order names SKUs that are not in the catalogue."""

    code = "unknown_product"


class PriceChanged(StoreError):
    """An order was made with prices that are no longer right."""

    code = "price_changed"


class InsufficientStock(StoreError):
    """An order asks for more than there is."""

    code = "insufficient_stock"


class WrongState(StoreError):
    """The order or product can't do that any more."""

    code = "wrong_state"


def install_error_handlers(app: FastAPI) -> None:
    """Makes ``app`` answer every ``StoreError`` with its status and a ``Problem``."""

    @app.exception_handler(StoreError)
    async def answer(_request: Request, error: StoreError) -> JSONResponse:
        return JSONResponse(Problem(detail=error.detail).model_dump(mode="json"), status_code=error.status)

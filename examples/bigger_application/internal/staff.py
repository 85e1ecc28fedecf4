"""Routes for the staff; whoever includes the router chooses the prefix and who may come in."""

from ferrapi import APIRouter

from ..dependencies import ShelfDep, Today
from ..shelf import Loan

router = APIRouter()


@router.get("/overdue")
async def list_overdue(shelf: ShelfDep, today: Today) -> list[Loan]:
    """Lists the loans that should be back."""
    return shelf.overdue(today)

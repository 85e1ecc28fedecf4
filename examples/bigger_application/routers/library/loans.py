"""A reader's loans; the reader is part of the path that the router is included under."""

from typing import Annotated

from ferrapi import APIRouter, Depends, HTTPException

from ...dependencies import Card, ShelfDep, Today
from ...shelf import Loan, NotPossible


async def require_own(card: str, own: Card) -> str:
    """Returns the card in the path if it is the request's own (403 if not)."""
    if card != own:
        raise HTTPException(403, "these are somebody else's loans")
    return card


router = APIRouter(tags=["loans"], dependencies=[Depends(require_own)])
OwnCard = Annotated[str, Depends(require_own)]


@router.get("")
async def list_loans(card: OwnCard, shelf: ShelfDep) -> list[Loan]:
    """Lists what the reader has at home."""
    return [loan for loan in shelf.loans.values() if loan.card == card]


@router.put("/{isbn}", status_code=201)
async def borrow(isbn: str, card: OwnCard, shelf: ShelfDep, today: Today) -> Loan:
    """Borrows a book for three weeks."""
    try:
        return shelf.lend(isbn, card, today)
    except KeyError:
        raise HTTPException(404, f"there is no book {isbn}") from None
    except NotPossible as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/{isbn}", status_code=204)
async def bring_back(isbn: str, card: OwnCard, shelf: ShelfDep) -> None:
    """Brings a book back."""
    loan = shelf.loans.get(isbn)
    if loan is None or loan.card != card:
        raise HTTPException(404, f"you don't have {isbn}")
    del shelf.loans[isbn]

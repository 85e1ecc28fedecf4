"""The library's books."""

from ferrapi import APIRouter, HTTPException

from ...dependencies import ShelfDep

router = APIRouter()


@router.get("")
async def list_books(shelf: ShelfDep) -> dict[str, str]:
    """Returns all titles by ISBN."""
    return shelf.titles


@router.get("/{isbn}")
async def read_book(isbn: str, shelf: ShelfDep) -> dict[str, str | bool]:
    """Returns one book and whether it is in."""
    if isbn not in shelf.titles:
        raise HTTPException(404, f"there is no book {isbn}")
    return {"isbn": isbn, "title": shelf.titles[isbn], "in": isbn not in shelf.loans}

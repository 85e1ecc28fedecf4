"""The library's readers."""

from ferrapi import APIRouter

from ...dependencies import Card

router = APIRouter()


@router.get("/me")
async def read_me(card: Card) -> dict[str, str]:
    """Returns the card that the request came with."""
    return {"card": card}

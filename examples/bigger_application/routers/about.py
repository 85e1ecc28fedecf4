"""What this is."""

from ferrapi import APIRouter

router = APIRouter(tags=["about"])


@router.get("/")
async def about() -> dict[str, str]:
    """Says where to go."""
    return {"library": "/v1/library/books"}

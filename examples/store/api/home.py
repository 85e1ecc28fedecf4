"""What answers at ``/``: for people who open the service's address."""

from ferrapi import APIRouter, Request

router = APIRouter(include_in_schema=False)

LINKS = {"documentation": "docs", "document": "openapi.json", "catalogue": "search", "health": "health"}


@router.get("/")
async def home(request: Request) -> dict[str, str]:
    """Says what this is, and where to go on."""
    return {"service": request.app.title, **{name: f"{request.base_url}{path}" for name, path in LINKS.items()}}

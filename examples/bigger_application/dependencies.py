"""What routes share. Tests override ``get_shelf`` and ``get_today``, so routes never name the state or the clock."""

import hmac
from datetime import UTC, date, datetime
from typing import Annotated

from ferrapi import Depends, Header, HTTPException

from .shelf import SHELF, Shelf

STAFF_KEY = "open-sesame"


async def get_shelf() -> Shelf:
    """Returns the library's state."""
    return SHELF


async def get_today() -> date:
    """Returns the date in UTC."""
    return datetime.now(UTC).date()


async def require_card(x_library_card: Annotated[str, Header(pattern=r"^reader-\d+$")]) -> str:
    """Returns the number of the reader's card; every route of the application needs one."""
    return x_library_card


async def require_staff(x_staff_key: Annotated[str, Header()] = "") -> None:
    """Lets the staff in, and nobody else (403)."""
    if not hmac.compare_digest(x_staff_key.encode(), STAFF_KEY.encode()):
        raise HTTPException(403, "for staff only")


ShelfDep = Annotated[Shelf, Depends(get_shelf)]
Today = Annotated[date, Depends(get_today)]
Card = Annotated[str, Depends(require_card)]

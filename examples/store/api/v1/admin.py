"""What only the staff sees."""

from collections.abc import Sequence
from typing import Annotated

from ferrapi import APIRouter, Depends, Query, Request, Response

from ...dependencies import FOR_STAFF, PageDep, SessionDep, announce_page, require_admin
from ...models import AuditEntry
from ...repositories import audit
from ...schemas import NO_NUL, AuditOut

router = APIRouter(prefix="/admin", tags=["administration"], dependencies=[Depends(require_admin)], responses=FOR_STAFF)


@router.get("/audit", summary="Read the audit log", response_model=list[AuditOut])
async def read_audit_log(
    request: Request,
    response: Response,
    session: SessionDep,
    page: PageDep,
    subject: Annotated[
        str | None, Query(pattern=NO_NUL, description="Such as `order` and its id, or `customer` and its number.")
    ] = None,
) -> Sequence[AuditEntry]:
    """Lists who did what, newest first."""
    total, found = await audit.page(session, subject, page.limit, page.offset)
    announce_page(request, response, total, page.limit, page.offset)
    return found

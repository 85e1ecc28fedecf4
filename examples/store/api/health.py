"""Whether the process lives and whether it can serve."""

from ferrapi import APIRouter, Response, status
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..dependencies import SessionDep
from ..schemas import Health

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("", summary="The process lives")
async def live() -> Health:
    """Answers without touching anything else."""
    return Health(status="ok")


@router.get("/ready", summary="The service can work", responses={503: {"model": Health}})
async def ready(session: SessionDep, response: Response) -> Health:
    """Asks the database for an answer."""
    try:
        await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return Health(status="unavailable", database="unreachable")
    return Health(status="ok", database="reachable")

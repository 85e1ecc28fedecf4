"""Puts the application together from its routers."""

from ferrapi import Depends, FastAPI

from .dependencies import require_card, require_staff
from .internal import staff
from .routers import about, library

app = FastAPI(title="Public library", dependencies=[Depends(require_card)])
app.include_router(about.router)
app.include_router(library.router, prefix="/v1")
app.include_router(
    staff.router,
    prefix="/staff",
    tags=["staff"],
    dependencies=[Depends(require_staff)],
    responses={403: {"description": "The staff key is missing or wrong"}},
)

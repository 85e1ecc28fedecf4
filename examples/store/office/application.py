"""The office's application, which the store mounts at ``/office`` where it runs on ferrapi.

It has the store's state, so that the store's dependencies work here as they are. Its two versions are named by the
header that names the store's, ``Accept-Version``; who names none means the newest.
"""

from datetime import UTC, datetime

from ferrapi import Depends, FastAPI
from ferrapi.versioning import Version, Versioning

from ..api import login
from ..dependencies import TOO_MANY, Limited
from ..errors import install_error_handlers
from . import catalogue, stock

DESCRIPTION = "For the shop's staff: the whole catalogue at once, and what there is in stock."

VERSIONS = Versioning(
    [
        Version(
            "1",
            deprecated=datetime(2026, 9, 1, tzinfo=UTC),
            sunset=datetime(2027, 9, 1, tzinfo=UTC),
            links={"successor-version": "/office/v2/docs"},
        ),
        "2",
    ],
    by="header",
    default="2",
)


def create_office(store: FastAPI) -> FastAPI:
    """Makes the office of a store."""
    office = FastAPI(title="Loose diamonds: back office", version="2.0.0", description=DESCRIPTION, versioning=VERSIONS)
    office.state = store.state
    install_error_handlers(office)
    for module in (catalogue, stock):
        office.include_router(module.router, dependencies=[Depends(Limited("api"))], responses=TOO_MANY)
    # The token's address in the document is relative to the office: its pages log in here.
    office.include_router(login.router, include_in_schema=False)
    return office

"""What routes ask for: settings, a database session, a page, and the customer behind a token.

``CurrentCustomer`` is a small graph of its own: bearer token from the ``Authorization`` header, claims from the token,
row from the database, and, for ``Admin``, the row's role.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, cast

from ferrapi import Depends, HTTPException, Query, Request, Response, status
from ferrapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .models import Customer, Role
from .security import Claims, TokenError, read_token
from .settings import Settings

bearer = OAuth2PasswordBearer(tokenUrl="login")

# What the document says of routes that use the dependencies below.
FOR_CUSTOMERS: dict[int | str, dict[str, Any]] = {401: {"description": "The bearer token is missing or does not hold"}}
FOR_STAFF = {**FOR_CUSTOMERS, 403: {"description": "The account is not the staff's"}}


async def get_settings(request: Request) -> Settings:
    """Returns the settings that the application was made with."""
    return cast(Settings, request.app.state.settings)


async def get_database(request: Request) -> Database:
    """Returns the database that the application's lifespan opened."""
    return cast(Database, request.app.state.database)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]


async def get_session(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    """Opens a session for the request and closes it, rolling back what was not committed."""
    async with database.sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_claims(token: Annotated[str, Depends(bearer)], settings: SettingsDep) -> Claims:
    """Checks the bearer token.

    Raises:
        HTTPException: 401 when it is forged, changed or expired (a missing one is a 401 of ``bearer`` already).
    """
    try:
        return read_token(token, settings.token_secret.get_secret_value())
    except TokenError as error:
        raise unauthorized(str(error)) from error


async def get_current_customer(claims: Annotated[Claims, Depends(get_claims)], session: SessionDep) -> Customer:
    """Returns the token's customer.

    Raises:
        HTTPException: 401 when the account is gone.
    """
    customer = await session.get(Customer, claims.customer_id)
    if customer is None:
        raise unauthorized("the token's account does not exist any more")
    return customer


CurrentCustomer = Annotated[Customer, Depends(get_current_customer)]


@dataclass(frozen=True, slots=True)
class RequireRole:
    """A dependency that lets one role in."""

    role: Role

    async def __call__(self, customer: CurrentCustomer) -> Customer:
        """Returns the customer, or raises a 403."""
        if customer.role != self.role:
            raise HTTPException(status.HTTP_403_FORBIDDEN, f"this needs the role {self.role.value}")
        return customer


require_admin = RequireRole(Role.ADMIN)
Admin = Annotated[Customer, Depends(require_admin)]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list was asked for."""

    limit: int
    offset: int


async def get_page(
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="How many to leave out first.")] = 0,
) -> Page:
    """Reads the two query parameters that all lists share."""
    return Page(limit, offset)


PageDep = Annotated[Page, Depends(get_page)]


def announce_page(request: Request, response: Response, total: int, limit: int, offset: int) -> None:
    """Sets the headers of one page of a list.

    Parameters:
        total: how many entries there are on all pages, sent as ``X-Total-Count``.
        limit, offset: the page that ``response`` holds. ``Link`` (RFC 8288) names the next and the previous one with
            the request's other query parameters kept.
    """
    response.headers["X-Total-Count"] = str(total)
    others = {"next": offset + limit, "prev": max(offset - limit, 0)}
    wanted = {"next": offset + limit < total, "prev": offset > 0}
    links = [
        f'<{request.url.include_query_params(limit=limit, offset=others[name])}>; rel="{name}"'
        for name in others
        if wanted[name]
    ]
    if links:
        response.headers["Link"] = ", ".join(links)


def unauthorized(message: str) -> HTTPException:
    """Returns a 401 that says which scheme to use."""
    return HTTPException(status.HTTP_401_UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})

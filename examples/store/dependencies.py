"""What routes ask for: the shop's parts, a database session, a page, and the customer behind a token.

``CurrentCustomer`` is a small graph of its own: bearer token from the ``Authorization`` header, claims from the token,
row from the database, and, for ``Admin`` and ``Clerk``, the row's role.
"""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, cast

from ferrapi import Depends, HTTPException, Query, Request, Response, status
from ferrapi.requests import HTTPConnection
from ferrapi.security import HTTPBasic, HTTPBasicCredentials, OAuth2AuthorizationCodeBearer, OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .models import Customer, Role
from .security.tokens import Claims, TokenError, read_token
from .services.notices import Notices
from .services.sessions import Sessions
from .services.shop import Shop
from .settings import Settings

bearer = OAuth2PasswordBearer(tokenUrl="login", refreshUrl="oauth/token")
# The same header; named so that the document offers the other way to a token, too.
code_bearer = OAuth2AuthorizationCodeBearer(
    authorizationUrl="oauth/authorize", tokenUrl="oauth/token", refreshUrl="oauth/token", auto_error=False
)
basic = HTTPBasic(realm="operations")

# What the document says of routes that use the dependencies below.
FOR_CUSTOMERS: dict[int | str, dict[str, Any]] = {401: {"description": "The bearer token is missing or does not hold"}}
FOR_STAFF = {**FOR_CUSTOMERS, 403: {"description": "The account is not the staff's"}}
TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"description": "Too many requests; `Retry-After` says how long to wait"}
}


async def get_shop(connection: HTTPConnection) -> Shop:
    """Returns what the application's lifespan opened."""
    return cast(Shop, connection.app.state.shop)


ShopDep = Annotated[Shop, Depends(get_shop)]


async def get_settings(shop: ShopDep) -> Settings:
    """Returns the settings that the application was made with."""
    return shop.settings


async def get_database(shop: ShopDep) -> Database:
    """Returns the database."""
    return shop.database


async def get_notices(shop: ShopDep) -> Notices:
    """Returns what tells others of a change."""
    return shop.notices


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
NoticesDep = Annotated[Notices, Depends(get_notices)]


async def get_session(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    """Opens a session for the request and closes it, rolling back what was not committed."""
    async with database.sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_sessions(session: SessionDep, settings: SettingsDep) -> Sessions:
    """Returns what logs people in."""
    return Sessions(session, settings)


SessionsDep = Annotated[Sessions, Depends(get_sessions)]


async def get_claims(
    token: Annotated[str, Depends(bearer)],
    settings: SettingsDep,
    _same: Annotated[str | None, Depends(code_bearer)],
) -> Claims:
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
    """A dependency that lets one role in, and the administrators."""

    role: Role

    async def __call__(self, customer: CurrentCustomer) -> Customer:
        """Returns the customer, or raises a 403."""
        if customer.role not in {self.role, Role.ADMIN}:
            raise HTTPException(status.HTTP_403_FORBIDDEN, f"this needs the role {self.role.value}")
        return customer


require_admin = RequireRole(Role.ADMIN)
Admin = Annotated[Customer, Depends(require_admin)]
Clerk = Annotated[Customer, Depends(RequireRole(Role.CLERK))]


async def require_operations(
    credentials: Annotated[HTTPBasicCredentials, Depends(basic)], settings: SettingsDep
) -> None:
    """Lets in who watches the service, by HTTP Basic.

    Raises:
        HTTPException: 401 for other credentials, and for any where the settings have no password.
    """
    wanted = settings.operations_password
    named = secrets.compare_digest(credentials.username.encode(), settings.operations_user.encode())
    secret = "" if wanted is None else wanted.get_secret_value()
    known = secrets.compare_digest(credentials.password.encode(), secret.encode())
    if not (secret and named and known):
        challenge = {"WWW-Authenticate": 'Basic realm="operations"'}
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "these credentials do not hold", headers=challenge)


@dataclass(frozen=True, slots=True)
class Limited:
    """A dependency that counts a client's requests on one subject of the settings."""

    subject: str

    async def __call__(self, connection: HTTPConnection, response: Response, shop: ShopDep) -> None:
        """Says in headers where the client stands, or raises a 429."""
        standing = await shop.limiter.hit(self.subject, connection.client.host if connection.client else "")
        if standing is None:
            return
        headers = {"RateLimit-Limit": str(standing.limit), "RateLimit-Remaining": str(standing.remaining)}
        headers["RateLimit-Reset"] = str(standing.seconds)
        if not standing.allowed:
            headers["Retry-After"] = str(standing.seconds)
            raise HTTPException(status.HTTP_429_TOO_MANY_REQUESTS, "too many requests", headers=headers)
        response.headers.update(headers)


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

"""Refresh tokens and authorization codes. The database knows them by their digests only."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import writing
from ..models import AuthorizationCode, RefreshToken, utc_now
from ..security.oauth import digest, new_secret

CODE_LIFETIME = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A refresh token that was used, and the one that follows it."""

    customer_id: int
    token: str


def add_refresh_token(
    session: AsyncSession, customer_id: int, client_id: str | None, lifetime: timedelta, family: UUID | None = None
) -> str:
    """Adds a token to the caller's transaction and returns it; it begins a family unless it is of one."""
    token = new_secret()
    row = RefreshToken(
        digest=digest(token),
        family=family or uuid4(),
        customer_id=customer_id,
        client_id=client_id,
        expires_at=utc_now() + lifetime,
    )
    session.add(row)
    return token


async def new_refresh_token(session: AsyncSession, customer_id: int, client_id: str | None, lifetime: timedelta) -> str:
    """Begins a family with a token and returns it."""
    async with writing(session):
        return add_refresh_token(session, customer_id, client_id, lifetime)


async def renew(session: AsyncSession, token: str, client_id: str | None, lifetime: timedelta) -> Renewed | None:
    """Uses a refresh token up and returns the next one, or None if it does not hold.

    A token that was used before is in two hands: the whole family is revoked.
    """
    async with writing(session):
        row = await session.scalar(select(RefreshToken).where(RefreshToken.digest == digest(token)).with_for_update())
        if row is None or row.client_id != client_id or row.revoked_at is not None or row.expires_at <= utc_now():
            return None
        if row.used_at is not None:
            await _revoke_family(session, row.family)
            return None
        row.used_at = utc_now()
        follower = add_refresh_token(session, row.customer_id, client_id, lifetime, row.family)
        return Renewed(row.customer_id, follower)


async def revoke(session: AsyncSession, token: str) -> None:
    """Ends the family of a refresh token; one that is unknown is nobody's business (RFC 7009)."""
    async with writing(session):
        row = await session.scalar(select(RefreshToken).where(RefreshToken.digest == digest(token)))
        if row is not None:
            await _revoke_family(session, row.family)


async def _revoke_family(session: AsyncSession, family: UUID) -> None:
    ends = update(RefreshToken).where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
    await session.execute(ends.values(revoked_at=utc_now()))


async def new_code(session: AsyncSession, customer_id: int, client_id: str, redirect_uri: str, challenge: str) -> str:
    """Returns a code for the client that holds for a minute; removes those that are over."""
    code = new_secret()
    async with writing(session):
        await session.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at <= utc_now()))
        row = AuthorizationCode(
            digest=digest(code),
            customer_id=customer_id,
            client_id=client_id,
            redirect_uri=redirect_uri,
            challenge=challenge,
            expires_at=utc_now() + CODE_LIFETIME,
        )
        session.add(row)
    return code


async def take_code(session: AsyncSession, code: str) -> AuthorizationCode | None:
    """Removes a code and returns what it stood for, or None if there is none that holds: nobody can use it again."""
    async with writing(session):
        row = await session.scalar(
            select(AuthorizationCode).where(AuthorizationCode.digest == digest(code)).with_for_update()
        )
        if row is None:
            return None
        await session.delete(row)
    return row if row.expires_at > utc_now() else None

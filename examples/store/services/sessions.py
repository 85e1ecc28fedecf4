"""Sessions of accounts: from a password, a code or a refresh token to a pair of tokens."""

from dataclasses import dataclass

from ferrapi.concurrency import run_in_threadpool
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import Customer
from ..repositories import credentials, customers
from ..schemas import Token
from ..security.oauth import verifier_matches
from ..security.passwords import hash_password, password_matches
from ..security.tokens import issue_token
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class Sessions:
    """What logs people in, within one request."""

    session: AsyncSession
    settings: Settings

    async def check_password(self, email: str, password: str) -> Customer | None:
        """Returns the customer with these credentials, or None; as slow for an account that there isn't."""
        customer = await customers.by_email(self.session, email)
        await self.session.commit()  # gives the connection back while the password is checked
        if customer is None:
            await run_in_threadpool(hash_password, password)
            return None
        matches = await run_in_threadpool(password_matches, password, customer.password_hash)
        return customer if matches else None

    async def begin(self, customer_id: int, client_id: str | None = None) -> Token:
        """Begins a session of a customer, through a client or without one."""
        lifetime = self.settings.refresh_lifetime
        refresh_token = await credentials.new_refresh_token(self.session, customer_id, client_id, lifetime)
        return self._tokens(customer_id, refresh_token)

    async def renew(self, refresh_token: str, client_id: str | None) -> Token | None:
        """Goes on with a session, or None if the refresh token does not hold."""
        lifetime = self.settings.refresh_lifetime
        renewed = await credentials.renew(self.session, refresh_token, client_id, lifetime)
        return None if renewed is None else self._tokens(renewed.customer_id, renewed.token)

    async def redeem(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> Token | None:
        """Begins a session from a code; None unless it was given to this client for this address and verifier."""
        taken = await credentials.take_code(self.session, code)
        if taken is None or (taken.client_id, taken.redirect_uri) != (client_id, redirect_uri):
            return None
        return await self.begin(taken.customer_id, client_id) if verifier_matches(verifier, taken.challenge) else None

    def _tokens(self, customer_id: int, refresh_token: str) -> Token:
        lifetime = self.settings.token_lifetime
        token = issue_token(customer_id, lifetime, self.settings.token_secret.get_secret_value())
        return Token(access_token=token, refresh_token=refresh_token, expires_in=int(lifetime.total_seconds()))

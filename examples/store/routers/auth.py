"""Logging in."""

from typing import Annotated

from ferrapi import APIRouter, Depends
from ferrapi.concurrency import run_in_threadpool
from ferrapi.security import OAuth2PasswordRequestForm

from ..dependencies import SessionDep, SettingsDep, unauthorized
from ..repositories import customers
from ..schemas import Token
from ..security import hash_password, issue_token, password_matches

router = APIRouter(tags=["accounts"])


@router.post("/login", summary="Log in", responses={401: {"description": "The email or the password is wrong"}})
async def login(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], session: SessionDep, settings: SettingsDep
) -> Token:
    """Exchanges an email address (as `username`) and a password for a bearer token."""
    customer = await customers.by_email(session, form.username)
    await session.commit()  # gives the connection back while the password is checked
    if customer is None:
        await run_in_threadpool(hash_password, form.password)  # as slow as for an account that exists
        raise unauthorized("the email or the password is wrong")
    if not await run_in_threadpool(password_matches, form.password, customer.password_hash):
        raise unauthorized("the email or the password is wrong")
    token = issue_token(customer.id, settings.token_lifetime, settings.token_secret.get_secret_value())
    return Token(access_token=token, expires_in=int(settings.token_lifetime.total_seconds()))

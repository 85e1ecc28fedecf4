"""Logging in with a password, for the shop's own pages and for scripts; others use ``oauth``."""

from typing import Annotated

from ferrapi import APIRouter, Depends
from ferrapi.security import OAuth2PasswordRequestForm

from ..dependencies import TOO_MANY, Limited, SessionsDep, unauthorized
from ..schemas import Token

router = APIRouter(tags=["accounts"])


@router.post(
    "/login",
    summary="Log in",
    dependencies=[Depends(Limited("login"))],
    responses={401: {"description": "The email or the password is wrong"}, **TOO_MANY},
)
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()], sessions: SessionsDep) -> Token:
    """Exchanges an email address (as `username`) and a password for a bearer token."""
    customer = await sessions.check_password(form.username, form.password)
    if customer is None:
        raise unauthorized("the email or the password is wrong")
    return await sessions.begin(customer.id)

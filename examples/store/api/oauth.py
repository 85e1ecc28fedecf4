"""OAuth2 for clients without a secret: the authorization code grant with PKCE, refreshing and revoking.

RFC 6749 with what RFC 9700 asks of today's servers: `S256` is required, redirect addresses match to the letter, codes
are used once, refresh tokens too. The endpoints and their errors are the protocol's, so they have no version.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

from ferrapi import APIRouter, Depends, Form, Query, Request, Response, status
from ferrapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from ferrapi.templating import Jinja2Templates
from pydantic import BaseModel, Field

from ..dependencies import TOO_MANY, Limited, SessionDep, SessionsDep, SettingsDep
from ..repositories import credentials
from ..schemas import NO_NUL, Token
from ..security.oauth import METHOD, may_redirect
from ..settings import Settings

router = APIRouter(prefix="/oauth", tags=["accounts"])
pages = Jinja2Templates(Path(__file__).parent.parent / "templates")
SAFE_PAGE = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
Text = Annotated[str, Field(max_length=500, pattern=NO_NUL)]
Secret = Annotated[str, Field(max_length=200)]


class Authorization(BaseModel):
    """What a client asks for (RFC 6749, section 4.1.1; RFC 7636, section 4.3)."""

    response_type: Text = ""
    client_id: Text = ""
    redirect_uri: Text = ""
    state: Text | None = None
    scope: Text = ""
    code_challenge: Text = ""
    code_challenge_method: Text = "plain"

    def mistake(self) -> str | None:
        """Returns the error code of a request that goes back to its client, if it does."""
        if self.response_type != "code":
            return "unsupported_response_type"
        proven = self.code_challenge_method == METHOD and len(self.code_challenge) == 43
        return None if proven else "invalid_request"

    def answer(self, **values: str) -> RedirectResponse:
        """Sends the browser back to the client with an answer."""
        if self.state is not None:
            values["state"] = self.state
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return RedirectResponse(f"{self.redirect_uri}{joint}{urlencode(values)}", status.HTTP_303_SEE_OTHER)


class Credentials(Authorization):
    """The same, with what was typed into the page."""

    username: Text = ""
    password: Secret = ""


class Grant(BaseModel):
    """What a client gives for tokens (RFC 6749, sections 4.1.3 and 6)."""

    grant_type: Literal["authorization_code", "refresh_token"]
    client_id: Text | None = None
    code: Text = ""
    redirect_uri: Text = ""
    code_verifier: Annotated[str, Field(max_length=128)] = ""
    refresh_token: Text = ""


def page(request: Request, asked: Authorization, message: str = "", code: int = 200) -> HTMLResponse:
    """Shows the page to log in, which carries the client's request along."""
    hidden = {name: value for name, value in asked.model_dump().items() if value and name in Authorization.model_fields}
    context = {"hidden": hidden, "message": message, "client": asked.client_id}
    return pages.TemplateResponse(request, "authorize.html", context, status_code=code, headers=SAFE_PAGE)


def refusal(request: Request, asked: Authorization, settings: Settings) -> Response | None:
    """Returns the answer to a request that can't be granted; nothing goes to an address that is not the client's."""
    if not may_redirect(asked.redirect_uri, settings.oauth_clients.get(asked.client_id, [])):
        context = {"hidden": {}, "message": "This client or its address is not known here.", "client": ""}
        return pages.TemplateResponse(request, "authorize.html", context, status_code=400, headers=SAFE_PAGE)
    mistake = asked.mistake()
    return None if mistake is None else asked.answer(error=mistake)


@router.get("/authorize", summary="Ask somebody to let a client in", response_class=HTMLResponse)
async def ask(request: Request, asked: Annotated[Authorization, Query()], settings: SettingsDep) -> Response:
    """Shows the page to log in."""
    return refusal(request, asked, settings) or page(request, asked)


@router.post(
    "/authorize",
    summary="Let a client in",
    response_class=HTMLResponse,
    dependencies=[Depends(Limited("login"))],
    responses=TOO_MANY,
)
async def authorize(
    request: Request,
    form: Annotated[Credentials, Form()],
    settings: SettingsDep,
    sessions: SessionsDep,
    session: SessionDep,
) -> Response:
    """Checks what was typed in and sends the browser back to the client with a code."""
    refused = refusal(request, form, settings)
    if refused is not None:
        return refused
    customer = await sessions.check_password(form.username, form.password)
    if customer is None:
        return page(request, form, "The email or the password is wrong.", status.HTTP_401_UNAUTHORIZED)
    code = await credentials.new_code(session, customer.id, form.client_id, form.redirect_uri, form.code_challenge)
    return form.answer(code=code)


@router.post(
    "/token",
    summary="Exchange a code or a refresh token for tokens",
    response_model=Token,
    dependencies=[Depends(Limited("login"))],
    responses={400: {"description": "The code or the refresh token does not hold (RFC 6749, section 5.2)"}, **TOO_MANY},
)
async def exchange(grant: Annotated[Grant, Form()], sessions: SessionsDep, response: Response) -> Token | Response:
    """Answers with an access token and the next refresh token."""
    if grant.grant_type == "refresh_token":
        token = await sessions.renew(grant.refresh_token, grant.client_id)
    else:
        token = await sessions.redeem(grant.code, grant.client_id or "", grant.redirect_uri, grant.code_verifier)
    if token is None:
        return JSONResponse({"error": "invalid_grant"}, status.HTTP_400_BAD_REQUEST, {"Cache-Control": "no-store"})
    response.headers["Cache-Control"] = "no-store"
    return token


@router.post("/revoke", summary="End a session", dependencies=[Depends(Limited("login"))], responses=TOO_MANY)
async def end(token: Annotated[Text, Form()], session: SessionDep) -> dict[str, str]:
    """Revokes a refresh token and all that followed it (RFC 7009); an access token ends by itself."""
    await credentials.revoke(session, token)
    return {}

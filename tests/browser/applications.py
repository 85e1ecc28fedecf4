"""What the browser is shown: applications whose every answer forbids what does not come from their own host.

Each runs under the strictest policy that is in common use, as a middleware or a proxy of a user's would set it.
"""

import base64
import hashlib
import math
import secrets
from typing import Annotated
from urllib.parse import urlencode

from ferrapi import Depends, FastAPI, Form, HTTPException, Query
from ferrapi.responses import RedirectResponse
from ferrapi.security import OAuth2AuthorizationCodeBearer, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from ferrapi.versioning import Versioning
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.store.main import app as store_application

from .settings import AWKWARD, PASSWORD, POLICY, PREFIX


class Strict:
    """Adds the policy to every response, and says that the application is behind a proxy, as a server's option does.

    Parameters:
        app: the application.
        prefix: the root path: what the client's paths begin with and the application's don't.
    """

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", POLICY.encode())]
            await send(message)

        if scope["type"] == "http" and self.prefix:
            assert scope["path"].startswith(self.prefix), scope["path"]
            scope = {**scope, "root_path": self.prefix}
        await self.app(scope, receive, with_policy)


class Item(BaseModel):
    """Something with a model of its own, so that pages have schemas to unfold."""

    name: str
    tags: list[str] = []


def guarded(place: str) -> FastAPI:
    """An application that is its own provider of tokens, by password and by authorization code with PKCE.

    Parameters:
        place: where the client finds it; the document names the provider's addresses with it.
    """
    app = FastAPI(
        title="Guarded",
        swagger_ui_init_oauth={"clientId": "pages", "usePkceWithAuthorizationCodeGrant": True, "appName": AWKWARD},
        swagger_ui_parameters={"displayOperationId": True, "mine": {AWKWARD: [AWKWARD, None, math.inf, 1.5]}},
    )
    by_password = OAuth2PasswordBearer(f"{place}/token", scheme_name="Password")
    by_code = OAuth2AuthorizationCodeBearer(
        f"{place}/authorize", f"{place}/exchange", scheme_name="Code", scopes={"items": "Read items"}
    )
    challenges: dict[str, str] = {}

    @app.post("/token", include_in_schema=False)
    def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
        if form.password != PASSWORD:
            raise HTTPException(400, "wrong password")
        return {"access_token": f"password of {form.username}", "token_type": "bearer"}

    @app.get("/authorize", include_in_schema=False)
    def authorize(
        redirect_uri: str,
        state: str,
        code_challenge: str,
        response_type: Annotated[str, Query(pattern="^code$")],
        code_challenge_method: Annotated[str, Query(pattern="^S256$")],
    ) -> RedirectResponse:
        code = secrets.token_urlsafe()
        challenges[code] = code_challenge
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}")

    @app.post("/exchange", include_in_schema=False)
    def exchange(code: Annotated[str, Form()], code_verifier: Annotated[str, Form()]) -> dict[str, str]:
        digest = hashlib.sha256(code_verifier.encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenges.pop(code):
            raise HTTPException(400, "not who asked for the code")
        return {"access_token": "code", "token_type": "bearer"}

    @app.get("/by-password")
    def asked_by_password(token: Annotated[str, Depends(by_password)]) -> dict[str, str]:
        return {"token": token}

    @app.get("/by-code")
    def asked_by_code(token: Annotated[str, Depends(by_code)]) -> dict[str, str]:
        return {"token": token}

    @app.post("/items")
    def add(item: Item, urgent: bool = False) -> Item:
        return item

    return app


def _mounted() -> FastAPI:
    outer = FastAPI(docs_url=None, redoc_url=None)
    outer.mount(PREFIX, guarded(PREFIX))
    return outer


def _versioned() -> FastAPI:
    app = FastAPI(title="Versioned", versioning=Versioning(["1", "2"]))

    @app.get("/items", versions=">=1")
    def items() -> list[Item]:
        return []

    @app.get("/prices", versions=">=2")
    def prices() -> list[int]:
        return []

    return app


store = Strict(store_application)
plain = Strict(guarded(""))
mounted = Strict(_mounted())
proxied = Strict(guarded(PREFIX), PREFIX)
versioned = Strict(_versioned())

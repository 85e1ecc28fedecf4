"""OAuth2: where clients get tokens (for the document), the token of a request, and the form of the password flow."""

from typing import TYPE_CHECKING, Annotated, Any

from starlette.requests import HTTPConnection
from starlette.status import HTTP_401_UNAUTHORIZED

from .._names import names_of
from ..exceptions import HTTPException
from ..openapi.models import OAuth2 as OAuth2Model
from ..openapi.models import OAuthFlows as OAuthFlowsModel
from ..param_functions import Form
from .base import HeaderScheme

__all__ = [
    "OAuth2",
    "OAuth2AuthorizationCodeBearer",
    "OAuth2PasswordBearer",
    "OAuth2PasswordRequestForm",
    "OAuth2PasswordRequestFormStrict",
    "SecurityScopes",
]

_SECRET = {"format": "password"}
"""Tells documentation pages not to show what is typed."""


class OAuth2PasswordRequestForm:
    """The form of the password flow (RFC 6749, section 4.3.2), as a dependency: `form: ... = Depends()`.

    `scope` is one string of names with spaces between them on the wire, and the list `scopes` here.

    Args:
        grant_type: `"password"`; the RFC requires it, this class does not.
        username: The user's name.
        password: The password.
        scope: The scopes that are asked for.
        client_id: The client's id, if it is sent in the form.
        client_secret: The client's secret, if it is sent in the form.
    """

    def __init__(
        self,
        *,
        grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
        username: Annotated[str, Form()],
        password: Annotated[str, Form(json_schema_extra=_SECRET)],
        scope: Annotated[str, Form()] = "",
        client_id: Annotated[str | None, Form()] = None,
        client_secret: Annotated[str | None, Form(json_schema_extra=_SECRET)] = None,
    ) -> None:
        self.grant_type = grant_type
        self.username = username
        self.password = password
        self.scopes = scope.split()
        self.client_id = client_id
        self.client_secret = client_secret


class OAuth2PasswordRequestFormStrict(OAuth2PasswordRequestForm):
    """The same form for clients that follow the RFC: `grant_type` has to be sent.

    Args:
        grant_type: `"password"`.
        username: The user's name.
        password: The password.
        scope: The scopes that are asked for.
        client_id: The client's id, if it is sent in the form.
        client_secret: The client's secret, if it is sent in the form.
    """

    def __init__(
        self,
        grant_type: Annotated[str, Form(pattern="^password$")],
        username: Annotated[str, Form()],
        password: Annotated[str, Form()],
        scope: Annotated[str, Form()] = "",
        client_id: Annotated[str | None, Form()] = None,
        client_secret: Annotated[str | None, Form()] = None,
    ) -> None:
        super().__init__(
            grant_type=grant_type,
            username=username,
            password=password,
            scope=scope,
            client_id=client_id,
            client_secret=client_secret,
        )


class OAuth2(HeaderScheme):
    """Any flow; the value is the whole `Authorization` header.

    Args:
        flows: Where and how clients get tokens: an `OAuthFlows` model or its dictionary.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing header ends the request with 401; otherwise the value is None.

    Raises:
        ValidationError: `flows` is not what OpenAPI defines.
    """

    model: OAuth2Model

    if TYPE_CHECKING:

        async def __call__(self, request: HTTPConnection) -> str | None: ...

    def __init__(
        self,
        *,
        flows: OAuthFlowsModel | dict[str, dict[str, Any]] = OAuthFlowsModel(),  # never mutated
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.model = OAuth2Model.model_validate({"flows": flows, "description": description})
        self.scheme_name = scheme_name or type(self).__name__
        self.auto_error = auto_error

    def make_not_authenticated_error(self) -> HTTPException:
        """Make the 401 for a missing token. OAuth2 names no challenge of its own, so it is that of bearer tokens."""
        return HTTPException(
            status_code=HTTP_401_UNAUTHORIZED, detail="Not authenticated", headers={"WWW-Authenticate": "Bearer"}
        )

    def _credentials_in(self, value: str | None) -> str | None:
        return self._required(value)

    def _required(self, value: str | None) -> str | None:
        """The value if there is one; otherwise 401 or None."""
        if value:
            return value
        if self.auto_error:
            raise self.make_not_authenticated_error()
        return None


class _OAuth2Bearer(OAuth2):
    """A flow whose tokens come as bearer tokens; the value is the token."""

    _token_scheme = b"bearer"

    def _credentials_in(self, value: str | None) -> str | None:
        scheme, _, token = value.partition(" ") if value else ("", "", "")
        if scheme.lower() == "bearer":
            return token.strip()
        return self._required(None)


class OAuth2PasswordBearer(_OAuth2Bearer):
    """Tokens got with a user name and a password.

    Args:
        tokenUrl: Where the form of `OAuth2PasswordRequestForm` is sent to.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        scopes: The scopes that exist, with a description each.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing token ends the request with 401; otherwise the value is None.
        refreshUrl: Where a token is refreshed.
    """

    def __init__(
        self,
        tokenUrl: str,
        scheme_name: str | None = None,
        scopes: dict[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,
        refreshUrl: str | None = None,
    ) -> None:
        flow = {"tokenUrl": tokenUrl, "refreshUrl": refreshUrl, "scopes": scopes or {}}
        super().__init__(
            flows=OAuthFlowsModel.model_validate({"password": flow}),
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )


class OAuth2AuthorizationCodeBearer(_OAuth2Bearer):
    """Tokens got with a code that the authorization server hands to the client.

    Args:
        authorizationUrl: Where the user is sent to.
        tokenUrl: Where the code becomes a token.
        refreshUrl: Where a token is refreshed.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        scopes: The scopes that exist, with a description each.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing token ends the request with 401; otherwise the value is None.
    """

    def __init__(
        self,
        authorizationUrl: str,
        tokenUrl: str,
        refreshUrl: str | None = None,
        scheme_name: str | None = None,
        scopes: dict[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        flow = {
            "authorizationUrl": authorizationUrl,
            "tokenUrl": tokenUrl,
            "refreshUrl": refreshUrl,
            "scopes": scopes or {},
        }
        super().__init__(
            flows=OAuthFlowsModel.model_validate({"authorizationCode": flow}),
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )


class SecurityScopes:
    """The scopes that the dependants of a dependency require, for a parameter of this type.

    Args:
        scopes: Filled in by the framework.

    Attributes:
        scopes: All scopes from the endpoint down to the dependency, in that order.
        scope_str: The same as one string, with spaces between them.
    """

    def __init__(self, scopes: list[str] | None = None) -> None:
        self.scopes: list[str] = scopes or []
        self.scope_str = " ".join(self.scopes)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

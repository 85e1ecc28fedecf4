"""The schemes of the `Authorization` header: Basic, Bearer, Digest, and any other by name.

Scheme names are compared without regard to case (RFC 9110, section 11.1), and what the client sent is handed on in
the case that it came in.
"""

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from starlette.requests import HTTPConnection
from starlette.status import HTTP_401_UNAUTHORIZED

from .._names import names_of
from ..exceptions import HTTPException
from ..openapi.models import HTTPBase as HTTPBaseModel
from ..openapi.models import HTTPBearer as HTTPBearerModel
from .base import HeaderScheme
from .utils import get_authorization_scheme_param

__all__ = ["HTTPAuthorizationCredentials", "HTTPBase", "HTTPBasic", "HTTPBasicCredentials", "HTTPBearer", "HTTPDigest"]


class HTTPBasicCredentials(BaseModel):
    """A user name and a password.

    Attributes:
        username: The name, which has no colon.
        password: The password.
    """

    username: str
    password: str


class HTTPAuthorizationCredentials(BaseModel):
    """The two parts of an `Authorization` header.

    Attributes:
        scheme: Its first word, as it was sent.
        credentials: The rest: a token, or a list of parameters.
    """

    scheme: str
    credentials: str


class HTTPBase(HeaderScheme):
    """Any scheme; whatever scheme the client used is accepted, so compare `scheme` if that matters.

    Args:
        scheme: The scheme's name for the OpenAPI document and the challenge.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether missing credentials end the request with 401; otherwise the value is None.
    """

    model: HTTPBaseModel

    if TYPE_CHECKING:

        async def __call__(self, request: HTTPConnection) -> HTTPAuthorizationCredentials | None: ...

    def __init__(
        self, *, scheme: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        self._set_up(HTTPBaseModel(scheme=scheme, description=description), scheme_name, auto_error)

    def _set_up(self, model: HTTPBaseModel, scheme_name: str | None, auto_error: bool) -> None:
        self.model = model
        self.scheme_name = scheme_name or type(self).__name__
        self.auto_error = auto_error

    def make_authenticate_headers(self) -> dict[str, str]:
        """Make the challenge that a 401 has to carry."""
        return {"WWW-Authenticate": self.model.scheme.title()}

    def make_not_authenticated_error(self) -> HTTPException:
        """Make the 401 for missing or unusable credentials."""
        return HTTPException(
            status_code=HTTP_401_UNAUTHORIZED, detail="Not authenticated", headers=self.make_authenticate_headers()
        )

    _expected_scheme: str | None = None

    def _credentials_in(self, value: str | None) -> Any:
        """The header's two parts, both there and of the expected scheme; otherwise 401 or None."""
        scheme, credentials = get_authorization_scheme_param(value)
        if scheme and credentials and (self._expected_scheme is None or scheme.lower() == self._expected_scheme):
            return HTTPAuthorizationCredentials(scheme=scheme, credentials=credentials)
        self._refuse()
        return None

    def _refuse(self) -> None:
        """End the request, unless the value may be None."""
        if self.auto_error:
            raise self.make_not_authenticated_error()


class HTTPBasic(HTTPBase):
    """User name and password (RFC 7617), of ASCII characters.

    Args:
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        realm: What the credentials are for; browsers show it. It must not contain a quotation mark.
        description: Text for the OpenAPI document.
        auto_error: Whether missing credentials end the request with 401; otherwise the value is None. Credentials
            that are there and can't be read are a 401 in any case.
    """

    if TYPE_CHECKING:

        async def __call__(  # type: ignore[override]
            self, request: HTTPConnection
        ) -> HTTPBasicCredentials | None: ...

    def __init__(
        self,
        *,
        scheme_name: str | None = None,
        realm: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self._set_up(HTTPBaseModel(scheme="basic", description=description), scheme_name, auto_error)
        self.realm = realm

    def make_authenticate_headers(self) -> dict[str, str]:
        """Make the challenge, with the realm if there is one."""
        return {"WWW-Authenticate": f'Basic realm="{self.realm}"' if self.realm else "Basic"}

    def _credentials_in(self, value: str | None) -> Any:
        """The user name and the password."""
        scheme, credentials = get_authorization_scheme_param(value)
        if scheme.lower() != "basic":
            self._refuse()
            return None
        try:
            decoded = b64decode(credentials).decode("ascii")
        except (ValueError, binascii.Error) as error:
            raise self.make_not_authenticated_error() from error
        username, colon, password = decoded.partition(":")
        if not colon:
            raise self.make_not_authenticated_error()
        return HTTPBasicCredentials(username=username, password=password)


class HTTPBearer(HTTPBase):
    """A bearer token (RFC 6750).

    Args:
        bearerFormat: What kind of token it is, for the OpenAPI document.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing token ends the request with 401; otherwise the value is None.
    """

    _expected_scheme = "bearer"

    def __init__(
        self,
        *,
        bearerFormat: str | None = None,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self._set_up(HTTPBearerModel(bearerFormat=bearerFormat, description=description), scheme_name, auto_error)


class HTTPDigest(HTTPBase):
    """The header of digest authentication, its parameters unparsed; checking them is the application's part.

    Args:
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether missing credentials end the request with 401; otherwise the value is None.
    """

    _expected_scheme = "digest"

    def __init__(
        self, *, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        self._set_up(HTTPBaseModel(scheme="digest", description=description), scheme_name, auto_error)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

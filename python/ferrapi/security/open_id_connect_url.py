"""OpenID Connect, found by its discovery document."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.status import HTTP_401_UNAUTHORIZED

from .._names import names_of
from ..openapi.models import OpenIdConnect as OpenIdConnectModel
from .base import HeaderScheme

__all__ = ["OpenIdConnect"]


class OpenIdConnect(HeaderScheme):
    """Describes the scheme, and hands out the `Authorization` header as it is; checking it is the application's part.

    Args:
        openIdConnectUrl: The URL of the discovery document.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing header ends the request with 401; otherwise the value is None.
    """

    model: OpenIdConnectModel

    if TYPE_CHECKING:

        async def __call__(self, request: HTTPConnection) -> str | None: ...

    def __init__(
        self,
        *,
        openIdConnectUrl: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.model = OpenIdConnectModel(openIdConnectUrl=openIdConnectUrl, description=description)
        self.scheme_name = scheme_name or type(self).__name__
        self.auto_error = auto_error

    def make_not_authenticated_error(self) -> HTTPException:
        """Make the 401 for a missing header, with the challenge of bearer tokens."""
        return HTTPException(
            status_code=HTTP_401_UNAUTHORIZED, detail="Not authenticated", headers={"WWW-Authenticate": "Bearer"}
        )

    def _credentials_in(self, value: str | None) -> str | None:
        """The header; otherwise 401 or None."""
        if value:
            return value
        if self.auto_error:
            raise self.make_not_authenticated_error()
        return None


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

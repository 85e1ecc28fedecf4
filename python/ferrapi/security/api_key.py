"""API keys: one secret in the query, a header or a cookie."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.status import HTTP_401_UNAUTHORIZED

from .._names import names_of
from ..openapi.models import APIKey, APIKeyIn
from .base import HeaderScheme, SecurityBase

__all__ = ["APIKeyBase", "APIKeyCookie", "APIKeyHeader", "APIKeyQuery"]


class APIKeyBase(SecurityBase):
    """What the three places have in common.

    Args:
        location: Where the key is.
        name: The name of the parameter, header or cookie.
        description: Text for the OpenAPI document.
        scheme_name: The scheme's key there; by default the class's name.
        auto_error: Whether a missing key ends the request.
    """

    model: APIKey

    def __init__(
        self, location: APIKeyIn, name: str, description: str | None, scheme_name: str | None, auto_error: bool
    ) -> None:
        self.auto_error = auto_error
        self.model = APIKey.model_validate({"in": location, "name": name, "description": description})
        self.scheme_name = scheme_name or type(self).__name__

    def make_not_authenticated_error(self) -> HTTPException:
        """Make the 401 for a missing key.

        RFC 9110 wants a challenge with every 401 and no scheme is registered for API keys, so it says `APIKey`.
        """
        return HTTPException(
            status_code=HTTP_401_UNAUTHORIZED, detail="Not authenticated", headers={"WWW-Authenticate": "APIKey"}
        )

    def check_api_key(self, api_key: str | None) -> str | None:
        """Give the key back, or treat its absence as the scheme was told to; an empty key is none.

        Raises:
            HTTPException: There is no key and `auto_error` is on.
        """
        if api_key:
            return api_key
        if self.auto_error:
            raise self.make_not_authenticated_error()
        return None


class APIKeyQuery(APIKeyBase):
    """A key in the query string.

    Args:
        name: The parameter's name.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing key ends the request with 401; otherwise the value is None.
    """

    def __init__(
        self, *, name: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        super().__init__(APIKeyIn.query, name, description, scheme_name, auto_error)

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the key of a request."""
        return self.check_api_key(request.query_params.get(self.model.name))


class APIKeyHeader(HeaderScheme, APIKeyBase):
    """A key in a header.

    Args:
        name: The header's name.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing key ends the request with 401; otherwise the value is None.
    """

    if TYPE_CHECKING:

        async def __call__(self, request: HTTPConnection) -> str | None: ...

    def __init__(
        self, *, name: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        super().__init__(APIKeyIn.header, name, description, scheme_name, auto_error)

    @property
    def _header(self) -> str:
        return self.model.name

    def _credentials_in(self, value: str | None) -> str | None:
        return self.check_api_key(value)


class APIKeyCookie(APIKeyBase):
    """A key in a cookie.

    Args:
        name: The cookie's name.
        scheme_name: The scheme's key in the OpenAPI document; by default the class's name.
        description: Text for the OpenAPI document.
        auto_error: Whether a missing key ends the request with 401; otherwise the value is None.
    """

    def __init__(
        self, *, name: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        super().__init__(APIKeyIn.cookie, name, description, scheme_name, auto_error)

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the key of a request."""
        return self.check_api_key(request.cookies.get(self.model.name))


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

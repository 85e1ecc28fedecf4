"""What makes an object a security scheme."""

from typing import Any

from starlette.requests import HTTPConnection

from ..openapi.models import SecurityBase as SecurityBaseModel

__all__ = ["HeaderScheme", "SecurityBase"]


class SecurityBase:
    """The base of all schemes; a dependency of this type becomes a security requirement of its operations.

    Attributes:
        model: The scheme's object in the OpenAPI document.
        scheme_name: Its key there.
    """

    model: SecurityBaseModel
    scheme_name: str


class HeaderScheme(SecurityBase):
    """A scheme whose credentials are in one header. The engine gives it that header without making a `Request`.

    Each scheme tells type checkers what its `__call__` returns.
    """

    _token_scheme: bytes | None = None
    """The scheme, in lower case, for which the credentials are what follows it in the header, and nothing else."""

    @property
    def _header(self) -> str:
        """The header's name."""
        return "Authorization"

    def _credentials_in(self, value: str | None) -> Any:
        """The credentials in the header; None or an `HTTPException` without them."""
        raise NotImplementedError

    async def __call__(self, request: HTTPConnection) -> Any:
        """Read the credentials of a request."""
        return self._credentials_in(request.headers.get(self._header))

    # It does nothing else, as long as nobody overrides or replaces it.
    __call__.reads_one_header = __call__.__code__  # type: ignore[attr-defined]

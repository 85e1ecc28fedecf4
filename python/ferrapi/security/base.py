"""What makes an object a security scheme."""

from ..openapi.models import SecurityBase as SecurityBaseModel

__all__ = ["SecurityBase"]


class SecurityBase:
    """The base of all schemes; a dependency of this type becomes a security requirement of its operations.

    Attributes:
        model: The scheme's object in the OpenAPI document.
        scheme_name: Its key there.
    """

    model: SecurityBaseModel
    scheme_name: str

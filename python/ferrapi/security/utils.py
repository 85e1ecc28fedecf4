"""Taking an `Authorization` header apart."""

__all__ = ["get_authorization_scheme_param"]


def get_authorization_scheme_param(authorization_header_value: str | None) -> tuple[str, str]:
    """Split the header at its first space: the scheme, and what follows without surrounding white space.

    Args:
        authorization_header_value: The header; two empty strings are returned if there is none.
    """
    scheme, _, param = (authorization_header_value or "").partition(" ")
    return scheme, param.strip()

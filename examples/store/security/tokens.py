"""Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256.

The one algorithm is named when a token is read, so that no token can ask for another. What a token opens is decided by
the customer's row, not by the token: a role that was taken away is gone at once.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

ALGORITHM = "HS256"
ISSUER = "loose-diamonds"


class TokenError(Exception):
    """A token that is malformed, forged or too old."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is and until when it holds."""

    customer_id: int
    expires_at: datetime


def issue_token(customer_id: int, lifetime: timedelta, secret: str) -> str:
    """Returns a signed token for the customer that holds for ``lifetime`` from now."""
    now = datetime.now(UTC)
    content = {"iss": ISSUER, "sub": str(customer_id), "iat": now, "exp": now + lifetime, "jti": secrets.token_hex(8)}
    return jwt.encode(content, secret, algorithm=ALGORITHM)


def read_token(token: str, secret: str) -> Claims:
    """Checks a token's signature, issuer and age and returns what it says.

    Raises:
        TokenError: it was not issued with ``secret``, was changed, or has expired.
    """
    try:
        content = jwt.decode(
            token, secret, algorithms=[ALGORITHM], issuer=ISSUER, options={"require": ["exp", "sub", "iss"]}
        )
        return Claims(int(content["sub"]), datetime.fromtimestamp(content["exp"], UTC))
    except jwt.ExpiredSignatureError as error:
        raise TokenError("the token has expired") from error
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenError("the token does not hold") from error

"""Passwords and login tokens, with the standard library alone.

A token is ``payload.signature``: a small JSON object and its HMAC-SHA256, both base64url without padding. It is not a
JWT and cannot be mistaken for one: there is one algorithm and no header that could ask for another.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1


class TokenError(Exception):
    """A token that is malformed, forged or too old."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is and until when it holds."""

    customer_id: int
    expires_at: datetime


def hash_password(password: str, salt: bytes | None = None) -> str:
    """Returns ``salt$hash`` in hexadecimal, made with scrypt; takes some 50 ms on purpose, so call it in a thread."""
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
    return f"{salt.hex()}${digest.hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Says whether ``password`` is the one behind ``stored``; equally slow either way, so call it in a thread."""
    salt, _, _ = stored.partition("$")
    return hmac.compare_digest(hash_password(password, bytes.fromhex(salt)), stored)


def issue_token(customer_id: int, lifetime: timedelta, secret: str) -> str:
    """Returns a signed token for the customer that holds for ``lifetime`` from now."""
    expires_at = datetime.now(UTC) + lifetime
    payload = encode(json.dumps({"sub": customer_id, "exp": int(expires_at.timestamp())}).encode())
    return f"{payload}.{signature(payload, secret)}"


def read_token(token: str, secret: str) -> Claims:
    """Checks a token's signature and age and returns what it says.

    Raises:
        TokenError: it was not issued with ``secret``, was changed, or has expired.
    """
    payload, _, signed = token.partition(".")
    if not hmac.compare_digest(signature(payload, secret).encode(), signed.encode()):
        raise TokenError("the token's signature is wrong")
    try:
        content = json.loads(decode(payload))
        claims = Claims(int(content["sub"]), datetime.fromtimestamp(content["exp"], UTC))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise TokenError("the token's content can't be read") from error
    if claims.expires_at <= datetime.now(UTC):
        raise TokenError("the token has expired")
    return claims


def signature(payload: str, secret: str) -> str:
    """Returns the payload's HMAC-SHA256."""
    return encode(hmac.digest(secret.encode(), payload.encode(), "sha256"))


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(data: str) -> bytes:
    """The inverse of ``encode``."""
    return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))

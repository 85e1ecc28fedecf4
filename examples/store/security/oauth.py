"""What an OAuth2 client without a secret shows: PKCE (RFC 7636), and where its codes may go (RFC 8252)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

METHOD = "S256"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def new_secret() -> str:
    """Returns 256 random bits for a code or a refresh token."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Returns what the database keeps of such a secret: its SHA-256, which opens nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """Returns the challenge that belongs to a code verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def verifier_matches(verifier: str, challenge: str) -> bool:
    """Says whether the verifier is the one behind the challenge."""
    return hmac.compare_digest(challenge_of(verifier).encode(), challenge.encode())


def may_redirect(wanted: str, registered: Iterable[str]) -> bool:
    """Says whether a code may be sent to ``wanted``: a registered address, to the letter.

    On this machine's own addresses the port may be any (RFC 8252, section 7.3).
    """
    try:
        return any(wanted == known or _without_port(wanted) == _without_port(known) for known in registered)
    except ValueError:
        return False


def _without_port(address: str) -> tuple[str, ...]:
    """The parts of an address of this machine without its port; those of another one with it."""
    parts = urlsplit(address)
    host = (parts.hostname or "") if parts.hostname in LOOPBACK and parts.username is None else parts.netloc
    if parts.hostname in LOOPBACK and parts.port == 0:
        raise ValueError("no port")
    return (parts.scheme, host, parts.path, parts.query, parts.fragment)

"""Hashes of passwords: Argon2id with pwdlib's recommended cost (some 50 ms on purpose, so call these in a thread)."""

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

_HASH = PasswordHash.recommended()


def hash_password(password: str) -> str:
    """Returns a salted hash that names its own algorithm and cost."""
    return _HASH.hash(password)


def password_matches(password: str, stored: str) -> bool:
    """Says whether ``password`` is the one behind ``stored``; a hash of another kind matches nothing."""
    try:
        return _HASH.verify(password, stored)
    except UnknownHashError:
        return False

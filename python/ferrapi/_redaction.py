"""Leaving secrets out of what is written down: values of headers, parameters and members with names of secrets.

It is names that decide, so what has a harmless name is written as it is. Numbers are left out only where the whole name
is that of a secret: ``max_tokens`` is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus, unquote_plus

REDACTED = "[redacted]"

_PARTS = frozenset({"apikey", "authorization", "cookie", "credential", "passphrase", "passwd", "password"})
_PARTS |= {"secret", "session", "token"}
_WORDS = frozenset({"auth", "csrf", "cvc", "cvv", "jwt", "otp", "pin", "pwd", "signature", "ssn", "xsrf"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SCHEME = re.compile(r"(Basic|Bearer|Digest|Token) +", re.IGNORECASE)


class Redaction:
    """What is left out.

    Parameters:
        names: further names of headers, parameters and members; case, hyphens and underscores don't matter.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(map(_bare, names))

    def hides(self, name: str, *, surely: bool = False) -> bool:
        """Whether values of a name are secret; `surely`: by more than a part of the name."""
        bare = _bare(name)
        if bare in self._names or any(word.lower() in _WORDS for word in _WORD.findall(name)):
            return True
        return bare in _PARTS if surely else any(part in bare for part in _PARTS)

    def header(self, name: str, value: str) -> str:
        """The value of a header. The scheme of credentials is kept."""
        if not self.hides(name):
            return value
        scheme = _SCHEME.match(value)
        return f"{scheme[0] if scheme else ''}{REDACTED}"

    def query(self, text: str) -> str:
        """A query string, or an urlencoded form."""
        return "&".join(map(self._pair, text.split("&")))

    def _pair(self, pair: str) -> str:
        name, equals, _ = pair.partition("=")
        return f"{name}={quote_plus(REDACTED)}" if equals and self.hides(unquote_plus(name)) else pair

    def body(self, content: str, media_type: str) -> str:
        """A body: JSON and urlencoded forms are looked into, every other is given back."""
        if media_type == "application/x-www-form-urlencoded":
            return self.query(content)
        if not is_json(media_type):
            return content
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return content
        return json.dumps(value, ensure_ascii=False) if self._hide_in(value) else content

    def _hide_in(self, value: Any) -> bool:
        """Replace what is secret in a JSON value; whether there was something."""
        found, pending = False, [value]
        while pending:
            current = pending.pop()
            if isinstance(current, list):
                pending.extend(current)
            elif isinstance(current, dict):
                for name, member in current.items():
                    is_text = isinstance(member, str)
                    is_number = isinstance(member, (int, float)) and not isinstance(member, bool)
                    if (is_text or is_number) and self.hides(name, surely=is_number):
                        current[name], found = REDACTED, True
                    elif isinstance(member, list) and self.hides(name):
                        found = found or any(isinstance(item, str) for item in member)
                        current[name] = [REDACTED if isinstance(item, str) else item for item in member]
                        pending.append(current[name])
                    elif isinstance(member, (dict, list)):
                        pending.append(member)
        return found


def is_json(media_type: str) -> bool:
    """Whether a media type is that of JSON."""
    return media_type == "application/json" or media_type.endswith("+json")


def _bare(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).lower()

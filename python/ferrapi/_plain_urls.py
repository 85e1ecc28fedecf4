"""`WithPlainURL`: the URLs of requests, made natively where they are plain."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult

from starlette import requests
from starlette.datastructures import URL
from starlette.requests import HTTPConnection
from starlette.types import Scope

from ._hooks import touches_any
from ._native import plain_url

_KINDS = (URL, HTTPConnection)


class WithPlainURL(HTTPConnection):
    """For classes of requests, in front of Starlette's.

    What is plain is the same text by Starlette's rules, and the same parts by those of `urllib.parse`
    (`rust/wire/src/url.rs`); whatever isn't, they are asked. So are methods that somebody has replaced.
    """

    @property
    def url(self) -> URL:
        """The URL of the request."""
        own: Any = vars(self)
        url: URL | None = own.get("_url")
        if url is None:
            url = own["_url"] = _plain(self.scope, None) or super().url
        return url

    @property
    def base_url(self) -> URL:
        """The URL of the application around all, with a slash at its end."""
        own: Any = vars(self)
        url: URL | None = own.get("_base_url")
        if url is None:
            scope = self.scope
            root = scope.get("app_root_path", scope.get("root_path", ""))
            is_text = type(root) is str
            plain = _plain(scope, root if root.endswith("/") else root + "/") if is_text else None
            url = own["_base_url"] = plain or super().base_url
        return url


def url_of(scope: Scope) -> URL:
    """The URL of a scope."""
    return _plain(scope, None) or URL(scope=scope)


def _plain(scope: Scope, root: str | None) -> URL | None:
    """The URL of a scope, or of a path in its place; None if it is Starlette's to make."""
    plain = plain_url(scope, root)
    if plain is None or vars(requests)["URL"] is not URL or touches_any(_KINDS):
        return None
    text, components = plain
    url = URL(text)
    url._components = tuple.__new__(SplitResult, components)
    return url

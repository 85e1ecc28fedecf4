"""The files the documentation pages load, bundled so that they work without a network.

`assets/manifest.json` names them with the npm package and version they come from; `scripts/update_docs_assets.py`
writes it. A file's URL contains package, version and the beginning of its hash, so it can be cached for ever.
An application serves the files of a page at the path of the page.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

SWAGGER_UI_JS = "swagger-ui-bundle.js"
SWAGGER_UI_CSS = "swagger-ui.css"
SWAGGER_UI_PAGE_JS = "swagger-ui-page.js"
OAUTH2_REDIRECT_JS = "oauth2-redirect.js"
REDOC_JS = "redoc.standalone.js"
REDOC_PAGE_JS = "redoc-page.js"
FAVICON = "favicon.svg"

_FOLDER = Path(__file__).parent / "assets"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_MEDIA_TYPES |= {".png": "image/png", ".jpg": "image/jpeg"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A bundled file.

    Parameters:
        path: where it is.
        media_type: its content type.
        url: how a page asks for it.
        etag: its entity tag, quoted.
    """

    path: Path
    media_type: str
    url: str
    etag: str

    def read(self) -> bytes:
        """The content."""
        return _read(self.path)

    def read_gzipped(self) -> bytes:
        """The content, compressed."""
        return _compress(self.path)


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _compress(path: Path) -> bytes:
    return gzip.compress(_read(path), mtime=0)


@cache
def bundled_assets() -> Mapping[str, Asset]:
    """The files that pages load, by name: `swagger-ui-bundle.js`, `swagger-ui.css`, `redoc.standalone.js`, …"""
    assets: dict[str, Asset] = {}
    for package in json.loads((_FOLDER / "manifest.json").read_text(encoding="utf-8"))["packages"]:
        for name, digest in package["files"].items():
            path = _FOLDER / name
            if path.suffix in _MEDIA_TYPES:
                url = f"{package['name']}@{package['version']}/{digest[:8]}/{name}"
                assets[name] = Asset(path, _MEDIA_TYPES[path.suffix], url, f'"{digest}"')
    return assets


def asset_response(request: Request, name: str) -> Response:
    """The response to a request for asset `name`: compressed if the client takes that, 304 if it has it already.

    Raises `KeyError` for a name that isn't bundled. Reads and compresses the file the first time: call it in a thread.
    """
    asset = bundled_assets()[name]
    headers = {"Cache-Control": _FOR_EVER, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    headers["X-Content-Type-Options"] = "nosniff"
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {asset.etag, "*"}:
        return Response(status_code=304, headers=headers)
    if _accepts_gzip(request.headers.get("accept-encoding", "")):
        headers |= {"Content-Encoding": "gzip", "ETag": f"W/{asset.etag}"}
        return Response(asset.read_gzipped(), media_type=asset.media_type, headers=headers)
    return Response(asset.read(), media_type=asset.media_type, headers=headers)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is named and not refused with a weight of 0 (RFC 9110, section 12.5.3)."""
    for coding in accept_encoding.lower().split(","):
        name, _, parameters = coding.partition(";")
        if name.strip() == "gzip":
            weight = parameters.strip().removeprefix("q=")
            return weight.rstrip("0") not in ("", "0.", ".") if parameters else True
    return False

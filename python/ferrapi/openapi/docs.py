"""The pages that show an application's document: Swagger UI, its OAuth 2 redirect, and ReDoc.

Everything a page is made from is escaped for the place it is put in, as some of it comes from the request: the
document's URL contains the path at which the application is mounted, which may be dynamic.

The functions' default URLs are FastAPI's, for code that calls them; an application passes the URLs of the bundled
files (`_assets`) instead, all of them through `local_url`.

A page that the functions make runs a script of its own, as FastAPI's does. An application's page has the same text, but
inside of a `<template>`, from where a bundled script takes the settings: so the page works where a
`Content-Security-Policy` allows neither inline scripts nor eval, and who looks for a setting in the page finds it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import HTMLResponse

from .._names import names_of
from ._assets import bundled_assets

__all__ = [
    "get_redoc_html",
    "get_swagger_ui_html",
    "get_swagger_ui_oauth2_redirect_html",
    "swagger_ui_default_parameters",
]

swagger_ui_default_parameters: dict[str, Any] = {
    "dom_id": "#swagger-ui",
    "layout": "BaseLayout",
    "deepLinking": True,
    "showExtensions": True,
    "showCommonExtensions": True,
}
"""Swagger UI's configuration unless an application says otherwise."""

_SWAGGER_UI = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>$title</title>
<link rel="shortcut icon" href="$favicon">
<link rel="stylesheet" href="$css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="$js"></script>
$begin
const ui = SwaggerUIBundle({
url: $openapi_url,
$options
presets: [
SwaggerUIBundle.presets.apis,
SwaggerUIBundle.SwaggerUIStandalonePreset
],
})
$after
$end
</body>
</html>
""")

_REDIRECT = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Swagger UI: OAuth2 Redirect</title>
</head>
<body>
$script
</body>
</html>
""")

_REDOC = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>$title</title>
$fonts
<link rel="shortcut icon" href="$favicon">
$style
</head>
<body>
<noscript>This page is rendered by JavaScript, which your browser doesn't run.</noscript>
<redoc spec-url="$openapi_url"></redoc>
<script src="$js"></script>
</body>
</html>
""")

_FONTS = (
    '<link rel="stylesheet" href="https://fonts.googleapis.com/css?family=Montserrat:300,400,700|Roboto:300,400,700">'
)

_STYLE = "<style>body { margin: 0; padding: 0 }</style>"
_FAVICON_URL = "https://fastapi.tiangolo.com/img/favicon.png"
_IN_SCRIPT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_IN_STRING = _IN_SCRIPT | {ord("'"): "\\u0027"}


def _script_json(value: Any) -> str:
    """`value` as JSON that means the same in a script element: it can't end the element or start a comment."""
    from ..encoders import jsonable_encoder

    return json.dumps(jsonable_encoder(value)).translate(_IN_SCRIPT)


def _script_string(value: object) -> str:
    """The text of `value` as a string of JavaScript, in single quotes; the only ASCII quotes are the outer ones."""
    return "'" + json.dumps(str(value))[1:-1].replace('\\"', "\\u0022").translate(_IN_STRING) + "'"


def _escaped(value: object) -> str:
    """The text of `value`, which may be a URL object (`request.url_for(...)`), for an element or an attribute."""
    return html.escape(str(value))


def _script_element(url: str) -> str:
    return f'<script src="{html.escape(url)}"></script>'


def local_url(root_path: str, path: str) -> str:
    """The URL of an application's own `path`, below the `root_path` at which the request found it.

    A root path may be what the client made it, below a mount whose path has parameters: it can't make the URL
    one of another host (`//host`, `/\\host`), nor cut it short with a query or fragment.
    """
    if not root_path.startswith(("/", "\\")):
        return root_path.rstrip("/") + path
    return quote("/" + root_path.strip("/\\"), safe="/:@!$()*,;=+~%", errors="replace").rstrip("/") + path


def get_swagger_ui_html(
    *,
    openapi_url: str,
    title: str,
    swagger_js_url: str = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui-bundle.js",
    swagger_css_url: str = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui.css",
    swagger_favicon_url: str = _FAVICON_URL,
    oauth2_redirect_url: str | None = None,
    init_oauth: Mapping[str, Any] | None = None,
    swagger_ui_parameters: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    """The page that shows a document with Swagger UI.

    Parameters:
        openapi_url: URL of the document.
        title: the page's title, plain text.
        swagger_js_url: URL of Swagger UI's script.
        swagger_css_url: URL of Swagger UI's style sheet.
        swagger_favicon_url: URL of the page's icon.
        oauth2_redirect_url: path, on the page's host, to which OAuth 2 providers redirect.
        init_oauth: what to pass to Swagger UI's `initOAuth`.
        swagger_ui_parameters: Swagger UI's configuration, added to `swagger_ui_default_parameters`.
    """
    return swagger_ui_page(
        openapi_url=openapi_url,
        title=title,
        swagger_js_url=swagger_js_url,
        swagger_css_url=swagger_css_url,
        swagger_favicon_url=swagger_favicon_url,
        oauth2_redirect_url=oauth2_redirect_url,
        init_oauth=init_oauth,
        swagger_ui_parameters=swagger_ui_parameters,
        page_js_url=None,
    )


def swagger_ui_page(
    *,
    openapi_url: str,
    title: str,
    swagger_js_url: str,
    swagger_css_url: str,
    swagger_favicon_url: str,
    oauth2_redirect_url: str | None,
    init_oauth: Mapping[str, Any] | None,
    swagger_ui_parameters: Mapping[str, Any] | None,
    page_js_url: str | None,
) -> HTMLResponse:
    """The page of `get_swagger_ui_html`, whose parameters these are.

    Parameters:
        page_js_url: URL of the bundled script that takes the settings from the page; without it the page runs its own.
    """
    parameters = {**swagger_ui_default_parameters, **(swagger_ui_parameters or {})}
    options = [f"{_script_json(key)}: {_script_json(value)}," for key, value in parameters.items()]
    if oauth2_redirect_url:
        options.append(f"oauth2RedirectUrl: window.location.origin + {_script_string(oauth2_redirect_url)},")
    begin, end = "<script>", "</script>"
    if page_js_url is not None:
        begin, end = '<template id="swagger-ui-page">', f"</template>\n{_script_element(page_js_url)}"
    page = _SWAGGER_UI.substitute(
        title=_escaped(title),
        favicon=_escaped(swagger_favicon_url),
        css=_escaped(swagger_css_url),
        js=_escaped(swagger_js_url),
        openapi_url=_script_string(openapi_url),
        options="\n".join(options),
        after=f"ui.initOAuth({_script_json(init_oauth)})" if init_oauth else "",
        begin=begin,
        end=end,
    )
    return HTMLResponse(page)


def get_redoc_html(
    *,
    openapi_url: str,
    title: str,
    redoc_js_url: str = "https://cdn.jsdelivr.net/npm/redoc@2/bundles/redoc.standalone.js",
    redoc_favicon_url: str = _FAVICON_URL,
    with_google_fonts: bool = True,
) -> HTMLResponse:
    """The page that shows a document with ReDoc.

    Parameters:
        openapi_url: URL of the document.
        title: the page's title, plain text.
        redoc_js_url: URL of ReDoc's script.
        redoc_favicon_url: URL of the page's icon.
        with_google_fonts: whether to load ReDoc's fonts from Google, else the browser's own are used.
    """
    return redoc_page(
        openapi_url=openapi_url,
        title=title,
        redoc_js_url=redoc_js_url,
        redoc_favicon_url=redoc_favicon_url,
        with_google_fonts=with_google_fonts,
        page_js_url=None,
    )


def redoc_page(
    *,
    openapi_url: str,
    title: str,
    redoc_js_url: str,
    redoc_favicon_url: str,
    with_google_fonts: bool,
    page_js_url: str | None,
) -> HTMLResponse:
    """The page of `get_redoc_html`, whose parameters these are.

    Parameters:
        page_js_url: URL of the bundled script that stands in for inline styles; without it the page has one.
    """
    page = _REDOC.substitute(
        title=_escaped(title),
        favicon=_escaped(redoc_favicon_url),
        fonts=_FONTS if with_google_fonts else "",
        style=_STYLE if page_js_url is None else _script_element(page_js_url),
        openapi_url=_escaped(openapi_url),
        js=_escaped(redoc_js_url),
    )
    return HTMLResponse(page)


def get_swagger_ui_oauth2_redirect_html() -> HTMLResponse:
    """The page to which OAuth 2 providers redirect: it hands the result to the Swagger UI that opened it."""
    script = bundled_assets()["oauth2-redirect.js"].read().decode()
    return HTMLResponse(_REDIRECT.substitute(script=f"<script>\n{script}\n</script>"))


def oauth2_redirect_page(*, redirect_js_url: str) -> HTMLResponse:
    """The page of `get_swagger_ui_oauth2_redirect_html` without a script of its own.

    Parameters:
        redirect_js_url: URL of the bundled script.
    """
    script = f"<!-- Hands the answer to window.opener.swaggerUIRedirectOauth2. -->\n{_script_element(redirect_js_url)}"
    return HTMLResponse(_REDIRECT.substitute(script=script))


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

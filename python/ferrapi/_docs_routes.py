"""The routes of an application's own documentation: the document and the pages.

The files that a page loads have no route of their own, which could take a path from the application, or lose it to a
mount at ``/``. They are asked for at the page's own path, with the query parameter `ASSET`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ._hooks import current

ASSET = "ferrapi-asset"
"""The query parameter with which a page asks for one of its files."""


class Documented(Protocol):
    """An application (`FastAPI`): the settings of its documentation, and what makes the document."""

    title: str
    openapi_url: str | None
    docs_url: str | None
    redoc_url: str | None
    swagger_ui_oauth2_redirect_url: str | None
    swagger_ui_init_oauth: dict[str, Any] | None
    swagger_ui_parameters: dict[str, Any] | None
    root_path_in_servers: bool
    openapi_etag: bool
    versioning: Any
    _versions: Any

    def add_route(self, path: str, route: Callable[[Request], Any], /, *, include_in_schema: bool = True) -> None:
        """Add a route."""

    def openapi(self) -> dict[str, Any]:
        """The document."""

    def openapi_of(self, version: str) -> dict[str, Any]:
        """The document of a version."""

    def _documents_itself(self) -> bool:
        """Whether no code of the user's makes the document."""

    def _is_documented(self) -> bool:
        """Whether there is a document, as of now."""


class DocsRoutes:
    """Adds the documentation routes to an application. Pages are rendered, and their modules imported, when asked for.

    Parameters:
        app: the application.
        version: the version of its API that is documented; None for the application's own document.
    """

    def __init__(self, app: Documented, version: str | None = None) -> None:
        self.app = app
        self.version = version
        self._written: Written | None = None

    def _at(self, url: str | None) -> str | None:
        """One of the application's addresses, as it is now, for the version that is documented."""
        if not url or self.version is None or self.app.versioning is None:
            return url
        prefix: str = self.app.versioning.prefix_of(self.version)
        return prefix + url

    @property
    def _title(self) -> str:
        return self.app.title if self.version is None else f"{self.app.title} {self.version}"

    def add(self) -> None:
        """Add what the application's settings ask for."""
        app = self.app
        openapi_url, docs_url, redoc_url = map(self._at, (app.openapi_url, app.docs_url, app.redoc_url))
        if not openapi_url:
            return
        app.add_route(openapi_url, self.openapi, include_in_schema=False)
        if docs_url:
            app.add_route(docs_url, self.swagger_ui_html, include_in_schema=False)
            if app.swagger_ui_oauth2_redirect_url and self.version is None:
                app.add_route(app.swagger_ui_oauth2_redirect_url, self.swagger_ui_redirect, include_in_schema=False)
        if redoc_url:
            app.add_route(redoc_url, self.redoc_html, include_in_schema=False)

    @staticmethod
    def _root_path(request: Request) -> str:
        root: str = request.scope.get("root_path", "")
        return root.rstrip("/")

    def _asset_url(self, request: Request, page: str | None, name: str) -> str:
        from .openapi._assets import bundled_assets
        from .openapi.docs import local_url

        return f"{local_url(self._root_path(request), page or '')}?{ASSET}={bundled_assets()[name].url}"

    def _openapi_url(self, request: Request) -> str:
        from .openapi.docs import local_url

        return local_url(self._root_path(request), self._at(self.app.openapi_url) or "")

    async def openapi(self, request: Request) -> Response:
        """The document; behind a root path, with that as its first server."""
        schema = await self._document()
        root_path = self._root_path(request)
        if not self.app.openapi_etag:
            return JSONResponse(self._with_server(schema, root_path))
        written = self._written
        if written is None or written.schema is not schema or written.root_path != root_path:
            content = JSONResponse(self._with_server(schema, root_path)).body
            written = self._written = Written(schema, root_path, bytes(content))
        return written.answer(request)

    async def _document(self) -> dict[str, Any]:
        """The document. One that has to be made first is made in a thread, unless code of the application's makes it:
        that runs where FastAPI runs it.
        """
        app, version = self.app, self.version
        if version is None:
            if app._is_documented() or not app._documents_itself():
                return app.openapi()
            return await run_in_threadpool(app.openapi)
        made = app._versions.known_document(version) if app._versions is not None else None
        return await run_in_threadpool(app.openapi_of, version) if made is None else made

    def _with_server(self, schema: dict[str, Any], root_path: str) -> dict[str, Any]:
        if not root_path or not self.app.root_path_in_servers:
            return schema
        servers = schema.get("servers") or []
        if root_path in {server.get("url") for server in servers}:
            return schema
        return {**schema, "servers": [{"url": root_path}, *servers]}

    async def swagger_ui_html(self, request: Request) -> Response:
        """The Swagger UI page."""
        from .openapi._assets import FAVICON, SWAGGER_UI_CSS, SWAGGER_UI_JS, SWAGGER_UI_PAGE_JS
        from .openapi.docs import get_swagger_ui_html, local_url, swagger_ui_page

        if ASSET in request.query_params:
            return await asset(request)
        app = self.app
        docs_url = self._at(app.docs_url)
        redirect = app.swagger_ui_oauth2_redirect_url
        render, assets = of_applications("get_swagger_ui_html"), {}
        if render is get_swagger_ui_html:
            render = swagger_ui_page
            assets = {
                "swagger_js_url": self._asset_url(request, docs_url, SWAGGER_UI_JS),
                "swagger_css_url": self._asset_url(request, docs_url, SWAGGER_UI_CSS),
                "swagger_favicon_url": self._asset_url(request, docs_url, FAVICON),
                "page_js_url": self._asset_url(request, docs_url, SWAGGER_UI_PAGE_JS),
            }
        page: Response = render(
            openapi_url=self._openapi_url(request),
            title=f"{self._title} - Swagger UI",
            oauth2_redirect_url=local_url(self._root_path(request), redirect) if redirect else redirect,
            init_oauth=app.swagger_ui_init_oauth,
            swagger_ui_parameters=app.swagger_ui_parameters,
            **assets,
        )
        return page

    async def swagger_ui_redirect(self, request: Request) -> Response:
        """The page to which OAuth 2 providers redirect."""
        from .openapi._assets import OAUTH2_REDIRECT_JS
        from .openapi.docs import get_swagger_ui_oauth2_redirect_html, oauth2_redirect_page

        if ASSET in request.query_params:
            return await asset(request)
        render = of_applications("get_swagger_ui_oauth2_redirect_html")
        if render is not get_swagger_ui_oauth2_redirect_html:
            page: Response = render()
            return page
        redirect_url = self.app.swagger_ui_oauth2_redirect_url
        return oauth2_redirect_page(redirect_js_url=self._asset_url(request, redirect_url, OAUTH2_REDIRECT_JS))

    async def redoc_html(self, request: Request) -> Response:
        """The ReDoc page."""
        from .openapi._assets import FAVICON, REDOC_JS, REDOC_PAGE_JS
        from .openapi.docs import get_redoc_html, redoc_page

        if ASSET in request.query_params:
            return await asset(request)
        redoc_url = self._at(self.app.redoc_url)
        render, assets = of_applications("get_redoc_html"), dict[str, Any]()
        if render is get_redoc_html:
            render = redoc_page
            assets = {
                "redoc_js_url": self._asset_url(request, redoc_url, REDOC_JS),
                "redoc_favicon_url": self._asset_url(request, redoc_url, FAVICON),
                "with_google_fonts": False,
                "page_js_url": self._asset_url(request, redoc_url, REDOC_PAGE_JS),
            }
        page: Response = render(
            openapi_url=self._openapi_url(request),
            title=f"{self._title} - ReDoc",
            **assets,
        )
        return page


class Written:
    """A document as it is sent, with its entity tag (RFC 9110, section 8.8.3).

    Parameters:
        schema: the document.
        root_path: what the servers in it were completed with.
        content: its bytes.
    """

    def __init__(self, schema: dict[str, Any], root_path: str, content: bytes) -> None:
        from hashlib import sha256

        self.schema = schema
        self.root_path = root_path
        self.content = content
        self.etag = f'"{sha256(content).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """The document, or 304 if the client says that it has it (RFC 9110, section 13.1.2)."""
        headers = {"ETag": self.etag, "Cache-Control": "no-cache"}
        known = [
            tag.strip().removeprefix("W/") for tag in ",".join(request.headers.getlist("if-none-match")).split(",")
        ]
        if self.etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=JSONResponse.media_type, headers=headers)


async def asset(request: Request) -> Response:
    """A file that a page loads.

    Raises:
        HTTPException: 404 for a file that there isn't (any more).
    """
    from .openapi._assets import asset_response, bundled_assets

    wanted = request.query_params[ASSET]
    for name, one in bundled_assets().items():
        if one.url == wanted:
            return await run_in_threadpool(asset_response, request, name)  # which reads and compresses it
    raise HTTPException(status_code=404)


def of_applications(name: str) -> Any:
    """The function `name` as `ferrapi.applications` has it, where users put one of their own.

    One that renders a page gets FastAPI's arguments then: the addresses of what the page loads are its own business.
    """
    return current("ferrapi.applications", name)

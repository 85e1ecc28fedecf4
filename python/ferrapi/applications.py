"""`FastAPI`: the application, a Starlette application whose requests go through ferrapi's engine."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from starlette.applications import Starlette
from starlette.datastructures import State, URLPath
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from . import params
from ._docs_routes import DocsRoutes, of_applications
from ._draining import Application, Drain, mounted_in
from ._hooks import WATCH, is_own, routing_class, untouched, watch
from ._middleware_stack import AppBodyLimitMiddleware, ExceptionTelemetryMiddleware, ServerErrors, build
from ._names import names_of
from ._native import Front
from ._pickling import Regained
from ._version_counter import ROUTES_VERSION, SETTINGS_VERSION
from .compile.app_scope import value_of
from .datastructures import Default
from .declare.foreign import refuse, refuse_app, with_counterparts
from .declare.limits import FormLimits
from .declare.versions import Versions
from .exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
    websocket_request_validation_exception_handler,
)
from .exceptions import (
    FastAPIDeprecationWarning,
    RequestValidationError,
    RouteError,
    VersioningError,
    WebSocketRequestValidationError,
)
from .middleware.asyncexitstack import AsyncExitStackMiddleware
from .routing import APIRoute, APIRouter
from .routing._frontend import CheckDir, Directory, Fallback, is_checked
from .routing._options import (
    AppRouteOptions,
    IncludeOptions,
    RouteOptions,
    app_route_options,
    filled,
    include_options,
)
from .routing._verbs import Decorator, Verbs
from .routing._versioned import refuse_versions
from .sse import ServerSentEvent
from .telemetry import TelemetryConfig
from .telemetry._activation import active
from .telemetry._config import complete
from .types import DecoratedCallable
from .utils import generate_unique_id

if TYPE_CHECKING:
    from ._native import Entrance
    from .versioning import Versioning
    from .versioning._routers import VersionedRoutes

AppType = TypeVar("AppType", bound="FastAPI")
ExceptionHandler = Callable[[Request, Any], Response | Awaitable[Response]]
LastEvent = ServerSentEvent | Callable[[Request], ServerSentEvent | None] | None

_ROOT_PATH_DEPRECATED = (
    "The `root_path` parameter is deprecated. Configure the server's root path instead, for example with "
    "`fastapi run --root-path /api/v1`."
)

_DEFAULT_HANDLERS: dict[type[Exception], Any] = {
    HTTPException: http_exception_handler,
    RequestValidationError: request_validation_exception_handler,
    WebSocketRequestValidationError: websocket_request_validation_exception_handler,
}

FRONT = Front(SETTINGS_VERSION, WATCH)
"""How HTTP requests come into applications."""
_SERVED_BY = frozenset({"dependency_overrides", "middleware_stack", "root_path", "router"})
"""The attributes that decide what serves a request."""


class FastAPI(Regained, Verbs, Starlette):
    """An application: routes, their documentation, and everything that requests meet on the way.

    Parameters:
        telemetry: what is recorded with OpenTelemetry, and where it goes (see `ferrapi.telemetry.TelemetryConfig`).
        debug: show tracebacks for unhandled errors.
        routes: Starlette routes to begin with.
        title, summary, description, version, terms_of_service, contact, license_info: for the OpenAPI document.
        openapi_url: path of the document; None for no document and no documentation pages.
        openapi_tags, servers, openapi_external_docs: for the document.
        dependencies: run before each endpoint.
        default_response_class: the class that renders what endpoints return.
        redirect_slashes: redirect to the path with, or without, a slash at its end where only that has a route.
        docs_url, redoc_url: paths of Swagger UI and ReDoc; None for no page.
        swagger_ui_oauth2_redirect_url, swagger_ui_init_oauth, swagger_ui_parameters: settings of Swagger UI.
        middleware: to begin with, the outermost first.
        exception_handlers: functions from a request and an exception to a response, by class or status code.
        on_startup, on_shutdown: deprecated event handlers; use `lifespan`.
        lifespan: an asynchronous context manager around the application's life; may yield a state.
        root_path: deprecated; where a proxy serves the application.
        root_path_in_servers: whether the root path becomes one of the document's servers.
        responses, callbacks, deprecated, include_in_schema: for each route, in the document.
        webhooks: a router of routes that others serve, for the document.
        generate_unique_id_function: makes operation ids.
        separate_input_output_schemas: whether a model may have two schemas in the document.
        strict_content_type: whether a body without a content type is never read as JSON.
        max_body_size: the longest body in bytes; a longer one is answered with 413. None for no limit.
        form_limits: limits of automatic form parsing.
        versioning: the versions of the API, if it has several (see `ferrapi.versioning`).
        openapi_version: the version of OpenAPI that the document is written in: ``"3.1.0"`` or ``"3.2.0"``.
        openapi_etag: whether the document is sent with an ``ETag``, and ``If-None-Match`` is answered with 304. It is
            written once then, so an edit in place of `openapi_schema` is not seen; assigning another one is.
        dependencies_before_body: whether the dependencies that need no body run before the body is read, so that who
            isn't let in sends it in vain. Routers, includes and routes may say otherwise.

    Raises:
        RouteError: for an empty title or version.
        TelemetryError: for telemetry settings that are no dictionary.
    """

    def __init__(
        self,
        *,
        telemetry: TelemetryConfig | None = None,
        debug: bool = False,
        routes: list[BaseRoute] | None = None,
        title: str = "FastAPI",
        summary: str | None = None,
        description: str = "",
        version: str = "0.1.0",
        openapi_url: str | None = "/openapi.json",
        openapi_tags: list[dict[str, Any]] | None = None,
        servers: list[dict[str, str | Any]] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        default_response_class: type[Response] = Default(JSONResponse),
        redirect_slashes: bool = True,
        docs_url: str | None = "/docs",
        redoc_url: str | None = "/redoc",
        swagger_ui_oauth2_redirect_url: str | None = "/docs/oauth2-redirect",
        swagger_ui_init_oauth: dict[str, Any] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: dict[int | type[Exception], ExceptionHandler] | None = None,
        on_startup: Sequence[Callable[[], Any]] | None = None,
        on_shutdown: Sequence[Callable[[], Any]] | None = None,
        lifespan: Callable[[Any], Any] | None = None,
        terms_of_service: str | None = None,
        contact: dict[str, str | Any] | None = None,
        license_info: dict[str, str | Any] | None = None,
        root_path: str = "",
        root_path_in_servers: bool = True,
        responses: dict[int | str, dict[str, Any]] | None = None,
        callbacks: list[BaseRoute] | None = None,
        webhooks: APIRouter | None = None,
        deprecated: bool | None = None,
        include_in_schema: bool = True,
        swagger_ui_parameters: dict[str, Any] | None = None,
        generate_unique_id_function: Callable[[APIRoute], str] = Default(generate_unique_id),
        separate_input_output_schemas: bool = True,
        openapi_external_docs: dict[str, Any] | None = None,
        strict_content_type: bool = True,
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
        versioning: Versioning | None = None,
        openapi_version: str = "3.1.0",
        openapi_etag: bool = False,
        dependencies_before_body: bool | None = None,
    ) -> None:
        if openapi_url and not title:
            raise RouteError("A title must be provided for OpenAPI, e.g.: 'My API'")
        if openapi_url and not version:
            raise RouteError("A version must be provided for OpenAPI, e.g.: '2.1.0'")
        if root_path:
            warnings.warn(_ROOT_PATH_DEPRECATED, category=FastAPIDeprecationWarning, stacklevel=2)
        self._telemetry = complete(telemetry)
        self._watches = False
        self.max_body_size = max_body_size
        self.debug = debug
        self.title = title
        self.summary = summary
        self.description = description
        self.version = version
        self.terms_of_service = terms_of_service
        self.contact = contact
        self.license_info = license_info
        self.openapi_url = openapi_url
        self.openapi_tags = openapi_tags
        self.root_path_in_servers = root_path_in_servers
        self.docs_url = docs_url
        self.redoc_url = redoc_url
        self.swagger_ui_oauth2_redirect_url = swagger_ui_oauth2_redirect_url
        self.swagger_ui_init_oauth = swagger_ui_init_oauth
        self.swagger_ui_parameters = swagger_ui_parameters
        self.servers = servers or []
        self.separate_input_output_schemas = separate_input_output_schemas
        self.openapi_external_docs = openapi_external_docs
        self.openapi_version = openapi_version
        self.openapi_etag = openapi_etag
        self.openapi_schema: dict[str, Any] | None = None
        refuse(webhooks, "webhooks=")
        self.webhooks: APIRouter = webhooks or routing_class("APIRouter")()
        self.root_path = root_path
        self.state = State()
        self.dependency_overrides: dict[Callable[..., Any], Callable[..., Any]] = {}
        self.router: APIRouter = routing_class("APIRouter")(
            routes=routes,
            redirect_slashes=redirect_slashes,
            dependency_overrides_provider=self,
            on_startup=on_startup,
            on_shutdown=on_shutdown,
            lifespan=lifespan,
            default_response_class=default_response_class,
            dependencies=dependencies,
            callbacks=callbacks,
            deprecated=deprecated,
            include_in_schema=include_in_schema,
            responses=responses,
            generate_unique_id_function=generate_unique_id_function,
            strict_content_type=strict_content_type,
            max_body_size=max_body_size,
            form_limits=form_limits,
        )
        self.router.dependencies_before_body = dependencies_before_body
        self.exception_handlers: dict[Any, ExceptionHandler] = dict(exception_handlers or {})
        for kind, handler in _DEFAULT_HANDLERS.items():
            self.exception_handlers.setdefault(kind, handler)
        self.user_middleware = list(middleware or [])
        self.middleware_stack: ASGIApp | None = None
        self.versioning = versioning
        self._versions = None if versioning is None else _versioned_routes(self, versioning)
        self.router._check_versions = refuse_versions if self._versions is None else self._versions.check
        self.setup()

    _announces_overrides = True  # whether `dependency_overrides` can't be replaced without anybody noticing

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "router":
            refuse_app(value, "An application's router")
        super().__setattr__(name, value)
        if name in _SERVED_BY:
            SETTINGS_VERSION.announce()

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if type(state.get("state")) is State:  # which can be neither copied nor unpickled by itself
            state["state"] = state["state"]._state
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = state.get("state")
        vars(self).update(state, state=State(own) if type(own) is dict else own)

    # Serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serving = FRONT.enter(self, scope, receive, send)
        if serving is None:
            if scope["type"] == "lifespan":
                self._drain.end()
            serving = super().__call__(scope, receive, send)
        await serving

    _made = frozenset({"_way", "_way_as_of", "_openapi_as_of", "_lock_of_document", "_drain", "_app_scope"})
    _versions = cast("VersionedRoutes | None", None)  # no annotation, which nobody could resolve at run time
    _way: ASGIApp | None = None
    _way_as_of = -1
    _openapi_as_of = -1  # of the document; -1 for one that isn't made from the routes

    def _find_way(self) -> ASGIApp | None:
        """What serves HTTP requests if nobody has replaced what Starlette does here; else None."""
        if isinstance(self.middleware_stack, ServerErrors):
            self.decide_on_telemetry()
        above: Any = super().__call__
        way = None
        if untouched(Starlette, "__call__") and above.__func__ is Starlette.__call__:
            if self.middleware_stack is None:
                self.middleware_stack = self.build_middleware_stack()
            stack: Any = self.middleware_stack
            if type(stack) is ServerErrors:
                way = stack.way()
        self._way, self._way_as_of = way, SETTINGS_VERSION.value
        return way

    def _find_entrance(self) -> tuple[Entrance, str] | None:
        """Where HTTP requests come to the router, and the root path that a call of the application notes.

        None if something stands between the call and the router.
        """
        if not is_own(type(self), FastAPI, "__call__"):
            return None
        self._find_way()
        stack: Any = self.middleware_stack
        is_short = self._way is not None and stack.goes_short()
        return (stack.entrance, self.root_path) if is_short else None

    def build_middleware_stack(self) -> ASGIApp:
        """The router behind the middleware: server errors outermost, exception handlers innermost."""
        handlers = with_counterparts(self.exception_handlers, _DEFAULT_HANDLERS)
        handlers = {key: value for key, value in handlers.items() if key not in (500, Exception)}
        of_server = [value for key, value in self.exception_handlers.items() if key in (500, Exception)]
        server_error = of_server[-1] if of_server else None
        around = [
            Middleware(ServerErrorMiddleware, handler=server_error, debug=self.debug),
            Middleware(ExceptionTelemetryMiddleware),
            Middleware(AppBodyLimitMiddleware, max_body_size=self.max_body_size),
            *self.user_middleware,
        ]
        ends = [
            Middleware(ExceptionMiddleware, handlers=handlers, debug=self.debug),
            Middleware(AsyncExitStackMiddleware),
        ]
        telemetry = active(self._telemetry)
        self._watches = telemetry is not None
        put_into = build if telemetry is None else telemetry.build
        if self._versions is None:
            return put_into(self.router, [*around, *ends])
        from .versioning._switch import build_stack

        return build_stack(self._versions, put_into, around, ends)

    def decide_on_telemetry(self) -> None:
        """Make the middleware stack again if something came that receives what is recorded.

        Called after start-up, and when a setting was changed.
        """
        if not self._watches and self.middleware_stack is not None and active(self._telemetry) is not None:
            self.middleware_stack = None

    # The end

    last_event: LastEvent = None
    """With what streams of server-sent events end when the application is about to stop: an event, or a function from
    the request to one or None. None, as for FastAPI: they go on until the server cuts them off."""

    @cached_property
    def _drain(self) -> Drain:
        return Drain()

    @property
    def draining(self) -> bool:
        """Whether the application has been told that it will stop: a readiness route should turn requests away.

        ``ferrapi run`` and ferrapi's HTTP protocol tell it; it begins anew with the next start-up.
        """
        return self._drain.begun

    def drain(self) -> None:
        """Tell the application, and the ones mounted in it, that they will stop. Call it in the event loop's thread."""
        for app in mounted_in(self):
            app._drain.begin()

    # Documentation

    def openapi(self) -> dict[str, Any]:
        """The application's OpenAPI document, made at the first call and again when routes were edited.

        Threads that ask for it while it is being made wait for the one that makes it.
        """
        if self._is_documented():
            return self.openapi_schema  # type: ignore[return-value]  # it is there
        with self._documenting():
            if not self._is_documented():
                as_of = ROUTES_VERSION.value
                if self._versions is None:
                    self.openapi_schema = self._document(self.routes, self.version)
                else:
                    self.openapi_schema = self._versions.document(None)
                self._openapi_as_of = as_of
            return self.openapi_schema  # type: ignore[return-value]

    def _documents_itself(self) -> bool:
        """Whether no code of the user's makes the document."""
        return type(self).openapi is vars(FastAPI)["openapi"] and "openapi" not in vars(self)

    def _is_documented(self) -> bool:
        """Whether there is a document, as of now."""
        return self.openapi_schema is not None and self._openapi_as_of in (-1, ROUTES_VERSION.value)

    def _documenting(self) -> AbstractContextManager[Any]:
        lock: AbstractContextManager[Any] = self.__dict__.setdefault("_lock_of_document", RLock())
        return lock

    async def app_dependency(self, dependency: Callable[..., Any]) -> Any:
        """The value of an application-scoped dependency, for code outside of requests; opened if it isn't yet.

        Parameters:
            dependency: the callable in ``Depends(callable, scope="app")``. Overrides apply.

        Raises:
            DependencyScopeError: for one that needs something of a request.
        """
        return await value_of(self, dependency)

    def openapi_of(self, version: str) -> dict[str, Any]:
        """The OpenAPI document of a version of the API (see `ferrapi.versioning`).

        Raises:
            VersioningError: for a version that there isn't.
        """
        if self._versions is None or version not in self._versions.order:
            raise VersioningError(f"The application has no version {version!r}")
        with self._documenting():
            return self._versions.document(version)

    def _document(self, routes: Sequence[BaseRoute], version: str) -> dict[str, Any]:
        document: dict[str, Any] = of_applications("get_openapi")(
            title=self.title,
            version=version,
            openapi_version=self.openapi_version,
            summary=self.summary,
            description=self.description,
            terms_of_service=self.terms_of_service,
            contact=self.contact,
            license_info=self.license_info,
            routes=routes,
            webhooks=self.webhooks.routes,
            tags=self.openapi_tags,
            servers=self.servers,
            separate_input_output_schemas=self.separate_input_output_schemas,
            external_docs=self.openapi_external_docs,
        )
        return document

    def setup(self) -> None:
        """Add the routes of the OpenAPI document and its pages."""
        DocsRoutes(self).add()
        for version in self._versions.order if self._versions is not None else ():
            DocsRoutes(self, version).add()

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes; where paths name versions, those of all versions at their places."""
        if self._versions is None or self._versions.versioning.by != "path":
            return self.router.routes
        return [placed.effective for placed in self._versions.by_path()]

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the route that has this name and these parameters. Where paths name versions, ``version=`` says
        which one is meant.

        Raises:
            NoMatchFound: if there is none.
        """
        by_path = self._versions is not None and self._versions.versioning.by == "path"
        router = self._versions.router if self._versions is not None and by_path else self.router
        return router.url_path_for(name, **path_params)

    # Registration, forwarded to the router

    def _verb(self, method: str, path: str, options: RouteOptions) -> Decorator:
        register: Callable[..., Decorator] = getattr(self.router, method.lower())
        return register(path, **filled(RouteOptions, options))

    @app_route_options
    def api_route(self, path: str, **options: Unpack[AppRouteOptions]) -> Decorator:
        """Register the decorated function at `path` for ``methods`` (GET if none are named).

        Parameters:
            path: the path template.
            options: see `AppRouteOptions`.
        """

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.router.add_api_route(path, function, **filled(AppRouteOptions, options))
            return function

        return register

    @app_route_options
    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Unpack[AppRouteOptions]) -> None:
        """Register `endpoint` at `path` for ``methods`` (GET if none are named).

        Parameters:
            path: the path template.
            endpoint: the function.
            options: see `AppRouteOptions`.
        """
        self.router.add_api_route(path, endpoint=endpoint, **filled(AppRouteOptions, options))

    def websocket(
        self,
        path: str,
        name: str | None = None,
        *,
        dependencies: Sequence[params.Depends] | None = None,
        versions: Versions = None,
    ) -> Decorator:
        """Register the decorated coroutine function as a WebSocket endpoint at `path`."""

        def register(function: DecoratedCallable) -> DecoratedCallable:
            own = {} if versions is None else {"versions": versions}
            self.add_api_websocket_route(path, function, name=name, dependencies=dependencies, **own)
            return function

        return register

    def add_api_websocket_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        name: str | None = None,
        *,
        dependencies: Sequence[params.Depends] | None = None,
        versions: Versions = None,
    ) -> None:
        """Register `endpoint` as a WebSocket endpoint at `path`."""
        own = {} if versions is None else {"versions": versions}
        self.router.add_api_websocket_route(path, endpoint, name=name, dependencies=dependencies, **own)

    def websocket_route(self, path: str, name: str | None = None) -> Decorator:
        """Register the decorated function as a plain Starlette WebSocket endpoint."""

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.router.add_websocket_route(path, function, name=name)
            return function

        return register

    @include_options
    def include_router(self, router: APIRouter, **options: Unpack[IncludeOptions]) -> None:
        """Serve the routes of `router`, those that it gets later too (see `APIRouter.include_router`).

        Parameters:
            router: what to include.
            options: see `IncludeOptions`.
        """
        self.router.include_router(router, **filled(IncludeOptions, options))

    def frontend(
        self,
        path: str,
        *,
        directory: Directory,
        fallback: Fallback = "auto",
        check_dir: CheckDir = "auto",
    ) -> None:
        """Serve a built front end where no route answers (see `APIRouter.frontend`)."""
        checked = is_checked(directory, check_dir)
        self.router.frontend(path, directory=directory, fallback=fallback, check_dir=checked)

    def on_event(self, event_type: str) -> Decorator:
        """Deprecated: call the decorated function at ``"startup"`` or ``"shutdown"``. Use `lifespan`."""
        return self.router.on_event(event_type)

    def middleware(self, middleware_type: str) -> Decorator:
        """Make the decorated function a middleware: ``async def f(request, call_next) -> Response``.

        Parameters:
            middleware_type: ``"http"``. It is the only kind there is: whatever stands here is taken for it.
        """
        from starlette.middleware.base import BaseHTTPMiddleware

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.add_middleware(BaseHTTPMiddleware, dispatch=function)
            return function

        return register

    def exception_handler(self, exc_class_or_status_code: int | type[Exception]) -> Decorator:
        """Make the decorated function the handler of an exception class or a status code."""

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.add_exception_handler(exc_class_or_status_code, function)
            return function

        return register


def _versioned_routes(app: FastAPI, versioning: Versioning) -> VersionedRoutes:
    from .versioning import Versioning
    from .versioning._routers import VersionedRoutes

    if not isinstance(versioning, Versioning):
        raise VersioningError(f"versioning= takes a ferrapi.versioning.Versioning, not {versioning!r}")
    return VersionedRoutes(app, versioning)


OWN_CALL = FastAPI.__call__
"""The method as it was written: it does what `FRONT` does."""
watch(FastAPI)
Application.register(FastAPI)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)

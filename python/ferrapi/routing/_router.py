"""`APIRouter`: routes with a common prefix and common options, included into applications and other routers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from typing import Any, Unpack

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import params
from .._compat.starlette import get_route_path
from .._deprecation import warn_at_caller
from .._hooks import is_own, routing_class, watch
from .._native import Program
from .._pickling import Regained
from .._plain_urls import url_of
from .._version_counter import ROUTES_VERSION, SETTINGS_VERSION, TrackedList
from ..datastructures import Default
from ..declare.defaults import first_set
from ..declare.foreign import own, own_options, refuse, refuse_app, refuse_routes
from ..declare.include import IncludeContext
from ..declare.limits import (
    FormLimits,
    get_body_size_limit,
    inherit_form_limits,
    validate_form_limits,
    validate_max_body_size,
)
from ..declare.versions import Versions, VersionSet, both, unchecked
from ..exception_handlers import AnswerHead, answer_by, answer_now, handler_for, is_asked_natively
from ..exceptions import FastAPIError, RouteError
from ..serve.exchange import TRACER, Exchange
from ..serve.layers import RouterLayer, StandingAlone
from ..serve.lifespan import DefaultLifespan, LifespanContext, as_context, look_after_startup, merged, run_handlers
from ..serve.limits import limit_body
from ..serve.programs import refusing
from ..serve.tracer import Tracer
from ..types import DecoratedCallable
from ..utils import generate_unique_id, get_value_or_default
from ._app_lifetime import while_it_lives
from ._contexts import INCLUDED, IncludedRouter, routers_below
from ._frontend import CheckDir, Directory, Fallback, Frontends, FrontendTable, front_end_groups
from ._options import (
    AddRouteOptions,
    ApiRouteOptions,
    IncludeOptions,
    RouteOptions,
    add_route_options,
    api_route_options,
    filled,
    include_options,
)
from ._route import APIRoute
from ._table import Table, Target, table_below
from ._verbs import Decorator, Verbs
from ._websocket import APIWebSocketRoute

_ON_EVENT_DEPRECATED = """
        on_event is deprecated, use lifespan event handlers instead.

        Read more about it in the
        [FastAPI docs for Lifespan Events](https://fastapi.tiangolo.com/advanced/events/).
        """
"""FastAPI's text, spaces included: applications filter the warning by it, and their tests match it."""


_SERVED_BY = frozenset({"__call__", "app", "dispatch", "middleware_stack"})
"""The attributes that decide what serves a request to a router."""


def check_prefix(prefix: str) -> None:
    """Raise `RouteError` for a prefix that no route could follow."""
    if prefix and not prefix.startswith("/"):
        raise RouteError("A path prefix must start with '/'")
    if prefix and prefix.endswith("/"):
        raise RouteError("A path prefix must not end with '/', as the routes will start with '/'")


class APIRouter(Regained, Verbs, Router):
    """A list of routes with common options.

    Parameters: what each option means is said at `FastAPI`; here they apply to the routes of this router, before those
    of whoever includes it. `middleware` and `exception_handlers` are for the requests to its routes, and to those of
    routers that it includes: innermost first. `versions` are those of the API that have its routes (see
    `ferrapi.versioning`).

    Raises:
        RouteError: for a prefix that doesn't begin with, or ends with, a slash; for what is no middleware or handler.
        VersioningError: for versions that say none.
    """

    _made = frozenset({"_table", "_frontend_table"})
    _table: Table | None = None
    _frontend_table: FrontendTable | None = None
    _check_versions: Callable[[Sequence[BaseRoute]], None] = staticmethod(unchecked)
    """Checks the versions of new routes, where there is an application that knows which versions there are."""

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: list[str | Enum] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        default_response_class: type[Response] = Default(JSONResponse),
        responses: dict[int | str, dict[str, Any]] | None = None,
        callbacks: list[BaseRoute] | None = None,
        routes: list[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        dependency_overrides_provider: Any | None = None,
        route_class: type[APIRoute] = APIRoute,
        on_startup: Sequence[Callable[[], Any]] | None = None,
        on_shutdown: Sequence[Callable[[], Any]] | None = None,
        lifespan: Callable[[Any], Any] | None = None,
        deprecated: bool | None = None,
        include_in_schema: bool = True,
        generate_unique_id_function: Callable[[APIRoute], str] = Default(generate_unique_id),
        strict_content_type: bool = Default(True),
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[int | type[Exception], Callable[..., Any]] | None = None,
        versions: Versions = None,
        dependencies_before_body: bool | None = None,
    ) -> None:
        check_prefix(prefix)
        validate_max_body_size(max_body_size)
        refuse(route_class, "route_class=")
        refuse_routes((*(routes or ()), *(callbacks or ())), "routes= or callbacks=")
        self._routes: TrackedList[BaseRoute] = TrackedList()
        self._routes_version = 0
        self._frontends: Frontends | None = None
        self.on_startup = list(on_startup or [])
        self.on_shutdown = list(on_shutdown or [])
        context: LifespanContext = DefaultLifespan(self) if lifespan is None else as_context(lifespan)
        super().__init__(routes=routes, redirect_slashes=redirect_slashes, default=default, lifespan=context)
        self.prefix = prefix
        self.tags: list[str | Enum] = list(tags or [])
        self.dependencies = list(dependencies or [])
        self.deprecated = deprecated
        self.include_in_schema = include_in_schema
        self.responses = responses or {}
        self.callbacks = list(callbacks or [])
        self.dependency_overrides_provider = dependency_overrides_provider
        self.route_class = route_class
        self.default_response_class = own(default_response_class)
        self.generate_unique_id_function = own(generate_unique_id_function)
        self.strict_content_type = own(strict_content_type)
        self.max_body_size = max_body_size
        self._layer = RouterLayer(middleware or (), exception_handlers or {})
        if self._layer:
            self.middleware_stack = StandingAlone(self._layer, self.app)
        self.middleware_stack = limit_body(self.middleware_stack, max_body_size)
        self.form_limits = validate_form_limits(form_limits)
        self._versions = VersionSet.of(versions)
        self.dependencies_before_body = dependencies_before_body

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _SERVED_BY:
            SETTINGS_VERSION.announce()

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes in matching order; edit the list as you like."""
        return self._routes

    @routes.setter
    def routes(self, routes: Iterable[BaseRoute]) -> None:
        found = TrackedList(routes)
        refuse_routes(found, "a router")
        self._routes = found
        ROUTES_VERSION.announce()

    def _mark_routes_changed(self) -> None:
        """Tell whoever includes this router that it has another route. An edit of the list alone doesn't."""
        self._routes_version += 1
        ROUTES_VERSION.announce()

    def _get_routes_version(self) -> int:
        """A number that is another one when a route was added here, or to a router that is included."""
        return sum(router._routes_version for router in routers_below(self))

    # Serving

    def table(self) -> Table:
        """The route table, rebuilt if any route was edited since."""
        table = self._table
        if table is None or table.as_of != ROUTES_VERSION.value:
            table = self._table = Table(self._routes)
        return table

    def _frontends_now(self) -> FrontendTable:
        """The front ends of this router and below, rebuilt if any route was edited since."""
        table = self._frontend_table
        if table is None or table.as_of != ROUTES_VERSION.value:
            table = self._frontend_table = FrontendTable(self)
        return table

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application behind the router's middleware."""
        scope.setdefault("router", self)
        if scope["type"] == "lifespan":
            await self.lifespan(scope, *while_it_lives(scope, receive, look_after_startup(scope, send)))
        else:
            await self.dispatch(Exchange.of(scope, receive, send))

    def dispatch(self, x: Exchange) -> Coroutine[Any, Any, None]:
        """Find the route of a request; the coroutine lets it answer."""
        table = self._table
        if table is None or table.as_of != ROUTES_VERSION.value:
            table = self.table()
        if self.form_limits:
            inherit_form_limits(x.scope, self.form_limits)
        found: tuple[Target, bool] | None = table.find(x.scope)
        if found is None:
            return self._unmatched(x)
        target, full = found
        if x.tracer is not None:
            _tell_match(x.tracer, target)
        return target.serve(x, full)

    def _unmatched(self, x: Exchange) -> Coroutine[Any, Any, None]:
        """Answer a request that no route is for."""
        return self._answer_elsewhere(self._other_path(x.scope, self.table()), x)

    async def _answer_elsewhere(self, other: tuple[str, Target] | None, x: Exchange) -> None:
        """Redirect a request that no route is for to an `other` path, or let a front end or the default answer."""
        if other is not None:
            await self._redirect(x, *other)
        elif not await self._frontends_now().serve(x):
            await self.default(x.scope, x.receive, x.send_noting)

    def _who_answers(
        self, scope: Scope, handlers: Any
    ) -> tuple[int, AnswerHead, bytes] | Program | Callable[[Exchange], Coroutine[Any, Any, None]]:
        """The answer to a request that no route is for, or what makes it.

        Parameters:
            scope: the request's.
            handlers: by class and by status code; of the layer that is right around the router.
        """
        other = self._other_path(scope, self.table())
        if other is None and "app" in scope and scope.get(TRACER) is None and self._only_raises():
            exc = _not_found()
            handler = handler_for(handlers, exc)
            answer = answer_by(handler, exc)
            if answer is not None or is_asked_natively(handler):
                return answer or _refusing_program()
        return partial(self._answer_elsewhere, other)

    def usual_answer(self, handlers: Any) -> tuple[int, AnswerHead, bytes] | None:
        """What `handlers` make of the exception that the default raises, if that is what answers; else None.

        It answers requests that are not for another path, unless front ends or code of the user's have a say in that.
        """
        return answer_now(handlers, _not_found()) if self._only_raises() else None

    def _only_raises(self) -> bool:
        """Whether nothing but an exception becomes of requests that no route is for, nor a route at another path."""
        is_own = getattr(self.default, "__func__", None) is _OWN_DEFAULT and Router.not_found is _STARLETTES_DEFAULT
        return is_own and not self._frontends_now().places

    def _other_path(self, scope: Scope, table: Table) -> tuple[str, Target] | None:
        """The path with, or without, a slash at its end, and its target, if a route has that."""
        route_path = get_route_path(scope)
        if scope["type"] != "http" or not self.redirect_slashes or route_path == "/":
            return None
        path = scope["path"].rstrip("/") if route_path.endswith("/") else scope["path"] + "/"
        found = table.find({**scope, "path": path})
        return None if found is None else (path, found[0])

    async def _redirect(self, x: Exchange, path: str, target: Target) -> None:
        """Redirect to the path of another target."""
        if x.tracer is not None:
            _tell_match(x.tracer, target)
        response = RedirectResponse(url=str(url_of({**x.scope, "path": path})))
        await x.send_response(response)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether an included router answers `scope`; `handle` adds to it. Override it to decide yourself."""
        included = INCLUDED.get()
        if included is None or included.original_router is not self:
            return Match.NONE, {}
        found = table_below(included).find(dict(scope))
        scope["fastapi"] = {**(scope.get("fastapi") or {}), "included_router": included}
        if found is None:
            return Match.NONE, {}
        return (Match.FULL if found[1] else Match.PARTIAL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an included router, or on its own as an ASGI application."""
        included = INCLUDED.get()
        if included is None or included.original_router is not self:
            await self.app(scope, receive, send)
            return
        found = table_below(included).find(scope)
        if found is None:
            await self.default(scope, receive, send)
        else:
            target, full = found
            x = Exchange.of(scope, receive, send)
            if x.tracer is not None:
                _tell_match(x.tracer, target)
            await target.serve(x, full)

    @property
    def wants_to_be_asked(self) -> bool:
        """Whether an include of it lets it decide itself: somebody has written or replaced a `matches` or `handle`."""
        return not is_own(type(self), APIRouter, "matches", "handle")

    def front_ends_below(self, included: IncludedRouter) -> Iterator[tuple[Any, Any, Any]]:
        """The front ends of an include of it and of all below it, with what they ask of each request."""
        return front_end_groups(included)

    # Registration

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Let `app` answer everything below `path`."""
        refuse_app(app, "What is to be mounted")
        super().mount(path, app=app, name=name)

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Let `app` answer everything that is asked of `host`."""
        refuse_app(app, "What is to be mounted")
        super().host(host, app=app, name=name)

    def _verb(self, method: str, path: str, options: RouteOptions) -> Decorator:
        return self.api_route(path=path, **filled(ApiRouteOptions, {**options, "methods": [method]}))

    @api_route_options
    def api_route(self, path: str, **options: Unpack[ApiRouteOptions]) -> Decorator:
        """Register the decorated function at `path` for ``methods`` (GET if none are named).

        Parameters:
            path: the path template, after the router's prefix.
            options: see `ApiRouteOptions`.
        """

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.add_api_route(path, function, **filled(ApiRouteOptions, options))
            return function

        return register

    @add_route_options
    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Unpack[AddRouteOptions]) -> None:
        """Register `endpoint` at `path`.

        Parameters:
            path: the path template, after the router's prefix.
            endpoint: the function.
            options: see `AddRouteOptions`.
        """
        chosen = own_options(filled(AddRouteOptions, options))
        route_class = chosen.pop("route_class_override") or self.route_class
        versions = both(self._versions, VersionSet.of(chosen.pop("versions", None)))
        refuse(route_class, f"The class of the route {path!r}")
        chosen.update(
            tags=[*self.tags, *(chosen["tags"] or [])],
            dependencies=[*self.dependencies, *(chosen["dependencies"] or [])],
            callbacks=[*self.callbacks, *iter(chosen["callbacks"] or ())],
            responses={**self.responses, **(chosen["responses"] or {})},
            deprecated=chosen["deprecated"] or self.deprecated,
            include_in_schema=chosen["include_in_schema"] and self.include_in_schema,
            response_class=get_value_or_default(chosen["response_class"], self.default_response_class),
            generate_unique_id_function=get_value_or_default(
                chosen["generate_unique_id_function"], self.generate_unique_id_function
            ),
            strict_content_type=get_value_or_default(chosen["strict_content_type"], self.strict_content_type),
            max_body_size=self.max_body_size if chosen["max_body_size"] is None else chosen["max_body_size"],
            dependency_overrides_provider=self.dependency_overrides_provider,
        )
        if self.dependencies_before_body is not None:
            chosen.setdefault("dependencies_before_body", self.dependencies_before_body)
        if chosen["form_limits"] is None:
            del chosen["form_limits"]  # route classes from before it existed need not take it
        self._add(route_class(self.prefix + path, endpoint=endpoint, **chosen), versions)

    def _add(self, route: APIRoute | APIWebSocketRoute, versions: VersionSet | None) -> None:
        if versions is not None:
            route.versions = versions
        self._check_versions([route])
        self.routes.append(route)
        self._mark_routes_changed()

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
        """Register `endpoint` as a WebSocket endpoint at `path`, after the router's prefix."""
        chosen = both(self._versions, VersionSet.of(versions))
        route = routing_class("APIWebSocketRoute")(
            self.prefix + path,
            endpoint=endpoint,
            name=name,
            dependencies=[*self.dependencies, *(dependencies or [])],
            dependency_overrides_provider=self.dependency_overrides_provider,
        )
        self._add(route, chosen)

    def add_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Register `endpoint` as a plain Starlette endpoint: a function of a `Request`, or a class."""
        super().add_route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema)
        self._mark_routes_changed()

    def add_websocket_route(self, path: str, endpoint: Callable[..., Any], name: str | None = None) -> None:
        """Register `endpoint` as a plain Starlette WebSocket endpoint."""
        super().add_websocket_route(path, endpoint, name=name)
        self._mark_routes_changed()

    def route(
        self,
        path: str,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> Decorator:
        """Register the decorated function as a plain Starlette endpoint (it takes a `Request`)."""

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.add_route(path, function, methods=methods, name=name, include_in_schema=include_in_schema)
            return function

        return register

    def websocket_route(self, path: str, name: str | None = None) -> Decorator:
        """Register the decorated function as a plain Starlette WebSocket endpoint."""

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.add_websocket_route(path, function, name=name)
            return function

        return register

    def frontend(
        self, path: str, *, directory: Directory, fallback: Fallback = "auto", check_dir: CheckDir = "auto"
    ) -> None:
        """Serve a built front end, a directory of static files, where no route answers.

        Parameters:
            path: the prefix, taken literally, after the router's own; ``"/"`` for everything.
            directory: where the files are. The ``index.html`` of a directory answers for it.
            fallback: the file for paths without one: ``"404.html"``, with status 404; ``"index.html"``, for requests
                whose ``Accept`` header names HTML; ``"auto"``, the first of these two that exists; None for none.
            check_dir: whether directory and fallback must exist already; ``"auto"`` only warns about a missing
                directory when the environment variable ``FASTAPI_ENV`` is ``development``.

        Raises:
            RouteError: for a bad path or fallback, or when something that is checked is missing.
        """
        if self._frontends is None:
            self._frontends = Frontends(self.dependencies)
        self._frontends.add(self.prefix, path, directory, fallback, check_dir)
        self._mark_routes_changed()

    @include_options
    def include_router(self, router: APIRouter, **options: Unpack[IncludeOptions]) -> None:
        """Serve the routes of `router` below this one, those that it gets later too.

        Parameters:
            router: what to include.
            options: see `IncludeOptions`.

        Raises:
            RouteError: for a bad prefix or a router that contains this one.
            FastAPIError: for a route with neither prefix nor path.
        """
        refuse(router, "The router to include")
        chosen = own_options(filled(IncludeOptions, options))
        prefix: str = chosen["prefix"]
        check_prefix(prefix)
        validate_max_body_size(chosen["max_body_size"])
        refuse_routes(chosen["callbacks"] or (), "callbacks=")
        self._refuse_cycle(router)
        if not prefix:
            _refuse_empty_paths(router)
        context = IncludeContext(
            included_router=router,
            prefix=self.prefix + prefix,
            tags=[*self.tags, *(chosen["tags"] or ())],
            dependencies=[*self.dependencies, *(chosen["dependencies"] or ())],
            default_response_class=get_value_or_default(
                router.default_response_class, chosen["default_response_class"], self.default_response_class
            ),
            responses={**self.responses, **(chosen["responses"] or {})},
            callbacks=[*self.callbacks, *(chosen["callbacks"] or ())],
            deprecated=chosen["deprecated"] or self.deprecated,
            include_in_schema=chosen["include_in_schema"] and self.include_in_schema,
            generate_unique_id_function=get_value_or_default(
                router.generate_unique_id_function,
                chosen["generate_unique_id_function"],
                self.generate_unique_id_function,
            ),
            strict_content_type=get_value_or_default(router.strict_content_type, self.strict_content_type),
            max_body_size=get_body_size_limit(router.max_body_size, chosen["max_body_size"], self.max_body_size),
            form_limits={
                **self.form_limits,
                **validate_form_limits(chosen["form_limits"]),
                **router.form_limits,
            },
            dependency_overrides_provider=self.dependency_overrides_provider,
            layers=(router._layer,),
            versions=both(self._versions, VersionSet.of(chosen.get("versions"))),
            dependencies_before_body=first_set(
                router.dependencies_before_body, chosen.get("dependencies_before_body"), self.dependencies_before_body
            ),
        )
        included = routing_class("_IncludedRouter")(router, context)
        self._check_versions([included])
        self.routes.append(included)
        self._mark_routes_changed()
        for kind, handlers in (("startup", router.on_startup), ("shutdown", router.on_shutdown)):
            for handler in handlers:
                self.add_event_handler(kind, handler)
        self.lifespan_context = merged(self.lifespan_context, router.lifespan_context)

    def _refuse_cycle(self, router: APIRouter) -> None:
        if router is self:
            raise RouteError(
                "Cannot include the same APIRouter instance into itself. Did you mean to include a different router?"
            )
        if any(below is self for below in routers_below(router)):
            raise RouteError(
                "Cannot include an APIRouter instance that already includes this router. "
                "Did you mean to include a different router?"
            )

    # Events

    def add_event_handler(self, event_type: str, func: Callable[[], Any]) -> None:
        """Call `func` at ``"startup"`` or ``"shutdown"``. Prefer `lifespan`."""
        handlers = {"startup": self.on_startup, "shutdown": self.on_shutdown}.get(event_type)
        if handlers is None:
            raise RouteError(f"There is no event {event_type!r}: it is either 'startup' or 'shutdown'")
        handlers.append(func)

    def on_event(self, event_type: str) -> Decorator:
        """Deprecated: call the decorated function at ``"startup"`` or ``"shutdown"``. Use `lifespan`."""
        warn_at_caller(_ON_EVENT_DEPRECATED, DeprecationWarning)

        def register(function: DecoratedCallable) -> DecoratedCallable:
            self.add_event_handler(event_type, function)
            return function

        return register

    async def _startup(self) -> None:
        await run_handlers(self.on_startup)

    async def _shutdown(self) -> None:
        await run_handlers(self.on_shutdown)

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route matches: 404, or a closed WebSocket."""
        await super().not_found(scope, receive, send)


def _not_found() -> HTTPException:
    """What is raised for a request that no route is for."""
    return HTTPException(status_code=404)


@cache
def _refusing_program() -> Program:
    """What raises that, for handlers of the user's."""
    return refusing(_not_found)


def _tell_match(tracer: Tracer, target: Target) -> None:
    found = target.placed.templates
    if found is not None:
        tracer.matched(*found)


watch(APIRouter)
_OWN_DEFAULT = APIRouter.not_found
_STARLETTES_DEFAULT = Router.not_found


def _refuse_empty_paths(router: APIRouter) -> None:
    for route in router.routes:
        if getattr(route, "path", None) == "":
            raise FastAPIError(f"Prefix and path cannot be both empty (path operation: {getattr(route, 'name', None)})")

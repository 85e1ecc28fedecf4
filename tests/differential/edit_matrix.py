"""Edits of route objects: what each attribute of a route decides, by when it is edited and how its router is used.

A case is an edit, the kind of route, how the route is reached (`SHAPES`) and when it is edited (`TIMES`). `transcript`
plays it with one package: requests before and after, the document, and what a walk over the routes sees.
"""

import inspect
import re
from collections.abc import AsyncIterable, Callable
from typing import Annotated, Any

from pydantic import BaseModel
from starlette.convertors import IntegerConvertor
from starlette.routing import Match, Route, Router
from support.asgi import Ask, exchange, run
from support.frameworks import Framework

Edit = Callable[[Framework, Any, list[Any]], object]

SHAPES = ("direct", "included", "twice", "nested")
TIMES = ("declared", "included", "described", "served", "changed")
"""Before and after inclusion, after the document was made, after the first requests, and there with a new route."""


class Item(BaseModel):
    """A body."""

    n: int = 1


class Answer(BaseModel):
    """A response."""

    a: int
    rest: str = "rest"
    none: str | None = None


class Other(BaseModel):
    """Another response."""

    a: int
    more: int = 7


def other(fw: Framework) -> Any:
    """Another endpoint, with other parameters."""

    async def other_endpoint(a: str, z: int = 5) -> Any:
        """Another docstring."""
        return {"a": z, "other": a}

    return other_endpoint


def other_socket(fw: Framework) -> Any:
    """Another WebSocket endpoint."""

    async def other_endpoint(websocket: fw.WebSocket, z: int = 5) -> None:
        await websocket.accept()
        await websocket.send_text(f"other {z}")
        await websocket.close()

    return other_endpoint


def _guard(fw: Framework) -> Any:
    def guard(g: str | None = None) -> None:
        if g is None:
            raise fw.HTTPException(401, "guarded")

    return fw.Depends(guard)


def _noting(fw: Framework, log: list[Any], text: str) -> Any:
    def note(noted: str = "n") -> None:
        log.append((text, noted))

    return fw.Depends(note)


def _sub(fw: Framework, depends: Any) -> Any:
    return fw.module("dependencies.utils").get_parameterless_sub_dependant(depends=depends, path="/x/{a}")


async def _plain(request: Any) -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("plain")


def _set(name: str, value: Any) -> Edit:
    return lambda fw, route, log: setattr(route, name, value(fw) if callable(value) else value)


def _signature(fw: Framework, route: Any, log: list[Any]) -> None:
    old = inspect.signature(route.endpoint)
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in old.parameters.values()]
    extra = inspect.Parameter("q", inspect.Parameter.KEYWORD_ONLY, default=fw.Query(9), annotation=int)
    kept = [parameter for parameter in parameters if parameter.name != "q"]
    route.endpoint.__signature__ = old.replace(parameters=[*kept, extra])


def _annotations(fw: Framework, route: Any, log: list[Any]) -> None:
    route.endpoint.__annotations__ = {**route.endpoint.__annotations__, "q": int, "return": Other}


def _annotations_in_place(fw: Framework, route: Any, log: list[Any]) -> None:
    route.endpoint.__annotations__["q"] = int


def _defaults(fw: Framework, route: Any, log: list[Any]) -> None:
    route.endpoint.__defaults__ = ("new default", *route.endpoint.__defaults__[1:])


def _code(fw: Framework, route: Any, log: list[Any]) -> None:
    async def endpoint(a: int, q: str = "q", item: Any = None, d: Any = None) -> Any:
        return {"a": 1000 + a, "rest": q}

    route.endpoint.__code__ = endpoint.__code__


def _handler_on_instance(fw: Framework, route: Any, log: list[Any]) -> None:
    original = route.get_route_handler

    def get_route_handler() -> Any:
        inner = original()

        async def handler(request: Any) -> Any:
            log.append("instance handler")
            return await inner(request)

        return handler

    route.get_route_handler = get_route_handler


def _handler_on_class(fw: Framework, route: Any, log: list[Any]) -> None:
    kind: Any = type(route)

    class Changed(kind):
        def get_route_handler(self) -> Any:
            inner = super().get_route_handler()

            async def handler(request: Any) -> Any:
                log.append(("class handler", self.path))
                return await inner(request)

            return handler

    route.__class__ = Changed


def _matches(fw: Framework, route: Any, log: list[Any]) -> None:
    original = route.matches

    def matches(scope: Any) -> Any:
        log.append("matches") if "matches" not in log else None
        match, child = original(scope)
        return (Match.NONE, {}) if b"no=1" in scope["query_string"] else (match, child)

    route.matches = matches


def _handle(fw: Framework, route: Any, log: list[Any]) -> None:
    original = route.handle

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        log.append("handle")
        await original(scope, receive, send)

    route.handle = handle


def _callback(fw: Framework, route: Any, log: list[Any]) -> None:
    callbacks = fw.APIRouter()

    @callbacks.post("{$request.body.url}")
    def call_back(item: Item) -> None: ...

    route.callbacks = [*(route.callbacks or []), *callbacks.routes]


def _dependant(fw: Framework, route: Any, log: list[Any]) -> None:
    utils = fw.module("dependencies.utils")
    route.dependant = utils.get_dependant(path=route.path_format, call=other(fw))


def _call(fw: Framework, route: Any, log: list[Any]) -> None:
    async def call(**values: Any) -> Any:
        return {"a": 77, "rest": ",".join(sorted(values))}

    route.dependant.call = call


EDITS: dict[str, Edit] = {
    "endpoint": lambda fw, route, log: setattr(route, "endpoint", other(fw)),
    "signature": _signature,
    "annotations": _annotations,
    "annotations in place": _annotations_in_place,
    "defaults": _defaults,
    "code": _code,
    "doc": lambda fw, route, log: setattr(route.endpoint, "__doc__", "Edited.\n\nMore."),
    "endpoint name": lambda fw, route, log: setattr(route.endpoint, "__name__", "edited_name"),
    "dependencies append": lambda fw, route, log: route.dependencies.append(_guard(fw)),
    "dependencies insert": lambda fw, route, log: route.dependencies.insert(0, _noting(fw, log, "inserted")),
    "dependencies set": lambda fw, route, log: setattr(route, "dependencies", [_guard(fw)]),
    "dependencies clear": lambda fw, route, log: route.dependencies.clear(),
    "dependencies none": _set("dependencies", None),
    "dependant": _dependant,
    "dependant call": _call,
    "dependant dependencies": lambda fw, route, log: route.dependant.dependencies.append(_sub(fw, _guard(fw))),
    "dependant dependencies clear": lambda fw, route, log: route.dependant.dependencies.clear(),
    "dependant query": lambda fw, route, log: route.dependant.query_params.clear(),
    "dependant query set": lambda fw, route, log: setattr(route.dependant, "query_params", []),
    "dependant body": lambda fw, route, log: route.dependant.body_params.clear(),
    "handler on instance": _handler_on_instance,
    "handler on class": _handler_on_class,
    "matches": _matches,
    "handle": _handle,
    "app": lambda fw, route, log: setattr(route, "app", Router([Route("/{rest:path}", _plain)])),
    "path": _set("path", "/y/{a}"),
    "path parameter": _set("path", "/x/{a}/{z}"),
    "path_regex": lambda fw, route, log: setattr(route, "path_regex", re.compile("^(/p.*)?/yy/(?P<a>[0-9]+)$")),
    "path_format": _set("path_format", "/formatted/{a}"),
    "param_convertors": lambda fw, route, log: route.param_convertors.update(a=IntegerConvertor()),
    "param_convertors set": lambda fw, route, log: setattr(route, "param_convertors", {"a": IntegerConvertor()}),
    "methods set": lambda fw, route, log: setattr(route, "methods", {"PUT"}),
    "methods list": lambda fw, route, log: setattr(route, "methods", ["PUT", "POST"]),
    "methods add": lambda fw, route, log: route.methods.add("PUT"),
    "methods discard": lambda fw, route, log: route.methods.discard("POST"),
    "methods replace": lambda fw, route, log: (route.methods.add("PUT"), route.methods.remove("POST")),
    "methods clear": lambda fw, route, log: route.methods.clear(),
    "methods update": lambda fw, route, log: route.methods.update({"PUT", "PATCH"}),
    "methods ior": lambda fw, route, log: setattr(route, "methods", route.methods | {"PUT"}),
    "name": _set("name", "renamed"),
    "status_code": _set("status_code", 299),
    "status_code none": _set("status_code", None),
    "response_class": lambda fw, route, log: setattr(route, "response_class", fw.responses.PlainTextResponse),
    "response_class json": lambda fw, route, log: setattr(route, "response_class", fw.responses.JSONResponse),
    "response_model": lambda fw, route, log: setattr(route, "response_model", Other),
    "response_model none": _set("response_model", None),
    "response_field": _set("response_field", None),
    "response_fields": lambda fw, route, log: setattr(route, "response_fields", {}),
    "response_model_include": lambda fw, route, log: setattr(route, "response_model_include", {"a"}),
    "response_model_exclude": lambda fw, route, log: setattr(route, "response_model_exclude", {"a"}),
    "response_model_by_alias": _set("response_model_by_alias", False),
    "response_model_exclude_unset": _set("response_model_exclude_unset", True),
    "response_model_exclude_defaults": _set("response_model_exclude_defaults", True),
    "response_model_exclude_none": _set("response_model_exclude_none", True),
    "operation_id": _set("operation_id", "edited_operation"),
    "unique_id": _set("unique_id", "edited_unique"),
    "generate_unique_id_function": lambda fw, route, log: setattr(
        route, "generate_unique_id_function", lambda one: f"own-{one.name}-{one.path_format}"
    ),
    "tags append": lambda fw, route, log: route.tags.append("edited"),
    "tags set": lambda fw, route, log: setattr(route, "tags", ["edited"]),
    "tags none": _set("tags", None),
    "callbacks": _callback,
    "callbacks none": _set("callbacks", None),
    "responses set": lambda fw, route, log: setattr(route, "responses", {418: {"description": "teapot"}}),
    "responses update": lambda fw, route, log: route.responses.update({418: {"model": Other}}),
    "summary": _set("summary", "edited summary"),
    "description": _set("description", "edited description"),
    "description paragraphs": _set("description", "one\n\ntwo\fthree"),
    "response_description": _set("response_description", "edited"),
    "deprecated": _set("deprecated", True),
    "include_in_schema": _set("include_in_schema", False),
    "openapi_extra": lambda fw, route, log: setattr(route, "openapi_extra", {"x-edited": 1}),
    "strict_content_type": _set("strict_content_type", False),
    "max_body_size": _set("max_body_size", 3),
    "form_limits": lambda fw, route, log: setattr(route, "form_limits", {"max_fields": 1}),
    "dependency_overrides_provider": lambda fw, route, log: setattr(
        route, "dependency_overrides_provider", fw.FastAPI()
    ),
    "body_field": _set("body_field", None),
    "embed": _set("_embed_body_fields", True),
    "stream_item_type": _set("stream_item_type", int),
    "stream_item_field": _set("stream_item_field", None),
    "is_json_stream": _set("is_json_stream", True),
    "is_sse_stream": _set("is_sse_stream", True),
    "url_path_for": lambda fw, route, log: setattr(route, "url_path_for", lambda name, /, **params: "/own"),
    "own attribute": _set("own_attribute", "own"),
}

FORM_EDITS: dict[str, Edit] = {
    **{name: EDITS[name] for name in ("form_limits", "max_body_size", "strict_content_type", "endpoint", "defaults")},
    "form_limits update": lambda fw, route, log: route.form_limits.update(max_fields=5),
    "form_limits none": _set("form_limits", None),
    "dependant body": EDITS["dependant body"],
    "embed": EDITS["embed"],
    "body_field": EDITS["body_field"],
}

STREAM_EDITS: dict[str, Edit] = {
    **{
        name: EDITS[name]
        for name in (
            "endpoint",
            "annotations",
            "status_code",
            "response_class",
            "response_model",
            "response_model_exclude_none",
            "stream_item_type",
            "stream_item_field",
            "is_json_stream",
            "is_sse_stream",
            "handler on instance",
        )
    },
    "response_class events": lambda fw, route, log: setattr(
        route, "response_class", fw.module("sse").EventSourceResponse
    ),
    "response_class raw": lambda fw, route, log: setattr(route, "response_class", fw.responses.StreamingResponse),
    "is_json_stream off": _set("is_json_stream", False),
    "stream_item_type none": _set("stream_item_type", None),
}

SOCKET_EDITS: dict[str, Edit] = {
    "endpoint": lambda fw, route, log: setattr(route, "endpoint", other_socket(fw)),
    **{
        name: EDITS[name]
        for name in (
            "signature",
            "annotations in place",
            "defaults",
            "endpoint name",
            "dependencies append",
            "dependencies insert",
            "dependencies set",
            "dependencies clear",
            "dependencies none",
            "dependant dependencies",
            "dependant dependencies clear",
            "dependant query",
            "matches",
            "handle",
            "path",
            "path parameter",
            "path_regex",
            "path_format",
            "param_convertors",
            "param_convertors set",
            "name",
            "dependency_overrides_provider",
            "embed",
            "url_path_for",
            "own attribute",
        )
    },
    "app": lambda fw, route, log: setattr(route, "app", other_app),
    "dependant": lambda fw, route, log: setattr(
        route,
        "dependant",
        fw.module("dependencies.utils").get_dependant(path=route.path_format, call=other_socket(fw)),
    ),
    "dependant call": lambda fw, route, log: setattr(route.dependant, "call", other_socket(fw)),
}


def _late_route(fw: Framework, router: Any, log: list[Any]) -> None:
    router.get("/x/late")(lambda: "late")


ROUTER_EDITS: dict[str, Edit] = {
    "prefix": _set("prefix", "/changed"),
    "tags": lambda fw, router, log: router.tags.append("edited"),
    "tags set": lambda fw, router, log: setattr(router, "tags", ["edited"]),
    "dependencies": lambda fw, router, log: router.dependencies.append(_guard(fw)),
    "dependencies set": lambda fw, router, log: setattr(router, "dependencies", [_guard(fw)]),
    "responses": lambda fw, router, log: router.responses.update({418: {"description": "teapot"}}),
    "responses set": lambda fw, router, log: setattr(router, "responses", {418: {"description": "teapot"}}),
    "callbacks": _callback,
    "deprecated": _set("deprecated", True),
    "include_in_schema": _set("include_in_schema", False),
    "default_response_class": lambda fw, router, log: setattr(
        router, "default_response_class", fw.responses.PlainTextResponse
    ),
    "generate_unique_id_function": lambda fw, router, log: setattr(
        router, "generate_unique_id_function", lambda one: f"own-{one.name}"
    ),
    "strict_content_type": _set("strict_content_type", False),
    "max_body_size": _set("max_body_size", 3),
    "form_limits": lambda fw, router, log: setattr(router, "form_limits", {"max_fields": 1}),
    "dependency_overrides_provider": lambda fw, router, log: setattr(
        router, "dependency_overrides_provider", fw.FastAPI()
    ),
    "route_class": _set("route_class", None),
    "redirect_slashes": _set("redirect_slashes", False),
    "default": lambda fw, router, log: setattr(router, "default", other_app),
    "routes clear": lambda fw, router, log: router.routes.clear(),
    "routes pop": lambda fw, router, log: router.routes.pop(),
    "routes append": lambda fw, router, log: router.routes.append(Route("/x/appended", _plain)),
    "routes insert": lambda fw, router, log: router.routes.insert(0, Route("/x/{a}", _plain)),
    "routes set": lambda fw, router, log: setattr(router, "routes", [Route("/x/set", _plain)]),
    "routes reverse": lambda fw, router, log: router.routes.reverse(),
    "routes append and pop": lambda fw, router, log: (
        router.routes.append(Route("/x/appended", _plain)),
        router.routes.pop(0),
    ),
    "get": _late_route,
    "add_route": lambda fw, router, log: router.add_route("/x/added", _plain),
    "mount": lambda fw, router, log: router.mount("/x/mounted", Router([Route("/in", _plain)])),
    "host": lambda fw, router, log: router.host("unit.test", Router([Route("/x/hosted", _plain)])),
    "add_websocket_route": lambda fw, router, log: router.add_websocket_route("/x/socket", _plain),
    "include": lambda fw, router, log: router.include_router(fw.APIRouter(), prefix="/more"),
    "pop and get": lambda fw, router, log: (router.routes.pop(0), _late_route(fw, router, log)),  # type: ignore[func-returns-value]
}
"""Edits of a router, of the one that includes it and (as far as they are there) of what the include has remembered."""


async def other_app(scope: Any, receive: Any, send: Any) -> None:
    """Another ASGI application for WebSockets."""
    await send({"type": "websocket.close", "code": 4444})


def _kind(exc: Exception) -> str:
    """The kind of an error; a mistake of the user's is an `AssertionError` in both packages."""
    return "AssertionError" if isinstance(exc, AssertionError) else type(exc).__name__


def _router(fw: Framework, log: list[Any], kind: str) -> Any:
    """A router, or an application, with the route that is edited."""

    def dependency() -> str:
        return "dependency"

    def declare(router: Any) -> None:
        if kind == "http":

            @router.post(
                "/x/{a}",
                responses={404: {"model": Other}},
                tags=["t"],
                dependencies=[_noting(fw, log, "own")],
                status_code=201,
            )
            async def endpoint(
                a: int,
                q: str = "q",
                item: Annotated[Item | None, fw.Body()] = None,
                d: str = fw.Depends(dependency),
            ) -> Answer:
                """The docstring."""
                return Answer(a=a, rest=f"{q!r} {item!r} {d if isinstance(d, str) else 0}")
        elif kind == "form":

            @router.post("/x/{a}", form_limits={"max_fields": 2})
            async def filled(a: int, n: int = fw.Form(3), text: str = fw.Form("text")) -> Any:
                return [a, n, text]
        elif kind == "stream":

            @router.post("/x/{a}", status_code=202, response_model_exclude_none=True)
            async def stream(a: int, q: str = "q") -> AsyncIterable[Item]:
                yield Item(n=a)
                yield {"n": "2"}  # type: ignore[misc]
        else:

            @router.websocket("/x/{a}", dependencies=[_noting(fw, log, "own")])
            async def socket(
                websocket: fw.WebSocket,
                a: int,
                q: str = "q",
                d: str = fw.Depends(dependency),
            ) -> None:
                await websocket.accept()
                await websocket.send_text(
                    f"{a!r} {q!r} {d if isinstance(d, str) else 0} {websocket.scope['route'].path}"
                )
                await websocket.close()

    return declare


_PREFIXES = {"direct": [""], "included": ["/p"], "twice": ["/p", "/p2"], "nested": ["/p/n"]}


def _asks(kind: str, shape: str) -> list[Ask]:
    paths = [f"{prefix}{rest}" for prefix in _PREFIXES[shape] for rest in ("/x/1", "/y/1", "/yy/1", "/x/b", "/x/1/2")]
    if kind == "websocket":
        return [
            Ask(kind="websocket", path=path, query=query)
            for path in paths
            for query in (b"q=5", b"q=b&g=1&z=2", b"no=1")
        ]
    if kind == "form":
        form = [(b"content-type", b"application/x-www-form-urlencoded")]
        bodies = (b"n=1&text=t", b"n=1&text=t&more=m", b"n=1", b"")
        return [Ask("POST", path, headers=form, body=(body,)) for path in paths for body in bodies]
    json = [(b"content-type", b"application/json")]
    asks = []
    for path in paths:
        asks += [
            Ask("POST", path, b"q=5", json, (b'{"n": 2}',)),
            Ask("POST", path, b"g=1&q=b&z=2", (), (b'{"n": 2}',)),
            Ask("POST", path, b"no=1"),
        ]
    asks += [Ask("PUT", path, b"g=1") for path in paths if path.endswith("/x/1")]
    asks += [
        Ask(path=f"{_PREFIXES[shape][0]}/x/{last}")
        for last in ("late", "added", "appended", "set", "mounted/in", "hosted", "1/")
    ]
    return asks


def _seen(fw: Framework, app: Any) -> list[Any]:
    """What a walk over the routes sees."""
    seen: list[Any] = []
    for one in fw.routing.iter_route_contexts(app.routes):
        if one.path is None or "x" not in one.path + str(one.name) + "y":
            continue
        if one.name in ("openapi", "swagger_ui_html", "swagger_ui_redirect", "redoc_html"):
            continue
        facts: list[Any] = [
            one.path,
            one.path_format,
            one.name,
            sorted(one.methods or ()),
            getattr(one.endpoint, "__name__", None),
        ]
        for name in ("status_code", "tags", "summary", "description", "operation_id", "unique_id", "deprecated"):
            facts.append(getattr(one, name, "absent"))
        facts.append(len(getattr(one, "dependencies", None) or ()))
        seen.append(facts)
    for name in ("endpoint", "socket", "renamed", "other_endpoint"):
        try:
            seen.append(str(app.url_path_for(name, a="1")))
        except Exception as exc:
            seen.append(_kind(exc))
    return seen


def _document(app: Any) -> Any:
    app.openapi_schema = None
    try:
        document = app.openapi()
    except Exception as exc:
        return _kind(exc)
    return [document["paths"], document.get("components")]


TARGETS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "route": lambda app, router, route: route,
    "router": lambda app, router, route: router,
    "includer": lambda app, router, route: app.router,
    "context": lambda app, router, route: app.router.routes[-1].include_context,
}
"""What is edited."""


def transcript(fw: Framework, edit: Edit, kind: str, shape: str, time: str, target: str = "route") -> list[Any]:
    """What comes of an edit."""
    log: list[Any] = []
    app = fw.FastAPI()
    router = app.router if shape == "direct" else fw.APIRouter(tags=["r"], dependencies=[_noting(fw, log, "router")])
    _router(fw, log, kind)(app if shape == "direct" else router)
    route = router.routes[-1]
    problem: list[Any] = []

    def edited(now: str) -> None:
        if now == time:
            try:
                edit(fw, TARGETS[target](app, router, route), log)
            except Exception as exc:
                problem.append(_kind(exc))

    async def play(now: str) -> list[Any]:
        edited(now)
        found: list[Any] = []
        for ask in _asks(kind, shape):
            log.clear()
            answer = await exchange(app, ask)
            if answer.status != 404:
                found.append(
                    (ask.path, ask.query, answer.status, answer.body, answer.messages, answer.error, list(log))
                )
        return found

    async def main() -> list[Any]:
        edited("declared")
        if shape == "nested":
            middle = fw.APIRouter(dependencies=[_noting(fw, log, "middle")])
            middle.include_router(router, prefix="/n")
            app.include_router(middle, prefix="/p")
        elif shape != "direct":
            app.include_router(router, prefix="/p", tags=["i"], dependencies=[_noting(fw, log, "include")])
            if shape == "twice":
                app.include_router(router, prefix="/p2")
        edited("included")
        found: list[Any] = []
        if time == "described":
            found += ["document", _document(app)]
            edited("described")
        found += ["first", await play("-")]
        if time in ("served", "changed"):
            if time == "changed":
                router.get("/late")(lambda: "late")
            found += ["second", await play(time)]
            edited("changed")
            if time == "changed":
                router.get("/later")(lambda: "late")
                found += ["third", await play("-")]
        found += ["document", _document(app), "seen", _seen(fw, app)]
        return found + problem

    try:
        return list(run(main))
    except Exception as exc:
        return [_kind(exc), *problem]

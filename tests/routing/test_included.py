"""Included routers as libraries see them: places, contexts, what matches, and what is declared again."""

import contextlib
import inspect
from typing import Any, ClassVar

import pytest
from starlette.convertors import IntegerConvertor
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Mount, NoMatchFound, Route, WebSocketRoute
from support.asgi import Ask, exchange, run
from support.compare import _neutral, compare, compare_documents
from support.frameworks import BOTH, FERRAPI, Framework

pytestmark = pytest.mark.usefixtures("quiet")


async def plain(request: Any) -> Any:
    """A plain Starlette endpoint."""
    return PlainTextResponse(f"plain {sorted(request.path_params)}")


async def other(request: Any) -> Any:
    """Another one."""
    return PlainTextResponse("other")


async def socket(websocket: Any) -> None:
    """A plain Starlette WebSocket endpoint."""
    await websocket.accept()
    await websocket.close()


def routers(fw: Framework, log: list[Any]) -> Any:
    """An application with routers in routers, and routes of all kinds in them."""
    app = fw.FastAPI(openapi_url=None)
    inner, middle = fw.APIRouter(), fw.APIRouter(prefix="/middle")

    class Asked(fw.routing.APIRoute):
        def matches(self, scope: Any) -> Any:
            log.append("matches")
            return super().matches(scope)

    @inner.get("/item/{a}", tags=["t"], status_code=202)
    def item(a: int, request: fw.Request) -> Any:
        place = fw.routing._get_scope_effective_route_context(request.scope)
        return [request.scope["route"].path, place.path, place.original_route is request.scope["route"]]

    @inner.websocket("/socket/{a}")
    async def own_socket(websocket: fw.WebSocket, a: int) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.scope["route"].path)
        await websocket.close()

    inner.add_api_route("/asked/{a:int}", lambda a: a, route_class_override=Asked, name="asked")
    inner.add_route("/plain/{p}", plain)
    inner.add_websocket_route("/plain-socket", socket)
    inner.mount("/mount", fw.FastAPI(openapi_url=None), name="mounted")
    middle.get("/own")(lambda: "own")
    middle.include_router(inner, prefix="/{m}")
    app.include_router(middle, prefix="/first")
    app.include_router(inner)
    app.get("/direct/{d}")(lambda d: d)
    return app


PATHS = [
    f"{prefix}{rest}"
    for prefix in ("", "/first/middle/m", "/first")
    for rest in (
        "/item/1",
        "/item/x",
        "/socket/1",
        "/asked/1",
        "/plain/1",
        "/plain-socket",
        "/mount/x",
        "/middle/own",
        "/direct/1",
    )
]
SCOPES = [
    Ask(method, path, kind=kind)  # type: ignore[arg-type]
    for path in PATHS
    for kind, method in (("http", "GET"), ("http", "POST"), ("websocket", "GET"))
]


def _added(child: Any) -> list[Any]:
    """What a match adds to the scope, in words."""
    return [
        (name, getattr(value, "path", None) or getattr(value, "__name__", None) or str(value))
        for name, value in sorted(child.items())
        if name not in ("endpoint", "app_root_path")
    ]


def _facts(one: Any, route: Any) -> list[Any]:
    names = ("path", "path_format", "name", "status_code", "tags", "unique_id", "include_in_schema", "response_model")
    facts = [getattr(route, name, "absent") for name in names]
    return [*facts, sorted(getattr(route, "methods", None) or ()), type(one).__name__]


def _walk(walk: Any) -> list[Any]:
    """What a walk sees in an application with `routers`, for both packages."""
    seen = []
    for fw in BOTH:
        log: list[Any] = []
        app = routers(fw, log)
        seen.append(_neutral([walk(fw, app), log]))
    return seen


class TestWalks:
    """A walk over the routes sees each included route at its place, and asks no route."""

    def test_route_contexts(self) -> None:
        theirs, ours = _walk(
            lambda fw, app: [
                [_facts(one, one), type(one.original_route).__name__]
                for one in fw.routing.iter_route_contexts(app.routes)
            ]
        )
        assert ours == theirs

    def test_contexts_of_contexts_are_themselves(self) -> None:
        for fw in BOTH:
            contexts = list(fw.routing.iter_route_contexts(routers(fw, []).routes))
            again = list(fw.routing.iter_route_contexts(contexts))
            assert all(one is other for one, other in zip(contexts, again, strict=True))

    def test_matches_of_contexts(self) -> None:
        def walk(fw: Framework, app: Any) -> Any:
            found = []
            for one in fw.routing.iter_route_contexts(app.routes):
                for ask in SCOPES:
                    match, child = one.matches(ask.scope())
                    if match is not Match.NONE:
                        found.append([one.path, ask.method, ask.path, match.name, _added(child)])
            return found

        theirs, ours = _walk(walk)
        assert ours == theirs
        assert len(ours[0]) > 20

    def test_places(self) -> None:
        def walk(fw: Framework, app: Any) -> Any:
            found = []
            for included in app.routes:
                if isinstance(included, fw.routing._IncludedRouter):
                    for place in included.effective_route_contexts():
                        found.append(
                            [
                                _facts(place, place.starlette_route or place),
                                [place.path, place.name, sorted(place.methods), place.tags, place.endpoint is None],
                                type(place.original_route).__name__,
                            ]
                        )
                    found.append([type(one).__name__ for one in included.effective_candidates()])
                    found.append(included.effective_low_priority_routes())
            return found

        theirs, ours = _walk(walk)
        assert ours == theirs

    def test_routes_with_their_contexts(self) -> None:
        theirs, ours = _walk(
            lambda fw, app: [
                [getattr(route, "path", None), None if place is None else place.path]
                for route, place in fw.routing._iter_routes_with_context(app.routes)
            ]
        )
        assert ours == theirs

    def test_paths_by_name(self) -> None:
        def walk(fw: Framework, app: Any) -> Any:
            found: list[str | None] = []
            for name, params in (
                ("item", {"a": 1}),
                ("item", {"a": 1, "m": "x"}),
                ("own_socket", {"a": 2, "m": "x"}),
                ("plain", {"p": 1}),
                ("mounted", {"path": "/x", "m": "y"}),
                ("none", {}),
            ):
                for one in (app, *app.routes):
                    try:
                        found.append(str(one.url_path_for(name, **params)))
                    except NoMatchFound:
                        found.append(None)
            return found

        theirs, ours = _walk(walk)
        assert ours == theirs

    def test_contexts_are_made_once(self) -> None:
        app = routers(FERRAPI, [])
        included = app.routes[-2]

        def contexts() -> list[Any]:
            return list(FERRAPI.routing.iter_route_contexts([included]))

        first = contexts()
        assert all(one is other for one, other in zip(first, contexts(), strict=True))
        app.get("/unrelated")(lambda: None)
        assert all(one is other for one, other in zip(first, contexts(), strict=True))
        included.original_router.get("/more")(lambda: None)
        assert len(contexts()) == len(first) + 1


class TestMatching:
    """An included router matches what its routes match."""

    def test_requests(self) -> None:
        compare(lambda fw, log: routers(fw, []), [ask for ask in SCOPES if "/asked/" not in ask.path])

    def test_matches_of_the_included_router(self) -> None:
        def walk(fw: Framework, app: Any) -> Any:
            included = [one for one in app.routes if isinstance(one, fw.routing._IncludedRouter)]
            return [[one.matches(ask.scope()) for ask in SCOPES if "/asked/" not in ask.path] for one in included]

        theirs, ours = _walk(walk)
        assert ours[0] == theirs[0]

    def test_the_included_router_answers_404_itself(self) -> None:
        def walk(fw: Framework, app: Any) -> Any:
            async def one() -> Any:
                answer = await exchange(app.routes[-2].handle, Ask(path="/nowhere"))
                return [answer.status, answer.body]

            return run(one)

        theirs, ours = _walk(walk)
        assert ours[0] == theirs[0]

    def test_an_own_matches_is_asked_once_for_a_request(self) -> None:
        log: list[Any] = []
        app = routers(FERRAPI, log)
        run(lambda: exchange(app, Ask(path="/first/middle/m/asked/1")))
        assert log == ["matches"]


class TestEditsOfPlainRoutes:
    """A plain Starlette route is what it says at the first use of its place."""

    EDITS: ClassVar[dict[str, Any]] = {
        "none": lambda route, fw: None,
        "methods": lambda route, fw: route.methods.add("PUT"),
        "methods set": lambda route, fw: setattr(route, "methods", {"PUT"}),
        "path": lambda route, fw: setattr(route, "path", "/z/{x}"),
        "convertors": lambda route, fw: route.param_convertors.update(x=IntegerConvertor()),
        "endpoint": lambda route, fw: setattr(route, "endpoint", other),
        "matches": lambda route, fw: setattr(route, "matches", lambda scope: (Match.NONE, {})),
        "name": lambda route, fw: setattr(route, "name", "renamed"),
    }

    @pytest.mark.parametrize("included", [True, False])
    @pytest.mark.parametrize("kind", ["route", "mount"])
    @pytest.mark.parametrize("edit", EDITS)
    def test_before_the_first_request(self, edit: str, kind: str, included: bool) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app, router = fw.FastAPI(openapi_url=None), fw.APIRouter()
            inner = Route("/a/{x}", plain, methods=["GET"])
            route = inner if kind == "route" else Mount("/z", routes=[inner])
            (router if included else app.router).routes.append(route)
            if included:
                app.include_router(router, prefix="/p")
            with contextlib.suppress(AttributeError):
                self.EDITS[edit](route, fw)
            return app

        prefix = "/p" if included else ""
        if (edit, included) == ("matches", True):
            pytest.skip("a route with a `matches` of its own is asked, in FastAPI not")
        paths = ("/a/1", "/a/q", "/z/1", "/z/a/1")
        compare(make, [Ask(method, prefix + path) for method in ("GET", "PUT") for path in paths])


class TestHosts:
    """A `Host` in an included router has the prefix inside of it."""

    @staticmethod
    def app(prefix: str) -> Any:
        async def echo(scope: Any, receive: Any, send: Any) -> None:
            text = f"{scope['path']} {scope['root_path']} {sorted(scope['path_params'].items())}"
            await PlainTextResponse(text)(scope, receive, send)

        def make(fw: Framework, log: list[Any]) -> Any:
            router, outer = fw.APIRouter(), fw.APIRouter()
            router.host("{sub}.example.org", echo, name="echo")
            inside = fw.FastAPI(openapi_url=None)
            inside.get("/s/{a}", name="s")(lambda a: a)
            router.host("api.test", inside, name="api")
            outer.include_router(router, prefix="/outer")
            app = fw.FastAPI(openapi_url=None)
            app.include_router(router, prefix=prefix)
            app.include_router(outer)
            app.get("/s")(lambda: "direct")
            app.host("api.test", echo)
            return app

        return make

    @pytest.mark.parametrize("prefix", ["", "/p", "/p/{k}"])
    def test_requests(self, prefix: str) -> None:
        whole = prefix.replace("{k}", "v")
        compare(
            self.app(prefix),
            [
                Ask(path=path, headers=[(b"host", host)])
                for host in (b"a.example.org", b"api.test", b"other.test")
                for path in ("/s", f"{whole}/s", f"{whole}/s/1", "/outer/s/2", "/none", whole or "/")
            ],
        )

    @pytest.mark.parametrize("prefix", ["", "/p", "/p/{k}"])
    def test_paths_by_name(self, prefix: str) -> None:
        found = []
        for fw in BOTH:
            app = self.app(prefix)(fw, [])
            paths: list[Any] = []
            for name, params in (
                ("echo", {"sub": "a", "path": "/x"}),
                ("api:s", {"a": 1}),
                ("api:s", {"a": 1, "k": 2}),
            ):
                try:
                    path = app.url_path_for(name, **params)
                    paths.append((str(path), path.host))
                except NoMatchFound:
                    paths.append(None)
            found.append(paths)
        assert found[1] == found[0]


class TestPlainRoutes:
    """Plain Starlette routes keep their class and their middleware."""

    @staticmethod
    def app(fw: Framework, log: list[Any]) -> Any:
        class Noting:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                log.append(("middleware", scope["path"]))
                await self.app(scope, receive, send)

        class Own(Route):
            async def handle(self, scope: Any, receive: Any, send: Any) -> None:
                log.append(("handle", scope["path"]))
                await super().handle(scope, receive, send)

        class Other(BaseRoute):
            def matches(self, scope: Any) -> Any:
                return (Match.FULL if scope["path"].endswith("/other") else Match.NONE), {}

            async def handle(self, scope: Any, receive: Any, send: Any) -> None:
                await PlainTextResponse("other")(scope, receive, send)

        router = fw.APIRouter()
        router.routes += [
            Route("/guarded", plain, middleware=[Middleware(Noting)]),
            WebSocketRoute("/socket", socket, middleware=[Middleware(Noting)]),
            Own("/own", plain, methods=["POST"]),
            Mount("/mount", routes=[Route("/in", plain)], middleware=[Middleware(Noting)]),
            Other(),
        ]
        app = fw.FastAPI(openapi_url=None)
        app.include_router(router, prefix="/p/{q}")
        return app

    def test_middleware_and_subclasses_are_kept(self) -> None:
        log: list[Any] = []
        app = self.app(FERRAPI, log)

        async def main() -> list[Any]:
            asks = [
                Ask(path="/p/1/guarded"),
                Ask(kind="websocket", path="/p/1/socket"),
                Ask("POST", "/p/1/own"),
                Ask(path="/p/1/mount/in"),
                Ask(path="/p/1/other"),
            ]
            return [(await exchange(app, ask)).body for ask in asks]

        assert run(main) == [b"plain ['q']", b"", b"plain ['q']", b"plain ['q']", b"other"]
        assert log == [
            ("middleware", "/p/1/guarded"),
            ("middleware", "/p/1/socket"),
            ("handle", "/p/1/own"),
            ("middleware", "/p/1/mount/in"),
        ]
        assert [one.path for one in FERRAPI.routing.iter_route_contexts(app.routes)] == [
            "/p/{q}/guarded",
            "/p/{q}/socket",
            "/p/{q}/own",
            "/p/{q}/mount",
        ]

    @pytest.mark.parametrize("kind", ["route", "mount", "included"])
    def test_an_empty_path_needs_a_prefix(self, kind: str) -> None:
        for fw in BOTH:
            router = fw.APIRouter()
            if kind == "included":
                router.get("")(lambda: None)
                outer = fw.APIRouter()
                with pytest.raises(fw.exceptions.FastAPIError):
                    outer.include_router(router)
                outer.include_router(router, prefix="/x")
                fw.FastAPI().include_router(outer)
                continue
            router.routes.append(Mount("", routes=[]) if kind == "mount" else fw.routing.APIRoute("", lambda: None))
            with pytest.raises(fw.exceptions.FastAPIError):
                fw.FastAPI().include_router(router)
            fw.FastAPI().include_router(router, prefix="/x")


class TestDeclaredAgain:
    """Libraries for class-based views rewrite the signature after the decorator and include the router then."""

    @staticmethod
    def view(fw: Framework, log: list[Any]) -> Any:
        app, router = fw.FastAPI(), fw.APIRouter(prefix="/view", tags=["view"])

        def give(x: int = 5) -> int:
            return x

        class View:
            def __init__(self, x: int = fw.Depends(give)) -> None:
                self.x = x

            @router.get("/{a}")
            def get(self, a: int, q: str = "q") -> list[int | str]:
                """Documented."""
                return [self.x, a, q]

            @router.websocket("/{a}/socket")
            async def socket(self, websocket: fw.WebSocket, a: int) -> None:
                await websocket.accept()
                await websocket.send_text(f"{self.x} {a}")
                await websocket.close()

        views = fw.APIRouter()
        for route in list(router.routes):
            router.routes.remove(route)
            signature = inspect.signature(route.endpoint)
            first, *others = signature.parameters.values()
            others = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in others]
            route.endpoint.__signature__ = signature.replace(
                parameters=[first.replace(default=fw.Depends(View)), *others]
            )
            route.path = route.path.removeprefix(router.prefix)
            route.name = f"View.{route.name}"
            views.routes.append(route)
        router.include_router(views)
        app.include_router(router)
        app.include_router(router, prefix="/again")
        return app

    def test_views(self) -> None:
        asks = [Ask(path=f"{prefix}/view/{a}", query=b"x=7") for prefix in ("", "/again") for a in ("1", "x")]
        asks += [Ask(kind="websocket", path=f"{prefix}/view/1/socket") for prefix in ("", "/again")]
        answers = compare(self.view, asks)
        assert answers[0].body == b'[7,1,"q"]'

    def test_documents(self) -> None:
        compare_documents(self.view)

    def test_annotations_that_can_be_resolved_by_the_time_of_the_first_request(self) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app, router = fw.FastAPI(), fw.APIRouter()
            names: dict[str, Any] = {"fw": fw}
            exec("async def endpoint(item: 'Late', q: 'int' = 1): return [item.n, q]", names)
            router.post("/late")(names["endpoint"])
            exec("from pydantic import BaseModel\nclass Late(BaseModel):\n    n: int", names)
            app.include_router(router)
            return app

        json = [(b"content-type", b"application/json")]
        answers = compare(make, [Ask("POST", "/late", headers=json, body=(body,)) for body in (b'{"n": 2}', b"{}")])
        assert [answer.status for answer in answers] == [200, 422]


def test_the_class_of_routes_tells_what_its_instances_have() -> None:
    theirs, ours = (
        {name for kind in fw.routing.APIRoute.__mro__ for name in inspect.get_annotations(kind)} for fw in BOTH
    )
    assert theirs - {"body_field"} <= ours

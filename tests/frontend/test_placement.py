"""Where a front end is: below API routes, in included routers, in mounted applications, beside other front ends."""

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Match, Route
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import BOTH, FERRAPI, Framework

from .asking import PAGE, note, site


def _gets(*paths: str, **more: Any) -> list[Ask]:
    return [Ask(path=path, headers=PAGE, **more) for path in paths]


def test_prefix_ends_at_a_segment(sites: Path) -> None:
    paths = (
        "/",
        "/s",
        "/s/",
        "/s/main.js",
        "/sx",
        "/s/missing",
        "/s/cart",
        "/s/cart/",
        "//s/main.js",
        "/s//main.js",
        "/S/",
    )
    for prefix in ("/s", "/s/", "/s//"):
        compare(site(sites / "shop", prefix), [*_gets(*paths), Ask("POST", "/s"), Ask("HEAD", "/s")])
    compare(site(sites / "shop", "/s/t"), _gets("/s", "/s/", "/s/t", "/s/t/", "/s/t/main.js"))


def test_prefix_is_no_template(sites: Path) -> None:
    compare(site(sites / "shop", "/{name}"), _gets("/{name}/main.js", "/any/main.js", "/{name}"))

    def make(fw: Framework, log: list[Any]) -> Any:
        router = fw.APIRouter()
        router.frontend("/ui", directory=sites / "shop")
        app = fw.FastAPI()
        app.include_router(router, prefix="/of/{name}")
        return app

    compare(make, _gets("/of/{name}/ui/main.js", "/of/any/ui/main.js"))


@pytest.mark.parametrize("root_path", ["/proxy", "/ui", "/"])
def test_root_path(sites: Path, root_path: str) -> None:
    paths = ("/proxy/ui/main.js", "/proxy/ui", "/ui/main.js", "/ui", "/ui/ui/", "/uiui", "/proxyui/main.js")
    compare(site(sites / "shop", "/ui"), _gets(*paths, root_path=root_path))


def test_routes_win(sites: Path) -> None:
    """Declared before or after, matching the method or not; and so does their redirect."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.get("/before")(lambda: "before")
        app.frontend("/", directory=sites / "shop")
        app.get("/main.js")(lambda: "route")
        app.post("/cart/")(lambda: "cart")
        app.get("/desk/{item}")(lambda item: item)
        router = fw.APIRouter()
        router.get("/index.html")(lambda: "included")
        app.include_router(router)
        return app

    paths = (
        "/before",
        "/before/",
        "/main.js",
        "/main.js/",
        "/cart",
        "/cart/",
        "/desk/note.txt",
        "/desk/",
        "/index.html",
    )
    compare(make, [Ask(method, path, headers=PAGE) for path in paths for method in ("GET", "HEAD", "POST", "PUT")])


def test_partial_match_of_a_custom_route_wins(sites: Path) -> None:
    class Halfway(Route):
        def matches(self, scope: Any) -> Any:
            return Match.PARTIAL, {}

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.frontend("/", directory=sites / "shop")
        app.router.routes.append(Halfway("/nowhere", lambda request: PlainTextResponse("halfway")))
        return app

    compare(make, _gets("/main.js", "/missing"))


def test_without_redirects(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(redirect_slashes=False)
        app.get("/api/")(lambda: "api")
        app.frontend("/", directory=sites / "shop")
        return app

    compare(make, _gets("/api", "/api/", "/cart"))


def test_mounts_and_hosts_win(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.frontend("/", directory=sites / "shop")
        app.mount("/desk", fw.staticfiles.StaticFiles(directory=sites / "lost"))
        app.router.routes.append(Host("api.example", app=PlainTextResponse("host")))
        return app

    hosts = [[(b"host", b"api.example")], [(b"host", b"www.example")]]
    paths = ("/desk", "/desk/note.txt", "/desk/404.html", "/main.js")
    compare(make, [Ask(path=path, headers=headers) for path in paths for headers in hosts])


def test_in_a_mounted_application(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        inner = fw.FastAPI()
        inner.frontend("/", directory=sites / "desk")
        inner.frontend("/ui", directory=sites / "shop")
        router = fw.APIRouter(default=PlainTextResponse("default"))
        router.frontend("/ui", directory=sites / "shop", fallback=None)
        app = fw.FastAPI()
        app.mount("/m", inner)
        app.mount("/r", router)
        app.frontend("/", directory=sites / "bare")
        return app

    paths = (
        "/m",
        "/m/",
        "/m/ui",
        "/m/ui/",
        "/m/ui/main.js",
        "/m/none",
        "/mm",
        "/main.js",
        "/r/",
        "/r/ui",
        "/r/ui/cart",
    )
    asks = [Ask(method, path, headers=PAGE) for path in (*paths, "/r/ui/none") for method in ("GET", "POST")]
    compare(make, asks)
    compare(make, _gets(*(f"/p{path}" for path in paths), root_path="/p"))


def test_router_as_an_application(sites: Path) -> None:
    """Without an application around it, its errors are raised to the server."""

    def make(fw: Framework, log: list[Any]) -> Any:
        router = fw.APIRouter(dependencies=[fw.Depends(note(log, "asked"))])
        router.frontend("/ui", directory=sites / "shop")
        return router

    compare(make, [Ask(m, p) for p in ("/", "/ui", "/ui/main.js", "/ui/none") for m in ("GET", "POST")])


def test_longest_prefix_answers_alone(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.frontend("/", directory=sites / "shop")
        app.frontend("/desk", directory=sites / "bare", fallback=None)
        app.frontend("/", directory=sites / "desk")
        app.frontend("/desk", directory=sites / "desk")
        return app

    paths = ("/", "/main.js", "/note.txt", "/desk", "/desk/", "/desk/main.js", "/desk/note.txt", "/desk/none", "/deskx")
    compare(make, [Ask(method, path, headers=PAGE) for path in paths for method in ("GET", "POST")])


@pytest.mark.parametrize("own_first", [True, False])
def test_own_before_included_ones(sites: Path, own_first: bool) -> None:
    """Of equal prefixes; a longer one wins wherever it comes from."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        if own_first:
            app.frontend("/a", directory=sites / "bare")
        for name, path, prefix in (("1", "/a/b", ""), ("2", "/", "/a/b"), ("3", "/b", "/a"), ("4", "/", "/a")):
            router = fw.APIRouter(dependencies=[fw.Depends(note(log, name))])
            router.frontend(path, directory=sites / "shop")
            app.include_router(router, prefix=prefix)
        if not own_first:
            app.frontend("/a", directory=sites / "bare")
        return app

    compare(make, _gets("/", "/a", "/a/", "/a/main.js", "/a/b", "/a/b/", "/a/b/main.js", "/a/bb"))


def test_included_again_and_nested(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        inner = fw.APIRouter(prefix="/in", dependencies=[fw.Depends(note(log, "inner"))])
        inner.frontend("/", directory=sites / "shop")
        inner.frontend("/desk", directory=sites / "desk")
        outer = fw.APIRouter(dependencies=[fw.Depends(note(log, "outer"))])
        outer.include_router(inner, prefix="/x", dependencies=[fw.Depends(note(log, "include"))])
        outer.frontend("/x/in", directory=sites / "bare")
        app = fw.FastAPI(dependencies=[fw.Depends(note(log, "app"))])
        app.include_router(outer, prefix="/o")
        app.include_router(inner, prefix="/main.js")
        app.include_router(inner)
        return app

    paths = (
        "/in",
        "/in/",
        "/in/desk/",
        "/o/x/in/",
        "/o/x/in/main.js",
        "/o/x/in/desk/note.txt",
        "/main.js/in/main.js",
        "/o",
    )
    compare(make, _gets(*paths))


def test_added_while_running(sites: Path) -> None:
    """A front end, and a route, of a router that was included before."""

    def make(fw: Framework, log: list[Any]) -> Any:
        inner, outer = fw.APIRouter(), fw.APIRouter()
        outer.include_router(inner, prefix="/in")
        app = fw.FastAPI()
        app.include_router(outer, prefix="/out")
        app.state.inner = inner
        return app

    def add_frontend(app: Any) -> None:
        app.state.inner.frontend("/ui", directory=sites / "shop")

    def add_route(app: Any) -> None:
        app.state.inner.get("/ui/main.js")(lambda: "route")

    path = "/out/in/ui/main.js"
    asks = [Ask(path=path), Ask(path=path, before=add_frontend), Ask(path=path, before=add_route)]
    theirs = compare(make, asks)
    assert [answer.status for answer in theirs] == [404, 200, 200]


def test_router_class_that_overrides_matching(sites: Path) -> None:
    """`matches` and `handle` of a router's class decide about its routes, not about its front ends."""

    def make(fw: Framework, log: list[Any]) -> Any:
        class Choosy(fw.APIRouter):
            def matches(self, scope: Any) -> Any:
                return Match.NONE, {}

        router = Choosy()
        router.frontend("/ui", directory=sites / "shop")
        router.get("/route")(lambda: "route")
        app = fw.FastAPI()
        app.include_router(router, prefix="/c")
        return app

    compare(make, _gets("/c/ui/main.js", "/c/route", "/c/ui"))


def test_default_of_a_router_comes_last(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.frontend("/ui", directory=sites / "shop", fallback=None)
        app.router.default = PlainTextResponse("default")
        return app

    compare(make, _gets("/", "/ui", "/ui/none", "/ui/main.js"))


def test_websockets_are_none_of_its_business(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.websocket("/main.js")
        async def endpoint(websocket: fw.WebSocket) -> None:
            await websocket.accept()
            await websocket.close()

        app.frontend("/", directory=sites / "shop")
        return app

    compare(make, [Ask(path=path, kind="websocket") for path in ("/main.js", "/", "/index.html")] + _gets("/main.js"))


def test_handlers_of_404_and_405(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.frontend("/", directory=sites / "shop", fallback=None)

        async def handler(request: Any, exc: Any) -> PlainTextResponse:
            log.append((type(exc).__module__, type(exc).__name__, exc.detail, exc.headers, dict(request.path_params)))
            return PlainTextResponse("handled", exc.status_code)

        app.add_exception_handler(404, handler)
        app.add_exception_handler(405, handler)
        return app

    compare(make, [Ask(m, p) for m in ("GET", "POST") for p in ("/missing", "/main.js", "/a\0b")])


def test_scope_says_what_matched(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def look(request: fw.Request) -> None:
            scope = request.scope
            frontend = {key: value for key, value in scope["fastapi"].items() if key != "effective_route_context"}
            log.append((frontend, scope["path"], scope["root_path"], scope.get("route"), scope.get("endpoint")))

        router = fw.APIRouter(prefix="/in")
        router.frontend("/ui", directory=sites / "shop")
        app = fw.FastAPI(dependencies=[fw.Depends(look)])
        app.frontend("/", directory=sites / "shop")
        app.include_router(router, prefix="/out")
        return app

    asks = _gets("/", "/cart/", "/out/in/ui", "/out/in/ui/main.js", "/missing")
    asks += [Ask(path="/main.js", extra={"fastapi": {"mine": 1}}), Ask(path="/p/main.js", root_path="/p")]
    compare(make, asks)


def test_application_without_front_ends_has_none_to_ask() -> None:
    router = FERRAPI.APIRouter()
    assert router._frontends_now().places == []


def test_trio(sites: Path) -> None:
    compare(site(sites / "shop"), _gets("/", "/main.js", "/missing", "/cart"), transport="trio")


def test_answers_again(sites: Path) -> None:
    """The same request twice, on one application."""
    for fw in BOTH:
        first, second = answers(fw, site(sites / "shop"), _gets("/main.js", "/main.js"))
        assert first == second

"""A request that no route is for is answered by what FastAPI answers it with, whoever has replaced what."""

from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Router
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


def plain(fw: Framework, app: Any, log: list[Any]) -> None:
    """Nothing of the user's."""


def by_status(fw: Framework, app: Any, log: list[Any]) -> None:
    @app.exception_handler(404)
    async def handler(request: Any, exc: Any) -> Any:
        log.append((exc.status_code, exc.detail, exc.__traceback__ is not None, request.scope.get("route")))
        return PlainTextResponse("gone", 404)


def by_class(fw: Framework, app: Any, log: list[Any]) -> None:
    @app.exception_handler(HTTPException)
    def handler(request: Any, exc: Any) -> Any:
        log.append(type(exc).__name__)
        return PlainTextResponse("gone", 410)


def by_class_of_the_package(fw: Framework, app: Any, log: list[Any]) -> None:
    @app.exception_handler(fw.HTTPException)
    def handler(request: Any, exc: Any) -> Any:
        log.append(type(exc).__name__)
        return PlainTextResponse("gone", 410)


def other_status(fw: Framework, app: Any, log: list[Any]) -> None:
    @app.exception_handler(405)
    async def handler(request: Any, exc: Any) -> Any:
        return PlainTextResponse("no", 405)


def default_replaced(fw: Framework, app: Any, log: list[Any]) -> None:
    async def default(scope: Any, receive: Any, send: Any) -> None:
        log.append(scope["type"])
        await PlainTextResponse("default", 404)(scope, receive, send)

    app.router.default = default


def default_is_an_other_routers(fw: Framework, app: Any, log: list[Any]) -> None:
    app.router.default = fw.APIRouter(prefix="/other").not_found


def middleware_raises_again(fw: Framework, app: Any, log: list[Any]) -> None:
    @app.middleware("http")
    async def noting(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        log.append(response.status_code)
        return response


def raw_middleware(fw: Framework, app: Any, log: list[Any]) -> None:
    class Catching:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await self.app(scope, receive, send)
            finally:
                log.append(sorted(scope.get("path_params", ())))

    app.add_middleware(Catching)


def mounted(fw: Framework, app: Any, log: list[Any]) -> None:
    inner = fw.FastAPI()
    by_status(fw, inner, log)
    app.mount("/none", inner)


def no_redirect(fw: Framework, app: Any, log: list[Any]) -> None:
    app.router.redirect_slashes = False


def router_limits_bodies(fw: Framework, app: Any, log: list[Any]) -> None:
    app.router.max_body_size = 3


ASKS = [
    Ask(method=method, path=path, root_path=root, query=b"a=1", headers=[(b"host", b"h.test")], body=[b"abcdef"])
    for method in ("GET", "POST", "HEAD")
    for path in ("/none", "/none/", "/item", "/item/", "/", "//", "/root/none", "/included/x", "/included/")
    for root in ("", "/root")
]


@pytest.mark.parametrize(
    "arrange",
    [
        plain,
        by_status,
        by_class,
        by_class_of_the_package,
        other_status,
        default_replaced,
        default_is_an_other_routers,
        middleware_raises_again,
        raw_middleware,
        mounted,
        no_redirect,
        router_limits_bodies,
    ],
)
def test_answers(arrange: Any) -> None:
    compare(shape(arrange), ASKS, "asgi")


def shape(arrange: Any, kind: str = "FastAPI") -> Any:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = getattr(fw, kind)()

        @app.get("/item/")
        async def item() -> int:
            return 1

        router = fw.APIRouter()

        @router.get("")
        async def included() -> int:
            return 2

        app.include_router(router, prefix="/included")
        arrange(fw, app, log)
        return app

    return make


def test_without_an_application_around() -> None:
    compare(shape(plain, "APIRouter"), [ask for ask in ASKS if "none" in ask.path], "asgi")


def test_a_subclass_of_the_router() -> None:
    def arrange(fw: Framework, app: Any, log: list[Any]) -> None:
        class Own(fw.APIRouter):  # of the package that is asked
            async def not_found(self, scope: Any, receive: Any, send: Any) -> None:
                log.append("own")
                await super().not_found(scope, receive, send)

        app.router = Own(routes=app.router.routes)

    compare(shape(arrange), ASKS, "asgi")


def test_starlettes_method_replaced_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Router.not_found

    def make(fw: Framework, log: list[Any]) -> Any:
        async def replaced(self: Any, scope: Any, receive: Any, send: Any) -> None:
            log.append(scope["path"])
            await original(self, scope, receive, send)

        monkeypatch.setattr(Router, "not_found", replaced)
        return shape(plain)(fw, log)

    for answer in compare(make, [Ask(path="/none"), Ask(path="/none")], "asgi"):
        assert answer.log == ["/none"]

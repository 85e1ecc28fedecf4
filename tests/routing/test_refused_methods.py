"""A route that has another method refuses a request as FastAPI does, whoever handles the exception, wherever it is."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import BaseRoute, Match
from support.asgi import Ask, exchange, run
from support.compare import compare
from support.frameworks import BOTH, Framework

Answering = Callable[[Any, Any], Any]


def _noted(log: list[Any], request: Any, exc: Any) -> dict[str, str]:
    log.append((type(exc).__name__, exc.status_code, exc.detail, dict(exc.headers or {}), request.scope.get("route")))
    log[-1] = (*log[-1][:-1], getattr(log[-1][-1], "path", None))
    return dict(exc.headers or {})


def nobody(log: list[Any]) -> Answering | None:
    return None


def asynchronous(log: list[Any]) -> Answering:
    async def handler(request: Any, exc: Any) -> Any:
        return PlainTextResponse("another", 405, _noted(log, request, exc))

    return handler


def synchronous(log: list[Any]) -> Answering:
    def handler(request: Any, exc: Any) -> Any:
        return RedirectResponse("/else", headers=_noted(log, request, exc))

    return handler


def streaming(log: list[Any]) -> Answering:
    async def handler(request: Any, exc: Any) -> Any:
        return StreamingResponse(iter(["a", "b"]), 418, _noted(log, request, exc))

    return handler


def failing(log: list[Any]) -> Answering:
    async def handler(request: Any, exc: Any) -> Any:
        _noted(log, request, exc)
        raise HTTPException(409)

    return handler


ASKS = [
    Ask(method, path)
    for method in ("PUT", "HEAD", "OPTIONS", "GET")
    for path in ("/one", "/one/", "/below/two/3", "/mounted/one", "/none", "/redirected/")
]


def _fill(fw: Framework, app: Any) -> None:
    @app.api_route("/one", methods=["POST"])
    async def one() -> str:
        return "one"

    router = fw.APIRouter(prefix="/below")

    @router.delete("/two/{number}")
    def two(number: int) -> int:
        return number

    app.include_router(router)
    app.post("/redirected")(one)


@pytest.mark.parametrize("key", [HTTPException, 405, 409])
@pytest.mark.parametrize("answering", [nobody, asynchronous, synchronous, streaming, failing])
def test_another_method_is_refused_alike(answering: Callable[[list[Any]], Answering | None], key: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app, mounted = fw.FastAPI(), fw.FastAPI()
        _fill(fw, app)
        _fill(fw, mounted)
        handler = answering(log)
        if handler is not None:
            app.add_exception_handler(key, handler)
        app.mount("/mounted", mounted)
        return app

    compare(make, ASKS)


def test_a_router_that_stands_alone_answers_in_plain_text() -> None:
    async def ask(fw: Framework) -> Any:
        router = fw.APIRouter()
        router.post("/one")(lambda: None)
        return await exchange(router, Ask("PUT", "/one"))

    theirs, ours = (run(lambda fw=fw: ask(fw)) for fw in BOTH)  # type: ignore[misc]  # mypy knows no defaults here
    assert ours == theirs
    assert theirs.status == 405


def test_a_route_of_another_kind_is_asked_itself() -> None:
    class Half(BaseRoute):
        def matches(self, scope: Any) -> tuple[Match, dict[str, Any]]:
            return Match.PARTIAL, {}

        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            await PlainTextResponse("half", status_code=405)(scope, receive, send)

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.add_exception_handler(405, asynchronous(log))
        app.get("/one")(lambda: "one")
        app.add_route("/plain", lambda request: PlainTextResponse("plain"), methods=["POST"])
        app.router.routes.append(Half())
        return app

    answers = compare(make, [Ask(path="/one"), Ask("PUT", "/one"), Ask(path="/plain"), Ask(path="/else")])
    assert answers[-1].body == b"half"

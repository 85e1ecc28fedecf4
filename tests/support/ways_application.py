"""Asks for each arrangement around a route once; run by `tests/test_ways.py`, which looks at the counts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Annotated, Any

import ferrapi.routing
from ferrapi import APIRouter, Depends, FastAPI, Form, Query, Request, Response
from ferrapi.routing import APIRoute
from ferrapi.testclient import TestClient
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware


class Parcel(BaseModel):
    grams: int
    notes: list[str] = []


async def opened() -> AsyncGenerator[int]:
    yield 1


def opened_in_thread() -> Generator[int]:
    yield 2


class Stamped(APIRoute):
    """A handler of its own around the engine's."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            response = await inner(request)
            response.headers["stamp"] = "1"
            return response

        return handler


class Swapped(APIRoute):
    """Gives the engine a request with JSON of its own."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        inner = super().get_route_handler()

        def handler(request: Request) -> Awaitable[Response]:
            request._json = {"grams": 6}
            return inner(request)

        return handler


class Handled(APIRoute):
    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await super().handle(scope, receive, send)


class Passing:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


Opened = Annotated[int, Depends(opened)]
InThread = Annotated[int, Depends(opened_in_thread)]


async def take(parcel: Parcel, one: Opened, two: InThread) -> list[int]:
    return [parcel.grams, one, two]


async def look(one: Opened, two: InThread, q: int = 0) -> list[int]:
    return [q, one, two]


def application() -> FastAPI:
    app = FastAPI()
    for route_class in (APIRoute, Stamped, Handled):
        router = APIRouter(prefix=f"/{route_class.__name__.lower()}", route_class=route_class)
        router.post("/take")(take)
        router.get("/look")(look)
        router.post("/form")(_form)
        router.get("/stream")(_stream)
        app.include_router(router)
    app.post("/limited", max_body_size=100)(take)
    app.post("/connected", cancel_on_disconnect=True)(take)
    app.post("/late", dependencies_before_body=True)(take)
    app.router.add_api_route("/swapped", take, methods=["POST"], route_class_override=Swapped)
    app.get("/turns")(_turns)
    app.get("/weigh")(_weigh)
    app.post("/send")(_send)
    layered = APIRouter(prefix="/layered", middleware=[Middleware(Passing)])
    layered.get("/look")(look)
    layered.get("/stream")(_stream)
    sized = APIRouter(prefix="/sized", max_body_size=100)
    sized.post("/take")(take)
    for router in (layered, sized):
        app.include_router(router)
    return app


async def _form(one: Opened, name: Annotated[str, Form()]) -> str:
    return name


async def _stream(one: Opened) -> AsyncGenerator[int]:
    yield one


async def _weigh(parcel: Annotated[Parcel, Query()]) -> int:
    return parcel.grams


async def _send(parcel: Annotated[Parcel, Form()]) -> int:
    return parcel.grams


async def _turns(
    one: Annotated[int, Depends(opened, max_concurrency=1)],
    two: Annotated[int, Depends(opened_in_thread, max_concurrency=1)],
) -> int:
    return one + two


def ask(client: TestClient, path: str) -> None:
    if path.endswith(("look", "turns", "stream")):
        answer = client.get(path)
    elif path.endswith("form"):
        answer = client.post(path, data={"name": "x"})
    else:
        answer = client.post(path, json={"grams": 5})
    assert answer.status_code == 200, (path, answer.text)
    assert answer.headers.get("stamp") == ("1" if "stamped" in path else None)


async def _solve(**arguments: Any) -> Any:
    return await _SOLVE(**arguments)


_SOLVE = ferrapi.routing.solve_dependencies

if __name__ == "__main__":
    plain = TestClient(application())
    paths = [
        f"/{kind}/{name}" for kind in ("apiroute", "stamped", "handled") for name in ("take", "look", "form", "stream")
    ]
    paths += ["/limited", "/connected", "/late", "/turns", "/layered/look", "/layered/stream", "/sized/take"]
    for path in paths:
        ask(plain, path)
    assert plain.get("/weigh?grams=3&notes=a").json() == plain.post("/send", data={"grams": "3"}).json() == 3
    assert plain.get("/apiroute/look?q=x").status_code == 422
    assert plain.post("/limited", content=b" " * 200).status_code == 413
    assert plain.post("/swapped", json={"grams": 5}).json() == [6, 1, 2]

    # Inside of cancel scopes, and below an application with limits of its own.
    within = application()
    within.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
    ask(TestClient(within), "/apiroute/take")
    ask(TestClient(within), "/stamped/look")
    mounting = FastAPI(max_body_size=1000, form_limits={"max_fields": 5})
    mounting.mount("/below", application())
    mounting.post("/form")(_form)
    ask(TestClient(mounting), "/below/apiroute/form")
    ask(TestClient(mounting), "/below/late")
    ask(TestClient(mounting), "/form")
    overridden = application()
    overridden.dependency_overrides[opened] = lambda: 7
    ask(TestClient(overridden), "/apiroute/take")

    ferrapi.routing.solve_dependencies = _solve
    ask(TestClient(application()), "/apiroute/look")

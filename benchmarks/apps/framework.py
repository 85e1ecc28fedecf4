"""The service, written once for FastAPI and for ferrapi: `build` takes the package to build it with."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Annotated, Any

from .data import CATALOGUE, SECTIONS, THINGS, USERS, Order, Product, Receipt, calls, receipt

Application = Any
"""A `FastAPI` application of either package."""


def build(package: ModuleType) -> Application:
    """Return the application of all cases but the middleware's.

    Parameters:
        package: `fastapi` or `ferrapi`.
    """
    app = package.FastAPI()
    _add_greetings(app, package)
    _add_parameters(app, package)
    _add_order(app)
    _add_guarded(app, package)
    _add_models(app)
    _add_sections(app, package)
    return app


def build_with_middleware(package: ModuleType) -> Application:
    """Return an application with one `@app.middleware("http")` around a greeting."""
    app = package.FastAPI()

    @app.middleware("http")  # type: ignore[untyped-decorator, unused-ignore]
    async def mark(request: Any, call_next: Callable[[Any], Any]) -> Any:
        calls["mark"] += 1
        response = await call_next(request)
        response.headers["x-served-by"] = "benchmark"
        return response

    @app.get("/hello")  # type: ignore[untyped-decorator, unused-ignore]
    async def hello() -> dict[str, str]:
        calls["hello"] += 1
        return {"message": "Hello, world"}

    _add_calls(app)
    return app


def _add_calls(app: Application) -> None:
    @app.get("/calls")  # type: ignore[untyped-decorator, unused-ignore]
    async def show_calls() -> dict[str, int]:
        return dict(calls)


def _add_greetings(app: Application, package: ModuleType) -> None:
    text = __import__(f"{package.__name__}.responses", fromlist=["PlainTextResponse"]).PlainTextResponse

    @app.get("/plain", response_class=text)  # type: ignore[untyped-decorator, unused-ignore]
    async def plain() -> str:
        calls["plain"] += 1
        return "Hello, world"

    @app.get("/hello")  # type: ignore[untyped-decorator, unused-ignore]
    async def hello() -> dict[str, str]:
        calls["hello"] += 1
        return {"message": "Hello, world"}

    @app.get("/pause")  # type: ignore[untyped-decorator, unused-ignore]
    async def pause() -> dict[str, str]:
        await asyncio.sleep(0)
        calls["pause"] += 1
        return {"message": "Hello, world"}

    @app.get("/thread")  # type: ignore[untyped-decorator, unused-ignore]
    def thread() -> dict[str, str]:
        calls["thread"] += 1
        return {"message": "Hello, world"}

    _add_calls(app)


def _add_parameters(app: Application, package: ModuleType) -> None:
    Path, Query, Header, Cookie, Form = (
        getattr(package, name) for name in ("Path", "Query", "Header", "Cookie", "Form")
    )

    @app.get("/items/{item_id}")  # type: ignore[untyped-decorator, unused-ignore]
    async def params(
        item_id: Annotated[int, Path(ge=0)],
        q: Annotated[str, Query(min_length=1, max_length=50)],
        limit: Annotated[int, Query(ge=1, le=100)],
        x_request_tag: Annotated[str, Header()],
        session: Annotated[str, Cookie()],
    ) -> dict[str, Any]:
        calls["params"] += 1
        return {"item_id": item_id, "q": q, "limit": limit, "tag": x_request_tag, "session": session}

    @app.post("/login")  # type: ignore[untyped-decorator, unused-ignore]
    async def login(
        username: Annotated[str, Form(min_length=1)], password: Annotated[str, Form(min_length=8)]
    ) -> dict[str, Any]:
        calls["login"] += 1
        return {"username": username, "length": len(password)}


def _add_order(app: Application) -> None:
    @app.post("/orders", status_code=201, response_model=Receipt)  # type: ignore[untyped-decorator, unused-ignore]
    async def order(order: Order) -> Any:
        calls["order"] += 1
        return receipt(order)


def _add_guarded(app: Application, package: ModuleType) -> None:
    Depends, HTTPException = package.Depends, package.HTTPException
    security = __import__(f"{package.__name__}.security", fromlist=["OAuth2PasswordBearer"])
    bearer = security.OAuth2PasswordBearer(tokenUrl="login")

    async def session() -> AsyncIterator[dict[str, dict[str, Any]]]:
        calls["session opened"] += 1
        try:
            yield USERS
        finally:
            calls["session closed"] += 1

    async def user(
        users: Annotated[dict[str, dict[str, Any]], Depends(session)], token: Annotated[str, Depends(bearer)]
    ) -> dict[str, Any]:
        calls["user"] += 1
        if token not in users:
            raise HTTPException(401, "Unknown token")
        return users[token]

    async def staff(user: Annotated[dict[str, Any], Depends(user)]) -> dict[str, Any]:
        if user["role"] != "staff":
            raise HTTPException(403, "Not for you")
        return user

    @app.get("/guarded")  # type: ignore[untyped-decorator, unused-ignore]
    async def guarded(user: Annotated[dict[str, Any], Depends(staff)]) -> dict[str, Any]:
        calls["guarded"] += 1
        return {"id": user["id"], "name": user["name"]}


def _add_models(app: Application) -> None:
    @app.get("/products")  # type: ignore[untyped-decorator, unused-ignore]
    async def products(start: int) -> list[Product]:
        calls["products"] += 1
        return CATALOGUE[start : start + 50]


def _add_sections(app: Application, package: ModuleType) -> None:
    """500 routes: 100 included routers of five."""
    for section in SECTIONS:
        router = package.APIRouter(prefix=f"/{section}")
        for thing in THINGS:
            _add_thing(router, thing)
        app.include_router(router)


def _add_thing(router: Any, thing: str) -> None:
    @router.get(f"/{thing}/{{number}}")  # type: ignore[untyped-decorator, unused-ignore]
    async def show(number: int) -> dict[str, int]:
        calls["thing"] += 1
        return {"number": number}

"""Hides private names of other packages from ferrapi, and prints what an application answers then.

``python answering.py "module.name module.name"``. It is a program of its own, since ferrapi takes the names when it is
imported.
"""

import asyncio
import builtins
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import anyio  # `sys.path` first
from starlette.middleware.base import BaseHTTPMiddleware


def hide(names: set[str]) -> None:
    """Have ferrapi not find names, which their own packages need."""
    find = builtins.__import__

    def find_for(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:  # as the import statement calls it
        importer = str((globals or {}).get("__name__"))
        if importer.startswith("ferrapi.") and not names.isdisjoint(f"{name}.{one}" for one in fromlist or ()):
            raise ImportError(f"{name} has no such name")
        return find(name, globals, locals, fromlist, level)

    builtins.__import__ = find_for
    for name in names:
        if name.startswith("asyncio."):
            delattr(asyncio, name.removeprefix("asyncio."))


async def _waiting(number: int) -> int:
    await asyncio.sleep(0)
    return number


def application(fw: Any, log: list[Any]) -> Any:
    """What asks for each private name: threads, scopes, middleware, limits, fields, forms, handlers, mounts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        yield

    def session() -> Iterator[str]:
        log.append("open")
        yield "session"
        log.append("close")

    app = fw.FastAPI(lifespan=lifespan)
    small = fw.APIRouter(prefix="/small", max_body_size=10)
    inner = fw.FastAPI()

    @app.middleware("http")
    async def function(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-function"] = "1"
        return response

    class Limit(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            with anyio.fail_after(60):
                return await call_next(request)

    app.add_middleware(Limit)

    @app.exception_handler(LookupError)
    def handler(request: Any, exc: Exception) -> Any:
        return fw.responses.JSONResponse({"missing": str(exc)}, status_code=404)

    @app.get("/threads/{number}")
    def threads(number: int, opened: Annotated[str, fw.Depends(session)], doubled: int = fw.Depends(_waiting)) -> Any:
        return {"number": number, "opened": opened, "doubled": doubled}

    @app.get("/fail")
    def fail() -> None:
        raise KeyError("nothing")

    @app.post("/form")
    def form(
        name: Annotated[str, fw.Form(alias="n", max_length=5)], age: Annotated[int, fw.Form(title="Age", ge=1)]
    ) -> Any:
        return [name, age]

    @small.post("/body")
    async def body(data: dict[str, Any]) -> Any:
        return data

    @inner.get("/inside")
    def inside(request: fw.Request) -> str:
        return str(request.scope["root_path"])

    app.include_router(small)
    app.mount("/mounted", inner)
    return app


def main() -> None:
    """Print the answers, one a line, through each way in; and the application's document."""
    hide(set(sys.argv[1].split()))
    from support.asgi import Ask
    from support.compare import TRANSPORTS
    from support.frameworks import FERRAPI

    logging.disable(logging.CRITICAL)
    urlencoded = [(b"content-type", b"application/x-www-form-urlencoded")]
    asks = [
        Ask(path="/threads/3"),
        Ask(path="/threads/3", query=b"number=7"),
        Ask(path="/threads/x"),
        Ask(path="/fail"),
        Ask(path="/nowhere"),
        Ask("POST", "/form", headers=urlencoded, body=[b"n=Ann&age=3"]),
        Ask("POST", "/form", headers=urlencoded, body=[b"n=Antonia&age=0"]),
        Ask("POST", "/small/body", body=[b'{"a":1}']),
        Ask("POST", "/small/body", body=[b'{"a": [1, 2, 3, 4]}']),
        Ask(path="/mounted/inside"),
    ]
    for name in ("asgi", "http11", "uvicorn"):
        log: list[Any] = []
        for ask, answer in zip(asks, TRANSPORTS[name](application(FERRAPI, log), asks, log), strict=True):
            print(name, ask.method, ask.path, ask.query, answer)
    print(application(FERRAPI, []).openapi())


if __name__ == "__main__":
    main()

"""What the transcripts of tracing tools share: an application with routes of all kinds, and requests to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket, WebSocketException
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel

CONCURRENT = 1000


class Item(BaseModel):
    size: int


def make() -> FastAPI:
    app, below, mounted = FastAPI(), APIRouter(prefix="/below"), FastAPI()

    def resource() -> Iterator[int]:
        yield 1

    async def count() -> int:
        return 2

    async def pieces() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.001)
        yield b"a"
        await asyncio.sleep(0.001)
        yield b"b"

    @app.get("/plain")
    async def plain() -> dict[str, int]:
        return {"a": 1}

    @app.get("/sync/{number}")
    def sync(number: int, one: int = Depends(resource), two: int = Depends(count)) -> int:
        return number + one + two

    @app.post("/items", response_model=Item)
    async def items(item: Item) -> Any:
        return item

    @app.get("/broken", dependencies=[Depends(resource)])
    async def broken() -> None:
        raise ValueError("broken")

    @app.get("/ended")
    async def ended() -> None:
        raise StopAsyncIteration("ended")

    @app.get("/sync-ended")
    def sync_ended() -> None:
        next(iter(()))

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    @app.get("/refused")
    async def refused() -> None:
        raise HTTPException(404, "refused")

    @app.get("/failed")
    async def failed() -> None:
        raise HTTPException(500, "failed")

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> int:
        tasks.add_task(lambda: None)
        return 1

    @below.get("/{name}")
    async def included(name: str) -> str:
        return name

    @mounted.get("/inside")
    async def inside() -> int:
        return 1

    @app.websocket("/socket/{number}")
    async def socket(websocket: WebSocket, number: int) -> None:
        await websocket.accept()
        await websocket.send_text(str(number))
        await websocket.close()

    @app.websocket("/broken-socket")
    async def broken_socket(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ValueError("broken")

    @app.websocket("/refused-socket")
    async def refused_socket(websocket: WebSocket) -> None:
        raise WebSocketException(1008, "refused")

    app.include_router(below)
    app.mount("/mounted", mounted)
    return app


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/plain", {}),
    ("GET", "/sync/3", {}),
    ("POST", "/items", {"json": {"size": 1}}),
    ("POST", "/items", {"json": {"size": "x"}}),
    ("GET", "/broken", {}),
    ("GET", "/ended", {}),
    ("GET", "/sync-ended", {}),
    ("GET", "/stream", {}),
    ("GET", "/refused", {}),
    ("GET", "/failed", {}),
    ("GET", "/later", {}),
    ("GET", "/below/name", {}),
    ("GET", "/mounted/inside", {}),
    ("GET", "/nowhere", {}),
    ("POST", "/plain", {}),
]
SOCKETS = ["/socket/4", "/broken-socket", "/refused-socket", "/no-socket"]


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://unit.test")


def ask_one_by_one(app: FastAPI, show: Callable[[], None]) -> None:
    """Print each answer, and then what `show` prints of it."""

    async def main() -> None:
        async with client_of(app) as client:
            for method, path, options in REQUESTS:
                answer = await client.request(method, path, **options)
                print(method, path, answer.status_code)
                await asyncio.sleep(0.01)
                show()

    asyncio.run(main())
    for path in SOCKETS:
        print("WS", path, received(app, path))
        show()


def received(app: FastAPI, path: str) -> str:
    """What a WebSocket has sent, or how it has ended."""
    try:
        with TestClient(app).websocket_connect(path) as websocket:
            return websocket.receive_text()
    except Exception as error:
        return repr(error)


def ask_at_once(app: FastAPI, paths: list[str]) -> list[httpx.Response]:
    """The answers to `CONCURRENT` requests at the same time, to each of the paths in turn."""

    async def main() -> list[httpx.Response]:
        async with client_of(app) as client:
            asked = [client.get(paths[number % len(paths)]) for number in range(CONCURRENT)]
            return await asyncio.gather(*asked)

    return asyncio.run(main())

"""dishka: dependencies of a container in endpoints for HTTP and WebSockets, by route class and by decorator."""

from collections.abc import AsyncIterator

from asking import ask
from dishka import Provider, Scope, make_async_container, provide
from dishka.integrations.fastapi import DishkaRoute, FastapiProvider, FromDishka, inject, setup_dishka
from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient


class Own(Provider):
    @provide(scope=Scope.APP)
    def number(self) -> int:
        return 7

    @provide(scope=Scope.REQUEST)
    async def text(self, request: Request, number: int) -> AsyncIterator[str]:
        yield f"{request.url.path} {number}"
        print("closed", request.url.path)


app = FastAPI()
router = APIRouter(prefix="/included", route_class=DishkaRoute)


@router.get("/{n}")
async def by_class(n: int, text: FromDishka[str]) -> list[object]:
    return [n, text]


@app.get("/decorated")
@inject
async def decorated(text: FromDishka[str], q: int = 1) -> list[object]:
    return [q, text]


@app.websocket("/ws")
@inject
async def connected(websocket: WebSocket, number: FromDishka[int]) -> None:
    await websocket.accept()
    await websocket.send_text(str(number))
    await websocket.close()


app.include_router(router)
setup_dishka(make_async_container(Own(), FastapiProvider()), app)
ask(app, ("GET", "/included/1"), ("GET", "/included/x"), ("GET", "/decorated?q=2"), ("GET", "/decorated?q=x"))
with TestClient(app).websocket_connect("/ws") as websocket:
    print(websocket.receive_text())

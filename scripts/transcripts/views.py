"""fastapi-utils and fastapi-restful: class-based views, which rewrite the signatures of endpoints and include then."""

import importlib

from asking import ask
from fastapi import APIRouter, Depends, FastAPI, Header, Request


def token(authorization: str = Header("nobody")) -> str:
    return authorization


def views(package: str) -> FastAPI:
    cbv = importlib.import_module(f"{package}.cbv").cbv
    app = FastAPI()
    router = APIRouter(prefix="/views", tags=["views"])

    @cbv(router)
    class Views:
        user: str = Depends(token)

        def __init__(self, request: Request, q: int = 1) -> None:
            self.q = q
            self.path = request.url.path

        @router.get("/{n}")
        def read(self, n: int) -> list[object]:
            """What is read."""
            return [n, self.q, self.user, self.path]

        @router.post("/", status_code=201)
        async def write(self, item: dict[str, int]) -> dict[str, int]:
            return item | {"q": self.q}

    app.include_router(router)
    return app


for package in ("fastapi_utils", "fastapi_restful"):
    ask(
        views(package),
        ("GET", "/views/3?q=4"),
        ("GET", "/views/x?q=y", {"headers": {"authorization": "me"}}),
        ("POST", "/views/", {"json": {"a": 1}}),
        ("POST", "/views/", {"json": []}),
        ("GET", "/views/"),
    )

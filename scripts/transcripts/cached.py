"""fastapi-cache2: answers from a cache, of routes whose signatures it has added parameters to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asking import ask
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi_cache import FastAPICache
from fastapi_cache.backends.inmemory import InMemoryBackend
from fastapi_cache.coder import PickleCoder
from fastapi_cache.decorator import cache
from pydantic import BaseModel


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    FastAPICache.init(InMemoryBackend(), prefix="cached")
    yield


app = FastAPI(lifespan=lifespan)
router = APIRouter(prefix="/included")
counts = {"calls": 0}


class Item(BaseModel):
    number: int
    calls: int


def counted() -> int:
    counts["calls"] += 1
    return counts["calls"]


@app.get("/counted")
@cache(expire=60)
async def read(n: int = 1) -> dict[str, int]:
    return {"n": n, "calls": counted()}


@app.get("/synchronous")
@cache(expire=60, namespace="other")
def synchronous(n: int) -> Item:
    return Item(number=n, calls=counted())


@app.get("/own")
@cache(expire=60, coder=PickleCoder)
async def own(request: Request, response: Response) -> dict[str, object]:
    response.headers["X-Own"] = "yes"
    return {"path": request.url.path, "calls": counted()}


@app.post("/posted")
@cache(expire=60)
async def posted(item: Item) -> Item:
    return item


@router.get("/model", response_model=Item, response_model_exclude={"number"})
@cache(expire=60)
async def model(n: int) -> Item:
    return Item(number=n, calls=counted())


@app.get("/whole")
@cache(expire=60)
async def whole() -> JSONResponse:
    return JSONResponse({"calls": counted()}, status_code=203)


app.include_router(router)
twice = [("GET", path) for path in ("/counted?n=2", "/synchronous?n=3", "/own", "/included/model?n=4", "/whole") * 2]
ask(
    app,
    *twice,
    ("GET", "/counted?n=2", {"headers": {"Cache-Control": "no-store"}}),
    ("GET", "/counted?n=2", {"headers": {"Cache-Control": "no-cache"}}),
    ("GET", "/counted?n=x"),
    ("GET", "/synchronous"),
    ("POST", "/posted", {"json": {"number": 1, "calls": 2}}),
    ("POST", "/posted", {"json": {"number": "one"}}),
    unshown=frozenset({"cache-control"}),  # the time that is left
)

"""prometheus-fastapi-instrumentator: the path of each route in its metrics, included and mounted ones too."""

from asking import ask
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
inner, outer, below = APIRouter(prefix="/inner"), APIRouter(prefix="/outer/{n}"), FastAPI()


@app.get("/direct/{n}")
def direct(n: int) -> int:
    return n


@inner.get("/{m}")
async def included(n: int, m: int) -> list[int]:
    return [n, m]


@below.get("/here/{n}")
def here(n: int) -> int:
    return n


outer.include_router(inner)
app.include_router(outer)
app.mount("/below", below)
Instrumentator().instrument(app).expose(app)
ask(
    app,
    ("GET", "/direct/1"),
    ("GET", "/direct/x"),
    ("GET", "/outer/1/inner/2"),
    ("POST", "/outer/1/inner/2"),
    ("GET", "/below/here/1"),
    ("GET", "/nowhere"),
)
for line in TestClient(app).get("/metrics").text.splitlines():
    if line.startswith(("http_requests_total", "http_request_size_bytes_count", "http_response_size_bytes_count")):
        print(line)

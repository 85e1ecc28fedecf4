"""logfire and OpenTelemetry: the spans of requests, with arguments, errors and included routes."""

import logfire
from asking import ask
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from logfire.testing import TestExporter
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

exporter = TestExporter()
logfire.configure(
    send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(exporter)], metrics=False
)
app = FastAPI()
router = APIRouter(prefix="/included/{m}")


def dependency(q: int = 1) -> int:
    return q


@app.get("/direct/{n}")
def direct(n: int, q: int = Depends(dependency)) -> int:
    return n + q


@router.get("/{n}")
async def included(m: int, n: int) -> list[int]:
    return [m, n]


@app.get("/wrong")
def wrong() -> None:
    raise ValueError("wrong")


@app.websocket("/ws/{n}")
async def connected(websocket: WebSocket, n: int) -> None:
    await websocket.accept()
    await websocket.send_text(str(n))
    await websocket.close()


app.include_router(router)
logfire.instrument_fastapi(app)
ask(
    app,
    ("GET", "/direct/1?q=2"),
    ("GET", "/direct/x?q=y"),
    ("GET", "/included/1/2"),
    ("GET", "/wrong"),
    ("GET", "/nowhere"),
    document=False,
)
with TestClient(app).websocket_connect("/ws/4") as websocket:
    print(websocket.receive_text())
UNSTABLE = ("code.", "logfire.msg_template", "net.peer", "client.", "thread", "fastapi.arguments.duration", "timestamp")
for span in exporter.exported_spans_as_dict(parse_json_attributes=True):
    shown = {k: v for k, v in span["attributes"].items() if not any(part in k for part in UNSTABLE)}
    print(span["name"], sorted((k, str(v)) for k, v in shown.items()))

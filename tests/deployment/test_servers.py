"""The store under each server that the deployment page names: it answers, keeps WebSockets, and ends when asked to."""

import json
import sys
from collections.abc import Callable

import httpx2
import pytest
from services import free_port
from serving import serving
from store_client import DENVER, TEN_LINES, order
from websockets.sync.client import connect

APP = "examples.store.main:app"
PYTHON = sys.executable
Command = Callable[[int, int], list[str]]


def uvicorn(port: int, workers: int) -> list[str]:
    """uvicorn with its own protocol."""
    return [PYTHON, "-m", "uvicorn", APP, "--port", str(port), "--workers", str(workers)]


def uvicorn_with_protocol(port: int, workers: int) -> list[str]:
    """uvicorn with ferrapi's protocol."""
    return [*uvicorn(port, workers), "--http", "ferrapi.server:HttpProtocol"]


def ferrapi_run(port: int, workers: int) -> list[str]:
    """The command."""
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    return [PYTHON, "-m", "ferrapi", "run", "--entrypoint", APP, *where, "--health", "/healthz", "--drain-delay", "0"]


def gunicorn(port: int, workers: int) -> list[str]:
    """gunicorn with ferrapi's worker."""
    where = ["-b", f"127.0.0.1:{port}", "-w", str(workers)]
    return [PYTHON, "-m", "gunicorn", APP, "-k", "ferrapi.server.gunicorn.Worker", *where]


def hypercorn(port: int, workers: int) -> list[str]:
    """hypercorn."""
    return [PYTHON, "-m", "hypercorn", APP, "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]


def granian(port: int, workers: int) -> list[str]:
    """granian."""
    return [PYTHON, "-m", "granian", "--interface", "asgi", "--port", str(port), "--workers", str(workers), APP]


SERVERS = (uvicorn, uvicorn_with_protocol, ferrapi_run, gunicorn, hypercorn, granian)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
def test_the_store_is_served(server: Command, workers: int, store_environment: dict[str, str]) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        serving(server(port, workers), f"{url}/health", store_environment) as served,
        httpx2.Client(base_url=url, timeout=60) as client,
    ):
        assert client.get("/v2/products/ID-D-IF-050").json()["available"] == 13
        form = {"username": DENVER, "password": "brilliant-cut"}
        token = client.post("/login", data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        with connect(f"ws://127.0.0.1:{port}/orders/feed", additional_headers=headers, proxy=None) as feed:
            placed = client.post("/orders", json=order(TEN_LINES["lines"]), headers=headers)
            assert placed.status_code == 201
            if workers == 1:  # without Redis each worker has a feed of its own
                assert json.loads(feed.recv())["order_id"] == placed.json()["id"]
        assert client.get(placed.headers["Location"], headers=headers).json() == placed.json()
    assert "Traceback" not in served.log, served.log
    assert served.status in {0, -15}

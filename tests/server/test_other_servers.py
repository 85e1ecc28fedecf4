"""Real servers in processes of their own: the same answers on uvicorn, Granian, Hypercorn, and gunicorn's worker."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

APP = "other_servers_app:app"
SERVERS = {
    "uvicorn": ["uvicorn", APP, "--http", "httptools", "--port", "{port}"],
    "uvicorn, h11": ["uvicorn", APP, "--http", "h11", "--loop", "asyncio", "--port", "{port}"],
    "ferrapi's protocol": ["uvicorn", APP, "--http", "ferrapi.server:HttpProtocol", "--port", "{port}"],
    "granian": ["granian", "--interface", "asgi", "--port", "{port}", APP],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:{port}", APP],
    "gunicorn": ["gunicorn", "--worker-class", "ferrapi.server.gunicorn.Worker", "--bind", "127.0.0.1:{port}", APP],
}
EXCHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "parameters": (
        "GET",
        "/shelves/7?q=blue%20shirt&limit=3",
        {"headers": {"x-tag": "t", "cookie": "other=1; session=s7"}},
    ),
    "wrong parameters": ("GET", "/shelves/seven?limit=many", {}),
    "JSON": ("POST", "/parcels", {"json": {"name": "bücher", "grams": "700"}}),
    "wrong JSON": ("POST", "/parcels", {"json": {"name": 1}}),
    "no JSON": ("POST", "/parcels", {"content": b'{"name": ', "headers": {"content-type": "application/json"}}),
    "form": ("POST", "/forms", {"data": {"name": "a & b", "colour": "grün"}}),
    "large body": ("POST", "/lengths", {"content": b"x" * 300_000}),
    "chunked body": ("POST", "/lengths", {"content": [b"x" * 1000] * 20}),
    "stream": ("GET", "/stream", {}),
    "thread": ("GET", "/sync", {}),
    "lifespan": ("GET", "/state", {}),
    "HEAD": ("HEAD", "/sync", {}),
    "no route": ("GET", "/nowhere", {}),
    "wrong method": ("DELETE", "/parcels", {}),
    "documentation": ("GET", "/openapi.json", {}),
}
ANSWERS: dict[str, tuple[int, str | None, bytes]] = {}
"""What the first server answered; all others are compared with it."""


class Served:
    """A server in a process, and what it has written."""

    def __init__(self, command: list[str], port: int) -> None:
        self.port = port
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *[part.format(port=port) for part in command]],
            cwd=Path(__file__).parent,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.log.extend(self.process.stdout)

    def wait(self) -> None:
        """Until it answers; fails with its log if it ends instead."""
        pause = threading.Event()
        while self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port)):
                    return
            except OSError:
                pause.wait(0.02)
        self.reader.join()
        pytest.fail("".join(self.log))

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module", params=SERVERS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Each of the servers."""
    command = SERVERS[request.param]
    needed = [command[0]] + (["uvicorn_worker"] if command[0] == "gunicorn" else [])
    for module in needed:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = int(chosen.getsockname()[1])
    running = Served(command, port)
    try:
        running.wait()
        yield running
    finally:
        running.stop()


def ask(port: int, name: str) -> tuple[int, str | None, bytes]:
    """Status, content type and body."""
    method, path, options = EXCHANGES[name]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=None) as client:
        given = options.get("content")
        if isinstance(given, list):
            options = {**options, "content": iter(given)}
        response = client.request(method, path, **options)
    return response.status_code, response.headers.get("content-type"), response.content


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_answer_does_not_depend_on_the_server(served: Served, name: str) -> None:
    answer = ask(served.port, name)
    assert answer == ANSWERS.setdefault(name, answer)
    assert answer[0] < 500


def test_web_sockets(served: Served) -> None:
    with connect(f"ws://127.0.0.1:{served.port}/echo", proxy=None) as connection:
        for text in ("one", "zwölf", "x" * 10_000):
            connection.send(text)
            assert connection.recv() == text * 2


def test_a_connection_is_used_again(served: Served) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", trust_env=False, timeout=None) as client:
        found = [client.post("/parcels", json={"name": "n", "grams": n}).json()["grams"] for n in range(20)]
    assert found == list(range(20))


def test_gunicorns_worker_names_ferrapis_protocol() -> None:
    pytest.importorskip("uvicorn_worker")
    pytest.importorskip("gunicorn")
    from ferrapi.server.gunicorn import Worker

    assert Worker.CONFIG_KWARGS["http"] == "ferrapi.server:HttpProtocol"
    assert Worker.CONFIG_KWARGS["loop"] == "auto"


def test_the_worker_imports_the_protocol_after_the_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older releases of uvicorn take no name of a class."""
    pytest.importorskip("uvicorn_worker")
    from ferrapi.server import HttpProtocol
    from ferrapi.server.gunicorn import Worker
    from uvicorn_worker import UvicornWorker

    seen: list[Any] = []
    monkeypatch.setattr(UvicornWorker, "init_process", lambda self: seen.append(self.config.http))
    for given in (Worker.CONFIG_KWARGS["http"], HttpProtocol, "h11"):
        worker = object.__new__(Worker)
        worker.config = SimpleNamespace(http=given)
        worker.init_process()
    assert seen == [HttpProtocol, HttpProtocol, "h11"]

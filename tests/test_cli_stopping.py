"""What a served application does between the signal to stop and its end."""

from __future__ import annotations

import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import empty_project, served, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

_APP = """
import asyncio
from contextlib import asynccontextmanager
from ferrapi import FastAPI, Request
from ferrapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from ferrapi.sse import EventSourceResponse, ServerSentEvent

def make(**options):
    @asynccontextmanager
    async def lifespan(app):
        yield
        print("LIFESPAN ENDS", flush=True)

    app = FastAPI(lifespan=lifespan, **options)

    @app.get("/ticks", response_class=EventSourceResponse)
    async def ticks():
        try:
            while True:
                yield {"draining": app.draining}
                await asyncio.sleep(0.05)
        finally:
            print("STREAM ENDS", flush=True)

    @app.get("/{path:path}")
    async def anything(path: str):
        return {"path": path}

    return app

app = make()
gentle = make()
gentle.last_event = ServerSentEvent(event="bye", retry=100)
chosen = make()
chosen.last_event = lambda request: ServerSentEvent(event="bye") if "gentle" in request.query_params else None
redirecting = make()
redirecting.add_middleware(HTTPSRedirectMiddleware)

async def plain(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with empty_project(tmp_path, monkeypatch) as folder:
        write({"main.py": _APP})
        yield folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_open_stream_ends_within_the_time_for_a_graceful_shutdown(number: int) -> None:
    with served("run", "main:app", "--timeout-graceful-shutdown", "1") as server:
        stream = server.get("/ticks")
        assert stream.readline() == b'data: {"draining": false}\n'
        server.stop(number)
        said = server.wait()
    assert "Traceback" not in said
    assert said.index("STREAM ENDS") < said.index("LIFESPAN ENDS")


@pytest.mark.parametrize(("app", "http"), [("app", "ferrapi"), ("redirecting", "ferrapi"), ("plain", "h11")])
def test_the_readiness_path_says_503_while_draining(app: str, http: str) -> None:
    options = ("--health", "/healthz", "--drain-delay", "30", "--http", http, "--timeout-graceful-shutdown", "60")
    with served("run", f"main:{app}", *options) as server:
        ready = server.get("/healthz")
        assert (ready.status, ready.read()) == (200, b'{"status":"ready"}')
        server.stop()
        while (answer := server.get("/healthz")).status == 200:
            answer.read()
        assert (answer.status, answer.read()) == (503, b'{"status":"draining"}')
        assert answer.headers["cache-control"] == "no-store"
        other = server.get("/other")  # others are served still
        assert (other.status, other.read()) == {
            "app": (200, b'{"path":"other"}'),
            "redirecting": (307, b""),
            "plain": (200, b"plain"),
        }[app]
        server.stop()  # the second signal ends it at once
        assert "/healthz with 503" in server.wait()


@pytest.mark.parametrize(("app", "query", "http"), [("gentle", "", "ferrapi"), ("chosen", "?gentle=1", "h11")])
def test_streams_end_with_the_last_event(app: str, query: str, http: str) -> None:
    with served("run", f"main:{app}", "--http", http) as server:
        stream = server.get(f"/ticks{query}")
        assert stream.readline() == b'data: {"draining": false}\n'
        server.stop()
        *_, last, end = stream.read().removeprefix(b"\n").split(b"\n\n")
        assert last.startswith(b"event: bye")
        assert end == b""
        assert "STREAM ENDS" in server.wait()


def test_a_stream_without_a_last_event_sees_the_application_draining() -> None:
    with served("run", "main:chosen", "--timeout-graceful-shutdown", "1") as server:
        stream = server.get("/ticks")
        stream.readline()
        server.stop()
        while stream.readline() != b'data: {"draining": true}\n':
            pass
        server.wait()


def test_ends_after_so_many_requests() -> None:
    with served("run", "main:app", "--limit-max-requests", "2", "--limit-max-requests-jitter", "1") as server:
        for _ in range(3):
            server.get("/x").read()
        said = server.wait()
    assert re.search(r"Maximum request limit of [23] exceeded", said)
    assert server.process.returncode == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_serves_over_tls(project: Path) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*make, *subject], check=True, capture_output=True)
    with served("run", "main:app", "--ssl-certfile", "cert.pem", "--ssl-keyfile", "key.pem") as server:
        trusted = ssl.create_default_context(cafile="cert.pem")
        with urllib.request.urlopen(f"https://127.0.0.1:{server.port}/x", context=trusted) as answer:
            assert answer.read() == b'{"path":"x"}'
        server.stop()
        server.wait()


def test_the_socket_of_a_stopped_server_is_gone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ferrapi.cli._serving as serving

    def run(server: serving.uvicorn.Server) -> None:
        Path("server.sock").touch()
        server.started = True

    monkeypatch.setattr(serving.uvicorn.Server, "run", run)
    assert serving.serve(serving.ServeConfig("main:app", gc_freeze=False, uds="server.sock")) == 0
    assert not Path("server.sock").exists()

"""Exporters that are added for endpoints in the environment. Providers are global: each case has its own process."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import json, logging, os, sys
package, settings, passed = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
if package == "ferrapi":
    import ferrapi.as_fastapi
import fastapi
from opentelemetry import trace, metrics, _logs
from starlette.testclient import TestClient
from telemetry._record import Recorder

messages = []
handler = logging.Handler()
handler.emit = lambda record: messages.append(
    (record.levelname, record.getMessage().replace("ferrapi", "fastapi").replace(" or fastapi[standard]", ""))
)
for name in ("fastapi", "ferrapi"):
    logging.getLogger(name).addHandler(handler)
recorder = Recorder()
if "global" in passed:
    trace.set_tracer_provider(recorder.settings["tracer_provider"])
if "providers" in passed:
    settings.update(recorder.settings)
if "foreign" in passed:
    settings["tracer_provider"] = type("Foreign", (trace.NoOpTracerProvider,), {})()
app = fastapi.FastAPI(telemetry=settings)

@app.get("/")
def read():
    raise ValueError("on purpose")

kinds = lambda: [type(one).__name__ for one in (
    trace._TRACER_PROVIDER, metrics._internal._METER_PROVIDER, _logs._internal._LOGGER_PROVIDER)]
found = [kinds()]
for _ in range(2):
    with TestClient(app, raise_server_exceptions=False) as client:
        found.append(kinds())
        client.get("/")
print(json.dumps([found, messages, len(recorder.spans())]))
"""


class _Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def collector() -> Iterator[Any]:
    """A collector of what is exported: its address and the paths of the requests to it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Collector) as server:
        server.paths = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


CASES: dict[str, tuple[dict[str, str], dict[str, Any], tuple[str, ...]]] = {
    "everything": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}"}, {"auto_configure": True}, ()),
    "by the environment": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}/below/", "FASTAPI_OTEL_AUTO_CONFIGURE": "True"},
        {},
        (),
    ),
    "not": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}"}, {}, ()),
    "nowhere": ({}, {"auto_configure": True}, ()),
    "one signal": ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{at}/own"}, {"auto_configure": True}, ()),
    "without spans": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}"}, {"auto_configure": True, "tracing": False}, ()),
    "none": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}", "OTEL_TRACES_EXPORTER": " None "},
        {"auto_configure": True},
        (),
    ),
    "disabled": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}", "OTEL_SDK_DISABLED": "True"}, {"auto_configure": True}, ()),
    "other exporter": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}", "OTEL_LOGS_EXPORTER": "console"},
        {"auto_configure": True},
        (),
    ),
    "other protocol": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"},
        {"auto_configure": True},
        (),
    ),
    "refused by the SDK": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}", "OTEL_METRIC_EXPORT_INTERVAL": "-1"},
        {"auto_configure": True},
        (),
    ),
    "no address": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, {"auto_configure": True}, ()),
    "blank": ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, {"auto_configure": True}, ()),
    "beside a global provider": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}"}, {"auto_configure": True}, ("global",)),
    "beside passed providers": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}"}, {"auto_configure": True}, ("providers",)),
    "a foreign provider": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{at}"}, {"auto_configure": True}, ("foreign",)),
}


@pytest.mark.parametrize("case", CASES)
def test_both_export_the_same(case: str, collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, settings, passed = CASES[case]
    host, port = collector.server_address[:2]
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(at=f"http://{host}:{port}"))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    path = ":".join(entry for entry in sys.path if entry)
    monkeypatch.setenv("PYTHONPATH", path)
    found = []
    for package in ("fastapi", "ferrapi"):
        collector.paths.clear()
        command = [sys.executable, "-c", PROGRAM, package, json.dumps(settings), *passed]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append((json.loads(done.stdout), sorted(collector.paths)))
    assert found[1] == found[0]

"""Without something that receives what is recorded nothing is imported, and nothing is done per request."""

import subprocess
import sys

PRELUDE = """
import os, sys
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
import ferrapi
from ferrapi._middleware_stack import Exceptions, ServerErrors
from ferrapi.telemetry import get_telemetry_data
from starlette.testclient import TestClient

def loaded():
    return sorted(name for name in sys.modules if name.startswith("opentelemetry"))
"""

QUIET = """
for settings in (None, {}, {"operation_spans": True}, {"tracing": False}, {"exclude": lambda scope: 1 / 0}):
    app = ferrapi.FastAPI(telemetry=settings)
    app.get("/")(lambda: get_telemetry_data())
    with TestClient(app) as client:
        assert client.get("/").json() is None
    assert type(app.middleware_stack) is ServerErrors
    assert type(app.middleware_stack.app) is Exceptions
    assert app.middleware_stack.goes_short()
assert not loaded(), loaded()
"""

ABSENT = """
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
app = ferrapi.FastAPI(telemetry={"auto_configure": True, "tracer_provider": object()})
app.get("/")(lambda: get_telemetry_data())
with TestClient(app) as client:
    assert client.get("/").json() is None
assert type(app.middleware_stack) is ServerErrors
"""

UNSET = """
import opentelemetry.trace, opentelemetry.metrics, opentelemetry._logs
app = ferrapi.FastAPI()
app.get("/")(lambda: get_telemetry_data())
with TestClient(app) as client:
    assert client.get("/").json() is None
assert type(app.middleware_stack) is ServerErrors
"""


def _run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", PRELUDE + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_imported_and_the_stack_is_as_ever() -> None:
    _run(QUIET)


def test_nothing_is_done_where_the_api_has_no_provider() -> None:
    _run(UNSET)


def test_settings_do_nothing_where_opentelemetry_is_not_installed() -> None:
    _run(ABSENT)

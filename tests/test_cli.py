"""The command: finding the application, options, and serving over a real socket."""

import gc
import http.client
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ferrapi.cli
import pytest
from ferrapi._discovery import DiscoveryError, discover
from ferrapi.cli import execute
from ferrapi.server import HttpProtocol

_APP = "from ferrapi import FastAPI\n"
FROZEN_BEFORE = gc.get_freeze_count()
"""What the interpreter itself froze: nothing, but on 3.12."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder as the current one. Modules imported from it are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("FASTAPI_ENV", raising=False)
    monkeypatch.delenv("PORT", raising=False)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def _write(files: dict[str, str]) -> None:
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)


_PACKAGE = {"pack/__init__.py": "", "pack/inner/__init__.py": "", "pack/inner/web.py": _APP + "app = FastAPI()"}


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({"main.py": _APP + "app = FastAPI()"}, (), "main:app"),
        ({"app/main.py": _APP + "api = FastAPI()"}, (), "main:api"),
        ({"app/__init__.py": "", "app/api.py": _APP + "x = FastAPI()"}, (), "app.api:x"),
        ({"api.py": _APP + "app = FastAPI()", "app.py": _APP + "app = FastAPI()"}, (), "app:app"),
        ({"one.py": _APP + "first = FastAPI(); second = FastAPI()"}, ("one.py",), "one:first"),
        ({"one.py": _APP + "first = FastAPI(); api = FastAPI(); app = FastAPI()"}, ("one.py",), "one:app"),
        ({"one.py": _APP + "app = 5; other = FastAPI()"}, ("one.py",), "one:other"),
        ({"one.py": _APP + "app = FastAPI()"}, ("./one.py", "wrapped"), "one:wrapped"),
        ({"one.py": _APP + "app = FastAPI()"}, ("one.py:app",), "one:app"),
        ({"one.py": _APP + "app = FastAPI()"}, ("one",), "one:app"),
        ({"one.py": "raise RuntimeError"}, ("one:app",), "one:app"),
        ({"one.py": "raise RuntimeError"}, (None, None, "one:app"), "one:app"),
        ({"one.py": "raise RuntimeError", "pyproject.toml": '[tool.fastapi]\nentrypoint = "one:x"'}, (), "one:x"),
        ({"main.py": _APP + "app = FastAPI()", "pyproject.toml": "[tool]"}, (), "main:app"),
        (_PACKAGE, ("pack/inner/web.py",), "pack.inner.web:app"),
        (_PACKAGE, ("pack.inner.web",), "pack.inner.web:app"),
        (_PACKAGE, ("pack.inner.web:app",), "pack.inner.web:app"),
        ({"pack/__init__.py": _APP + "app = FastAPI()"}, ("pack",), "pack:app"),
        ({"pack/__init__.py": _APP + "app = FastAPI()"}, ("pack/__init__.py",), "pack:app"),
        ({"src/one.py": _APP + "app = FastAPI()"}, ("src/one.py",), "one:app"),
    ],
)
def test_finds(project: Path, files: dict[str, str], arguments: tuple[Any, ...], expected: str) -> None:
    _write(files)
    assert discover(*arguments) == expected


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        ({}, (), "default file"),
        ({}, ("absent.py",), "Path does not exist absent.py"),
        ({}, ("absent",), "Path does not exist absent"),
        ({}, ("not-a-name:app",), "Path does not exist"),
        ({"one.py": "x = 1"}, ("one.py",), "FastAPI app in module one"),
        ({"one.py": "from fastapi import FastAPI\napp = FastAPI()"}, ("one.py",), "application of the real fastapi"),
        ({"folder/one.py": ""}, ("folder",), "no __init__.py"),
        ({"notes.txt": ""}, ("notes.txt",), "not a Python file"),
        ({"pyproject.toml": "= broken"}, (), "TOML"),
    ],
)
def test_says_what_is_missing(project: Path, files: dict[str, str], arguments: tuple[Any, ...], message: str) -> None:
    _write(files)
    with pytest.raises(DiscoveryError, match=message):
        discover(*arguments)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be served, instead of serving it."""
    import ferrapi.cli._serving

    configs: list[Any] = []

    def serve(config: Any) -> int:
        configs.append(config)
        return 0

    monkeypatch.setattr(ferrapi.cli._serving, "serve", serve)
    return configs


def test_options_reach_the_server(project: Path, served: list[Any]) -> None:
    arguments = "run one:app --host ::1 --port 81 --workers 3 --root-path /p --no-access-log --no-gc-freeze --http h11"
    assert execute([*arguments.split(), "--no-proxy-headers", "--forwarded-allow-ips", "192.0.2.1"]) == 0
    [config] = served
    assert (config.app, config.host, config.port, config.workers) == ("one:app", "::1", 81, 3)
    assert (config.root_path, config.access_log, config.gc_freeze, config.http) == ("/p", False, False, "h11")
    assert (config.proxy_headers, config.forwarded_allow_ips) == (False, "192.0.2.1")


def test_defaults_of_run(project: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert execute(["run", "one:app"]) == 0
    [config] = served
    assert (config.host, config.port, config.should_reload, config.gc_freeze) == ("0.0.0.0", 8123, False, True)
    assert (config.access_log, config.http) == (True, "ferrapi.server:HttpProtocol")
    assert "FASTAPI_ENV" not in os.environ


def test_defaults_of_dev(project: Path, served: list[Any]) -> None:
    _write({"one.py": "", "sub/x.py": ""})
    assert execute(["dev", "one:app", "--reload-dir", "sub"]) == 0
    [config] = served
    assert (config.host, config.port, config.should_reload, config.gc_freeze) == ("127.0.0.1", 8000, True, False)
    assert config.reload_dirs == [project / "sub"]
    assert os.environ.pop("FASTAPI_ENV") == "development"


def test_dev_keeps_the_environment_that_is_set(
    project: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_ENV", "test")
    assert execute(["dev", "one:app", "--no-reload"]) == 0
    assert os.environ["FASTAPI_ENV"] == "test"


def test_limits_reach_the_protocol(project: Path, served: list[Any]) -> None:
    """They are attributes of a class of its own, which each serving process makes."""
    _write({"one.py": "from ferrapi import FastAPI\napp = FastAPI()\n"})
    options = "--timeout-head 7 --timeout-body 8 --limit-head 900 --limit-body 1000"
    assert execute(["run", "one:app", *options.split()]) == 0
    [config] = served
    config.before = None
    again = pickle.loads(pickle.dumps(config))
    again.load()
    assert again.http_protocol_class.limits() == ((900, 1000), (7, 8))
    assert issubclass(again.http_protocol_class, HttpProtocol)
    assert execute(["run", "one:app"]) == 0
    served[1].load()
    assert served[1].http_protocol_class is HttpProtocol


@pytest.mark.parametrize("option", ["--timeout-head", "--timeout-body", "--limit-head", "--limit-body"])
def test_limits_of_a_protocol_that_is_not_asked_for(
    project: Path, served: list[Any], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "one:app", option, "5", "--http", "h11"]) == 2
    assert capsys.readouterr().out == f"{option} is for ferrapi's own protocol: leave --http h11 out\n"
    assert not served


def test_http_falls_back_where_the_protocol_cannot_be_imported(
    project: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ferrapi.server", None)
    assert execute(["run", "one:app"]) == 0
    assert served[0].http == "auto"
    assert execute(["run", "one:app", "--http", "ferrapi"]) == 1
    assert "ferrapi[standard]" in capsys.readouterr().out


def test_without_uvicorn(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "ferrapi.cli._serving", raising=False)
    monkeypatch.delattr(ferrapi.cli, "_serving", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert execute(["run", "one:app"]) == 1
    assert "pip install 'ferrapi[standard]'" in capsys.readouterr().out


def test_broken_module(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write({"one.py": "import surely_not_there"})
    assert execute(["run", "one.py"]) == 1
    said = capsys.readouterr().out
    assert "one.py" in said
    assert "Import error: No module named 'surely_not_there'" in said


def test_workers_and_reload_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "one:app", "--workers", "2", "--reload"]) == 2
    assert "--workers" in capsys.readouterr().out


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out == f"ferrapi {ferrapi.__version__}\n"
    assert execute([]) == 2
    assert "run" in capsys.readouterr().out


def test_entry_points_exit_with_the_status(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ferrapi", "run", "absent.py"])
    for entry in (ferrapi.cli.main, ferrapi.cli.cli_main):
        with pytest.raises(SystemExit) as exited:
            entry()
        assert exited.value.code == 1


def test_module_is_the_command(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ferrapi", "run", "absent.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "Path does not exist absent.py\n")


_FACTS = """
import gc, os
from contextlib import asynccontextmanager
from ferrapi import FastAPI, Request

@asynccontextmanager
async def lifespan(app):
    app.state.during = gc.get_freeze_count()
    yield

app = FastAPI(lifespan=lifespan)

@app.get("/facts")
async def facts(request: Request):
    return {
        "frozen": [app.state.during, gc.get_freeze_count()],
        "pid": os.getpid(),
        "root_path": request.scope["root_path"],
        "env": os.environ.get("FASTAPI_ENV"),
    }
"""


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server on a free port: the port, and the process, which is stopped at the end."""
    command = [sys.executable, "-u", "-m", "ferrapi", *arguments, "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            found = re.search(r"running on http://127\.0\.0\.1:(\d+)", line)
            if found is not None:
                yield _listening(int(found[1]), process), process
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def _listening(port: int, process: subprocess.Popen[str]) -> int:
    """The port, once a worker listens at it: the supervisor has only reserved it."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            break
    return port


def _facts(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/facts")
    facts: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return facts


def test_serves_and_freezes_after_startup(project: Path) -> None:
    _write({"main.py": _FACTS})
    with _running("run", "--root-path", "/p") as (port, process):
        facts = _facts(port)
        assert facts["frozen"][0] == FROZEN_BEFORE
        assert facts["frozen"][1] > 10_000
        assert (facts["pid"], facts["root_path"], facts["env"]) == (process.pid, "/p", None)
    assert process.returncode in (0, -signal.SIGINT)


def test_serves_without_freezing(project: Path) -> None:
    _write({"main.py": _FACTS})
    with _running("run", "main.py", "--no-gc-freeze", "--http", "h11") as (port, _):
        assert _facts(port)["frozen"] == [FROZEN_BEFORE] * 2


def test_workers_freeze_too(project: Path) -> None:
    _write({"main.py": _FACTS})
    with _running("run", "main:app", "--workers", "2") as (port, process):
        facts = _facts(port)
        assert facts["pid"] != process.pid
        assert facts["frozen"][0] == FROZEN_BEFORE
        assert facts["frozen"][1] > 10_000


def test_dev_reloads(project: Path) -> None:
    _write({"main.py": _FACTS})
    with _running("dev") as (port, process):
        facts = _facts(port)
        assert facts["pid"] != process.pid
        assert (facts["env"], facts["frozen"]) == ("development", [FROZEN_BEFORE] * 2)


def test_status_of_a_server_that_does_not_start(project: Path) -> None:
    _write({"main.py": _APP + "async def lifespan(app):\n    raise RuntimeError('no')\n    yield\n"})
    Path("main.py").write_text(Path("main.py").read_text() + "app = FastAPI(lifespan=lifespan)\n")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "ferrapi", "run", "main.py", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3

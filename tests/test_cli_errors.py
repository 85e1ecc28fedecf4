"""The command says in one sentence why it doesn't serve, and shows tracebacks of the user's code only."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ferrapi._discovery import find
from ferrapi.cli import execute, main
from support.commands import empty_project, write

_APP = "from ferrapi import FastAPI\napp = FastAPI()\n"
_REAL = "from fastapi import FastAPI\nclass Service(FastAPI): ...\nservice = Service()\n"


_UNREADABLE = """
from ferrapi import FastAPI


class Kind:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        raise RuntimeError("of the user's")


@FastAPI().post("/")
def kind(body: Kind): ...
"""
_THROUGH = ["one.py", "two.py", "two.py"]
"""The user's frames, those between which ferrapi and pydantic were."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with empty_project(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be served, instead of serving it; what comes before serving is done."""
    import ferrapi.cli._serving

    found: list[Any] = []

    def serve(config: Any) -> int:
        config.before()
        found.append(config)
        return 0

    monkeypatch.setattr(ferrapi.cli._serving, "serve", serve)
    return found


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        status = execute(arguments)
    except SystemExit as exc:
        status = int(str(exc.code))
    out, err = capsys.readouterr()
    return status, out + err


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ("main.py --port 99999", 2, "--port: 99999 is no port: give a number from 0 to 65535"),
        ("main.py --port -1", 2, "--port: -1 is no port"),
        ("main.py --port http", 2, "'http' is no port: give a whole number"),
        ("main.py --workers 0", 2, "0 is no number of workers: give a number 1 or more"),
        ("main.py --timeout-graceful-shutdown -5", 2, "-5 is no number of seconds"),
        ("main.py --http nope", 2, "There is no HTTP protocol nope: choose auto, ferrapi, h11"),
        ("main.py --http no.such:Protocol", 2, "There is no HTTP protocol no.such:Protocol"),
        ("main.py --health healthz", 2, "'healthz' is no path: it begins with /"),
        ("main.py --nope", 2, "Unrecognized arguments: --nope (ferrapi run --help"),
        ("main.py --worker=3 --prots", 2, "Unrecognized arguments: --prots; do you mean --port? (ferrapi run --help"),
        ("main.py --limit-max-requests-jitter 5", 2, "--limit-max-requests-jitter needs --limit-max-requests"),
        ("main:", 1, "main: names no application: write module:name"),
        ("main.py:", 1, "main.py: names no application: write module:name"),
        (":app", 1, ":app names no module: write module:name"),
        ("main:number", 1, "main:number is no ASGI application: it is a builtins.int"),
        (
            "real.py",
            1,
            "real:service is an application of the real fastapi: change the imports (`ferrapi migrate` does)",
        ),
        ("main.py --log-config absent.json", 2, "--log-config: there is no file absent.json"),
        ("main.py --log-config broken.json", 2, "--log-config broken.json is no configuration of logging"),
        ("main.py --ssl-keyfile main.py", 2, "TLS needs a certificate: give --ssl-certfile too"),
        ("main.py --ssl-certfile absent.pem", 2, "--ssl-certfile: there is no file absent.pem"),
        ("main.py --ssl-certfile main.py", 2, "The certificate and the options beside it can't be used"),
        ("main.py --reload --reload-dir absent", 2, "--reload-dir: there is no folder absent"),
        ("main.py --entrypoint main:app", 1, "Cannot use --entrypoint together with path or --app arguments"),
        ("main.py --app other", 1, "Could not find app name other in main: it has app"),
        ("main:app.nope", 1, "Could not find app name app.nope in main: it has app"),
        ("empty:app", 1, "Could not find app name app in empty: it has no FastAPI application either"),
        ("-e main:nope", 1, "Could not find app name nope in main: it has app"),
        ("-e nowhere:app", 1, 'Could not import module "nowhere": there is no nowhere in'),
        ("-e inner.nowhere:app", 1, 'Could not import module "inner.nowhere": there is no inner.nowhere in'),
        ("main.py --host no-such-host.invalid", 3, "--host no-such-host.invalid: there is no such address"),
        ("main.py --host 192.0.2.1", 3, "--host 192.0.2.1 is no address of this machine"),
    ],
)
def test_refuses_with_one_sentence(
    project: Path, configs: list[Any], capsys: pytest.CaptureFixture[str], arguments: str, status: int, sentence: str
) -> None:
    main = _APP + "number = 5\n"
    write({"main.py": main, "empty.py": "", "real.py": _REAL, "inner/__init__.py": "", "broken.json": "{}"})
    found, said = _said(capsys, "run", *arguments.split())
    assert (found, configs) == (status, [])
    assert sentence in said
    assert len(said.splitlines()) == 1


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets on this system")
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("absent/sock", "--uds: there is no folder absent"),
        ("main.py", "--uds: main.py is there, and is no socket"),
        ("x" * 150, f"--uds: it isn't possible to listen at {'x' * 150}: AF_UNIX path too long"),
    ],
)
def test_names_what_is_wrong_with_a_unix_socket(
    project: Path, configs: list[Any], capsys: pytest.CaptureFixture[str], path: str, sentence: str
) -> None:
    write({"main.py": _APP})
    status, said = _said(capsys, "run", "main.py", "--uds", path)
    assert (status, configs, said) == (3, [], f"{sentence}\n")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets on this system")
def test_a_socket_that_somebody_has_left_is_no_mistake(project: Path, configs: list[Any]) -> None:
    write({"main.py": _APP})
    with socket.socket(socket.AF_UNIX) as left:
        left.bind("sock")
    assert execute(["run", "main.py", "--uds", "sock"]) == 0
    assert len(configs) == 1


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_names_a_port_in_use(
    project: Path, configs: list[Any], capsys: pytest.CaptureFixture[str], family: socket.AddressFamily
) -> None:
    write({"main.py": _APP})
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as taken:
        try:
            taken.bind((host, 0))
        except OSError:
            pytest.skip("this machine has no such addresses")
        taken.listen()
        port = taken.getsockname()[1]
        status, said = _said(capsys, "run", "main.py", "--host", host, "--port", str(port))
    assert (status, configs) == (3, [])
    assert said == f"Port {port} of {host} is in use: stop what listens there, or choose another with --port\n"


@pytest.mark.parametrize(
    ("files", "argument", "last", "frames"),
    [
        ({"one.py": "import two", "two.py": "1/0"}, "one.py", "ZeroDivisionError", ["one.py", "two.py"]),
        ({"one.py": "import two", "two.py": "1/0"}, "one:app", "ZeroDivisionError", ["one.py", "two.py"]),
        ({"one.py": "import surely.nothing"}, "one.py", "ModuleNotFoundError", ["one.py"]),
        ({"one.py": "def f(:"}, "one.py", "SyntaxError", ["one.py"]),
        (
            {"one.py": "import importlib\nimportlib.import_module('two')", "two.py": "raise KeyError('a')"},
            "one.py",
            "KeyError",
            ["one.py", "two.py"],
        ),
        (
            {"one.py": "import two", "two.py": "try:\n    1/0\nexcept Exception as e:\n    raise OSError('b') from e"},
            "one.py",
            "OSError",
            ["two.py", "one.py", "two.py"],
        ),
        (
            {"one.py": _APP + "class Own: ...\n@app.get('/')\ndef own(a: Own): ..."},
            "one.py",
            "Invalid args for response field",
            ["one.py"],
        ),
        ({"one.py": _APP + "import two", "two.py": _UNREADABLE}, "one.py", "RuntimeError: of the user's", _THROUGH),
        ({"one.py": "def __getattr__(name):\n    raise LookupError(name)"}, "one:app", "LookupError", ["one.py"]),
    ],
)
def test_shows_the_users_frames_alone(
    project: Path,
    configs: list[Any],
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str],
    argument: str,
    last: str,
    frames: list[str],
) -> None:
    write(files)
    status, said = _said(capsys, "run", argument, "--port", "0")  # the usual one may be in use
    assert (status, configs) == (1, [])
    *trace, sentence = said.splitlines()
    assert last in "".join(trace)
    assert sentence.startswith("Import error: ")
    shown = [line.split('"')[1] for line in trace if line.startswith('  File "')]
    ours = [Path(file).name for file in shown if "importlib" not in file]
    assert ours == frames


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('[tool.ferrapi]\nentrypoint = "one:app"\n[tool.fastapi]\nentrypoint = "two:app"', "one:app"),
        ('[tool.fastapi]\nentrypoint = "two:app"', "two:app"),
        ('[tool.ferrapi]\nother = 1\n[tool.fastapi]\nentrypoint = "two:app"', "two:app"),
    ],
)
def test_ferrapis_entry_point_comes_first(project: Path, toml: str, expected: str) -> None:
    write({"pyproject.toml": toml, "one.py": _APP, "two.py": _APP})
    found = find()
    assert found.import_string == expected
    assert found.module_from.startswith("pyproject.toml")


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (
            "[tool.ferrapi]\nentrypoint = 5",
            "entrypoint in [tool.ferrapi] of pyproject.toml must be a text, 'module:name'",
        ),
        ('[tool.fastapi]\nentrypoint = "shop"', "Path does not exist shop (named by pyproject.toml, [tool.fastapi])"),
        ("[tool.ferrapi", "pyproject.toml is not TOML: "),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], toml: str, sentence: str
) -> None:
    write({"pyproject.toml": toml})
    status, said = _said(capsys, "run")
    assert status == 1
    assert said.startswith(sentence)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("toml", ["tool = 3", "[tool]\nferrapi = 3"])
def test_tables_of_others_are_no_entry_point(project: Path, toml: str) -> None:
    write({"pyproject.toml": toml, "main.py": _APP})
    assert find().import_string == "main:app"


def test_an_empty_path_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write({"main.py": _APP})
    assert _said(capsys, "run", "") == (1, "PATH is empty: give a file, or module:name\n")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("serve", "There is no command serve: choose run, dev, routes, check, migrate, shadow"),
        ("chekc", "There is no command chekc: do you mean ferrapi check?"),
        ("main.py", "There is no command main.py: do you mean ferrapi run main.py?"),
        ("main:app", "There is no command main:app: do you mean ferrapi run main:app?"),
    ],
)
def test_names_the_command_that_was_meant(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, sentence: str
) -> None:
    write({"main.py": _APP})
    assert _said(capsys, command, "main.py") == (2, f"{sentence} (ferrapi --help says what there is)\n")


def test_an_interrupted_import_ends_quietly(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write({"main.py": "raise KeyboardInterrupt"})
    monkeypatch.setattr(sys, "argv", ["ferrapi", "run", "main.py"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_introduces_what_it_serves(project: Path, configs: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write({"main.py": _APP + '@app.get("/here")\ndef here(): ...\n'})
    status, said = _said(capsys, "dev", "--no-reload", "-v", "--health", "/up", "--port", "65123")
    assert status == 0
    assert "development mode" in said
    for words in (
        "main:app",
        "5 (`ferrapi routes main:app` lists them)",
        "http://127.0.0.1:65123/docs",
        "http://127.0.0.1:65123/up",
        'entrypoint = "main:app"',
        "from main import app",
        "/here",
    ):
        assert words in said
    os.environ.pop("FASTAPI_ENV")


def test_says_no_documentation_where_there_is_none(
    project: Path, configs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write({"main.py": "from ferrapi import FastAPI\napp = FastAPI(openapi_url=None)"})
    status, said = _said(capsys, "run", "--port", "65123")
    assert status == 0
    assert "  documentation  " not in said
    assert "http://127.0.0.1:65123 (and at this machine's other addresses)" in said


def test_options_of_the_end_and_of_logging_reach_the_server(project: Path, configs: list[Any]) -> None:
    logging = {"version": 1, "disable_existing_loggers": False, "loggers": {"uvicorn": {"level": "ERROR"}}}
    write({"main.py": _APP, "log.json": json.dumps(logging)})
    arguments = "run --port 0 --log-config log.json --limit-max-requests 9 --limit-max-requests-jitter 3"
    assert execute([*arguments.split(), "--health", "/up", "--limit-concurrency", "7", "--log-level", "error"]) == 0
    assert execute(["dev", "--no-reload", "--port", "0", "--timeout-graceful-shutdown", "1", "--drain-delay", "4"]) == 0
    run, dev = configs
    assert (run.log_config, run.log_level, run.limit_concurrency) == ("log.json", "error", 7)
    assert (run.limit_max_requests, run.limit_max_requests_jitter) == (9, 3)
    assert (run.health, run.drain_delay, run.timeout_graceful_shutdown) == ("/up", 5, 30)
    assert (dev.health, dev.drain_delay, dev.timeout_graceful_shutdown) == (None, 4, 1)
    os.environ.pop("FASTAPI_ENV")

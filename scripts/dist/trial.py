"""Install a wheel where there is nothing else, and use it.

    python -m scripts.dist.trial dist/release      # those of a folder that this Python can install

The environment is new, there is no Rust in its PATH, and pip may not build anything: so what is tried is what a user
gets. First with what ferrapi requires alone: import it and ask an application through ASGI. Then with `[standard]`:
import the test client with warnings as errors, and serve over a socket with the command.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

SECONDS = 60
"""How long the server may take to answer, as a guard against one that never does."""
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
_QUESTION = "/hello/world?times=2"
_ANSWER = {"message": "hello world, hello world"}
APPLICATION = """
from ferrapi import FastAPI

app = FastAPI()


@app.get("/hello/{name}")
async def hello(name: str, times: int = 1) -> dict[str, str]:
    return {"message": ", ".join([f"hello {name}"] * times)}
"""
_ASK = """
import asyncio, sys
import main
import ferrapi._native

async def ask():
    sent = []
    async def receive(): return {"type": "http.request"}
    async def send(message): sent.append(message)
    scope = {"type": "http", "method": "GET", "path": "/hello/world", "query_string": b"times=2", "headers": []}
    await main.app({**scope, "http_version": "1.1", "asgi": {"version": "3.0"}}, receive, send)
    return b"".join(message.get("body", b"") for message in sent)

sys.stdout.write(asyncio.run(ask()).decode())
"""
_TEST_CLIENT = """
import sys
from ferrapi.testclient import TestClient
import main
sys.stdout.write(TestClient(main.app).get("/hello/world?times=2").text)
"""


class TrialError(Exception):
    """A wheel can't be installed, imported or served with."""


def _surroundings(folder: Path) -> dict[str, str]:
    """The variables of this process, without a toolchain of Rust and without modules from elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CARGO", "RUST"))}
    places = [place for place in kept.get("PATH", "").split(os.pathsep) if not shutil.which("rustc", path=place)]
    return {**kept, "PATH": os.pathsep.join([str(folder / SCRIPTS), *places]), "PYTHONDONTWRITEBYTECODE": "1"}


class Environment:
    """An environment of its own, without pip.

    Parameters:
        interpreter: the Python that it is made with.
        folder: where it is made.
    """

    def __init__(self, interpreter: str, folder: Path) -> None:
        self.python = folder / SCRIPTS / "python"
        self.variables = _surroundings(folder)
        self.project = folder / "project"
        self._run([interpreter, "-m", "venv", "--without-pip", str(folder)])
        self.project.mkdir()
        (self.project / "main.py").write_text(APPLICATION)

    def _run(self, command: list[str], folder: Path | None = None) -> str:
        done = subprocess.run(
            command, cwd=folder, env=self.variables, capture_output=True, text=True, check=False, timeout=900
        )
        if done.returncode:
            raise TrialError(f"{' '.join(command[:6])} ... failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(self, requirement: str) -> None:
        """Install from wheels alone, with the pip of the environment that runs this."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        self._run([*pip, "--disable-pip-version-check", "--only-binary", ":all:", requirement])

    def ask(self, code: str) -> None:
        """Run code beside the application, with warnings as errors, that prints its answer."""
        answer = self._run([str(self.python), "-W", "error", "-c", code], self.project)
        if json.loads(answer) != _ANSWER:
            raise TrialError(f"the application answers {answer!r}")

    def serve(self) -> None:
        """Serve with the command, ask once over the socket, and stop it."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [str(self.python.with_name("ferrapi")), "run", "main.py", "--host", "127.0.0.1", "--port", str(port)]
        with tempfile.TemporaryFile("w+") as log:
            server = subprocess.Popen(command, cwd=self.project, env=self.variables, stdout=log, stderr=log)
            try:
                answer = _answer(server, f"http://127.0.0.1:{port}{_QUESTION}")
            finally:
                server.terminate()
                server.wait(SECONDS)
            log.seek(0)
            if answer != _ANSWER:
                raise TrialError(f"`ferrapi run` answers {answer!r}:\n{log.read()}")


def _answer(server: "subprocess.Popen[bytes]", address: str) -> object:
    """What the server answers once it listens; None if it ends before."""
    give_up = time.monotonic() + SECONDS
    while server.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(address, timeout=SECONDS) as response:
                return json.load(response)
        except urllib.error.URLError:
            time.sleep(0.1)
    return None


def try_wheel(wheel: Path, interpreter: str) -> None:
    """Install a wheel and use it, as said above.

    Raises:
        TrialError: It does not work; the message says where.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(interpreter, Path(folder) / "venv")
        environment.install(str(wheel))
        environment.ask(_ASK)
        environment.install(f"{wheel}[standard]")
        environment.ask(_TEST_CLIENT)
        environment.serve()


def main() -> int:
    """Try the wheel of a folder that fits this Python best; 1 if there is none or it does not work."""
    wheels = {tag: wheel for wheel in Path(sys.argv[1]).glob("*.whl") for tag in parse_wheel_filename(wheel.name)[3]}
    wheel = next((wheels[tag] for tag in sys_tags() if tag in wheels), None)
    if wheel is None:
        print(f"no wheel of {sys.argv[1]} fits this Python", file=sys.stderr)
        return 1
    try:
        try_wheel(wheel.resolve(), sys.executable)
    except TrialError as error:
        print(f"{wheel.name}: {error}", file=sys.stderr)
        return 1
    print(f"{wheel.name} can be installed, imported, asked and served with")
    return 0


if __name__ == "__main__":
    sys.exit(main())

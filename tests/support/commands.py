"""Projects on disk, and the command `ferrapi` serving them in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def write(files: dict[str, str]) -> None:
    """Write files below the current folder, for imports too: the import system remembers what a folder holds."""
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)
    importlib.invalidate_caches()


@contextmanager
def empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
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


class Served:
    """A server in a process.

    Attributes:
        process: the process.
        port: where it listens.
        said: its output, complete when it has ended.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.port = 0
        self._open = contextlib.ExitStack()
        for line in process.stdout or ():
            self.said.append(line)
            found = re.search(r"running on https?://127\.0\.0\.1:(\d+)", line)
            if found is not None:
                self.port = int(found[1])
                return
        pytest.fail("".join(self.said))

    def get(self, path: str) -> http.client.HTTPResponse:
        """The beginning of the answer, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._open.callback(connection.close)
        connection.request("GET", path)
        return self._open.enter_context(contextlib.closing(connection.getresponse()))

    def close(self) -> None:
        """Close the connections."""
        self._open.close()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> str:
        """All that it has said, once it has ended."""
        rest, _ = self.process.communicate(timeout=60)
        self.said.append(rest)
        return "".join(self.said)


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """`ferrapi` with these arguments, on a free port."""
    command = [sys.executable, "-u", "-m", "ferrapi", *arguments, "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with contextlib.closing(Served(process)) as server:
            yield server
    finally:
        if process.poll() is None:
            process.kill()
        with contextlib.suppress(ValueError):
            process.communicate()

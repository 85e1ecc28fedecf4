"""A peer behind uvicorn in a process of its own, on a core of its own."""

import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from ..asgi import WrongAnswer
from ..cases import COMMON_HEADERS, Case

ROOT = Path(__file__).resolve().parents[2]
RUNNING = re.compile(r"Uvicorn running on (http://\S+)")
UVICORN = ("--loop", "uvloop", "--port", "0", "--no-access-log")
DOORS = {
    "ferrapi": ("ferrapi_app", ("--http", "ferrapi.server:HttpProtocol")),
    "ferrapi-asgi": ("ferrapi_app", ("--http", "httptools")),
    "fastapi": ("fastapi_app", ("--http", "httptools")),
    "asgi": ("asgi_app", ("--http", "httptools")),
}
"""What is served: the peer's module and how uvicorn speaks HTTP to it."""


class ServerDidNotStart(Exception):
    """The process ended before it listened; its log is the message."""


class Server:
    """A running uvicorn, from `with` to its end.

    Parameters:
        name: a key of `DOORS`.
        attribute: which application of the peer's module.
        core: the processor it may use, None for any.
    """

    def __init__(self, name: str, attribute: str, core: int | None) -> None:
        module, arguments = DOORS[name]
        application = f"benchmarks.apps.{module}:{attribute}"
        self.name = name
        self.command = [sys.executable, "-m", "uvicorn", application, *UVICORN, *arguments]
        self.core = core
        self.url = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self.command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        if self.core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, {self.core})
        assert self.process.stderr is not None
        log = []
        for line in self.process.stderr:
            log.append(line)
            if found := RUNNING.search(line):
                self.url = found[1]
                return self
        raise ServerDidNotStart("".join(log))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.communicate()

    def cpu_seconds(self) -> float:
        """User and system time that the process has taken so far (Linux counts it in hundredths of a second)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def calls(self) -> dict[str, int]:
        """How often each handler and dependency ran."""
        connection = self._connect()
        connection.request("GET", "/calls")
        answer: dict[str, int] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def check(self, case: Case) -> None:
        """Send every request of the case once, on one connection. Raises `WrongAnswer`."""
        connection = self._connect()
        for exchange in case.exchanges:
            headers = COMMON_HEADERS | exchange.headers
            connection.request(exchange.method, exchange.path, exchange.body or None, headers)
            response = connection.getresponse()
            body = response.read()
            got = {name: response.getheader(name) for name in exchange.answer_headers}
            if (response.status, body, got) != (exchange.status, exchange.answer, exchange.answer_headers):
                raise WrongAnswer(f"{self.name}, {exchange.method} {exchange.path}: {response.status} {got} {body!r}")
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc)

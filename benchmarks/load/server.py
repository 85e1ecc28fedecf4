"""A peer in processes of its own, on a core of its own."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ..asgi import WrongAnswer
from ..cases import COMMON_HEADERS, Case
from .peers import PEERS, ROOT

HOST = "127.0.0.1"
STOPPING = 10
"""Seconds after which a server that was asked to stop is ended."""


class ServerDidNotStart(Exception):
    """The process ended before it listened; its log is the message."""


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        return int(chosen.getsockname()[1])


class Server:
    """A running server, from `with` to its end.

    Parameters:
        name: a key of `PEERS`.
        attribute: which application of the peer's module.
        cores: the processors it may use, None for any.
        environment: variables in addition to those of this process.
        module: another one than the peer's, in `benchmarks.apps`.
        extra: more arguments for the command.
    """

    def __init__(
        self,
        name: str,
        attribute: str,
        cores: set[int] | None,
        environment: dict[str, str] | None = None,
        module: str = "",
        extra: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.port = _free_port()
        self.url = f"http://{HOST}:{self.port}"
        peer = replace(PEERS[name], module=module or PEERS[name].module)
        self.command: Sequence[str | Path] = [*peer.command(peer, attribute, self.port), *extra]
        self.cores = cores
        self.environment = os.environ | (environment or {})

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*_pinned(self.cores), *self.command],
            cwd=ROOT,
            env=self.environment,
            stdout=self._log,
            stderr=self._log,
            text=True,
        )
        while not self._listens():
            if self.process.poll() is not None:
                raise ServerDidNotStart(f"{self.name}: {self.log()}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            for process in self._processes():
                os.kill(process, 9)
            self.process.wait()
        self._log.close()

    def log(self) -> str:
        """What it has written so far, to both of its outputs."""
        self._log.seek(0)
        return self._log.read()

    def cpu_seconds(self) -> float:
        """User and system time taken so far by all of its processes (Linux counts it in hundredths of a second)."""
        ticks = 0
        for process in self._processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_kib(self) -> int:
        """The memory that its processes have in use, in KiB."""
        return sum(_resident_kib(process) for process in self._processes())

    def calls(self) -> dict[str, int]:
        """How often each handler and dependency ran."""
        return self.ask("/calls")

    def ask(self, path: str) -> dict[str, int]:
        """The numbers that a path answers."""
        with closing(self.connect()) as connection:
            connection.request("GET", path)
            with connection.getresponse() as response:
                answer: dict[str, int] = json.loads(response.read())
        return answer

    def check(self, case: Case) -> None:
        """Send every request of the case once, on one connection. Raises `WrongAnswer`."""
        connection = self.connect()
        for exchange in case.exchanges:
            headers = COMMON_HEADERS | exchange.headers
            connection.request(exchange.method, exchange.path, exchange.body or None, headers)
            response = connection.getresponse()
            body = response.read()
            got = {name: response.getheader(name) for name in exchange.answer_headers}
            if (response.status, body, got) != (exchange.status, exchange.answer, exchange.answer_headers):
                raise WrongAnswer(f"{self.name}, {exchange.method} {exchange.path}: {response.status} {got} {body!r}")
        connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """A connection to it, not opened yet."""
        return http.client.HTTPConnection(HOST, self.port)

    def _listens(self) -> bool:
        try:
            self.calls()
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _processes(self) -> Iterator[int]:
        """The process that was started, and all that it has started."""
        waiting = [self.process.pid]
        while waiting:
            process = waiting.pop()
            yield process
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                waiting.extend(map(int, children.read_text().split()))


def _pinned(cores: set[int] | None) -> list[str]:
    return [] if cores is None else ["taskset", "-c", ",".join(map(str, sorted(cores)))]


def _resident_kib(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0

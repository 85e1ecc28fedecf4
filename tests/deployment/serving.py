"""Runs a server until the end of a block, and says how it ended."""

import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from example_server import ROOT

STOPPING = 60
"""Seconds after which a server that does not end counts as hanging."""


@dataclass
class Served:
    """A server and, when it has ended, its exit status and what it has written."""

    process: subprocess.Popen[bytes]
    status: int = 0
    log: str = ""


class DidNotStart(Exception):
    """The server ended before it answered; its log is the message."""


@contextmanager
def serving(
    command: Sequence[str | Path],
    url: str,
    environment: Mapping[str, str] | None = None,
    verify: ssl.SSLContext | bool = True,
) -> Iterator[Served]:
    """Runs a command from its first answer at an address to the end of the block, then asks it to end (SIGTERM)."""
    with tempfile.TemporaryFile("w+b") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT, env=environment, stdout=log, stderr=log)
        served = Served(process)
        try:
            while not _answers(url, verify):
                if process.poll() is not None:
                    log.seek(0)
                    raise DidNotStart(log.read().decode())
                time.sleep(0.05)
            yield served
        finally:
            process.terminate()
            try:
                served.status = process.wait(STOPPING)
            finally:
                process.kill()
                log.seek(0)
                served.log = log.read().decode()


def _answers(url: str, verify: ssl.SSLContext | bool) -> bool:
    try:
        httpx2.get(url, timeout=5, verify=verify)
    except httpx2.TransportError:
        return False
    return True

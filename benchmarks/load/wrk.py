"""One wrk run with a case's requests."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cases import COMMON_HEADERS, Exchange

SCRIPT = Path(__file__).with_name("check.lua")
CONNECTIONS = 64


class LoadFailed(Exception):
    """wrk is missing, ended with an error, or answers were wrong."""


class Stalled(LoadFailed):
    """The server answered nothing."""


@dataclass(frozen=True)
class Run:
    """What one run saw: requests answered, in how many seconds, and latencies in microseconds."""

    requests: int
    seconds: float
    p50: int
    p99: int


def _lua(value: Any) -> str:
    """A Lua literal."""
    if isinstance(value, dict):
        return "{" + ",".join(f"[{_lua(key)}]={_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(map(_lua, value)) + "}"
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return '"' + "".join(f"\\{byte:03}" for byte in raw) + '"'
    return {True: "true", None: "nil"}.get(value, str(value))


def write_exchanges(exchanges: Sequence[Exchange], file: Path) -> None:
    """Write what `check.lua` reads: the requests, and the answers that are right."""
    requests = [
        {
            "method": exchange.method,
            "path": exchange.path,
            "headers": COMMON_HEADERS | exchange.headers,
            "body": exchange.body or None,
        }
        if not exchange.chunk
        else {"raw": exchange.encoded("127.0.0.1")}
        for exchange in exchanges
    ]
    answers = {exchange.answer: exchange.status for exchange in exchanges}
    file.write_text("return " + _lua({"requests": requests, "answers": answers}))


def command(url: str, file: Path, seconds: int, core: int | None, connections: int = CONNECTIONS) -> list[str]:
    """The command that sends the requests of a file for some seconds on so many connections."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    settings = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(SCRIPT)]
    return [*pinned, "wrk", *settings, url, "--", str(file)]


def run(url: str, case_file: Path, seconds: int, core: int | None, connections: int = CONNECTIONS) -> Run:
    """Run that command to its end. Raises `LoadFailed` on any wrong answer."""
    return seen(
        url, subprocess.run(command(url, case_file, seconds, core, connections), capture_output=True, text=True)
    )


def seen(url: str, done: subprocess.CompletedProcess[str]) -> Run:
    """What a load generator that has ended saw. Raises `LoadFailed`."""
    if done.returncode or "RESULT " not in done.stdout:
        raise LoadFailed(f"the load generator ended with {done.returncode}: {done.stdout}{done.stderr}")
    found = json.loads(done.stdout.rpartition("RESULT ")[2])
    if found["wrong"] or found["failed"]:
        raise LoadFailed(f"{found['wrong']} wrong answers, {found['failed']} failed requests: {url}")
    if not found["requests"]:
        raise Stalled(f"no answers in {found['microseconds'] / 1e6:.1f} s: {url}")
    return Run(found["requests"], found["microseconds"] / 1e6, found["p50"], found["p99"])


def version() -> str:
    """wrk's version; raises `LoadFailed` if there is no wrk."""
    try:
        said = subprocess.run(["wrk", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise LoadFailed("wrk is not installed (Debian: apt-get install wrk)") from None
    return said.split(" [")[0].removeprefix("wrk ").strip()

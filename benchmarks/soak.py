"""A soak: full load for minutes, with clients that misbehave. `python -m benchmarks.soak --help`.

wrk sends requests of many cases and checks every answer; beside it, on the same core, clients of this process misbehave
(`benchmarks.misbehaviour`). It fails if

* an answer was wrong, or a request of a client that behaved was not answered;
* the server logged an error, or a session or a stream that was opened was not closed, or a task is left at the end;
* the server's resident memory grew after the warm-up by more than a MiB.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cases import BY_NAME, Exchange
from .load import wrk
from .load.rounds import CLIENT_CORE, SERVER_CORE
from .load.server import Server
from .misbehaviour import Clients

TRANSPORTS = {"http": "ferrapi", "asgi": "ferrapi-asgi"}
CASES = (
    "plain",
    "hello",
    "params",
    "order",
    "guarded",
    "no-token",
    "login",
    "bad-order",
    "thread",
    "pause",
    "products",
)
GROWTH_KIB = 1024
"""How much memory may grow after the warm-up."""
CLIENTS = 16
CLOSED_UNDER_UVICORN = re.compile(
    r"ERROR: +Exception in ASGI application\n(?:(?!ERROR: |WARNING: |INFO: )[^\n]*\n)*?"
    r"[^\n]*httptools_impl\.py\", line \d+, in send\n(?:(?!ERROR: |WARNING: |INFO: )[^\n]*\n)*?"
    r"RuntimeError: unable to perform operation on <TCPTransport closed=True[^\n]*\n"
)
"""What uvicorn's own protocol logs, whatever the application, when it writes to a client that has just gone: uvloop's
transport is closed a moment before uvicorn is told. Counted apart; ferrapi's protocol must not have it."""
TROUBLE = ("Traceback", "ERROR", "CRITICAL", "Task was destroyed", "never retrieved")
"""Words that no log of a healthy server has."""
PAIRS = (("session opened", "session closed"), ("stream opened", "stream closed"))
"""Counters that are equal in the end."""
TASKS = 2
"""The server's own: that of the server, and that of its lifespan."""


async def _watch(server: Server, until: float, warm: float) -> list[tuple[float, int]]:
    """The server's memory, each second: seconds since the end of the warm-up, and KiB."""
    samples = []
    while (now := time.monotonic()) < until:
        samples.append((round(now - warm, 1), server.resident_kib()))
        await asyncio.sleep(1)
    return samples


def growth_kib(samples: Sequence[tuple[float, int]]) -> int:
    """How much memory grew from the end of the warm-up to the end: medians of a tenth of the samples, at least 5."""
    after = [kib for seconds, kib in samples if seconds >= 0]
    size = max(5, len(after) // 10)
    return int(statistics.median(after[-size:]) - statistics.median(after[:size]))


def _load(url: str, file: Path, seconds: int) -> subprocess.Popen[str]:
    return subprocess.Popen(wrk.command(url, file, seconds, CLIENT_CORE), stdout=subprocess.PIPE, text=True)


async def _soak(server: Server, exchanges: Sequence[Exchange], file: Path, minutes: float, seed: int) -> dict[str, Any]:
    start = time.monotonic()
    seconds = max(10, round(minutes * 60))
    warm = start + max(10.0, seconds / 5)
    load = _load(server.url, file, seconds)
    clients = Clients(server.port, exchanges, seed)
    everybody = [clients.run(start + seconds) for _ in range(CLIENTS)]
    samples, *_ = await asyncio.gather(_watch(server, start + seconds, warm), *everybody)
    said = (await asyncio.to_thread(load.communicate))[0]
    found = json.loads(said.rpartition("RESULT ")[2] or "{}")
    return {"load": found, "clients": clients.seen, "lost": clients.lost, "samples": samples}


async def _settled(server: Server) -> dict[str, int]:
    """The counters, and the number of tasks, once no request is in work any more."""
    for _ in range(100):
        calls = await asyncio.to_thread(server.calls)
        calls["tasks"] = (await asyncio.to_thread(server.ask, "/tasks"))["tasks"]
        if calls["tasks"] <= TASKS and all(calls.get(opened, 0) == calls.get(closed, 0) for opened, closed in PAIRS):
            break
        await asyncio.sleep(0.1)
    return calls


def faults(result: dict[str, Any], calls: dict[str, int], log: str) -> list[str]:
    """What was not as it should be, one sentence each."""
    load = result["load"]
    found = [f"lost: {what}" for what in result["lost"][:20]]
    if not load.get("requests"):
        found.append("wrk got no answers")
    found += [f"wrk: {load[kind]} {kind}" for kind in ("wrong", "failed") if load.get(kind)]
    for opened, closed in PAIRS:
        if calls.get(opened, 0) != calls.get(closed, 0):
            found.append(f"{opened} {calls.get(opened, 0)} times, {closed} {calls.get(closed, 0)} times")
    if calls.get("tasks", 0) > TASKS:
        found.append(f"{calls['tasks']} tasks are left")
    found += [f"the server's log has {word!r}" for word in TROUBLE if word in log]
    if (grown := growth_kib(result["samples"])) > GROWTH_KIB:
        found.append(f"memory grew by {grown} KiB after the warm-up")
    return found


def soak(door: str, minutes: float, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Soak one door: what was recorded, and what was wrong."""
    exchanges = [exchange for name in CASES for exchange in BY_NAME[name].exchanges]
    random.Random(seed).shuffle(exchanges)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(TRANSPORTS[door], "app", {SERVER_CORE}, module="soak_app") as server,
    ):
        file = Path(folder) / "cases.lua"
        wrk.write_exchanges(exchanges, file)

        async def everything() -> tuple[dict[str, Any], dict[str, int]]:
            result = await _soak(server, exchanges, file, minutes, seed)
            return result, await _settled(server)

        result, calls = asyncio.run(everything())
        log, closed = server.log(), 0
        if door == "asgi":
            log, closed = CLOSED_UNDER_UVICORN.subn("", log)
        found = faults(result, calls, log)
    result |= {
        "door": door,
        "growth_kib": growth_kib(result["samples"]),
        "faults": found,
        "closed_under_uvicorn": closed,
    }
    result["log"] = log[-4000:] if found else ""
    return result, found


def main() -> int:
    """Soak the chosen doors; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each door")
    parser.add_argument("--door", action="append", choices=list(TRANSPORTS), help="may be repeated; default: both")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--json", type=Path, help="write what was recorded, memory second by second, to this file")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {CLIENT_CORE})
    wrong, recorded = 0, []
    for door in arguments.door or TRANSPORTS:
        result, found = soak(door, arguments.minutes, arguments.seed)
        recorded.append(result)
        wrong += len(found)
        clients = sum(result["clients"].values())
        first, last = (result["samples"][place][1] for place in (0, -1))
        print(f"{door}: {result['load'].get('requests', 0):,} answers checked, {clients:,} clients that misbehave")
        print(
            f"  memory {first:,} KiB at the start, {last:,} at the end; after the warm-up {result['growth_kib']:+,} KiB"
        )
        if closed := result["closed_under_uvicorn"]:
            print(f"  uvicorn's protocol wrote {closed} times to a connection that had just been closed, and logged it")
        print("  nothing wrong" if not found else "\n".join(f"  {what}" for what in found))
        if result["log"]:
            print(result["log"], file=sys.stderr)
    if arguments.json:
        arguments.json.write_text(json.dumps({"seed": arguments.seed, "doors": recorded}, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())

"""Instructions per request, counted by valgrind: `python -m benchmarks.callgrind [--case NAME] [--peer NAME]`.

`--shape NAME` (or `--shape all`) counts those of `benchmarks.shapes` instead. A shape over a WebSocket goes through the
ASGI callable even for `ferrapi-door`, since uvicorn serves WebSockets there.

They repeat where seconds don't, so they can decide between two ways of writing something on a busy machine. Every peer
runs in one process under callgrind, which dumps its counters whenever libc's `getppid` is called. The requests of each
case go through the ASGI callable once and twice, and for `ferrapi-door` as bytes through ferrapi's HTTP/1.1 protocol;
the difference, divided by their number, is the cost of a request without what an event loop's run costs. The garbage
collector is off meanwhile, since it comes once in many requests and takes thousands of instructions then. All answers
are checked, outside of what is counted.
"""

import argparse
import asyncio
import gc
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from .asgi import PEERS, Client, peer
from .cases import BY_NAME, Case
from .protocol_client import ProtocolClient
from .shapes.answers import application, client_of, in_process, with_answers
from .shapes.cases import BY_NAME as SHAPES_BY_NAME
from .shapes.cases import Shape
from .shapes.websocket import SocketClient

ROOT = Path(__file__).resolve().parents[1]
DOOR = "ferrapi-door"
"""ferrapi's application, through its own protocol."""
WAYS = [*PEERS, DOOR]
TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
WARM_UP_ROUNDS = 3


def _count_region(runner: asyncio.Runner, client: Client | SocketClient | ProtocolClient, times: int) -> None:
    async def send() -> None:
        for _ in range(times):
            await client.send_all()

    coroutine = send()
    gc.collect()
    gc.disable()
    os.getppid()
    runner.get_loop().run_until_complete(coroutine)
    os.getppid()
    gc.enable()
    client.check()


def _client(name: str, case: Case) -> Client | SocketClient | ProtocolClient:
    package = "ferrapi" if name == DOOR else name
    if isinstance(case, Shape):
        if name != DOOR or case.websocket:
            return client_of(case, package)
        return ProtocolClient(application(case, package), case, "--access-log" in case.options)
    app = getattr(peer(package), case.app)
    return ProtocolClient(app, case) if name == DOOR else Client(app, case)


def run_cases(name: str, cases: Sequence[Case]) -> None:
    """In the process that is counted: four `getppid` calls for each case."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for case in cases:
            client = _client(name, case)
            for _ in range(WARM_UP_ROUNDS):
                runner.get_loop().run_until_complete(client.send_all())
            _count_region(runner, client, 1)
            _count_region(runner, client, 2)


def _dumps(folder: Path) -> list[int]:
    """The instructions of each dump, in the order in which they were made."""
    files = sorted(folder.glob("out.*"), key=lambda file: int(file.suffix[1:]))
    found = []
    for file in files:
        total = TOTALS.search(file.read_text(errors="replace"))
        if total is None:
            raise RuntimeError(f"callgrind's {file.name} holds no total")
        found.append(int(total[1]))
    return found


def count(name: str, cases: Sequence[Case]) -> dict[str, float]:
    """Instructions per request of each case, for one peer."""
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ["valgrind", "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={folder}/out"]
        asked = Path(folder) / "cases"
        asked.write_bytes(pickle.dumps(cases))
        command = [*valgrind, sys.executable, "-m", "benchmarks.callgrind", "--peer", name, "--counted", str(asked)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"}
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        dumps = _dumps(Path(folder))
    # What was counted before each call of getppid: start-up, once, in between, twice, in between, ...
    once, twice = dumps[1::4], dumps[3::4]
    return {case.name: (two - one) / len(case.exchanges) for case, one, two in zip(cases, once, twice, strict=False)}


def table(counts: dict[str, dict[str, float]], cases: Sequence[Case]) -> str:
    """A Markdown table of thousands of instructions per request."""
    head = ["case", *counts]
    lines = [head, ["---"] + ["---:"] * len(counts)]
    lines += [[case.title, *(f"{counts[name][case.name] / 1000:.1f}" for name in counts)] for case in cases]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _shapes(names: Sequence[str]) -> list[Case]:
    """The shapes, with FastAPI's answers in this process as the right ones."""
    chosen = list(SHAPES_BY_NAME) if "all" in names else names
    return [with_answers(shape, in_process(shape, "fastapi")) for shape in map(SHAPES_BY_NAME.__getitem__, chosen)]


def main() -> int:
    """Count the chosen cases and print a table; 1 if there is no valgrind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.callgrind", description=__doc__)
    parser.add_argument("--case", action="append", choices=list(BY_NAME), help="may be repeated; default: all")
    parser.add_argument("--shape", action="append", choices=["all", *SHAPES_BY_NAME], help="shapes instead of cases")
    parser.add_argument("--peer", action="append", choices=WAYS, help="may be repeated; default: all")
    parser.add_argument("--counted", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.counted:
        run_cases(arguments.peer[0], pickle.loads(arguments.counted.read_bytes()))
        return 0
    cases = _shapes(arguments.shape) if arguments.shape else [BY_NAME[name] for name in arguments.case or BY_NAME]
    peers = arguments.peer or WAYS
    if not shutil.which("valgrind"):
        print("valgrind is not installed (Debian: apt-get install valgrind)", file=sys.stderr)
        return 1
    print("Thousands of instructions per request, in process:\n")
    print(table({name: count(name, cases) for name in peers}, cases))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

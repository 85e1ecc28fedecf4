"""Measures one shape: every peer in a server of its own, compared with FastAPI first, then in interleaved rounds."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..asgi import WrongAnswer
from ..load import wrk
from ..load.rounds import CLIENT_CORE, SERVER_CORE, CaseResult, Measured, measure, rotating
from ..load.server import Server
from .answers import SERVICES, expect, from_server, with_answers
from .cases import Shape

CONTROL = "fastapi"


@dataclass(frozen=True)
class Way:
    """A package and how it is served.

    Parameters:
        peer: of `benchmarks.load.peers`.
        title: in tables.
        package: whose services they are.
    """

    peer: str
    title: str
    package: str


WAYS = {
    "fastapi": Way("fastapi", "FastAPI", "fastapi"),
    "asgi": Way("ferrapi-asgi", "ferrapi, ASGI", "ferrapi"),
    "protocol": Way("ferrapi", "ferrapi, protocol", "ferrapi"),
}


def _server(shape: Shape, way: str) -> Server:
    chosen = WAYS[way]
    module = f"{SERVICES[chosen.package]}.{shape.module}"
    server = Server(chosen.peer, shape.app, {SERVER_CORE}, module=module, extra=shape.options)
    server.name = way
    return server


def measure_shape(shape: Shape, ways: Sequence[str], rounds: int, seconds: int, folder: Path) -> CaseResult:
    """Serve it in each way, compare the answers, warm up and measure.

    Raises `WrongAnswer` if anything is answered or called otherwise than under FastAPI, and `LoadFailed`.
    """
    seconds = max(seconds, shape.least_seconds)
    results: dict[str, list[Measured]] = {way: [] for way in ways}
    files: dict[str, Path] = {}
    with ExitStack() as stack:
        servers = {way: stack.enter_context(_server(shape, way)) for way in {CONTROL: None, **dict.fromkeys(ways)}}
        right, called = from_server(shape, servers[CONTROL])
        shape = with_answers(shape, right, called)
        for way in ways:
            answers, calls = from_server(shape, servers[way])
            expect(way, shape, answers, right)
            if calls != called:
                raise WrongAnswer(f"{way}, {shape.name}: called {calls}, not {called}")
            files[way] = folder / f"{shape.name}-{way}.lua"
            wrk.write_exchanges(with_answers(shape, answers).exchanges, files[way])
            wrk.run(servers[way].url, files[way], 1, CLIENT_CORE, shape.connections)
        for server in rotating([servers[way] for way in ways], rounds):
            results[server.name].append(measure(server, shape, files[server.name], seconds, shape.connections))
    return CaseResult(shape, results)

"""Measures one shape: every peer in a server of its own, compared with FastAPI first, then in interleaved rounds."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ..asgi import WrongAnswer
from ..cases import Exchange
from ..load import crowd, websocket, wrk
from ..load.rounds import CLIENT_CORE, SERVER_CORE, CaseResult, Load, Measured, measure, rotating
from ..load.server import Server
from .answers import expect, from_server, module_of, with_answers
from .cases import Shape

CONTROL = "fastapi"


@dataclass(frozen=True)
class Way:
    """A package and how it is served.

    Parameters:
        peer: of `benchmarks.load.peers`.
        title: in tables.
        package: whose services they are: a key of `answers.SERVICES`, or nothing for a program.
        only: the shapes that it serves, if it doesn't serve all.
    """

    peer: str
    title: str
    package: str = ""
    only: frozenset[str] = frozenset()

    def serves(self, shape: str) -> bool:
        """Whether it takes part in a shape."""
        return not self.only or shape in self.only


_GO = (
    *("status", "booking", "offer", "search", "manifest", "shipment", "my-shipment"),
    *("whoami", "rates", "labels", "no-invoice", "customs"),
)
WAYS = {
    "fastapi": Way("fastapi", "FastAPI", "fastapi"),
    "asgi": Way("ferrapi-asgi", "ferrapi, ASGI", "ferrapi"),
    "protocol": Way("ferrapi", "ferrapi, protocol", "ferrapi"),
    "bare": Way("asgi", "hand-written ASGI", "asgi"),
    "go": Way("go", "Go net/http", only=frozenset(_GO)),
}


LOADS: dict[str, tuple[Load, Callable[[Sequence[Exchange], Path], None]]] = {
    "wrk": (wrk.run, wrk.write_exchanges),
    "crowd": (crowd.run, crowd.write),
    "websocket": (websocket.run, websocket.write),
}
"""The load generators, and what writes the files that they read."""
WARM_UP = 1
"""Seconds."""


def server_of(shape: Shape, way: str) -> Server:
    """What serves a shape in a way; it is not started yet."""
    chosen = WAYS[way]
    module = module_of(shape, chosen.package) if chosen.package else ""
    server = Server(chosen.peer, shape.app, {SERVER_CORE}, module=module, extra=shape.options)
    server.name = way
    return server


def measure_shape(shape: Shape, ways: Sequence[str], rounds: int, seconds: int, folder: Path) -> CaseResult:
    """Serve it in each way that serves it, and measure. Raises as `measure_on` does."""
    ways = [way for way in ways if WAYS[way].serves(shape.name)]
    with ExitStack() as stack:
        servers = {way: stack.enter_context(server_of(shape, way)) for way in {CONTROL: None, **dict.fromkeys(ways)}}
        return measure_on(servers, shape, ways, rounds, seconds, folder)


def measure_on(
    servers: Mapping[str, Server], shape: Shape, ways: Sequence[str], rounds: int, seconds: int, folder: Path
) -> CaseResult:
    """Compare the answers of servers that run, warm them up and measure. A way that stalls has no results.

    Raises `WrongAnswer` if anything is answered or called otherwise than under FastAPI, and `LoadFailed`.
    """
    load, write = LOADS[shape.load]
    results: dict[str, list[Measured]] = {}
    files: dict[str, Path] = {}
    right, called = from_server(shape, servers[CONTROL])
    shape = with_answers(shape, right, called)
    for way in ways:
        answers, calls = from_server(shape, servers[way])
        expect(way, shape, answers, right)
        if calls != called:
            raise WrongAnswer(f"{way}, {shape.name}: called {calls}, not {called}")
        files[way] = folder / f"{shape.name}-{way}.lua"
        write(with_answers(shape, answers).exchanges, files[way])
        with suppress(wrk.Stalled):
            load(servers[way].url, files[way], WARM_UP, CLIENT_CORE, shape.connections)
            results[way] = []
    for server in rotating([servers[way] for way in results], rounds):
        if server.name in results:
            try:
                measured = measure(server, shape, files[server.name], seconds, shape.connections, load)
                results[server.name].append(measured)
            except wrk.Stalled:
                del results[server.name]
    return CaseResult(shape, results)

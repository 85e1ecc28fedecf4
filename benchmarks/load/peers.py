"""The peers: what serves each of them, and which cases it leaves out.

ferrapi, FastAPI and the hand-written application run in the environment of the checkout. The others have environments
and binaries of their own, which `make peers` makes; a peer for which there is none is left out, and `missing` says so.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".cache" / "peers"
OWN = Path(sys.executable)
_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def _environment(name: str) -> Path:
    return ROOT / ".venv" / name / "bin" / "python"


ENVIRONMENTS = {
    "peers": _environment(f"peers-{_VERSION}"),
    "robyn": _environment(f"robyn-{_VERSION}"),
    "bolt": _environment("bolt-3.12"),
}

Command = Callable[["Peer", str, int], Sequence[str | Path]]
"""Makes the command that serves a peer: the peer, the attribute of its module, and the port."""


@dataclass(frozen=True)
class Peer:
    """Something that serves the cases.

    Parameters:
        name: on the command line and in results.
        title: in tables.
        program: the interpreter or the binary; without it the peer is not available.
        command: makes the whole command.
        module: in `benchmarks.apps`, for peers in Python.
        options: for the command.
        without: the names of cases that it leaves out, each with the reason.
        distribution: the package (in its environment) whose version belongs into the results.
    """

    name: str
    title: str
    program: Path
    command: Command
    module: str = ""
    options: tuple[str, ...] = ()
    without: dict[str, str] = field(default_factory=dict)
    distribution: str = ""

    @property
    def available(self) -> bool:
        """Whether it can be served here."""
        return self.program.exists()


def _application(peer: Peer, attribute: str) -> str:
    return f"benchmarks.apps.{peer.module}:{attribute}"


def _uvicorn(peer: Peer, attribute: str, port: int) -> Sequence[str | Path]:
    where = ["--port", str(port), *peer.options]
    return [peer.program, "-m", "benchmarks.load.serve", _application(peer, attribute), *where]


def _granian(peer: Peer, attribute: str, port: int) -> Sequence[str | Path]:
    settings = ["--workers", "1", "--loop", "uvloop", "--no-ws", "--no-access-log", "--no-log", "--port", str(port)]
    return [peer.program, "-m", "granian", "--interface", "rsgi", *settings, _application(peer, attribute)]


def _sanic(peer: Peer, attribute: str, port: int) -> Sequence[str | Path]:
    settings = ["--single-process", "--no-motd", "--no-access-logs", "--host", "127.0.0.1", "--port", str(port)]
    return [peer.program, "-m", "sanic", _application(peer, attribute), *settings]


def _module(peer: Peer, attribute: str, port: int) -> Sequence[str | Path]:
    """A module that serves itself: it is told the application's name and the port."""
    return [peer.program, "-m", f"benchmarks.apps.{peer.module}", attribute, str(port), *peer.options]


def _binary(peer: Peer, attribute: str, port: int) -> Sequence[str | Path]:
    flags = ["-middleware"] if attribute == "middleware_app" else []
    return [peer.program, *flags, f"127.0.0.1:{port}"]


_DOOR = ("--http", "ferrapi.server:HttpProtocol")
_FREEZE = ("--gc-freeze",)
_FIRST_MISTAKE = {"bad-order": "msgspec reports the first mistake only"}
_PEERS = ENVIRONMENTS["peers"]

PEERS = {
    peer.name: peer
    for peer in (
        Peer("ferrapi", "ferrapi, HTTP/1.1 door", OWN, _uvicorn, "ferrapi_app", _DOOR, distribution="ferrapi"),
        Peer("ferrapi-asgi", "ferrapi, ASGI door", OWN, _uvicorn, "ferrapi_app", distribution="ferrapi"),
        Peer("fastapi", "FastAPI", OWN, _uvicorn, "fastapi_app", distribution="fastapi"),
        Peer("asgi", "hand-written ASGI", OWN, _uvicorn, "asgi_app", distribution="uvicorn"),
        Peer("go", "Go net/http", BUILT / "go-service", _binary),
        Peer("axum", "Rust axum, one thread", BUILT / "axum-service", _binary),
        Peer("starlette", "Starlette", _PEERS, _uvicorn, "starlette_app", distribution="starlette"),
        Peer("litestar", "Litestar", _PEERS, _uvicorn, "litestar_app", distribution="litestar"),
        Peer("blacksheep", "BlackSheep", _PEERS, _uvicorn, "blacksheep_app", distribution="blacksheep"),
        Peer("falcon", "Falcon (ASGI)", _PEERS, _uvicorn, "falcon_app", distribution="falcon"),
        Peer("rsgi", "Granian, hand-written RSGI", _PEERS, _granian, "rsgi_app", distribution="granian"),
        Peer("sanic", "Sanic", _PEERS, _sanic, "sanic_app", distribution="sanic"),
        Peer("robyn", "Robyn", ENVIRONMENTS["robyn"], _module, "robyn_app", distribution="robyn"),
        Peer(
            "bolt",
            "django-bolt (Python 3.12, msgspec)",
            ENVIRONMENTS["bolt"],
            _module,
            "bolt_serve",
            without=_FIRST_MISTAKE,
            distribution="django-bolt",
        ),
        Peer("ferrapi-freeze", "ferrapi, HTTP/1.1 door, gc.freeze()", OWN, _uvicorn, "ferrapi_app", _DOOR + _FREEZE),
        Peer("ferrapi-asgi-freeze", "ferrapi, ASGI door, gc.freeze()", OWN, _uvicorn, "ferrapi_app", _FREEZE),
        Peer("fastapi-freeze", "FastAPI, gc.freeze()", OWN, _uvicorn, "fastapi_app", _FREEZE),
        Peer("asgi-freeze", "hand-written ASGI, gc.freeze()", OWN, _uvicorn, "asgi_app", _FREEZE),
    )
}
SHORT = ("ferrapi", "ferrapi-asgi", "fastapi", "asgi", "go")
"""The peers of `make bench`; Go if it is there."""


def missing(peer: Peer) -> str:
    """One line that says why the peer can't be served."""
    return f"{peer.name}: left out, there is no {peer.program.relative_to(ROOT)} (`make peers` makes it)"

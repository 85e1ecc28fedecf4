"""A shape over a WebSocket: each exchange is a text and its answer, all on one connection."""

import asyncio
from typing import Any

from websockets.sync.client import connect

from ..asgi import Asgi, WrongAnswer, scope
from ..cases import Case
from ..load.server import HOST, Server

SWITCHING = 101
_DISCONNECT: dict[str, Any] = {"type": "websocket.disconnect", "code": 1000}


class SocketClient:
    """Sends the texts of a case to one application in this process. Used as `asgi.Client`."""

    def __init__(self, app: Asgi, case: Case) -> None:
        self.app = app
        self.exchanges = case.exchanges
        self.texts: list[str] = []
        self._scope = scope(case.exchanges[0]) | {"type": "websocket", "scheme": "ws", "subprotocols": []}
        del self._scope["method"]
        self._asked: list[dict[str, Any]] = [
            {"type": "websocket.receive", "text": e.body.decode()} for e in case.exchanges
        ]

    async def send_all(self) -> None:
        """Connect, send every text once, each when the one before it is answered, and hang up."""
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        events.put_nowait({"type": "websocket.connect"})
        waiting = iter([*self._asked, _DISCONNECT])
        self.texts = []

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                self.texts.append(message["text"])
            events.put_nowait(next(waiting))

        await self.app({**self._scope, "state": {}}, events.get, send)

    def check(self) -> None:
        """Raise `WrongAnswer` unless the last answers are those of the case."""
        if self.texts != [exchange.answer.decode() for exchange in self.exchanges]:
            raise WrongAnswer(f"{self.exchanges[0].path}: {self.texts}")


def ask(case: Case, server: Server) -> tuple[list[tuple[str, str]], list[bytes]]:
    """Send every text to a server; returns the headers of the handshake and the answers."""
    uri = f"ws://{HOST}:{server.port}{case.exchanges[0].path}"
    answers = []
    with connect(uri, compression=None, proxy=None) as socket:
        for exchange in case.exchanges:
            socket.send(exchange.body.decode())
            answers.append(socket.recv(decode=False))
        if socket.response is None:
            raise WrongAnswer(f"{uri}: no handshake")
        headers = [(name, value) for name, value in socket.response.headers.raw_items()]
    return headers, answers

"""Sending requests through ferrapi's HTTP/1.1 protocol in this process: bytes in, bytes out, without a socket."""

import asyncio
import itertools
from typing import Any

from ferrapi.server import HttpProtocol
from uvicorn import Config
from uvicorn.config import LOGGING_CONFIG
from uvicorn.server import ServerState

from .asgi import WrongAnswer, stable
from .cases import Case
from .load.crowd import parsed


class _Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 40000), "sockname": ("127.0.0.1", 8000)})
        self.written: list[bytes] = []
        self.write = self.written.append

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing: there is no connection."""

    pause_reading = resume_reading = close


class ProtocolClient:
    """Sends the exchanges of a case over one connection, one after the other. Used as `asgi.Client`.

    What it costs itself (two turns of the event loop per request) is the same for each case. With `access_log` uvicorn
    writes its log.
    """

    def __init__(self, app: Any, case: Case, access_log: bool = False) -> None:
        self.exchanges = case.exchanges
        self._written: list[bytes] = []
        self._ends: list[int] = []
        self._requests = [exchange.encoded("127.0.0.1:8000") for exchange in case.exchanges]
        log = LOGGING_CONFIG if access_log else None
        # Under callgrind there are more than the usual 5 seconds between two rounds.
        self._config = Config(app, log_config=log, lifespan="off", access_log=access_log, timeout_keep_alive=3600)
        self._config.load()
        self._protocol: Any = None

    def _connect(self) -> None:
        self._state = ServerState()
        self._state.default_headers = [(b"date", b"Sat, 28 Nov 2026 00:00:00 GMT"), (b"server", b"uvicorn")]
        self._transport = _Transport()
        self._protocol = HttpProtocol(self._config, self._state, {})
        self._protocol.connection_made(self._transport)

    async def send_all(self) -> None:
        """Send every exchange once."""
        if self._protocol is None:
            self._connect()
        written = self._transport.written
        written.clear()
        ends = [0]
        tasks, receive = self._state.tasks, self._protocol.data_received
        for data in self._requests:
            receive(data)
            # A large body is taken up on the loop's next turns, and a task that is over leaves in the next one.
            while tasks or self._protocol.is_resuming:
                for task in list(tasks):
                    await task
                if tasks or self._protocol.is_resuming:
                    await asyncio.sleep(0)
            ends.append(len(written))
        self._written, self._ends = written[:], ends

    def check(self) -> None:
        """Raise `WrongAnswer` unless the last answers are those of the case."""
        places = itertools.pairwise(self._ends)
        answers = [b"".join(self._written[start:end]) for start, end in places]
        for exchange, answer in zip(self.exchanges, answers, strict=True):
            response = parsed(exchange.method, answer)
            if (response.status, stable(response.read())) != (exchange.status, exchange.answer):
                raise WrongAnswer(f"{exchange.method} {exchange.path}: {answer!r}, not {exchange.answer!r}")
            headers = {name.lower(): value for name, value in response.getheaders()}
            if missing := exchange.answer_headers.items() - headers.items():
                raise WrongAnswer(f"{exchange.method} {exchange.path}: lacks {missing}")

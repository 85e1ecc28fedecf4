"""Clients that misbehave, each in a way of its own, for the soak (`benchmarks.soak`).

They leave in the middle of heads, of bodies and of answers, reset connections, send rubbish, too much and too little,
dribble bytes, pipeline, ask for other protocols and for streams that they don't read. Where one behaves in all but its
manners, its answers are checked.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from .cases import Exchange
from .load.server import HOST

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Behaviour = Callable[["Clients"], Awaitable[None]]


class Lost(Exception):
    """A request of a client that behaved was answered wrongly or not at all."""


def encoded(exchange: Exchange) -> bytes:
    """The bytes of a request."""
    return exchange.encoded(HOST)


async def expect(reader: asyncio.StreamReader, exchange: Exchange) -> None:
    """Read one answer. Raises `Lost` unless it is the right one."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers["content-length"]))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise Lost(f"{exchange.method} {exchange.path}: {error!r}") from error
    if (int(status.split()[1]), body) != (exchange.status, exchange.answer):
        raise Lost(f"{exchange.method} {exchange.path}: {status} {body!r}")


class Clients:
    """What the misbehaving clients share: where the server is, chance, and what they have seen."""

    def __init__(self, port: int, exchanges: Sequence[Exchange], seed: int) -> None:
        self.port = port
        self.exchanges = exchanges
        self.chance = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.lost: list[str] = []

    async def connect(self) -> Streams:
        """A new connection."""
        return await asyncio.open_connection(HOST, self.port)

    def some(self) -> Exchange:
        """One of the requests."""
        return self.chance.choice(self.exchanges)

    async def run(self, until: float) -> None:
        """Behave in one way after the other until it is time."""
        while time.monotonic() < until:
            behaviour = self.chance.choice(BEHAVIOURS)
            try:
                await behaviour(self)
            except Lost as error:
                self.lost.append(f"{behaviour.__name__}: {error}")
            except OSError:
                self.seen["connections that the server ended first"] += 1
            self.seen[behaviour.__name__.replace("_", " ")] += 1
            await asyncio.sleep(self.chance.random() / 50)


async def leave_in_the_head(clients: Clients) -> None:
    """Closes before the head is complete."""
    _, writer = await clients.connect()
    data = encoded(clients.some()).partition(b"\r\n\r\n")[0]
    writer.write(data[: clients.chance.randrange(len(data))])
    await writer.drain()
    writer.close()


async def leave_in_the_body(clients: Clients) -> None:
    """Closes before the body is complete."""
    _, writer = await clients.connect()
    data = encoded(clients.chance.choice([exchange for exchange in clients.exchanges if exchange.body]))
    writer.write(data[: -clients.chance.randrange(1, 20)])
    await writer.drain()
    writer.close()


async def leave_before_the_answer(clients: Clients) -> None:
    """Resets the connection as soon as the request is sent."""
    _, writer = await clients.connect()
    writer.write(encoded(clients.some()))
    await writer.drain()
    writer.transport.abort()


async def leave_in_the_answer(clients: Clients) -> None:
    """Reads a few bytes of several answers and resets the connection."""
    reader, writer = await clients.connect()
    writer.write(b"".join(encoded(clients.some()) for _ in range(5)))
    await writer.drain()
    await reader.read(clients.chance.randrange(1, 2000))
    writer.transport.abort()


async def pipeline(clients: Clients) -> None:
    """Sends many requests at once, and wants all answers in order."""
    reader, writer = await clients.connect()
    asked = [clients.some() for _ in range(clients.chance.randrange(2, 30))]
    writer.write(b"".join(map(encoded, asked)))
    for exchange in asked:
        await expect(reader, exchange)
    writer.close()


async def dribble(clients: Clients) -> None:
    """Sends a request in small pieces, and wants its answer; then another on the same connection."""
    reader, writer = await clients.connect()
    for exchange in (clients.some(), clients.some()):
        data = encoded(exchange)
        size = clients.chance.randrange(5, 100)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)
        await expect(reader, exchange)
    writer.close()


async def send_rubbish(clients: Clients) -> None:
    """Sends what is no request; the server ends the connection."""
    reader, writer = await clients.connect()
    writer.write(
        clients.chance.choice([b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nbad header\r\n\r\n"])
    )
    writer.write_eof()
    await reader.read()
    writer.close()


async def half_close(clients: Clients) -> None:
    """Says that nothing follows, and goes without waiting."""
    reader, writer = await clients.connect()
    writer.write(encoded(clients.some()))
    writer.write_eof()
    await reader.read(100)
    writer.close()


async def leave_in_chunks(clients: Clients) -> None:
    """Resets the connection in the middle of an upload in chunks."""
    _, writer = await clients.connect()
    writer.write(b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(clients.chance.randrange(20)):
        writer.write(b"1000\r\n" + bytes(4096) + b"\r\n")
        await writer.drain()
    writer.write(clients.chance.choice([b"", b"10", b"1000\r\nabc", b"zz\r\n", b"0\r\n"]))
    await writer.drain()
    writer.transport.abort()


async def upload(clients: Clients) -> None:
    """Sends a large body in chunks and pieces of any size, and wants to hear how large it was."""
    reader, writer = await clients.connect()
    size = clients.chance.randrange(1, 400_000)
    body, data = bytes(size), bytearray()
    while len(body) > 0:
        piece = body[: clients.chance.randrange(1, 100_000)]
        data += b"%x\r\n%b\r\n" % (len(piece), piece)
        body = body[len(piece) :]
    data += b"0\r\n\r\n"
    writer.write(b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    while data:
        length = clients.chance.randrange(1, 100_000)
        writer.write(data[:length])
        del data[:length]
        await writer.drain()
    await expect(reader, Exchange("POST", "/upload", answer=b"%d" % size))
    writer.close()


async def leave_a_stream(clients: Clients) -> None:
    """Asks for a stream without an end, reads a little or nothing, and goes."""
    reader, writer = await clients.connect()
    writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    if clients.chance.random() < 0.7:
        await reader.read(clients.chance.randrange(1, 200_000))
    else:
        await asyncio.sleep(clients.chance.random() / 5)  # the server has to hold it back
    if clients.chance.random() < 0.5:
        writer.transport.abort()
    else:
        writer.close()


async def send_too_much(clients: Clients) -> None:
    """Sends a head without an end; the server refuses it."""
    reader, writer = await clients.connect()
    writer.write(b"GET /" + b"a" * clients.chance.choice([10, 66_000]) + b" HTTP/1.1\r\nHost: x\r\n")
    try:
        for number in range(3000):
            writer.write(b"X-%d: %b\r\n" % (number, b"y" * 40))
            await writer.drain()
        if not (await reader.read()).startswith(b"HTTP/1.1 431 "):
            raise Lost("a head without an end was not refused")
    except ConnectionError:
        clients.seen["heads that were refused on the way"] += 1
    finally:
        writer.close()


async def wait_in_the_head(clients: Clients) -> None:
    """Begins a request, does nothing for a while, and then goes or ends it."""
    reader, writer = await clients.connect()
    exchange = clients.some()
    data = encoded(exchange)
    at = clients.chance.randrange(1, len(data))
    for start in range(0, at, 7):
        writer.write(data[start : min(start + 7, at)])
        await writer.drain()
        await asyncio.sleep(clients.chance.random() / 50)
    if clients.chance.random() < 0.5:
        writer.transport.abort()
        return
    writer.write(data[at:])
    await expect(reader, exchange)
    writer.close()


async def upgrade(clients: Clients) -> None:
    """Asks for another protocol: one that isn't spoken is ignored, a WebSocket where there is none is refused."""
    reader, writer = await clients.connect()
    exchange = clients.some()
    head, end, body = encoded(exchange).partition(b"\r\n\r\n")
    if clients.chance.random() < 0.5:
        head += b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
        writer.write(head + end + body)
        await expect(reader, exchange)
    else:
        writer.write(
            b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        if clients.chance.random() < 0.7 and not (await reader.read()).startswith(b"HTTP/1.1 403 "):
            raise Lost("a WebSocket that there is none of was not refused")
    writer.close()


async def ask_first(clients: Clients) -> None:
    """Waits to be told to send the body, and then sends it or goes."""
    reader, writer = await clients.connect()
    writer.write(b"POST /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    if await reader.readuntil(b"\r\n\r\n") != b"HTTP/1.1 100 Continue\r\n\r\n":
        raise Lost("nobody wanted the body")
    if clients.chance.random() < 0.5:
        writer.write(b"hello")
        await expect(reader, Exchange("POST", "/upload", answer=b"5"))
    writer.close()


async def half_close_and_read(clients: Clients) -> None:
    """Says that nothing follows behind several requests, and reads the answers to all of them."""
    reader, writer = await clients.connect()
    asked = [clients.some() for _ in range(clients.chance.randrange(1, 10))]
    writer.write(b"".join(map(encoded, asked)))
    writer.write_eof()
    for exchange in asked:
        await expect(reader, exchange)
    if await reader.read():
        raise Lost("something was answered twice")
    writer.close()


BEHAVIOURS: tuple[Behaviour, ...] = (
    leave_in_the_head,
    leave_in_the_body,
    leave_before_the_answer,
    leave_in_the_answer,
    pipeline,
    dribble,
    send_rubbish,
    half_close,
    half_close_and_read,
    leave_in_chunks,
    upload,
    leave_a_stream,
    send_too_much,
    wait_in_the_head,
    upgrade,
    ask_first,
)

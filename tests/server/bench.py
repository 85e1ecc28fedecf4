"""What each of three protocols makes of a connection's bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from support.wire import Wire, configured, split

from .application import make

_HEAD = re.compile(rb"HTTP/1\.1 (\d\d\d) ?[^\r\n]*\r\n")
_REFUSAL = re.compile(
    rb"HTTP/1\.1 (400|413|431|501|505) [ \w-]+\r\n"
    rb"content-type: text/plain; charset=utf-8\r\ncontent-length: \d+\r\nconnection: close\r\n\r\n[ \w.]+\Z"
)


def statuses(written: bytes) -> list[int]:
    """Those of the responses."""
    return [int(status) for status in _HEAD.findall(written)]


@dataclass
class Outcome:
    """What came of a request."""

    written: bytes
    closed: bool
    calls: list[str]

    @property
    def statuses(self) -> list[int]:
        """Those of the responses."""
        return statuses(self.written)

    @property
    def summary(self) -> tuple[list[int], bool, list[str]]:
        """Statuses instead of bytes: h11 writes the same heads in other words."""
        return self.statuses, self.closed, sorted(self.calls)

    @property
    def answered(self) -> tuple[bytes, bool]:
        """What was written before a refusal in ferrapi's words, and whether there is one."""
        found = _REFUSAL.search(self.written)
        return (self.written[: found.start()], True) if found and self.closed else (self.written, False)


class Bench:
    """One application behind each of the three protocols."""

    def __init__(self) -> None:
        self.app = make()
        self.config = configured(self.app, proxy_headers=True)

    async def send(self, kind: str, pieces: list[bytes]) -> Outcome:
        """What a protocol makes of a connection's bytes."""
        calls = self.app.state.calls
        calls.clear()
        wire = Wire(self.config, kind)
        await wire.feed(*pieces)
        await wire.settle()
        # A server may leave this out if the body has come already; uvicorn's own don't.
        written = wire.written.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        outcome = Outcome(written, wire.closed, list(calls))
        await wire.lose()
        return outcome


def is_stricter(found: Outcome, expected: Outcome) -> bool:
    """Whether `found` is `expected` up to a request that was refused, or is not complete."""
    (before, is_refused), (other, was_refused) = found.answered, expected.answered
    if not (expected.written.startswith(before) and expected.calls[: len(found.calls)] == found.calls):
        return False
    if is_refused:
        return True
    # What httptools refuses at its first byte is waited for, to be refused as a whole; a request that has got its
    # answer gets no other one when its body goes wrong.
    return was_refused and before == other


async def accept(bench: Bench, data: bytes, cuts: Iterable[int], patient: Outcome) -> None:
    """Assert that ferrapi answers `data`, cut at `cuts`, as httptools does; `patient` is its answer byte by byte."""
    cuts = list(cuts)
    found = await bench.send("ferrapi", split(data, cuts))
    if found == patient or is_stricter(found, patient):
        return
    expected = await bench.send("httptools", split(data, cuts))
    first = 0
    while not (found == expected or is_stricter(found, expected)) and first < len(data):
        first += 1
        later = [at for at in cuts if at > first]
        other = await bench.send("httptools", split(data, [*range(1, first + 1), *later]))
        if found == other or is_stricter(found, other):
            return
    assert found == expected or is_stricter(found, expected), (data, cuts)

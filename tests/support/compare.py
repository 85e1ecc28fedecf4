"""Asking FastAPI and ferrapi the same thing and expecting the same answer.

An application *shape* is a function ``make(fw, log)``: it builds an application with the names of the package `fw` and
notes in `log` what its code does, in order. `compare` builds it twice and sends both the same requests by a transport.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .asgi import Answer, Ask, exchange, run
from .frameworks import BOTH, FASTAPI, FERRAPI, Framework
from .http11 import through

Make = Callable[[Framework, list[Any]], Any]
Transport = Callable[[Any, Sequence[Ask], list[Any]], list[Answer]]


def _neutral(value: Any) -> Any:
    """The same value where the two packages have the same name."""
    if isinstance(value, str):
        return value.replace("fastapi", "ferrapi").replace("FastAPI", "ferrapi").replace("Fastapi", "ferrapi")
    if isinstance(value, (list, tuple)):
        return type(value)(_neutral(item) for item in value) if type(value) in (list, tuple) else value
    if isinstance(value, dict):
        return {_neutral(key): _neutral(item) for key, item in value.items()}
    return value


def _asgi(backend: str) -> Transport:
    def transport(app: Any, asks: Sequence[Ask], log: list[Any]) -> list[Answer]:
        async def main() -> list[Answer]:
            answers = []
            for ask in asks:
                log.clear()
                if ask.before is not None:
                    ask.before(app)
                answer = await exchange(app, ask)
                answer.log = _neutral(list(log))
                answers.append(answer)
            return answers

        answers: list[Answer] = run(main, backend)
        return answers

    return transport


def _http11(kind: str) -> Transport:
    def transport(app: Any, asks: Sequence[Ask], log: list[Any]) -> list[Answer]:
        answers: list[Answer] = run(lambda: through(app, asks, log, _neutral, kind))
        return answers

    return transport


TRANSPORTS: dict[str, Transport] = {
    "asgi": _asgi("asyncio"),
    "trio": _asgi("trio"),
    "http11": _http11("ferrapi"),
    "uvicorn": _http11("httptools"),
}
"""The ways in. Another transport is one more entry here."""
USUAL = ("uvicorn", "http11", "asgi")
"""The ways in that a comparison takes unless it names one. What is returned is what came out of the last."""
MANY = 400
"""Of more requests than these, only the last way in gets all."""


def answers(fw: Framework, make: Make, asks: Sequence[Ask], transport: str = "asgi") -> list[Answer]:
    """What one framework answers to the requests, in order, all to one application."""
    log: list[Any] = []
    return TRANSPORTS[transport](make(fw, log), asks, log)


def sanctioned(theirs: Answer, ours: Answer) -> bool:
    """Whether this is one of the differences that ferrapi wants: a report of errors that FastAPI can't write."""
    if theirs.error == "KeyError" and theirs.status is None and (ours.status or 0) >= 600:
        return ours.error is None and ours.log == theirs.log  # uvicorn knows no such status and closes the connection
    unwritable = theirs.error in ("ValueError", "UnicodeEncodeError") and theirs.status == 500
    return unwritable and ours.status == 422 and ours.error is None and ours.log == theirs.log


def difference(make: Make, asks: Iterable[Ask], transport: str | None = None) -> str | None:
    """The first difference between the two frameworks, as text; None if there is none."""
    try:
        compare(make, asks, transport)
    except AssertionError as exc:
        return str(exc)
    return None


def _are_alike(theirs: Sequence[Answer], ours: Sequence[Answer]) -> bool:
    return all(own == other or sanctioned(other, own) for other, own in zip(theirs, ours, strict=True))


def _shown(answer: Answer) -> str:
    return f"{answer} {answer.exception!r}"


def _some(asks: list[Ask]) -> list[Ask]:
    """At most `MANY` of the requests, always the same ones; all of them if they edit the application."""
    if len(asks) <= MANY or any(ask.before is not None for ask in asks):
        return asks
    chosen = sorted(random.Random(0).sample(range(len(asks)), MANY))
    return [asks[number] for number in chosen]


def compare(make: Make, asks: Iterable[Ask], transport: str | None = None) -> list[Answer]:
    """Assert that both answer the same, through `transport` or all usual ones; give FastAPI's answers."""
    asks = list(asks)
    expected: list[Answer] = []
    ways = USUAL if transport is None else (transport,)
    for way in ways:
        sent = asks if way == ways[-1] else _some(asks)
        actual = answers(FERRAPI, make, sent, way)
        # What FastAPI answered on the same wire by way of uvicorn's protocol is nearly always what it answers here.
        if transport is not None or way != "http11" or not _are_alike(expected, actual):
            expected = answers(FASTAPI, make, sent, way)
        for ask, theirs, ours in zip(sent, expected, actual, strict=True):
            assert ours == theirs or sanctioned(theirs, ours), (
                f"\n{way}: {ask}\nfastapi: {_shown(theirs)}\nferrapi: {_shown(ours)}"
            )
    return expected


def compare_documents(make: Make) -> dict[str, Any]:
    """Assert that both describe the application the same way; give FastAPI's document."""
    expected, actual = (make(fw, []).openapi() for fw in BOTH)
    assert _neutral(actual) == _neutral(expected)
    document: dict[str, Any] = expected
    return document


def registration(make: Make) -> list[tuple[str, bool, bool]]:
    """How building the application ends in each framework: the error's name and whether it is a common kind."""
    ends = []
    for fw in BOTH:
        try:
            make(fw, [])
        except Exception as exc:
            ends.append((type(exc).__name__, isinstance(exc, AssertionError), isinstance(exc, ValueError)))
        else:
            ends.append(("none", False, False))
    return ends

"""Applications in which one thing is still the real FastAPI's, held against FastAPI's."""

from collections.abc import Callable
from typing import Annotated, Any

from ferrapi.exceptions import ForeignObjectError

from support.asgi import Ask
from support.compare import answers
from support.frameworks import FASTAPI, FERRAPI, Framework

Make = Callable[[Framework, Framework], Any]
"""A function of the framework of the application, and of that of the one foreign thing."""

FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")
BASIC = (b"authorization", b"Basic dXNlcjpwYXNz")
BEARER = (b"authorization", b"Bearer token")
ASKS = [
    Ask(),
    Ask(query=b"x=1&key=k"),
    Ask(query=b"x=one"),
    Ask(headers=[(b"x", b"2"), (b"cookie", b"x=3; key=c"), (b"key", b"h"), (b"x-y", b"4")]),
    Ask(headers=[BASIC]),
    Ask(headers=[BEARER]),
    Ask("POST", headers=[JSON], body=[b"5"]),
    Ask("POST", headers=[JSON], body=[b'{"x": 6}']),
    Ask("POST", headers=[FORM], body=[b"x=7"]),
]


def outcome(make: Make, of: Framework, foreign: Framework, asks: list[Ask] = ASKS) -> Any:
    """How an application describes itself and answers, or the kind of error that it can't be built for."""
    try:
        app = make(of, foreign)
    except Exception as exc:
        return exc
    try:
        document = app.openapi()
    except Exception as exc:
        document = type(exc).__name__
    return document, answers(of, lambda fw, log: app, asks)


def check(make: Make, *, refused: bool | None = None, documented: bool = True, asks: list[Ask] = ASKS) -> Any:
    """Assert that a mixed application answers as FastAPI's does, or is refused (which of the two if `refused` says).

    Parameters:
        make: makes it.
        refused: whether it is refused, if that is certain.
        documented: whether it can be built and described.
        asks: what it is asked.
    """
    theirs = outcome(make, FASTAPI, FASTAPI, asks)
    ours = outcome(make, FERRAPI, FASTAPI, asks)
    if isinstance(ours, ForeignObjectError):
        assert refused is not False, ours
        return ours
    assert not refused, ours
    if isinstance(theirs, Exception):
        assert not documented, theirs
        assert isinstance(ours, Exception), (theirs, ours)
        return ours
    assert not isinstance(ours, Exception), ours
    assert not documented or isinstance(theirs[0], dict), theirs[0]
    assert ours[0] == theirs[0]
    for ask, expected, actual in zip(asks, theirs[1], ours[1], strict=True):
        assert actual == expected, f"\n{ask}\nfastapi: {expected}\nmixed: {actual} {actual.exception!r}"
    return ours


def guard(x: int = 0) -> int:
    """A dependency that lets only some in."""
    if x != 1:
        raise FASTAPI.HTTPException(401, f"not {x}")
    return x


def annotated(*markers: Any) -> Callable[..., Any]:
    """An endpoint with markers in its annotation."""

    def endpoint(x: Any) -> Any:
        return x

    endpoint.__annotations__["x"] = Annotated[(int, *markers)]
    return endpoint


def with_default(marker: Any) -> Callable[..., Any]:
    """An endpoint with a marker as a default."""

    def endpoint(x: int = marker) -> Any:
        return x

    return endpoint


def both(router: Any, **options: Any) -> Callable[[Any], None]:
    """Register a function for GET and for POST."""

    def register(call: Any) -> None:
        router.get("/", **options)(call)
        router.post("/", **options)(call)

    return register

"""Overrides that can't be dependencies: they say so when their turn comes, and what is before them runs and ends."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

WRONG = ["scope", "path default", "not callable", "type", "none"]


class Opaque:
    """Nothing that pydantic has a schema for."""


def wrong_override(fw: Framework, kind: str, log: list[Any]) -> Any:
    def short() -> Any:
        yield "short"

    def of_shorter(value: Annotated[str, fw.Depends(short, scope="function")]) -> Any:
        log.append("never")
        yield value

    def with_default(size: int = fw.Query(pattern=3)) -> int:
        return size

    def of_opaque(thing: Opaque) -> int:
        return 1

    kinds = {"scope": of_shorter, "path default": with_default, "not callable": 3, "type": of_opaque}
    return kinds.get(kind, lambda: "fine")


def application(kind: str, refuses: bool) -> Callable[[Framework, list[Any]], Any]:
    def make(fw: Framework, log: list[Any]) -> Any:
        async def first() -> AsyncIterator[str]:
            log.append("first")
            try:
                yield "first"
            except BaseException as exc:
                log.append(type(exc).__name__)
                raise
            finally:
                log.append("first ends")

        def gate(sent: int = 0) -> None:
            log.append("gate")
            if refuses:
                raise fw.HTTPException(403, "closed")

        def real() -> str:
            log.append("real")
            return "real"

        app = fw.FastAPI()

        @app.get("/")
        def endpoint(
            one: Annotated[str, fw.Depends(first)],
            two: Annotated[None, fw.Depends(gate)],
            three: Annotated[str, fw.Depends(real)],
        ) -> str:
            log.append("endpoint")
            return one + three

        app.dependency_overrides[real] = wrong_override(fw, kind, log)
        return app

    return make


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("refuses", [False, True])
def test_what_is_before_the_override_runs(kind: str, refuses: bool) -> None:
    theirs = compare(application(kind, refuses), [Ask(path="/"), Ask(path="/?sent=x"), Ask(path="/")])
    assert theirs[0].log[:2] == ["first", "gate"]
    assert theirs[0].status == (403 if refuses else 200 if kind == "none" else 500)

"""Synchronous dependencies, contexts and endpoints before and after a body is validated: what runs when, and where.

What runs no code of the user's may be validated before the thread is entered that others run in; nobody can tell.
"""

import dataclasses
import enum
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from ferrapi.compile.plain import runs_no_code
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework
from typing_extensions import TypedDict

LOG: list[Any] = []


def _here() -> str:
    return "loop" if threading.current_thread() is threading.main_thread() else "thread"


class Size(enum.Enum):
    small = "s"
    large = "l"


class Crate(BaseModel):
    id: UUID
    kilograms: Annotated[Decimal, Field(gt=0, max_digits=6)]
    size: Size = Size.small
    packed: datetime | None = None
    marks: list[str] = Field(default_factory=list)


class Looked(Crate):
    @field_validator("marks")
    @classmethod
    def look(cls, value: list[str]) -> list[str]:
        LOG.append(("validator", _here()))
        return value


class Sum(BaseModel):
    first: int
    second: int

    @model_validator(mode="after")
    def add(self) -> "Sum":
        LOG.append(("validator", _here()))
        if self.first + self.second > 9:
            raise ValueError("too much")
        return self


class Pallet(BaseModel):
    kind: Literal["pallet"]
    crates: list[Crate]


class Parcel(BaseModel):
    kind: Literal["parcel"]
    grams: int


BODIES: dict[str, Any] = {
    "quiet": Crate,
    "validator": Looked,
    "model validator": Sum,
    "union": Annotated[Pallet | Parcel, Field(discriminator="kind")],
    "list": list[Crate],
    "numbers": dict[str, Decimal],
}
CRATE = {"id": str(UUID(int=7)), "kilograms": "3.50", "size": "l", "packed": "2026-02-03T04:05:06Z"}
SENT: list[Any] = [
    CRATE,
    {**CRATE, "kilograms": 0, "size": "xl"},
    [CRATE, CRATE],
    {"first": 1, "second": 2},
    {"first": 5, "second": 5},
    {"kind": "pallet", "crates": [CRATE]},
    {"kind": "parcel", "grams": 5},
    {"a": 1.5, "b": "2"},
    {},
    None,
    {"x": CRATE, "n": 3},
    {"x": CRATE, "n": "no"},
    {"n": 3},
]
HEADERS = [(b"content-type", b"application/json")]
ASKS = [
    Ask("POST", "/", headers=[*HEADERS, *how], body=[json.dumps(body).encode()])
    for body in SENT
    for how in ([], [(b"fails", b"1")])
]
ASKS += [Ask("POST", "/"), Ask("POST", "/", headers=HEADERS, body=[b'{"id":']), Ask("POST", "/", body=[b"{}"])]


def _session(fw: Framework) -> Callable[..., Any]:
    def session() -> Iterator[int]:
        LOG.append(("enter", _here()))
        try:
            yield 1
        except Exception as error:
            LOG.append(("saw", type(error).__name__))
            raise
        finally:
            LOG.append(("leave", _here()))

    return session


def _before(fw: Framework, between: str, session: Callable[..., Any]) -> Callable[..., Any]:
    def run(fails: Annotated[str | None, fw.Header()] = None, held: int = fw.Depends(session)) -> int:
        LOG.append(("before", _here()))
        if fails:
            raise fw.HTTPException(403)
        return held

    if between == "thread":
        return run

    async def wait(fails: Annotated[str | None, fw.Header()] = None, held: int = fw.Depends(session)) -> int:
        return run(fails, held)

    return wait


@pytest.mark.parametrize("embed", [False, True])
@pytest.mark.parametrize("endpoint", ["thread", "loop"])
@pytest.mark.parametrize("between", ["thread", "loop"])
@pytest.mark.parametrize("kind", BODIES)
def test_everything_runs_in_fastapis_order_and_place(kind: str, between: str, endpoint: str, embed: bool) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        session = _session(fw)
        before = _before(fw, between, session)

        def work(x: Any, log_: Any, held: int) -> Any:
            log.extend([*LOG, ("endpoint", _here(), repr(x), held)])
            LOG.clear()
            return {"x": repr(x)}

        def run(x: Any, n: int = 0, held: int = fw.Depends(session), checked: int = fw.Depends(before)) -> Any:
            return work(x, n, held)

        async def wait(x: Any, n: int = 0, held: int = fw.Depends(session), checked: int = fw.Depends(before)) -> Any:
            return work(x, n, held)

        function: Any = run if endpoint == "thread" else wait
        function.__annotations__.update({"x": BODIES[kind], "n": Annotated[int, fw.Body()] if embed else int})

        @app.exception_handler(fw.exceptions.RequestValidationError)
        async def told(request: Any, exc: Any) -> Any:
            log.extend(LOG)
            LOG.clear()
            return fw.responses.JSONResponse(json.loads(json.dumps(exc.errors(), default=repr)), 422)

        @app.exception_handler(403)
        async def forbidden(request: Any, exc: Any) -> Any:
            log.extend(LOG)
            LOG.clear()
            return fw.responses.JSONResponse({}, 403)

        app.post("/")(function)
        return app

    LOG.clear()
    compare(make, ASKS)


@dataclasses.dataclass
class Point:
    x: int


class Typed(TypedDict):
    a: int


class Started(BaseModel):
    a: int = 0

    def model_post_init(self, context: Any) -> None:
        LOG.append("post init")


class Made(BaseModel):
    a: int = Field(default_factory=lambda: 1)


class Kept(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[int, AfterValidator(abs)]]


class Tree(BaseModel):
    below: "list[Tree]" = []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Crate, True),
        (BODIES["union"], True),
        (list[Crate] | None, True),
        (Tree, True),
        (Typed, True),
        (Looked, False),
        (Sum, False),
        (Started, False),
        (Made, False),
        (Kept, False),
        (Point, True),
        (Annotated[int, AfterValidator(abs)], False),
        (list[Looked], False),
    ],
)
def test_a_type_runs_no_code_unless_it_is_the_users(kind: Any, expected: bool) -> None:
    assert runs_no_code(TypeAdapter(kind).core_schema) == expected

"""Parameters that are sent as JSON text (`pydantic.Json`): which types can be, and what an empty text is."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Json
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework


class Pen(BaseModel):
    """A model."""

    ink: int = 1


class Cap(BaseModel):
    """Another one."""

    size: int = 1


TYPES: dict[str, Any] = {
    "list, and the class of JSON text": Annotated[list[int], Json],
    "model, and the class of JSON text": Annotated[Pen, Json],
    "anything": Json,
    "int": Json[int],
    "int or none": Json[int] | None,
    "none inside": Json[int | None],  # type: ignore[misc]  # mypy takes `Json` of classes only
    "list": Json[list],  # type: ignore[type-arg]
    "list of int": Json[list[int]],
    "list of int or none": Json[list[int]] | None,
    "tuple": Json[tuple[int, str]],  # type: ignore[misc]
    "set": Json[set[int]],
    "one or many": Json[int | list[int]],  # type: ignore[misc]
    "list of models": Json[list[Pen]],
    "lists of lists": Json[list[list[int]]],
    "dict": Json[dict[str, int]],
    "dict or int": Json[dict[str, int] | int],  # type: ignore[misc]
    "dict or none": Json[dict[str, int] | None],  # type: ignore[misc]
    "model": Json[Pen],
    "two models": Json[Pen | Cap],  # type: ignore[misc]
    "many": list[Json[int]],
}
KINDS = ["Query", "Header", "Cookie"]
REQUIRED = object()


def declare(fw: Framework, kind: str, name: str, default: Any) -> Any:
    """An application with one parameter, or the complaint about it."""
    app = fw.FastAPI()

    def read(value: Any) -> Any:
        return {"value": repr(value)}

    read.__annotations__ = {"value": Annotated[TYPES[name], getattr(fw, kind)()]}
    if default is not REQUIRED:
        read.__defaults__ = (default,)
    app.get("/")(read)
    return app


def is_declared(fw: Framework, kind: str, name: str) -> bool:
    try:
        declare(fw, kind, name, REQUIRED)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TYPES)
def test_which_types_can_be_sent_so(name: str, kind: str) -> None:
    theirs, ours = (is_declared(fw, kind, name) for fw in BOTH)
    assert ours == theirs


def test_some_can_and_some_cannot() -> None:
    """The control."""
    for fw in BOTH:
        assert {is_declared(fw, "Query", name) for name in TYPES} == {True, False}


TEXTS = [b"", b"[1]", b"[1,2", b"1", b"{}", b'{"ink":2}', b"null", b"[]"]


def asks(kind: str) -> list[Ask]:
    """One value, none, and two."""
    if kind == "Query":
        return [
            Ask(),
            Ask(query=b"value"),
            *(Ask(query=b"value=" + text) for text in TEXTS),
            Ask(query=b"value=&value=[1]"),
        ]
    name, template = (b"value", b"%s") if kind == "Header" else (b"cookie", b"value=%s")
    return [Ask(), *(Ask(headers=[(name, template % text)]) for text in TEXTS)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TYPES)
def test_values(name: str, kind: str) -> None:
    if not is_declared(BOTH[0], kind, name):
        return
    for default in (REQUIRED, None, "default"):
        compare(lambda fw, log, default=default: declare(fw, kind, name, default), asks(kind))  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("one", ["list of int", "dict or none", "model"])
def test_beside_a_plain_parameter(kind: str, one: str) -> None:
    if not is_declared(BOTH[0], kind, one):
        return

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def read(value: Any, limit: int = 5) -> Any:
            return [repr(value), limit]

        read.__annotations__ |= {"value": Annotated[TYPES[one], getattr(fw, kind)()], "limit": int}
        app.get("/")(read)
        return app

    compare(make, asks(kind))

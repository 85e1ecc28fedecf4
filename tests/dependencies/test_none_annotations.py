"""What an annotation says about None: the value None says nothing, its type is a type like another."""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Any, Literal

import pytest
from support.asgi import Ask
from support.compare import compare, compare_documents
from support.frameworks import BOTH, Framework

NOTHING = None
ITS_TYPE: Any = NoneType
WRITTEN: list[Any] = [
    None, NoneType, "None", "(None)", "NoneType", "type(None)", "NOTHING", "ITS_TYPE", "None | int",
    Annotated[None, "x"], Annotated["None", "x"], Literal[None],
]  # fmt: skip


def application(fw: Framework, log: list[Any], written: Any, value: Any) -> Any:
    app = fw.FastAPI()

    def returning() -> Any:
        return value

    def taking(q: Any) -> Any:
        return repr(q)

    returning.__annotations__ = {"return": written}
    taking.__annotations__ = {"q": written}
    app.get("/returning")(returning)
    app.get("/taking")(taking)
    return app


@pytest.mark.parametrize("value", [None, 5, [None]])
@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_annotations_that_say_none(written: Any, value: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return application(fw, log, written, value)

    compare(make, [Ask(path="/returning"), Ask(path="/taking"), Ask(path="/taking", query=b"q=1")], "asgi")
    compare_documents(make)


@pytest.mark.parametrize("written", [None, NoneType, "None", "(None)", "NoneType", "type(None)"], ids=str)
def test_the_functions_that_read_annotations(written: Any) -> None:
    def function(q: Any) -> Any: ...

    function.__annotations__ = {"q": written, "return": written}
    answers = []
    for fw in BOTH:
        utils = fw.module("dependencies.utils")
        parameter = utils.get_typed_signature(function).parameters["q"]
        evaluated = utils.get_typed_annotation(written, {"NoneType": NoneType})
        answers.append((utils.get_typed_return_annotation(function), parameter.annotation, evaluated))
    assert answers[0] == answers[1]

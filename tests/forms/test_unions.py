"""Form parameters whose type is a union of models, JSON text, or neither: what is declared, answered and described."""

import re
from typing import Annotated, Any
from urllib.parse import urlencode

import pytest
from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Json, Tag, WrapValidator
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework


class Cup(BaseModel):
    handles: list[int] = []
    size: int


class Jug(BaseModel):
    lids: int = 2
    size: str


def unchanged(value: Any) -> Any:
    return value


def first(_: Any) -> str:
    return "cup"


def handed_on(value: Any, handler: Any) -> Any:
    return handler(value)


TYPES: dict[str, Any] = {
    "model": Cup,
    "optional": Cup | None,
    "union": Cup | Jug,
    "optional union": Cup | Jug | None,
    "annotated member": Annotated[Cup, "note"] | Jug,
    "validated member": Annotated[Cup, BeforeValidator(unchanged)] | Jug,
    "described member": Annotated[Cup, Field(description="Said")] | Jug,
    "tagged member": Annotated[Annotated[Cup, Tag("one")] | Jug, "note"],
    "validated union": Annotated[Cup | Jug, BeforeValidator(unchanged)],
    "wrapped union": Annotated[Cup | Jug, WrapValidator(handed_on)],
    "discriminated": Annotated[Annotated[Cup, Tag("cup")] | Annotated[Jug, Tag("jug")], Discriminator(first)],
    "optional inside": Annotated[Cup | None, "note"] | Jug,
    "union and number": Cup | Jug | int,
    "json": Json[Cup],
    "json union": Json[Cup | Jug],  # type: ignore[misc]  # mypy takes `Json` of classes only
    "json optional union": Json[Cup | Jug | None],  # type: ignore[misc]
    "optional json": Json[Cup] | None,
    "json list": Json[list[Cup | Jug]],
}
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
PARTS: list[Any] = [
    [],
    [("handles", "1"), ("handles", "2"), ("size", "3")],
    [("size", "t"), ("lids", "3")],
    [("x", '{"handles": [1], "size": 2}')],
    [("x", '{"size": "k"}'), ("y", "4")],
    [("x", "null")],
    [("x", "")],
]
SENT = [Ask("POST", "/", headers=FORM, body=(urlencode(parts).encode(),)) for parts in PARTS]
SENT.append(Ask("GET", "/openapi.json"))
_FUNCTION = re.compile(r"<function _?(\w+) at 0x\w+>")


def application(kind: str, use: str) -> Any:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        if use == "alone":

            @app.post("/")
            def alone(x: Annotated[TYPES[kind], fw.Form()]) -> Any:  # a table
                return repr(x)
        elif use == "with default":

            @app.post("/")
            def with_default(x: Annotated[TYPES[kind], fw.Form()] = None) -> Any:  # a table
                return repr(x)
        elif use == "beside a field":

            @app.post("/")
            def beside(x: Annotated[TYPES[kind], fw.Form()], y: Annotated[int, fw.Form()] = 1) -> Any:  # a table
                return repr(x), y
        else:

            def depended(x: Annotated[TYPES[kind], fw.Form()]) -> str:  # a table
                return repr(x)

            @app.post("/")
            def twice(y: Annotated[str, fw.Depends(depended)], x: Annotated[TYPES[kind], fw.Form()]) -> Any:  # a table
                return y, repr(x)

        return app

    return make


@pytest.mark.parametrize("use", ["alone", "with default", "beside a field", "twice"])
@pytest.mark.parametrize("kind", TYPES)
def test_members_of_a_union_read_the_form_alike(kind: str, use: str) -> None:
    compare(application(kind, use), SENT, "asgi")


@pytest.mark.parametrize("kind", TYPES)
def test_a_declared_union_says_how_its_members_read_a_form(kind: str) -> None:
    said = []
    for fw in BOTH:
        route = application(kind, "alone")(fw, []).routes[-1]
        said.append(_FUNCTION.sub(r"\1", repr(route.dependant.body_params[0].field_info.annotation)))
    assert said[1] == said[0]

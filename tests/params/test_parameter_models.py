"""Which types stand for a whole source of parameters, and which are one value: answers and documents alike."""

from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, BeforeValidator, Field, Json, RootModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework
from typing_extensions import TypeAliasType

T = TypeVar("T")


class Oven(BaseModel):
    heat: int | None
    fan: int = 2


class Hob(BaseModel):
    rings: int


class Shelf(BaseModel, Generic[T]):
    heat: T


class Root(RootModel[dict[str, str]]): ...


def unchanged(value: Any) -> Any:
    return value


TYPES: dict[str, Any] = {
    "model": Oven,
    "optional": Oven | None,
    "annotated": Annotated[Oven, "note"],
    "annotated inside": Annotated[Oven, "note"] | None,
    "described inside": Annotated[Oven, Field(description="Said")] | None,
    "annotated optional": Annotated[Oven | None, "note"],
    "optional inside": Annotated[Oven | None, "note"] | None,
    "two": Oven | Hob,
    "two or none": Oven | Hob | None,
    "model or number": Oven | int,
    "generic": Shelf[int],
    "optional generic": Shelf[int] | None,
    "root": Root,
    "name": TypeAliasType("Name", Oven),
    "name of optional": TypeAliasType("Name", Oven | None),
    "validated": Annotated[Oven, BeforeValidator(unchanged)],
    "validated optional": Annotated[Oven | None, BeforeValidator(unchanged)],
    "json": Json[Oven],
    "optional json": Json[Oven] | None,
}
HEADERS = [(b"heat", b"3"), (b"rings", b"9"), (b"cookie", b"heat=4; rings=1")]
SENT = [Ask("GET", "/", query, HEADERS) for query in (b"", b"heat=3", b'x={"heat":1}', b"rings=4&x=4")]
SENT.append(Ask("GET", "/openapi.json"))


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("source", ["Path", "Query", "Header", "Cookie"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_source_is_read_as_a_whole_for_the_same_types(kind: str, source: str, optional: bool) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        default = () if not optional or source == "Path" else (None,)
        try:

            @app.get("/")
            def read(x: TYPES[kind] = getattr(fw, source)(*default)) -> Any:  # a table
                return repr(x)
        except AssertionError as error:
            app.title = str(error)

        return app

    compare(make, SENT, "asgi")


@pytest.mark.parametrize("source", ["Query", "Header", "Cookie", "Form"])
@pytest.mark.parametrize("sent", [b"many=", b"a=", b"x=1", b"many=&a=1", b""])
def test_what_is_sent_empty_is_sent(source: str, sent: bytes) -> None:
    """So the model is not missing, although a cookie without a value is no item of a sequence."""

    def make(fw: Framework, log: list[Any]) -> Any:
        class Sent(BaseModel):
            a: int
            many: list[int] = []

        app = fw.FastAPI()

        @app.post("/")
        async def read(sent: Annotated[Sent | None, getattr(fw, source)()] = None) -> Any:
            return sent

        return app

    pairs = [pair.split(b"=") for pair in sent.split(b"&") if pair]
    asks = {
        "Query": Ask("POST", "/", sent),
        "Header": Ask("POST", "/", headers=[(name, value) for name, value in pairs]),
        "Cookie": Ask("POST", "/", headers=[(b"cookie", sent.replace(b"&", b"; "))]),
        "Form": Ask("POST", "/", headers=[(b"content-type", b"application/x-www-form-urlencoded")], body=(sent,)),
    }
    compare(make, [asks[source]])

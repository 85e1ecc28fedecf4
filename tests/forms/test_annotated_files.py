"""Files and bytes with metadata of their own: `Annotated` inside of a type hides them, as it does in FastAPI."""

from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import Field, Json
from support.asgi import Ask
from support.compare import answers, compare, compare_documents
from support.frameworks import FASTAPI, FERRAPI, Framework

NOTE = Field(description="a note")


def types_of(fw: Framework) -> dict[str, Any]:
    """Types with a class of files in them."""
    upload = fw.UploadFile
    found: dict[str, Any] = {}
    for kind in (bytes, upload):
        name = kind.__name__
        noted = Annotated[kind, NOTE]
        found |= {
            f"{name}": noted,
            f"{name}-or-none-inside": Annotated[kind | None, NOTE],
            f"{name}-or-none": noted | None,
            f"{name}-list": list[noted],
            f"{name}-list-outside": Annotated[list[kind], NOTE] | None,
            f"{name}-list-or-none": list[noted] | None,
            f"{name}-tuple": tuple[noted, ...],
            f"{name}-file": list[Annotated[kind, fw.File()]],
        }
    found["one-or-several"] = bytes | Annotated[list[bytes], NOTE]
    return found


NAMES = list(types_of(FERRAPI))
CUT = [(b"content-type", b"multipart/form-data; boundary=cut")]
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
PART = b'--cut\r\ncontent-disposition: form-data; name="x"; filename="n"\r\n\r\n%b\r\n'
ASKS = [
    Ask("POST", "/", headers=CUT, body=(PART % b"one" + b"--cut--\r\n",)),
    Ask("POST", "/", headers=CUT, body=(PART % b"one" + PART % b"two" + b"--cut--\r\n",)),
    Ask("POST", "/", headers=FORM, body=(b"x=text",)),
    Ask("POST", "/", b"x=text"),
    Ask("POST", "/"),
]


def shown(fw: Framework, value: Any) -> Any:
    """A value without addresses."""
    if isinstance(value, (list, tuple)):
        return [shown(fw, item) for item in value]
    return value.filename if isinstance(value, fw.UploadFile) else repr(value)


@pytest.mark.parametrize("declared", ["nothing", "none", "File", "Form", "Body"])
@pytest.mark.parametrize("name", NAMES)
def test_metadata_inside_of_a_type(name: str, declared: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def take(x: Any = None) -> Any:
            return shown(fw, x)

        if declared == "nothing":
            take.__defaults__ = ()
        elif declared != "none":
            take.__defaults__ = (getattr(fw, declared)(),)
        take.__annotations__ = {"x": types_of(fw)[name]}
        app.post("/")(take)
        return app

    compare(make, ASKS)
    compare_documents(make)


@pytest.mark.parametrize("annotation", [bytes | list[bytes], bytes | set[bytes], bytes | frozenset[bytes]], ids=str)
def test_one_or_several_contents_are_several(annotation: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def take(x: Any = fw.File()) -> Any:
            return [type(x).__name__, sorted(map(repr, x))]

        take.__annotations__ = {"x": annotation}
        app.post("/")(take)
        return app

    assert [answer.status for answer in answers(FASTAPI, make, ASKS[:2])] == [500, 500]
    assert [answer.status for answer in answers(FERRAPI, make, ASKS[:2])] == [200, 200]


def test_a_file_is_no_list_as_json_text() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def take(x: Any, y: Any) -> Any:
            return x

        take.__annotations__ = {"x": Annotated[list[int], Json(), fw.Form()], "y": Annotated[int, fw.Form()]}  # type: ignore[type-arg]
        app.post("/")(take)
        return app

    assert [answer.status for answer in answers(FASTAPI, make, ASKS[:1])] == [500]
    assert [answer.status for answer in answers(FERRAPI, make, ASKS[:1])] == [422]


@pytest.mark.parametrize("annotation", [date | list, date | tuple | object], ids=str)
def test_a_bare_sequence_in_a_union_takes_what_the_form_has(annotation: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def take(x: Any) -> Any:
            return len(x)

        take.__annotations__ = {"x": Annotated[annotation, fw.File()]}
        app.post("/")(take)
        return app

    assert [answer.status for answer in answers(FASTAPI, make, ASKS[:2])] == [500, 500]
    assert [answer.status for answer in answers(FERRAPI, make, ASKS[:2])] == [200, 200]

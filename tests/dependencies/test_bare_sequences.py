"""Parameters that are sequences of it isn't said what are lists of files, and so take a form."""

import collections
import collections.abc
from typing import Annotated, Any, NamedTuple

import pytest
from support.asgi import Ask
from support.compare import answers, compare, compare_documents
from support.frameworks import FERRAPI

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
JSON = [(b"content-type", b"application/json")]
MULTIPART = [(b"content-type", b"multipart/form-data; boundary=x")]
PARTS = (
    b'--x\r\ncontent-disposition: form-data; name="a"; filename="n"\r\n\r\none\r\n'
    b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\ntwo\r\n--x--\r\n'
)
ASKS = [
    Ask("POST", "/x", headers=JSON, body=(b"[1]",)),
    Ask("POST", "/x", headers=JSON, body=(b'{"a": [1]}',)),
    Ask("POST", "/x", headers=FORM, body=(b"a=1&a=2",)),
    Ask("POST", "/x", headers=FORM, body=(b"a=",)),
    Ask("POST", "/x", headers=MULTIPART, body=(PARTS,)),
    Ask("POST", "/x"),
]


class Pair(NamedTuple):
    first: str
    second: str = "x"


TYPES = [
    list, tuple, set, frozenset, collections.deque, collections.abc.Sequence, list | None, list[int] | list, tuple[()],
    Annotated[list, "note"], list | int,
]  # fmt: skip


def _make(annotation: Any) -> Any:
    def make(fw: Any, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def endpoint(a: Any) -> str:
            shown = a if not isinstance(a, collections.abc.Iterable) else sorted(str(type(one)) for one in a)
            return f"{type(a).__name__} {shown}"

        endpoint.__annotations__["a"] = annotation
        app.post("/x")(endpoint)
        return app

    return make


@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_a_bare_sequence_takes_a_form(annotation: Any) -> None:
    compare(_make(annotation), ASKS, "asgi")
    document = compare_documents(_make(annotation))
    assert "multipart/form-data" in document["paths"]["/x"]["post"]["requestBody"]["content"]


def test_a_named_tuple_takes_a_form_too_and_is_made_from_it() -> None:
    document = compare_documents(_make(Pair))
    assert "multipart/form-data" in document["paths"]["/x"]["post"]["requestBody"]["content"]
    compare(_make(Pair), [ASKS[0], ASKS[5]], "asgi")
    (answer,) = answers(FERRAPI, _make(Pair), [ASKS[2]])
    assert (answer.status, answer.body) == (200, b'"Pair [\\"<class \'str\'>\\", \\"<class \'str\'>\\"]"')

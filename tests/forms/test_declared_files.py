"""What declared files, texts and models with files make of the parts of a form, whole or in pieces."""

import inspect
from typing import Annotated, Any

import pytest
from differential.common import examples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile
from support.asgi import Ask, exchange, run
from support.compare import compare
from support.frameworks import FERRAPI, Framework

MULTIPART = (b"content-type", b"multipart/form-data; boundary=cut")
NAMES = ["one", "two", "other"]
PARTS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([None, "", "f.txt", "é.bin"]),
        st.sampled_from([b"", b"1", b"x", b"12", b"\xff" * 30]),
    ),
    max_size=5,
)
KINDS = [
    "file",
    "file or none",
    "files",
    "files or nothing",
    "renamed file",
    "content",
    "contents",
    "number",
    "numbers",
    "text",
    "text with default",
    "model",
    "strict model",
    "model or none",
]


def declarations(fw: Framework) -> dict[str, tuple[Any, Any]]:
    """The kinds of parameters, each with its default."""

    class Papers(BaseModel):
        one: fw.UploadFile
        two: list[fw.UploadFile] = []
        other: str = "none"

    class Exactly(BaseModel):
        model_config = ConfigDict(extra="forbid")
        one: fw.UploadFile
        two: int = 2

    return {
        "file": (fw.UploadFile, ...),
        "file or none": (fw.UploadFile | None, None),
        "files": (list[fw.UploadFile], ...),
        "files or nothing": (Annotated[list[fw.UploadFile], fw.File()], []),
        "renamed file": (Annotated[fw.UploadFile, fw.File(alias="other")], ...),
        "content": (Annotated[bytes, fw.File()], ...),
        "contents": (Annotated[list[bytes], fw.File()], []),
        "number": (Annotated[int, fw.Form()], ...),
        "numbers": (Annotated[list[int], fw.Form()], []),
        "text": (Annotated[str, fw.Form()], ...),
        "text with default": (Annotated[str, fw.Form()], "none"),
        "model": (Annotated[Papers, fw.Form()], ...),
        "strict model": (Annotated[Exactly, fw.Form()], ...),
        "model or none": (Annotated[Papers | None, fw.Form()], None),
    }


def shown(value: Any) -> Any:
    """A value of an endpoint's as JSON."""
    if isinstance(value, UploadFile):
        content = value.file.read().decode("latin-1")
        return [type(value).__module__, value.filename, value.size, content, dict(value.headers)]
    if isinstance(value, BaseModel):
        return {name: shown(one) for name, one in value}
    if isinstance(value, list):
        return [shown(one) for one in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value


def body_of(parts: list[tuple[str, str | None, bytes]]) -> bytes:
    """The body of a form."""
    sent = b""
    for name, filename, content in parts:
        disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
        sent += f"--cut\r\ncontent-disposition: {disposition}\r\nx-part: {name}\r\n\r\n".encode() + content + b"\r\n"
    return sent + b"--cut--\r\n"


def reading(kinds: list[str], synchronous: bool, elsewhere: bool) -> Any:
    """A shape: an application whose endpoint, and perhaps a dependency, takes parts."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        known = declarations(fw)
        names = dict(zip(kinds, ["one", "two"], strict=False))

        def session() -> Any:
            yield "session"
            log.append("session")

        def taking(of: list[str]) -> Any:
            def in_thread(**values: Any) -> Any:
                return {name: shown(value) for name, value in values.items()}

            async def in_loop(**values: Any) -> Any:
                return in_thread(**values)

            function: Any = in_thread if synchronous else in_loop
            function.__signature__ = inspect.Signature(
                [
                    inspect.Parameter(
                        names[kind],
                        inspect.Parameter.KEYWORD_ONLY,
                        annotation=known[kind][0],
                        default=inspect.Parameter.empty if known[kind][1] is ... else known[kind][1],
                    )
                    for kind in of
                ]
            )
            return function

        of_dependency, of_endpoint = (kinds[:1], kinds[1:]) if elsewhere else ([], kinds)
        before = [fw.Depends(taking(of_dependency)), fw.Depends(session)]
        app.post("/", dependencies=before)(taking(of_endpoint))
        return app

    return make


@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True),
    st.booleans(),
    st.booleans(),
    st.lists(PARTS, min_size=1, max_size=4),
    st.integers(0, 200),
)
@examples(60)
def test_parts_are_read_as_declared(
    kinds: list[str], synchronous: bool, elsewhere: bool, forms: list[Any], cut: int
) -> None:
    asks = []
    for parts in forms:
        body = body_of(parts)
        asks += [Ask("POST", headers=[MULTIPART], body=sent) for sent in ([body], [body[:cut], body[cut:]])]
    compare(reading(kinds, synchronous, elsewhere), asks)


@pytest.mark.parametrize("synchronous", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_reads_what_is_right_for_it(kind: str, synchronous: bool) -> None:
    forms: list[list[tuple[str, str | None, bytes]]] = [
        [("one", "f.txt", b"content"), ("two", "g.txt", b"more"), ("two", "h.txt", b""), ("other", None, b"text")],
        [("one", "f.txt", b"content"), ("other", "o.txt", b"other")],
        [("one", None, b"1"), ("two", None, b"2")],
        [("one", "f.txt", b"content"), ("two", None, b"2")],
        [],
    ]
    asks = [Ask("POST", headers=[MULTIPART], body=[body_of(parts)]) for parts in forms]
    compare(reading([kind], synchronous, False), asks)


def test_closing_calls_what_a_tool_has_put_in_place(framework: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    original = UploadFile.close

    async def close(self: UploadFile) -> None:
        closed.append(self.filename)
        await original(self)

    monkeypatch.setattr(UploadFile, "close", close)
    app = framework.FastAPI()

    @app.post("/")
    async def endpoint(one: framework.UploadFile) -> str | None:
        return one.filename

    ask = Ask("POST", headers=[MULTIPART], body=[body_of([("one", "f.txt", b"content")])])
    assert run(lambda: exchange(app, ask)).body == b'"f.txt"'
    assert closed == ["f.txt"]


def test_a_file_that_has_grown_to_disk_meanwhile_is_closed() -> None:
    kept: list[UploadFile] = []
    app = FERRAPI.FastAPI()

    @app.post("/")
    async def endpoint(one: FERRAPI.UploadFile) -> None:
        kept.append(one)
        one.file.rollover()  # it is a spooled file

    ask = Ask("POST", headers=[MULTIPART], body=[body_of([("one", "f.txt", b"content")])])
    assert run(lambda: exchange(app, ask)).status == 200
    assert kept[0].file.closed

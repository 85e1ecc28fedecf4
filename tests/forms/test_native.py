"""The native form classes on their own: what they hand over, what they refuse, and that they are collected."""

import gc
import subprocess
import sys
import weakref
from typing import Any

import pytest
from ferrapi._native import FormParser, FormReader, FormRefused, PlanError
from pydantic_core import SchemaValidator, core_schema

URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data; boundary=c"


def parser(content_type: bytes, max_files: int = 9, max_fields: int = 9, max_part_size: int = 99) -> FormParser:
    """A parser with small limits."""
    return FormParser(content_type, max_files, max_fields, max_part_size)


def test_an_urlencoded_form_is_known_at_its_end() -> None:
    form = parser(URLENCODED)
    assert form.is_form
    assert [form.feed(piece) for piece in (b"a=1&b", b"", b"=%C3%A9+")] == [[], [], []]
    assert form.finish() == [("a", "1"), ("b", "é ")]
    assert form.finish() == []


def test_a_multipart_form_is_known_piece_by_piece() -> None:
    form = parser(MULTIPART)
    events = form.feed(b'--c\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--c\r\nX: y\r\n')
    assert events == [("a", "1")]
    events = form.feed(b'content-disposition: form-data; name="f"; filename="n"\r\n\r\nxy')
    assert events == [
        ("f", "n", [(b"x", b"y"), (b"content-disposition", b'form-data; name="f"; filename="n"')]),
        b"xy",
    ]
    assert form.feed(b"z\r\n--c--") == [b"z", None]
    assert form.finish() == []


@pytest.mark.parametrize("content_type", [b"", b"text/plain", b"multipart/mixed; boundary=c", b"\xff"])
def test_another_content_type_is_no_form(content_type: bytes) -> None:
    form = parser(content_type)
    assert not form.is_form
    assert form.feed(b"a=1") == []
    assert form.finish() == []


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        (URLENCODED, b"a&" * 10, "Too many fields. Maximum number of fields is 9."),
        (URLENCODED, b"a=" + b"x" * 99, "Field exceeded maximum size of 0KB."),
        (MULTIPART, b"nothing", "Invalid multipart data."),
        (MULTIPART, b"--c\r\n\r\n", 'The Content-Disposition header field "name" must be provided.'),
    ],
)
def test_a_refused_form_stays_refused(content_type: bytes, body: bytes, reason: str) -> None:
    form = parser(content_type)

    def read() -> None:
        form.feed(body)
        form.finish()

    with pytest.raises(FormRefused) as caught:
        read()
    assert str(caught.value) == reason
    if content_type == MULTIPART:
        with pytest.raises(FormRefused):
            form.feed(b"--c--")


def test_a_multipart_form_needs_a_boundary() -> None:
    with pytest.raises(FormRefused, match="Missing boundary"):
        parser(b"multipart/form-data")


@pytest.mark.parametrize("charset", [b"latin-1", b"utf-16", b"nope", b"hex", b"ascii"])
def test_texts_are_decoded_by_the_codec_that_the_form_names(charset: bytes) -> None:
    raw = "é".encode("utf-16") if charset == b"utf-16" else b"\xe9"
    form = parser(b"multipart/form-data; boundary=c; charset=" + charset)
    body = b'--c\r\ncontent-disposition: form-data; name="' + raw + b'"\r\n\r\n' + raw + b"\r\n--c--"
    assert form.feed(body) == [("é", "é")]


def plan(*params: dict[str, Any], required: bool = True) -> Any:
    """The plan of a reader of integers."""
    integer = core_schema.typed_dict_field(core_schema.int_schema(), required=required)
    schema = core_schema.typed_dict_schema({param["key"]: integer for param in params})
    return {"params": list(params), "validator": SchemaValidator(schema)}


ONE = {"source": "form", "key": "one", "names": ["a", "b"], "many": False}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("a", "1")], {"one": 1}),
        ([("a", "1"), ("a", "2")], {"one": 2}),
        ([("a", ""), ("b", "3")], {"one": 3}),
        ([("a", "1"), ("a", "")], None),
        ([("a", "x")], None),
        ([("a", object())], None),
        ([], None),
        ([("é", "1"), ("b", "2")], {"one": 2}),
    ],
)
def test_a_reader_answers_what_is_plainly_right(items: list[tuple[str, Any]], expected: Any) -> None:
    assert FormReader(plan(ONE)).read(items) == expected


def test_a_reader_fills_in_defaults() -> None:
    reader = FormReader(plan({**ONE, "make_default": lambda: 7}, required=False))
    assert reader.read([("c", "1")]) == {"one": 7}
    assert FormReader({"params": [], "validator": None}).read([]) == {}


@pytest.mark.parametrize("bad", [{}, {"params": [{}], "validator": None}, {"params": [ONE], "validator": None}])
def test_a_bad_plan_is_refused_at_once(bad: Any) -> None:
    with pytest.raises(PlanError):
        FormReader(bad)


@pytest.mark.parametrize("items", [[("a",)], ["a"], [(1, "x")], [None]])
def test_items_that_are_no_pairs_are_an_error_and_no_crash(items: Any) -> None:
    with pytest.raises((TypeError, IndexError)):
        FormReader(plan(ONE)).read(items)


def test_a_reader_in_a_cycle_is_collected() -> None:
    class Default:
        reader: Any = None

        def __call__(self) -> int:
            return 1

    default = Default()
    default.reader = FormReader(plan({**ONE, "make_default": default}, required=False))
    gone = weakref.ref(default)
    del default
    gc.collect()
    assert gone() is None


WITHOUT = """
import sys
sys.modules["python_multipart"] = sys.modules["multipart"] = None
import anyio
from support.asgi import Ask, exchange
from ferrapi import FastAPI, Form, UploadFile

app = FastAPI()

@app.post("/")
async def upload(a: str = Form(), f: UploadFile | None = None):
    return [a, f and (await f.read()).decode()]

mark = [(b"content-type", b"multipart/form-data; boundary=c")]
body = b'--c\\r\\ncontent-disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n'
body += b'--c\\r\\ncontent-disposition: form-data; name="f"; filename="n"\\r\\n\\r\\nfile\\r\\n--c--'
plain = [(b"content-type", b"application/x-www-form-urlencoded")]
for ask in (Ask("POST", headers=mark, body=[body]), Ask("POST", headers=plain, body=[b"a=2"])):
    print(anyio.run(exchange, app, ask).body.decode())
"""


def test_declared_forms_need_no_other_package() -> None:
    path = [entry for entry in sys.path if entry]
    code = f"import sys; sys.path[:0] = {path!r}\n{WITHOUT}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ['["1","file"]', '["2",null]'], done.stderr

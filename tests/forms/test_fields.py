"""Form parameters of every kind: the same forms, the same answers as FastAPI's."""

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Json,
    Tag,
    model_validator,
)
from support.asgi import Ask
from support.compare import Make, compare, compare_documents
from support.frameworks import Framework

Types = dict[str, tuple[Any, ...]]


def _shown(value: Any) -> Any:
    """A value as JSON that tells types apart."""
    if isinstance(value, BaseModel):
        extra = {key: _shown(item) for key, item in (value.__pydantic_extra__ or {}).items()}
        fields = {key: _shown(item) for key, item in value}
        return [type(value).__name__, fields, extra, sorted(value.model_fields_set)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [type(value).__name__, *(_shown(item) for item in value)]
    if hasattr(value, "filename"):
        return ["file", value.filename, value.size, value.file.tell(), value.file.read().decode()]
    return [type(value).__name__, repr(value)]


def endpoint(parameters: Types) -> Callable[..., Any]:
    """An endpoint that shows what its parameters, given by name as annotation and perhaps default, were."""

    async def show(**values: Any) -> Any:
        return {name: _shown(values[name]) for name in parameters}

    empty = inspect.Parameter.empty
    show.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, annotation=declared[0], default=(*declared, empty)[1]
            )
            for name, declared in parameters.items()
        ]
    )
    return show


class Pen(BaseModel):
    ink: str
    width: int = 1


class Brush(BaseModel):
    hairs: list[str]
    wet: bool = False


class Chalk(BaseModel):
    colour: str = "white"
    sticks: list[str] = []


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ink: str


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    grip: str = "soft"


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    ink: Annotated[str, Field(validation_alias=AliasChoices("tint", "dye"))] = "blue"
    tips: Annotated[list[int], Field(alias="Tips")] = []


class Strict(Aliased):
    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class Paths(BaseModel):
    first: Annotated[str, Field(validation_alias=AliasPath("row", 0))] = "-"
    either: Annotated[str, Field(validation_alias=AliasChoices("left", AliasPath("right", 1)))] = "-"


class Sharing(BaseModel):
    many: Annotated[list[str], Field(validation_alias=AliasChoices("many", "both"))] = ["-"]
    one: Annotated[str, Field(validation_alias=AliasChoices("one", "both"))] = "-"


class Mixed(BaseModel):
    data: Json[list[int]] = []
    union: list[int] | str = "-"
    pair: tuple[int, ...] | None = None
    inner: Pen | None = None


class Dip(BaseModel):
    tool: Literal["dip"] = Field(alias="kind")
    ink: str


class Roll(BaseModel):
    tool: Literal["roll"] = Field(alias="kind")
    ink: list[str]
    width: int = 3


class Noisy(BaseModel):
    ink: str

    @model_validator(mode="before")
    @classmethod
    def spoil(cls, data: Any) -> Any:
        data.pop("ink", None)
        return data


def doubled(data: Any) -> Any:
    """A validator of the user's in front of a union."""
    return {**data, "width": "7"} if isinstance(data, dict) and "ink" in data else data


def kind_of(data: Any) -> Any:
    """A discriminator that is a function."""
    return "pen" if "ink" in data else "chalk"


TAGGED = Annotated[Annotated[Pen, Tag("pen")] | Annotated[Chalk, Tag("chalk")], Discriminator(kind_of)]
NOTHING: dict[str, Any] = {}


def shapes(fw: Framework) -> Iterator[tuple[str, Types]]:
    """Parameters by path."""
    form, file, upload = fw.Form, fw.File, fw.UploadFile
    for name, kind in {
        "str": str,
        "int": int,
        "optional": int | None,
        "list": list[str],
        "ints": list[int] | None,
        "set": set[int],
        "tuple": tuple[str, ...],
        "bool": bool,
        "json": Json[list[int]],
        "any": Any,
        "dict": dict[str, str],
        "models": list[Pen],
        "bytes": bytes,
        "literal": Literal["a", "b"],
        "modelish": Pen | str,
    }.items():
        yield name, {"p": (Annotated[kind, form()],)}
        yield name + "-default", {"p": (Annotated[kind, form()], "x"), "q": (Annotated[str, form()], "q")}
    yield (
        "aliases",
        {
            "p": (Annotated[str, form(alias="P-p")],),
            "q": (Annotated[list[int], form(validation_alias=AliasChoices("q", "r"))], [1]),
        },
    )
    yield "checked", {"p": (Annotated[int, form(validate_default=True)], "x")}
    yield "factory", {"p": (Annotated[list[str], form(default_factory=lambda: ["made"])],)}
    yield "body-too", {"p": (Annotated[str, fw.Body()],), "q": (Annotated[str, form()],)}
    for model in (Pen, Brush, Chalk, Closed, Open, Aliased, Strict, Paths, Sharing, Mixed, Noisy):
        name = model.__name__
        yield name, {"p": (Annotated[model, form()],)}
        yield name + "-or-none", {"p": (Annotated[model | None, form()], None)}
        yield name + "-nullable", {"p": (Annotated[model | None, form()],)}
        yield name + "-and-more", {"p": (Annotated[model, form()],), "q": (Annotated[str, form()], "q")}
    for name, union in {
        "union": Pen | Brush,
        "shadow": Pen | Chalk | Brush,
        "closed": Closed | Chalk,
        "open": Open | Pen,
        "noisy": Noisy | Brush,
        "aliased": Aliased | Strict,
        "tagged": TAGGED,
        "before": Annotated[Pen | Chalk, BeforeValidator(doubled)],
        "files": Pen | Chalk,
    }.items():
        yield name, {"p": (Annotated[union, form()],)}
        yield name + "-or-none", {"p": (Annotated[union | None, form()], None), "q": (Annotated[str, form()], "q")}
    yield "discriminated", {"p": (Annotated[Dip | Roll, form(discriminator="tool")],)}
    yield "discriminated-or-none", {"p": (Annotated[Dip | Roll | None, form(discriminator="tool")], None)}
    yield "left", {"p": (Annotated[Pen | Chalk, form(union_mode="left_to_right")],), "q": (Annotated[Chalk, form()],)}
    yield "json-model", {"p": (Annotated[Json[Pen], form()],)}
    yield "default-model", {"p": (Annotated[Chalk | None, form()], Chalk(colour="red"))}
    yield "upload", {"p": (upload,)}
    yield "uploads", {"p": (list[upload],)}
    yield "upload-or-none", {"p": (upload | None, None)}
    yield "content", {"p": (Annotated[bytes, file()],), "q": (Annotated[upload | None, file(alias="p")], None)}
    yield "contents", {"p": (Annotated[list[bytes] | None, file()], None)}
    yield "content-tuple", {"p": (Annotated[tuple[bytes, ...], file()],)}
    yield "content-or-text", {"p": (Annotated[bytes | str, file()],)}
    yield "text-file", {"p": (Annotated[str, file()],)}
    yield "any-upload", {"p": (Annotated[list[upload | str], file()],)}
    yield "form-upload", {"p": (Annotated[upload, form()],)}


def application(fw: Framework, log: list[Any], without: tuple[str, ...] = ()) -> Any:
    """An application with an endpoint for each shape."""

    class WithFile(BaseModel):
        p: fw.UploadFile | None = None
        q: list[fw.UploadFile] = []

    class WithBytes(BaseModel):
        p: Annotated[bytes, fw.File()]

    app = fw.FastAPI()
    for name, parameters in shapes(fw):
        if without and name.startswith(without):
            continue
        app.post("/" + name)(endpoint(parameters))
    for name, kind in {"filed": WithFile, "bytesed": WithBytes, "either": WithBytes | WithFile | Pen}.items():
        app.post("/" + name)(endpoint({"p": (Annotated[kind, fw.Form()],)}))
        app.post("/" + name + "-or-none")(endpoint({"p": (Annotated[kind | None, fw.Form()], None)}))
    return app


FORMS: list[dict[str, Any]] = [
    {},
    {"p": "1"},
    {"p": ""},
    {"p": ["", "2"]},
    {"p": ["2", ""]},
    {"p": "on"},
    {"p": "[1, 2]"},
    {"p": '{"ink": "x"}'},
    {"p": ["a", "b"], "q": "", "other": ["x", ""]},
    {"P-p": "x", "r": ["1", "2"]},
    {"P-p": "", "q": "", "r": "x"},
    {"q": "only"},
    {"ink": "x"},
    {"ink": ""},
    {"ink": ["x", "y"], "width": "2"},
    {"ink": "x", "width": "wide"},
    {"ink": "x", "hairs": ["", "y"], "q": "z"},
    {"hairs": "", "wet": "on"},
    {"colour": "", "sticks": ""},
    {"sticks": ["a", ""]},
    {"grip": "", "unknown": ["1", "2"]},
    {"unknown": ""},
    {"tint": "", "dye": "green", "Tips": ["1", "2"]},
    {"tint": "a", "dye": "b", "ink": "c", "tips": "1"},
    {"tint": "", "ink": "c", "Tips": ""},
    {"row": ["a", "b"], "right": ["c", "d"]},
    {"row": "a", "left": "", "right": "c"},
    {"both": ["1", "2"]},
    {"many": "1", "both": "2"},
    {"data": "[1]", "union": ["1", "2"], "pair": ["1", "2"]},
    {"data": ["[1]", "[2]"], "union": "x", "pair": "", "inner": ""},
    {"inner": "x"},
    {"kind": "dip", "ink": ["x", "y"]},
    {"kind": "roll", "ink": "x", "width": ""},
    {"kind": "", "ink": "x"},
    {"kind": "other"},
    {"kind": ["dip", "roll"], "ink": "x"},
]

Part = tuple[str, str | None, bytes]
UPLOADS: list[list[Part]] = [
    [],
    [("p", "f.txt", b"hello")],
    [("p", "", b"")],
    [("p", "", b"nameless")],
    [("p", "empty", b"")],
    [("p", None, b"")],
    [("p", None, b"text")],
    [("p", "f", b"1"), ("p", "g", b"22")],
    [("p", "f", b"1"), ("p", "", b"")],
    [("p", "", b""), ("p", None, b"x")],
    [("p", None, b""), ("p", "f", b"x")],
    [("q", "f", b"1"), ("q", "", b"")],
    [("q", None, b"x"), ("other", "f", b"")],
    [("ink", None, b"x"), ("p", "f", b"\xff\x00")],
    [("ink", "f", b"x")],
    [("p", "é.txt", b"1"), ("hairs", None, b""), ("hairs", None, b"y")],
]

URLENCODED = b"application/x-www-form-urlencoded"


def urlencoded(path: str, form: dict[str, Any]) -> Ask:
    """A request with an urlencoded form."""
    body = urlencode(form, doseq=True).encode()
    return Ask("POST", path, headers=[(b"content-type", URLENCODED)], body=[body])


def multipart(path: str, parts: list[Part]) -> Ask:
    """A request with a multipart form."""
    body = b""
    for name, filename, content in parts:
        option = "" if filename is None else f'; filename="{filename}"'
        body += f'--cut\r\ncontent-disposition: form-data; name="{name}"{option}\r\n\r\n'.encode() + content + b"\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=cut")]
    return Ask("POST", path, headers=headers, body=[body + b"--cut--\r\n"])


def _paths() -> list[str]:
    from support.frameworks import FASTAPI

    return [
        route.path for route in application(FASTAPI, []).routes if "POST" in (getattr(route, "methods", None) or ())
    ]


def test_every_form_parameter_finds_the_same_in_every_urlencoded_form() -> None:
    answers = compare(application, [urlencoded(path, form) for path in _paths() for form in FORMS])
    assert {200, 422} == {answer.status for answer in answers}


def test_every_form_parameter_finds_the_same_in_every_multipart_form() -> None:
    # FastAPI has an internal error for a file that is sent for a list in JSON.
    paths = [path for path in _paths() if not path.startswith("/json")]
    answers = compare(application, [multipart(path, parts) for path in paths for parts in UPLOADS])
    assert {200, 422} <= {answer.status for answer in answers}


def test_the_document_describes_every_form_parameter_the_same() -> None:
    # FastAPI writes out a model with paths as aliases under the names of its fields, which it doesn't accept.
    document = compare_documents(lambda fw, log: application(fw, log, without=("Paths",)))
    assert len(document["paths"]) == len(_paths()) - 4


def dependencies(fw: Framework, log: list[Any]) -> Any:
    """Dependencies and endpoint read the same form."""
    app = fw.FastAPI()

    def pen(p: Annotated[Pen, fw.Form()]) -> Any:
        log.append("pen")
        return p

    def text(p: Annotated[str, fw.Form()]) -> Any:
        log.append("text")
        return p

    @app.post("/two-models")
    def two_models(p: Annotated[Chalk, fw.Form()], other: Annotated[Any, fw.Depends(pen)]) -> Any:
        return [p, other]

    @app.post("/same-name")
    def same_name(p: Annotated[Chalk, fw.Form()], other: Annotated[Any, fw.Depends(text)]) -> Any:
        return [p, other]

    @app.post("/union")
    def union(p: Annotated[Pen | Chalk | None, fw.Form()] = None, other: Any = fw.Depends(text)) -> Any:
        return [p, other]

    @app.post("/alone")
    def alone(other: Annotated[Any, fw.Depends(text)]) -> Any:
        return other

    @app.post("/request")
    async def request(request: fw.Request, p: Annotated[str, fw.Form()]) -> Any:
        form = await request.form(max_fields=0)
        try:
            body: Any = (await request.body()).decode()
        except RuntimeError as exc:
            body = str(exc)
        return [form["p"] == p, len(form), body]

    return app


@pytest.mark.parametrize("path", ["/two-models", "/same-name", "/union", "/alone", "/request"])
def test_dependencies_and_endpoint_read_the_same_form(path: str) -> None:
    compare(dependencies, [urlencoded(path, form) for form in [*FORMS, {"p": "x", "ink": "y"}]])


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"",
        b"application/json",
        b"text/plain",
        b"application/x-www-form-urlencoded; charset=latin-1",
        b"APPLICATION/X-WWW-FORM-URLENCODED",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=x",
        b"multipart/form-data; boundary=" + b"x" * 257,
        b"multipart/mixed; boundary=x",
        b'application/x-www-form-urlencoded; !="' + b"\\" * 4096,
        b"multipart/form-data" + b"; a=b" * 4096,
        b'multipart/form-data; x="' + b'\\"' * 4096 + b"; boundary=x",
    ],
    ids=lambda value: repr(value)[:60],
)
def test_the_content_type_says_how_to_read_a_form(content_type: bytes | None) -> None:
    headers = [] if content_type is None else [(b"content-type", content_type)]
    bodies = [[b""], [b"p=%E9&ink=x"], [b"p=1", b"", b"2&ink", b"=x"], [b"--x--"], [b"--x\r\n\r\n--x--"]]
    asks = [Ask("POST", path, headers=headers, body=body) for path in ("/str", "/Pen", "/body-too") for body in bodies]
    compare(application, asks)


# Starlette leaves a file open whose part the body didn't finish.
@pytest.mark.filterwarnings("ignore:Unclosed file", "ignore:Exception ignored in.*SpooledTemporaryFile")
def test_a_client_that_goes_away_is_answered_the_same_and_runs_nothing() -> None:
    mark = [(b"content-type", b"multipart/form-data; boundary=cut")]
    half = b'--cut\r\ncontent-disposition: form-data; name="p"; filename="f"\r\n\r\nhalf'
    asks = [
        Ask("POST", "/same-name", headers=[(b"content-type", URLENCODED)], body=[b"p=1"], ends=False),
        Ask("POST", "/same-name", headers=mark, body=[half], ends=False),
        Ask("POST", "/same-name", headers=mark, body=[half], ends=True),
    ]
    answers = compare(dependencies, asks)
    assert [answer.log for answer in answers] == [[], [], []]


def test_texts_are_unicode_scalar_values(framework: Framework) -> None:
    """What can't be decoded becomes a replacement character in urlencoded forms."""
    from support.compare import answers

    def make(fw: Framework, log: list[Any]) -> Any:
        return application(fw, log)

    shape: Make = make
    ask = Ask("POST", "/str", headers=[(b"content-type", URLENCODED)], body=[b"p=%ED%A0%80%00"])
    (answer,) = answers(framework, shape, [ask])
    assert json.loads(answer.body)["p"] == ["str", repr("\ufffd\ufffd\ufffd\x00")]

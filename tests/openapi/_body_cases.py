"""Request bodies: JSON, forms, files; one value or several; models and how they are named."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, Union

from pydantic import (
    AliasChoices,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Discriminator,
    EmailStr,
    Field,
    HttpUrl,
    Json,
    RootModel,
    SecretBytes,
    SecretStr,
    Tag,
    create_model,
)
from typing_extensions import TypedDict

from ._cases import Framework, cases

T = TypeVar("T")


class Size(Enum):
    """Sizes.\fOf shirts."""

    small = "s"
    large = "l"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """A dog.

    It barks.\f
    Parameters: none
    """

    kind: Literal["dog"]
    size: Size = Size.small


class Node(BaseModel):
    value: int
    children: list["Node"] = []


@cases
def one_model(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Shirt(BaseModel):
        name: str = Field(min_length=1, description="Its name", examples=["tee"])
        size: Size | None = None
        tags: set[str] = set()
        maker: dict[str, HttpUrl] = {}
        owner: EmailStr | None = Field(None, deprecated=True)
        at: datetime | None = Field(None, alias="madeAt")

        model_config = ConfigDict(json_schema_extra={"examples": [{"name": "x"}], "x-internal": True})

    @app.post("/required")
    def required(shirt: Shirt) -> None: ...

    @app.put("/optional")
    def optional(shirt: Shirt | None = None) -> None: ...

    @app.patch("/default")
    def default(shirt: Shirt = Shirt(name="d")) -> None: ...  # type: ignore[call-arg]  # the others have defaults

    @app.delete("/embedded")
    def embedded(shirt: Annotated[Shirt, fw.Body(embed=True)]) -> None: ...

    @app.get("/get")
    def get(shirt: Shirt) -> None: ...

    @app.options("/options")
    def options(shirt: Shirt) -> None: ...

    @app.trace("/trace")
    def trace(shirt: Shirt) -> None: ...

    @app.head("/head")
    def head(shirt: Shirt) -> None: ...

    @app.post("/list")
    def many(shirts: list[Shirt]) -> None: ...

    @app.post("/mapping")
    def mapping(shirts: dict[str, list[Shirt]]) -> None: ...

    return app


@cases
def several_values(fw: Framework) -> Any:
    app = fw.FastAPI()

    class First(BaseModel):
        a: int

    @app.post("/two-models")
    def two(cat: Cat, first: First) -> None: ...

    @app.post("/all-optional")
    def optional(cat: Cat | None = None, first: First | None = None) -> None: ...

    @app.post("/scalars")
    def scalars(a: Annotated[int, fw.Body(gt=3)], b: Annotated[str, fw.Body(alias="bee", title="B")] = "x") -> None: ...

    @app.post("/hidden")
    def hidden(a: Annotated[int, fw.Body(include_in_schema=False)], cat: Cat) -> None: ...

    def dependency(b: Annotated[int, fw.Body()], first: First) -> None: ...

    @app.post("/from-dependency")
    def from_dependency(d: Annotated[None, fw.Depends(dependency)]) -> None: ...

    @app.post("/shared")
    def shared(d: Annotated[None, fw.Depends(dependency)], cat: Cat, b: Annotated[int, fw.Body()]) -> None: ...

    @app.post("/aliases")
    def aliases(
        a: Annotated[int, fw.Body(validation_alias="aVal")],
        c: Annotated[int, fw.Body(alias="cAl", validation_alias="cVal")],
    ) -> None: ...

    return app


@cases
def one_scalar(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.post("/int")
    def integer(number: Annotated[int, fw.Body()]) -> None: ...

    @app.post("/described")
    def described(
        number: Annotated[int, fw.Body(title="Num", description="A number", examples=[1, 2], ge=3, deprecated=True)],
    ) -> None: ...

    @app.post("/named")
    def named(number: Annotated[int, fw.Body(openapi_examples={"a": {"value": 3, "summary": "three"}})]) -> None: ...

    @app.post("/both")
    def both(
        cat: Annotated[Cat, fw.Body(examples=[{"kind": "cat"}], openapi_examples={"a": {"value": {}}})],
    ) -> None: ...

    @app.post("/media")
    def media(cat: Annotated[Cat, fw.Body(media_type="application/vnd.cat+json")]) -> None: ...

    @app.post("/media-of-two")
    def two(
        cat: Annotated[Cat, fw.Body(media_type="application/vnd.cat+json")],
        dog: Annotated[Dog, fw.Body(media_type="application/vnd.dog+json")],
    ) -> None: ...

    @app.post("/bytes")
    def raw(data: Annotated[bytes, fw.Body(min_length=3)]) -> None: ...

    @app.post("/any")
    def anything(data: Annotated[Any, fw.Body()] = None) -> None: ...

    @app.post("/optional")
    def optional(data: Annotated[int | None, fw.Body()] = None) -> None: ...

    return app


@cases
def single_example(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.post("/")
    def read(
        cat: Annotated[Cat, fw.Body(example={"kind": "cat"})],
        size: Annotated[Size, fw.Query(example=Size.large)],
        nothing: Annotated[int | None, fw.Query(example=None)] = None,
        both: Annotated[int, fw.Query(example=1, openapi_examples={"a": {"value": 3}})] = 1,
    ) -> None: ...

    return app


@cases
def unions(fw: Framework) -> Any:
    app = fw.FastAPI()
    Pet = Annotated[Union[Cat, Dog], Field(discriminator="kind")]  # noqa: UP007

    def tag_of(value: Any) -> str:
        return "c"

    Tagged = Annotated[
        Annotated[Cat, Tag("c")] | Annotated[Dog, Tag("d")],
        Discriminator(tag_of),
    ]

    class Owner(BaseModel):
        pet: Pet
        pets: list[Pet]
        tagged: Tagged
        other: Cat | Dog | None

    @app.post("/plain")
    def plain(pet: Cat | Dog) -> None: ...

    @app.post("/discriminated")
    def discriminated(pet: Pet) -> Pet: ...

    @app.post("/by-body")
    def by_body(pet: Annotated[Cat | Dog, fw.Body(discriminator="kind")]) -> None: ...

    @app.post("/inside")
    def inside(owner: Owner) -> Owner: ...

    @app.post("/tagged")
    def tagged(pet: Tagged) -> None: ...

    return app


@cases
def recursive_and_generic(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Box(BaseModel, Generic[T]):
        content: T
        more: list[T] = []

    class Ids(RootModel[list[int]]):
        """Only ids."""

    class Made(create_model("Made", a=(int, ...))):  # type: ignore[misc]  # made at run time
        pass

    @app.post("/node")
    def node(node: Node) -> Node: ...

    @app.post("/boxes")
    def boxes(ints: Box[int], cats: Box[Cat], nested: Box[Box[str]]) -> Box[Node]: ...

    @app.post("/root")
    def root(ids: Ids) -> Ids: ...

    @app.post("/made")
    def made(made: Made) -> None: ...

    return app


@cases
def other_types(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Typed(TypedDict, total=False):
        """A dict."""

        a: int
        b: list[Cat]

    class Named(NamedTuple):
        x: int
        y: str = "y"

    @dataclass
    class Data:
        """Data.\fPrivate."""

        name: str
        parts: list[Cat] = field(default_factory=list)
        size: Size = Size.large

    class Secrets(BaseModel):
        word: SecretStr
        raw: SecretBytes
        text: Base64Bytes
        parsed: Json[list[int]]
        const: Literal[3] = 3
        many: Sequence[int] | deque[str] = ()
        mapping: Mapping[str, float] = {}
        triple: tuple[int, str, Cat] | None = None
        objects: Any = None
        frozen: frozenset[int] = frozenset({1})

    @app.post("/typed")
    def typed(body: Typed) -> Typed: ...

    @app.post("/named")
    def named(body: Annotated[Named, fw.Body()]) -> Named: ...

    @app.post("/data")
    def data(body: Data) -> Data: ...

    @app.post("/secrets")
    def secrets(body: Secrets) -> Secrets: ...

    @app.post("/tuple")
    def tuples(body: tuple[int, Cat], extra: Annotated[list[tuple[int, int]], fw.Body()]) -> None: ...

    return app


@cases
def encodings_of_bytes(fw: Framework) -> Any:
    app = fw.FastAPI()
    for output in ("utf8", "base64", "hex"):
        for input_ in ("utf8", "base64", "hex"):
            model = create_model(
                f"Blob{output}{input_}",
                __config__=ConfigDict(ser_json_bytes=output, val_json_bytes=input_),
                raw=(bytes, ...),
                sized=(Annotated[bytes, Field(min_length=1, max_length=9)], b"xyz"),
                text=(Base64Bytes, b""),
            )

            def swap(blob: model) -> model: ...

            app.post(f"/{output}/{input_}")(swap)
    return app


@cases
def forms(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Login(BaseModel):
        model_config = ConfigDict(extra="forbid")

        user: str
        word: SecretStr = Field(alias="pass-word")
        other: str = Field("x", validation_alias=AliasChoices("other", "another"))
        remember: bool = False

    @app.post("/one")
    def one(user: Annotated[str, fw.Form()]) -> None: ...

    @app.post("/several")
    def several(
        user: Annotated[str, fw.Form(min_length=3, description="Who")],
        tags: Annotated[list[str], fw.Form()] = [],  # noqa: B006
        size: Annotated[Size, fw.Form()] = Size.small,
        aliased: Annotated[int | None, fw.Form(alias="al-ias", examples=[3])] = None,
    ) -> None: ...

    @app.post("/optional")
    def optional(user: Annotated[str | None, fw.Form()] = None) -> None: ...

    @app.post("/model")
    def model(login: Annotated[Login, fw.Form()]) -> None: ...

    @app.post("/optional-model")
    def optional_model(login: Annotated[Login | None, fw.Form()] = None) -> None: ...

    @app.post("/media")
    def media(login: Annotated[Login, fw.Form(media_type="multipart/form-data")]) -> None: ...

    @app.post("/union")
    def union(login: Annotated[Cat | Dog, fw.Form()]) -> None: ...

    @app.post("/model-and-field")
    def both(login: Annotated[Login, fw.Form()], extra: Annotated[str, fw.Form()] = "x") -> None: ...

    return app


@cases
def files(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.post("/bytes")
    def raw(data: Annotated[bytes, fw.File(description="Any file")]) -> None: ...

    @app.post("/upload")
    def upload(data: fw.UploadFile) -> None: ...

    @app.post("/optional")
    def optional(data: fw.UploadFile | None = None) -> None: ...

    @app.post("/described")
    def described(data: Annotated[fw.UploadFile, fw.File(description="A file", title="The File")]) -> None: ...

    @app.post("/many")
    def many(data: list[fw.UploadFile], raw: Annotated[list[bytes] | None, fw.File()] = None) -> None: ...

    @app.post("/form")
    def form(
        name: Annotated[str, fw.Form()], data: fw.UploadFile, count: Annotated[int, fw.Form()] = 3, query: int = 4
    ) -> None: ...

    class Upload(BaseModel):
        name: str
        data: fw.UploadFile

    @app.post("/model")
    def model(upload: Annotated[Upload, fw.Form(media_type="multipart/form-data")]) -> None: ...

    return app


@cases
def same_names(fw: Framework) -> Any:
    app = fw.FastAPI()

    def make(number: int) -> type[BaseModel]:
        class Thing(BaseModel):
            value: int = number

        Thing.__module__ = f"shop.part{number}"
        return Thing

    First, Second = make(1), make(2)

    class ValidationError(BaseModel):
        mine: int

    @app.post("/first")
    def first(body: First) -> Second: ...

    @app.post("/mine")
    def mine(body: ValidationError) -> None: ...

    class HTTPValidationError(BaseModel):
        detail: str

    @app.post("/http", responses={422: {"model": HTTPValidationError}})
    def http(body: ValidationError) -> None: ...

    @app.get("/other")
    def other(a: int) -> None: ...

    return app


@cases
def same_function_names(fw: Framework) -> Any:
    app = fw.FastAPI()
    for path in ("/a", "/b/{c}", "/d-e_f"):

        def save(a: Annotated[int, fw.Body()], b: Annotated[int, fw.Body()]) -> int: ...

        app.post(path)(save)
    return app


@cases
def types_that_only_the_settings_of_their_model_allow(fw: Framework) -> Any:
    class Opaque:
        """A class without a schema."""

    class Held(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        either: Opaque | str
        several: list[Opaque | int] = []
        marked: Annotated[dict[str, Opaque | int], "marked"] = {}

    class Outer(BaseModel):
        held: list[Held]

    app = fw.FastAPI()

    @app.post("/held")
    def held(held: Held, outer: Outer) -> Held:
        return held

    return app

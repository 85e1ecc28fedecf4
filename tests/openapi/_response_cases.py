"""Responses: models, input against output, status codes, response classes, additional responses, streams."""

from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    WithJsonSchema,
    computed_field,
    create_model,
    model_validator,
)
from starlette.responses import Response as StarletteResponse
from typing_extensions import TypedDict

from ._cases import Framework, cases


class Inner(BaseModel):
    a: int = 1


class Square(BaseModel):
    side: float = Field(2.0, alias="Side")

    @computed_field(description="Its area", deprecated=True)  # type: ignore[prop-decorator]
    @property
    def area(self) -> float:
        return self.side**2


class Outer(BaseModel):
    inner: Inner
    optional: Inner | None = None
    cost: Annotated[int, PlainSerializer(str, return_type=str)] = 3


class Deep(BaseModel):
    squares: list[Square] = []
    outer: Outer


def _echo(fw: Framework, app: Any) -> Any:
    @app.post("/inner")
    def inner(body: Inner) -> Inner: ...

    @app.post("/outer")
    def outer(body: Outer) -> Outer: ...

    @app.post("/square")
    def square(body: Square) -> Square: ...

    @app.post("/squares")
    def squares(body: list[Square]) -> list[Square]: ...

    @app.post("/optional")
    def optional(body: Square | None = None) -> Square | None: ...

    @app.post("/deep")
    def deep(body: Deep) -> dict[str, Deep]: ...

    return app


@cases
def separate_schemas(fw: Framework) -> Any:
    return _echo(fw, fw.FastAPI())


@cases
def joint_schemas(fw: Framework) -> Any:
    return _echo(fw, fw.FastAPI(separate_input_output_schemas=False))


@cases
def only_output_has_computed_fields(fw: Framework) -> Any:
    app = fw.FastAPI(separate_input_output_schemas=False)

    @app.get("/square")
    def square() -> Square: ...

    @app.get("/deep")
    def deep() -> Deep: ...

    @dataclass
    class Data:
        x: int = 1

        @computed_field  # type: ignore[prop-decorator]
        @property
        def y(self) -> int:
            return 1

    @app.post("/data")
    def data(body: Data) -> Data: ...

    @app.post("/data-list")
    def datas(body: list[Data]) -> list[Data]: ...

    return app


@cases
def annotations_and_models(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/int")
    def integer() -> int: ...

    @app.get("/model", response_model=Inner)
    def model() -> Any: ...

    @app.get("/none", response_model=None)
    def none() -> Inner: ...

    @app.get("/returns-none")
    def returns_none() -> None: ...

    @app.get("/untyped")
    def untyped(): ...  # type: ignore[no-untyped-def]

    @app.get("/any")
    def anything() -> Any: ...

    @app.get("/union")
    def union() -> Inner | Outer | int: ...

    @app.get("/filtered", response_model=Outer, response_model_include={"inner"}, response_model_by_alias=False)
    def filtered() -> Any: ...

    @app.get("/not-by-alias", response_model=Square, response_model_by_alias=False)
    def not_by_alias() -> Any: ...

    @app.get("/response")
    def response() -> StarletteResponse: ...

    @app.get("/annotated")
    def annotated() -> Annotated[int, Field(gt=3, title="Positive", description="More than three")]: ...

    @app.get("/with-schema")
    def with_schema() -> Annotated[object, WithJsonSchema({"type": "string", "format": "odd"})]: ...

    return app


@cases
def status_codes(fw: Framework) -> Any:
    app = fw.FastAPI()
    for code in (200, 201, 299, 404, 418, 500, 599, 201.5):

        def read() -> Any: ...

        app.get(f"/{code}", status_code=code, operation_id=f"read{code}")(read)

    for code in (100, 204, 205, 304, 204.0, True):

        def nothing() -> None: ...

        app.get(f"/{code}", status_code=code, response_model=None, operation_id=f"nothing{code}")(nothing)

    @app.get("/described", status_code=202, response_description="Later")
    def described() -> int: ...

    @app.post("/teapot", status_code=418, responses={418: {"description": "Short and stout", "model": Inner}})
    def teapot(n: int) -> int: ...

    return app


@cases
def response_classes(fw: Framework) -> Any:
    app = fw.FastAPI(default_response_class=fw.responses.ORJSONResponse)
    r = fw.responses

    class Csv(StarletteResponse):
        media_type = "text/csv"

    class Vendor(r.JSONResponse):
        media_type = "application/vnd.thing+json"

    class Created(r.JSONResponse):
        def __init__(self, content: Any, status_code: int = 201) -> None:
            super().__init__(content, status_code)

    classes = [r.JSONResponse, r.HTMLResponse, r.PlainTextResponse, r.RedirectResponse, r.StreamingResponse]
    classes += [r.FileResponse, r.Response, r.UJSONResponse, r.ORJSONResponse, Csv, Vendor, Created]
    for number, one in enumerate(classes):

        def read() -> int: ...

        more = {404: {"model": Inner}, 418: {"description": "tea"}}
        app.get(f"/{number}", response_class=one, responses=more, operation_id=f"read{number}")(read)
        app.get(f"/{number}/204", response_class=one, status_code=204, response_model=None, operation_id=f"no{number}")(
            read
        )

    @app.get("/default")
    def default() -> Inner: ...

    router = fw.APIRouter(default_response_class=r.HTMLResponse)

    @router.get("/html")
    def html() -> str: ...

    @router.get("/json", response_class=r.JSONResponse)
    def json() -> str: ...

    app.include_router(router, prefix="/1")
    app.include_router(router, prefix="/2", default_response_class=r.PlainTextResponse)
    return app


@cases
def additional_responses(fw: Framework) -> Any:
    class Problem(BaseModel):
        title: str

    app = fw.FastAPI(responses={500: {"model": Problem}, "4xx": {"description": "Your fault"}})
    header = {"X-Rate": {"schema": {"type": "integer"}, "description": "left"}}
    image = {"image/png": {}, "application/json": {"example": {"a": 1}, "schema": {"x-more": 1}}}

    @app.get(
        "/",
        responses={
            200: {"content": image, "description": "An image", "headers": header},
            201: {"model": Inner},
            302: {"description": ""},
            404: {"model": Problem, "description": "Gone", "content": {"text/plain": {"example": "no"}}},
            "409": {"model": list[Problem], "links": {"self": {"operationId": "x"}}},
            "5XX": {"model": Problem},
            "1XX": {},
            "2xx": {},
            "3XX": {},
            "default": {"model": Problem},
            599: {},
            299: {"x-extension": [1], "content": {"application/json": {"schema": {"$ref": "#/x"}}}},
        },
    )
    def read(a: int) -> Inner: ...

    @app.get("/own", responses={422: {"model": Problem}})
    def own(a: int) -> None: ...

    @app.get("/range", responses={"4XX": {"model": Problem}, "DEFAULT": {"description": "else"}})
    def range_(a: int) -> None: ...

    @app.get("/lower", responses={"4xx": {}, "Default": {}})
    def lower(a: int) -> None: ...

    @app.get("/success", responses={200: {"model": Problem, "description": "Other"}}, response_description="Mine")
    def success() -> Inner: ...

    @app.get("/twice", responses={404: {"description": "int"}, "404": {"description": "text", "model": Inner}})
    def twice() -> None: ...

    @app.get("/plain", responses={404: {"model": Problem}}, response_class=fw.responses.PlainTextResponse)
    def plain() -> None: ...

    @app.get("/file", responses={404: {"model": Problem}}, response_class=fw.responses.FileResponse)
    def file() -> None: ...

    @app.get("/ref", responses={404: {"$ref": "#/components/responses/Gone"}, 405: {"summary": "S"}})
    def ref() -> None: ...

    router = fw.APIRouter(prefix="/r", responses={404: {"description": "router"}, 403: {"model": Problem}})

    @router.get("/1", responses={404: {"description": "route"}})
    def routed() -> None: ...

    app.include_router(router, responses={403: {"description": "include"}, 401: {"model": Problem}})
    return app


@cases
def shared_responses(fw: Framework) -> Any:
    app = fw.FastAPI()
    shared = {"application/json": {"example": 1, "schema": {"x-shared": 1}}}
    both = {
        "responses": {"404": {"headers": {"X": {"schema": {"type": "string"}}}}},
        "tags": ["more"],
        "x-own": {"a": []},
    }

    @app.get("/1", responses={404: {"model": Inner, "content": shared}}, tags=["one"], openapi_extra=both)
    def first() -> None: ...

    @app.get("/2", responses={404: {"model": Square, "content": shared}}, tags=["two"], openapi_extra=both)
    def second() -> None: ...

    @app.get("/3", responses={404: {"content": shared}, 405: {"model": int, "content": shared}})
    def third() -> None: ...

    return app


@cases
def streams(fw: Framework) -> Any:
    app = fw.FastAPI()
    Event = fw.sse.ServerSentEvent
    events = fw.sse.EventSourceResponse

    @app.get("/sse/model", response_class=events)
    async def sse_model() -> AsyncIterable[Outer]:
        yield Outer(inner=Inner())

    @app.get("/sse/event", response_class=events)
    async def sse_event() -> AsyncIterable[Event]:
        yield Event()

    @app.get("/sse/untyped", response_class=events)
    def sse_untyped():  # type: ignore[no-untyped-def]
        yield 1

    @app.get("/sse/int", response_class=events, status_code=202, response_description="Events")
    def sse_int() -> Iterable[int]:
        yield 1

    @app.post("/sse/more", response_class=events, responses={404: {"model": Inner}, 200: {"description": "here"}})
    def sse_more(body: Inner) -> Generator[str, None, None]:
        yield ""

    @app.get("/sse/optional", response_class=events)
    def sse_optional() -> Iterator[Inner | None]:
        yield None

    @app.get("/lines/model")
    async def lines_model() -> AsyncIterator[Square]:
        yield Square()  # type: ignore[call-arg]  # it has a default

    @app.post("/lines/untyped")
    def lines_untyped(body: Inner):  # type: ignore[no-untyped-def]
        yield 1

    @app.get("/lines/int", responses={404: {"model": Inner}}, status_code=206)
    def lines_int() -> Iterable[int]:
        yield 1

    @app.get("/lines/list")
    def lines_list() -> Iterable[list[Outer]]:
        yield []

    @app.get("/bytes", response_class=fw.responses.StreamingResponse)
    def raw() -> Iterator[bytes]:
        yield b""

    @app.get("/html", response_class=fw.responses.HTMLResponse)
    def html() -> Iterator[str]:
        yield ""

    @app.get("/empty", status_code=204)
    def empty():  # type: ignore[no-untyped-def]
        yield 1

    router = fw.APIRouter(prefix="/again", default_response_class=events)

    @router.get("/sse")
    def again() -> Iterator[Inner]:
        yield Inner()

    app.include_router(router)
    return app


@cases
def streams_by_default(fw: Framework) -> Any:
    events = fw.sse.EventSourceResponse
    app = fw.FastAPI(default_response_class=events)
    plain, quiet = fw.APIRouter(), fw.APIRouter(default_response_class=fw.responses.JSONResponse)
    for number, router in enumerate((app, plain, quiet)):

        def stream() -> Iterator[Inner]:
            yield Inner()

        def single() -> Inner: ...

        router.get(f"/{number}/stream")(stream)
        router.get(f"/{number}/single")(single)
    app.include_router(plain)
    app.include_router(quiet)
    other = fw.FastAPI()
    other.include_router(plain, prefix="/other", default_response_class=events)
    app.include_router(other.router)
    return app


@cases
def names_of_outputs(fw: Framework) -> Any:
    app = fw.FastAPI()
    Thing = create_model("Thing", name=(str, "x"))
    Other = create_model("Thing", name=(int, 1))
    Other.__module__ = "somewhere.else_"
    Configured = create_model("Configured", __config__=ConfigDict(title="Fine Title"), a=(Thing, ...))
    Required = create_model(
        "Required",
        __config__=ConfigDict(json_schema_serialization_defaults_required=True),
        a=(int, 1),
        thing=(Thing, None),
    )

    for number, model in enumerate((Thing, Other, Configured, Required)):

        def echo(body: model) -> list[model]: ...

        app.post(f"/{number}")(echo)
    return app


@cases
def unreferenced_models(fw: Framework) -> Any:
    app = fw.FastAPI()
    _add_unreferenced(app)
    return app


@cases
def unreferenced_models_joint(fw: Framework) -> Any:
    app = fw.FastAPI(separate_input_output_schemas=False)
    _add_unreferenced(app)
    return app


class Wrapped(BaseModel):
    value: int = 1

    @model_validator(mode="wrap")
    @classmethod
    def check(cls, value: Any, handler: Any) -> Any:
        return handler(value)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return 2 * self.value


class Kind(Enum):
    one = 1


class Hidden(BaseModel):
    shown: Annotated[Inner, PlainSerializer(str, return_type=str)]
    excluded: Square = Field(exclude=True)
    parsed: Json[Wrapped]
    described: Annotated[list[Kind], WithJsonSchema({"type": "string"})]


class InTypedDict(TypedDict):
    square: Square


@dataclass
class InDataclass:
    square: Square
    hidden: Annotated[Outer, WithJsonSchema({})]


def _add_unreferenced(app: Any) -> None:
    shapes = [
        Hidden,
        list[Hidden],
        Wrapped,
        Wrapped | None,
        InTypedDict,
        InDataclass,
        dict[str, InDataclass],
        type[Square],
    ]
    for number, shape in enumerate(shapes):

        def read() -> shape: ...

        def write(body: shape) -> None: ...

        app.get(f"/{number}")(read)
        if number not in (6, 7):
            app.post(f"/{number}")(write)

"""Path, query, header and cookie parameters; parameters that are models."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

from annotated_types import Ge, Lt
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, Json, conint
from pydantic.alias_generators import to_camel

from ._cases import Framework, cases


class Colour(Enum):
    red = "r"
    blue = "b"


class Level(IntEnum):
    """How loud.\fNot for the document."""

    low = 1
    high = 2


@cases
def kinds(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/boats/{boat}/masts/{mast}")
    def sail(
        boat: int,
        mast: str,
        wind: float,
        crew: bool = False,
        knots: int | None = None,
        agent: Annotated[str | None, fw.Header()] = None,
        x_token: str = fw.Header(),
        purse: Annotated[str, fw.Cookie()] = "empty",
    ) -> None: ...

    return app


@cases
def types(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/{day}/{path:path}")
    def read(  # type: ignore[no-untyped-def]
        day: date,
        path: str,
        colour: Colour,
        level: Level = Level.low,
        at: datetime | None = None,
        wait: timedelta = timedelta(seconds=5),
        price: Decimal = Decimal("1.50"),
        key: UUID | None = None,
        raw: bytes = b"ab",
        mode: Literal["fast", "slow"] = "fast",
        either: int | str = "x",
        many: list[int] = fw.Query([1, 2]),
        unique: set[str] = fw.Query(default_factory=set),
        pair: tuple[int, str] | None = fw.Query(None),
        anything: Any = None,
        untyped=3,
        nested: list[list[int]] | None = fw.Body(None),
    ) -> None: ...

    return app


@cases
def constraints(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/{low}")
    def read(
        low: Annotated[int, fw.Path(ge=1, le=9, title="The Low", description="from one", examples=[2, 3])],
        text: Annotated[str, fw.Query(min_length=2, max_length=5, pattern="^a.*$")] = "abc",
        number: Annotated[float, fw.Query(gt=0, lt=1, multiple_of=0.25)] = 0.5,
        digits: Annotated[Decimal | None, fw.Query(max_digits=4, decimal_places=2)] = None,
        other: Annotated[int, Ge(3), Lt(9), fw.Query()] = 4,
        constrained: conint(gt=2) = 3,
        strict: Annotated[int, fw.Query(strict=True)] = 1,
        infinite: Annotated[float, fw.Query(allow_inf_nan=False)] = 1.0,
        words: Annotated[list[str], fw.Query(min_length=1, max_length=3)] = [],  # noqa: B006
        blob: Annotated[bytes, fw.Query(min_length=1, max_length=3)] = b"q",
        union: Annotated[int | str, fw.Query(union_mode="left_to_right")] = 1,
    ) -> None: ...

    return app


@cases
def metadata(fw: Framework) -> Any:
    app = fw.FastAPI()
    named = {"one": {"summary": "One", "value": 1}, "two": {"externalValue": "https://example.org/two", "x-extra": 2}}

    @app.get("/")
    def read(
        factory: Annotated[list[str] | None, fw.Query(default_factory=lambda: ["a"])],
        old: Annotated[int | None, fw.Query(deprecated=True)] = None,
        hidden: Annotated[int, fw.Query(include_in_schema=False)] = 1,
        titled: Annotated[int, fw.Query(title="snake_case Title")] = 1,
        aliased: Annotated[int, fw.Query(alias="some-alias")] = 1,
        named_: Annotated[int, fw.Query(openapi_examples=named)] = 1,
        both: Annotated[int, fw.Query(openapi_examples=named, examples=[5])] = 1,
        empty: Annotated[int, fw.Query(description="", examples=[])] = 1,
        extra: Annotated[int, fw.Query(json_schema_extra={"x-unit": "m", "title": "Extra"})] = 1,
        long_description: Annotated[int, fw.Header(description="many\nlines")] = 1,
        none: Annotated[str | None, fw.Query()] = None,
        discriminated: Annotated[str, fw.Query(discriminator=None)] = "d",
    ) -> None: ...

    return app


@cases
def metadata_from_pydantic(fw: Framework) -> Any:
    app = fw.FastAPI()
    Described = Annotated[
        int,
        Field(
            ge=2,
            title="From Field",
            description="by pydantic",
            deprecated=True,
            examples=[3],
            json_schema_extra={"x-a": 1},
        ),
    ]

    @app.post("/")
    def read(
        only: Described,
        after: Annotated[Described, fw.Query(description="by the framework", le=9)],
        before: Annotated[int, fw.Query(title="From Query", gt=1), Field(title="Last", lt=8)],
        header: Annotated[Described, fw.Header(json_schema_extra={"x-b": 2})],
        cookie: Annotated[int, Field(alias="c-alias"), fw.Cookie()],
        body: Annotated[Described, fw.Body()],
        default: Annotated[int, Field(description="d"), fw.Query()] = 3,
    ) -> None: ...

    @app.post("/form")
    def form(
        one: Annotated[Described, fw.Form()], two: Annotated[str, fw.Form(), Field(max_length=3)] = "x"
    ) -> None: ...

    return app


@cases
def names_of_headers(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/")
    def read(
        user_agent: Annotated[str, fw.Header()],
        as_it_is: Annotated[str, fw.Header(convert_underscores=False)],
        same_alias: Annotated[str, fw.Header(alias="same_alias")],
        other: Annotated[str, fw.Header(alias="other_alias")],
        validated: Annotated[str, fw.Header(validation_alias="validated")],
        v_validated: Annotated[str, fw.Header(validation_alias="v_validated")],
        s_serialised: Annotated[str, fw.Header(serialization_alias="elsewhere_")],
        many_values: Annotated[list[str] | None, fw.Header()] = None,
    ) -> None: ...

    return app


@cases
def alias_choices(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Filters(BaseModel):
        by_alias: int = Field(alias="al_ias")
        by_name: int = Field(validation_alias="va_lidation")
        first_of: int = Field(validation_alias=AliasChoices("one_", "two_"), alias="three_")
        path_to: int = Field(validation_alias=AliasPath("p_1", "p_2"))
        mixed: int = Field(validation_alias=AliasChoices("m_1", AliasPath("p_1", 0)))
        path_first: int = Field(validation_alias=AliasChoices(AliasPath("p_1", 0), "m_1"))
        same_name: int = Field(validation_alias=AliasChoices("same_name", "m_1"))
        serialised: int = Field(serialization_alias="sp_1")

    for name, kind in {"query": fw.Query, "header": fw.Header, "cookie": fw.Cookie}.items():

        def model(filters: Annotated[Filters, kind()]) -> None: ...

        def single(
            by_alias: Annotated[int, kind(alias="al_ias")],
            by_name: Annotated[int, kind(validation_alias="va_lidation")],
            first_of: Annotated[int, kind(validation_alias=AliasChoices("one_", "two_"), alias="three_")],
            path_to: Annotated[int, kind(validation_alias=AliasPath("p_1", "p_2"))],
            mixed: Annotated[int, kind(validation_alias=AliasChoices("m_1", AliasPath("p_1", 0)))],
            same_name: Annotated[int, kind(validation_alias=AliasChoices("same_name", "m_1"))],
        ) -> None: ...

        app.get(f"/model/{name}", name=f"model {name}")(model)
        app.get(f"/single/{name}", name=f"single {name}")(single)
    return app


@cases
def choices_in_the_path(fw: Framework) -> Any:
    app = fw.FastAPI()
    for number, path in enumerate(("/1/{ship}", "/2/{vessel}", "/3/{hull}", "/4/{hull}/{vessel}")):

        def read(ship: Annotated[int, fw.Path(validation_alias=AliasChoices("vessel", "hull"))]) -> None: ...

        app.get(path, operation_id=f"read{number}")(read)

    return app


@cases
def defaults_in_the_path(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/{one}/{two}/{three}/{four}")
    def read(
        two: Annotated[int, Field(default=2)],
        three: Annotated[int, Field(default_factory=lambda: 3)],
        four: Annotated[int, fw.Path(default_factory=lambda: 4)],
        one: Annotated[int, Field(ge=1)] = 1,
    ) -> None: ...

    @app.get("/")
    def without(three: Annotated[int, Field(default_factory=lambda: 3)]) -> None: ...

    return app


@cases
def model_in_the_path(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Where(BaseModel):
        ship: int = Field(validation_alias=AliasChoices("hull", "ship"))
        deck: Literal[1, 2]

    @app.get("/model/{ship}/{deck}")
    def model(where: Annotated[Where, fw.Path()]) -> None: ...

    return app


@cases
def ellipsis(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.post("/")
    def read(
        first: int = ...,
        second: str = fw.Query(...),
        third: Annotated[list[str], fw.Query(default_factory=list)] = ...,
        body: int = fw.Body(...),
    ) -> None: ...

    return app


@cases
def models(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Page(BaseModel):
        """A page.\fInternal."""

        model_config = ConfigDict(extra="forbid")

        size: int = Field(20, ge=1, le=100, description="How many", title="Page Size")
        order_by: list[Colour] = Field([], examples=[["r"]], deprecated=True)
        after: str | None = None
        level: Level = Level.high

    class Camel(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

        first_thing: int
        thing_2: str = Field("x", alias="explicit_alias")

    @app.get("/query")
    def query(page: Annotated[Page, fw.Query()]) -> None: ...

    @app.get("/header")
    def header(page: Annotated[Page, fw.Header()], camel: Annotated[Camel, fw.Header()], other: int = 3) -> None: ...

    @app.get("/unconverted")
    def unconverted(page: Annotated[Page, fw.Header(convert_underscores=False)]) -> None: ...

    @app.get("/cookie")
    def cookie(page: Annotated[Page, fw.Cookie()]) -> None: ...

    @app.get("/hidden")
    def hidden(page: Annotated[Page, fw.Query(include_in_schema=False)]) -> None: ...

    @app.get("/described")
    def described(
        page: Annotated[Page, fw.Query(deprecated=True, description="Not used", title="Nor this")],
    ) -> None: ...

    return app


@cases
def models_that_ignore_aliases(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Named(BaseModel):
        model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)

        by_alias: int = Field(alias="al_ias")
        by_validation: int = Field(1, validation_alias="va_lidation", title="Titled")
        first_of: int = Field(validation_alias=AliasChoices("one_", "two_"))

    class Both(Named):
        model_config = ConfigDict(validate_by_alias=True)

    @app.get("/query")
    def query(named: Annotated[Named, fw.Query()], both: Annotated[Both, fw.Query()]) -> None: ...

    @app.get("/header")
    def header(named: Annotated[Named, fw.Header()]) -> None: ...

    @app.get("/unconverted")
    def unconverted(named: Annotated[Named | None, fw.Header(convert_underscores=False)] = None) -> None: ...

    @app.get("/cookie")
    def cookie(named: Annotated[Named, fw.Cookie()]) -> None: ...

    return app


@cases
def optional_models(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Range(BaseModel):
        start: int
        end: int = 9

    @app.get("/required")
    def required(span: Annotated[Range | None, fw.Query()]) -> None: ...

    @app.get("/optional")
    def optional(span: Annotated[Optional[Range], fw.Query()] = None, limit: int = 3) -> None: ...  # noqa: UP045

    @app.get("/header")
    def header(span: Annotated[Union[Range, None], fw.Header(alias="aliased")] = None) -> None: ...  # noqa: UP007

    @app.get("/none")
    def none(span: Annotated[Range, fw.Query()] = None) -> None: ...  # type: ignore[assignment]

    @app.get("/default")
    def default(span: Annotated[Range | None, fw.Query()] = Range(start=1)) -> None: ...

    def dependency(span: Annotated[Range, fw.Query()]) -> None: ...

    @app.get("/twice")
    def twice(
        again: Annotated[None, fw.Depends(dependency)], span: Annotated[Range | None, fw.Query()] = None
    ) -> None: ...

    return app


@cases
def repeated_names(fw: Framework) -> Any:
    app = fw.FastAPI()

    def optional(term: str = "x", token: Annotated[str, fw.Header()] = "t") -> None: ...

    def required(term: int, token: Annotated[str, fw.Cookie()] = "c") -> None: ...

    def hidden(term: Annotated[bool, fw.Query(include_in_schema=False)] = True) -> None: ...

    @app.get("/1")
    def first(
        a: Annotated[None, fw.Depends(optional)], b: Annotated[None, fw.Depends(required)], term: str = "own"
    ) -> None: ...

    @app.get("/2")
    def second(z: int, b: Annotated[None, fw.Depends(required)], a: Annotated[None, fw.Depends(optional)]) -> None: ...

    @app.get("/3")
    def third(c: Annotated[None, fw.Depends(hidden)], a: Annotated[None, fw.Depends(optional)]) -> None: ...

    @app.get("/4")
    def fourth(c: Annotated[None, fw.Depends(hidden)]) -> None: ...

    return app


@cases
def dependencies(fw: Framework) -> Any:
    app = fw.FastAPI(dependencies=[fw.Depends(_depends_on_version(fw))])

    class Pager:
        def __init__(self, offset: int = 0, limit: Annotated[int, fw.Query(le=50)] = 10) -> None: ...

    def inner(item_id: str, depth: Annotated[int, fw.Header()]) -> None: ...

    def outer(inner_: Annotated[None, fw.Depends(inner)], width: int) -> None: ...

    @dataclass
    class Options:
        verbose: bool = False

    router = fw.APIRouter(prefix="/{item_id}", dependencies=[fw.Depends(outer)])

    @router.get("/x")
    def read(pager: Annotated[Pager, fw.Depends()], options: Annotated[Options, fw.Depends()]) -> None: ...

    @router.get("/y", dependencies=[fw.Depends(inner), fw.Depends(inner, use_cache=False)])
    def other() -> None: ...

    app.include_router(router, prefix="/p", dependencies=[fw.Depends(_depends_on_version(fw))])
    return app


def _depends_on_version(fw: Framework) -> Any:
    def version(api_version: Annotated[str, fw.Header()] = "1") -> str:
        return api_version

    return version


@cases
def json_in_a_query(fw: Framework) -> Any:
    app = fw.FastAPI()

    class Search(BaseModel):
        term: str

    @app.get("/")
    def read(search: Annotated[Json[Search], fw.Query()], plain: Annotated[Json[list[int]], fw.Query()]) -> None: ...

    return app

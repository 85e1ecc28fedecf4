"""Markers of the real FastAPI mean the same in an application of ferrapi; those of other frameworks are refused."""

import functools
import inspect
import itertools
import types
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Annotated, Any
from unittest.mock import MagicMock

import ferrapi
import pytest
from ferrapi.exceptions import FastAPIError, ForeignObjectError
from pydantic import BaseModel
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket
from support.asgi import Ask
from support.compare import answers, compare
from support.foreign import ASKS, annotated, both, check, guard, with_default
from support.frameworks import FASTAPI, FERRAPI, Framework
from support.naming import steady_name
from typing_extensions import TypeAliasType


class SubDepends(FASTAPI.params.Depends):  # a class by way of a value
    """A subclass of FastAPI's marker."""


class SubQuery(FASTAPI.params.Query):  # a class by way of a value
    """Another one, which says something for all its objects."""

    include_in_schema = False


class SubHeader(FASTAPI.params.Header):  # a class by way of a value
    """One with arguments of its own."""

    def __init__(self) -> None:
        super().__init__(alias="x", description="of a subclass")


MARKERS: dict[str, Callable[[Framework], Any]] = {
    "Depends": lambda fw: fw.Depends(guard),
    "Depends without cache": lambda fw: fw.Depends(guard, use_cache=False),
    "Depends with limit": lambda fw: fw.Depends(guard, max_concurrency=1),
    "Security": lambda fw: fw.Security(guard, scopes=("a",)),
    "params.Depends": lambda fw: fw.params.Depends(guard),
    "params.Security": lambda fw: fw.params.Security(guard, scopes=("a",)),
    "subclass of Depends": lambda fw: SubDepends(guard),
    "Query": lambda fw: fw.Query(ge=0, description="some", examples=[1], openapi_examples={"e": {"value": 1}}),
    "Query with alias": lambda fw: fw.Query(alias="key"),
    "hidden Query": lambda fw: fw.Query(include_in_schema=False),
    "params.Query": lambda fw: fw.params.Query(),
    "subclass of Query": lambda fw: SubQuery(),
    "Header": lambda fw: fw.Header(),
    "Header with underscores": lambda fw: fw.Header(convert_underscores=False),
    "subclass of Header": lambda fw: SubHeader(),
    "Cookie": lambda fw: fw.Cookie(le=9),
    "Body": lambda fw: fw.Body(),
    "embedded Body": lambda fw: fw.Body(embed=True),
    "Body of another type": lambda fw: fw.Body(media_type="application/x+json"),
    "Form": lambda fw: fw.Form(),
    "File": lambda fw: fw.File(),
    "Path": lambda fw: fw.Path(),
}


def annotated_with_default(marker: Any) -> Callable[..., Any]:
    def endpoint(x: Any = 8) -> Any:
        return x

    endpoint.__annotations__["x"] = Annotated[int, marker]
    return endpoint


def aliased(marker: Any) -> Callable[..., Any]:
    def endpoint(x: Any) -> Any:
        return x

    endpoint.__annotations__["x"] = TypeAliasType("Alias", Annotated[int, marker])  # at run time
    return endpoint


def in_text(marker: Any) -> Callable[..., Any]:
    def endpoint(x: "Annotated[int, MARKER]") -> Any:  # noqa: F821  # a name of the copy
        return x

    copy = types.FunctionType(endpoint.__code__, {**globals(), "MARKER": marker}, "endpoint")
    copy.__annotations__ = dict(endpoint.__annotations__)
    return copy


def of_union(marker: Any) -> Callable[..., Any]:
    def endpoint(x: Any = None) -> Any:
        return x

    endpoint.__annotations__["x"] = Annotated[int, marker] | None
    return endpoint


def of_partial(marker: Any) -> Callable[..., Any]:
    def endpoint(x: int, y: int = 0) -> Any:
        return x

    return functools.partial(endpoint, x=marker)


def of_class(marker: Any) -> Any:
    class Made:
        def __init__(self, x: int = marker) -> None:
            self.x = x

    return Made


def of_instance(marker: Any) -> Any:
    class Called:
        def __call__(self, x: int = marker) -> Any:
            return x

    return Called()


def of_generator(marker: Any) -> Any:
    def generator(x: int = marker) -> Iterator[Any]:
        yield x

    return generator


SHAPES = [
    with_default,
    annotated,
    annotated_with_default,
    aliased,
    in_text,
    of_union,
    of_partial,
    of_class,
    of_instance,
    of_generator,
]
PLACES = ["endpoint", "dependency", "dependency below", "override", "route dependency", "included"]


def placed(fw: Framework, call: Any, place: str) -> Any:
    """An application that calls `call`."""
    app = fw.FastAPI()

    def below(value: Any = fw.Depends(call)) -> Any:
        return value

    def tell(value: Any = fw.Depends(below if place == "dependency below" else call)) -> Any:
        return getattr(value, "x", value)

    if place == "endpoint":
        both(app, response_model=None)(call)
    elif place == "override":

        def replaced() -> None: ...

        app.dependency_overrides[replaced] = call
        both(app)(lambda value=fw.Depends(replaced): getattr(value, "x", value))
    elif place == "route dependency":
        both(app, dependencies=[fw.Depends(call)])(lambda: "done")
    elif place == "included":
        router = fw.APIRouter()
        both(router)(tell)
        app.include_router(router)
    else:
        both(app)(tell)
    return app


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_marker_means_the_same_in_every_place(shape: Callable[[Any], Any], place: str) -> None:
    for name, marker in MARKERS.items():
        if shape in (of_class, of_instance, of_generator) and place == "endpoint":
            continue
        if shape is of_partial and place == "endpoint" and "Body" in name:
            continue  # a name of a partial's body model

        def make(fw: Framework, foreign: Framework, marker: Callable[[Framework], Any] = marker) -> Any:
            return placed(fw, shape(marker(foreign)), place)

        check(make, refused=False)


def test_the_last_marker_of_an_annotation_counts_wherever_it_is_from() -> None:
    names = [name for name in MARKERS if "subclass" not in name and name != "Path"]
    for (i, first), (j, last) in itertools.product(enumerate(names), repeat=2):
        mixed = ((0, 1), (1, 0), (1, 1))[(i + j) % 3]

        def make(
            fw: Framework,
            foreign: Framework,
            pair: tuple[str, str] = (first, last),
            mixed: tuple[int, int] = mixed,
        ) -> Any:
            of = [(fw, foreign)[which] for which in mixed]
            markers = [MARKERS[name](one) for name, one in zip(pair, of, strict=True)]
            app = fw.FastAPI()
            both(app)(annotated(*markers))
            return app

        check(make, refused=False, asks=ASKS[1:4:2])


@pytest.mark.parametrize("place", ["application", "router", "include", "route", "websocket", "front end"])
@pytest.mark.parametrize("name", [name for name in MARKERS if "Depends" in name or "Security" in name])
def test_a_dependency_without_parameter_is_run(name: str, place: str, tmp_path: Any) -> None:
    (tmp_path / "index.html").write_text("front")

    def make(fw: Framework, foreign: Framework) -> Any:
        dependencies = [MARKERS[name](foreign)]
        app = fw.FastAPI(dependencies=dependencies if place == "application" else None)
        router = fw.APIRouter(dependencies=dependencies if place in ("router", "front end") else None)
        if place == "front end":
            router.frontend("/", directory=str(tmp_path))
        else:
            router.get("/", dependencies=dependencies if place == "route" else None)(lambda: "in")

        async def socket(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text("in")
            await websocket.close()

        router.websocket("/ws", dependencies=dependencies if place == "websocket" else None)(socket)
        app.include_router(router, dependencies=dependencies if place == "include" else None)
        return app

    sockets = [Ask(path="/ws", kind="websocket", query=query) for query in (b"", b"x=1", b"x=one")]
    check(make, refused=False, asks=[*ASKS[:3], *sockets])


def test_all_uses_of_one_dependency_share_its_limit() -> None:
    theirs = FASTAPI.Depends(guard, max_concurrency=1)
    app = ferrapi.FastAPI()
    app.get("/one", dependencies=[theirs])(lambda: 1)
    app.get("/two")(lambda x=theirs: x)
    limits = [route.dependant.dependencies[0].concurrency for route in app.routes if hasattr(route, "dependant")]
    assert limits[0] is limits[1] is not None


def test_fields_of_parameter_models_are_declared_by_either() -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        class Filter(BaseModel):
            x: int = foreign.Query(ge=1, description="of a field")
            key: Annotated[str, foreign.Query(alias="k", examples=["e"])] = "d"
            made: int = foreign.Query(default_factory=lambda: 3, include_in_schema=False)

        app = fw.FastAPI()
        app.get("/")(lambda found=fw.Depends(lambda: 1): found)
        for path, source in (("/query", foreign.Query()), ("/header", foreign.Header()), ("/cookie", foreign.Cookie())):

            def endpoint(found: Any) -> Any:
                return found

            endpoint.__annotations__["found"] = Annotated[Filter, source]
            app.get(path)(endpoint)

        def form(found: Any) -> Any:
            return found

        form.__annotations__["found"] = Annotated[Filter, foreign.Form()]
        app.post("/form")(form)
        return app

    asks = [replace(ask, path=path) for path in ("/query", "/header", "/cookie", "/form") for ask in ASKS]
    check(make, refused=False, asks=asks)


@pytest.mark.parametrize("name", [name for name in MARKERS if "Depends" in name or "Security" in name])
def test_a_marker_of_ferrapis_in_an_application_of_fastapi_is_no_text(name: str) -> None:
    """The other way round: what FastAPI would take for text in an annotation, or copy as a default, is refused."""
    marker = MARKERS[name](FERRAPI) if "subclass" not in name else SubOwn(guard)
    with pytest.raises(ForeignObjectError, match="in an application of FastAPI"):
        FASTAPI.FastAPI().get("/")(annotated(marker))
    app = FASTAPI.FastAPI(openapi_url=None)
    app.get("/")(lambda x=marker: x)
    (answer,) = answers(FASTAPI, lambda fw, log: app, [Ask()])
    assert isinstance(answer.exception, ForeignObjectError)


class SubOwn(ferrapi.params.Depends):
    """A library's subclass of ferrapi's marker."""


def test_markers_can_be_copied_and_stand_in_models() -> None:
    class Model(BaseModel):
        x: Annotated[int, ferrapi.Depends(guard)] = 1

    class Called:
        def __call__(self) -> int:
            return 1

    marker = ferrapi.Security(Called(), scopes=["a"])
    copied = deepcopy(marker)
    assert copied.dependency is not marker.dependency
    assert (type(copied), copied.scopes) == (type(marker), marker.scopes)
    assert copied.scopes is not marker.scopes
    assert deepcopy(ferrapi.Depends(guard)) == ferrapi.Depends(guard)
    assert Model(x="5").x == 5  # type: ignore[arg-type]  # validated
    assert Model.model_json_schema()["properties"]["x"]["type"] == "integer"


def test_a_subclass_of_ferrapis_own_marker_stays_what_it_is() -> None:
    class Own(ferrapi.params.Depends):
        """A marker that a library made."""

    app = ferrapi.FastAPI()
    app.get("/")(lambda x=Own(guard): x)
    (answer,) = answers(FERRAPI, lambda fw, log: app, [Ask()])
    assert answer.status == 401


# Markers of other frameworks


class OtherDepends:
    """What FastDepends, taskiq and others have."""

    def __init__(self, dependency: Any = None) -> None:
        self.dependency = dependency


class SlottedDepends:
    """The same with a slot."""

    __slots__ = ("dependency",)

    def __init__(self, dependency: Any = None) -> None:
        self.dependency = dependency


@dataclass(frozen=True)
class DataDepends:
    """The same as a dataclass, which even has all attributes of FastAPI's."""

    dependency: Any
    use_cache: bool = True
    scope: str | None = None
    _concurrency: Any = None


class ComputedDepends:
    """The same with a property."""

    @property
    def dependency(self) -> Any:
        return guard


OTHERS = [OtherDepends(guard), OtherDepends(), SlottedDepends(guard), DataDepends(guard), ComputedDepends()]


@pytest.mark.parametrize("marker", OTHERS, ids=lambda marker: type(marker).__name__)
def test_markers_of_other_frameworks_are_refused(marker: Any) -> None:
    for shape in (with_default, annotated, annotated_with_default, aliased, of_partial, of_class, of_instance):
        app = ferrapi.FastAPI()
        with pytest.raises(ForeignObjectError, match=r"parameter 'x' of .*looks like a dependency of another"):
            app.get("/")(lambda value=ferrapi.Depends(shape(marker)): value)  # used at once
    with pytest.raises(ForeignObjectError):
        ferrapi.FastAPI().get("/", dependencies=[marker])(lambda: 1)


@pytest.mark.parametrize("transport", ["asgi", "http11"])
def test_a_function_may_be_a_dependency_in_both_frameworks(transport: str) -> None:
    """Where another framework's marker asks for the request alone, that is what the parameter receives."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def by_default(request: Request = OtherDepends()) -> str:  # type: ignore[assignment]
            return request.url.path

        def by_annotation(connection: Annotated[HTTPConnection, OtherDepends()]) -> str:
            return connection.url.path

        @app.get("/{name}")
        def endpoint(one: str = fw.Depends(by_default), other: str = fw.Depends(by_annotation)) -> list[str]:
            return [one, other]

        return app

    (answer,) = compare(make, [Ask(path="/name")], transport)
    assert answer.body == b'["/name","/name"]'


def test_a_marker_with_something_to_call_is_refused_there_too() -> None:
    def dependency(request: Request = OtherDepends(guard)) -> None: ...  # type: ignore[assignment]

    with pytest.raises(ForeignObjectError):
        ferrapi.FastAPI().get("/")(lambda value=ferrapi.Depends(dependency): value)


def test_the_error_says_where_what_and_whence() -> None:
    def endpoint(user: Any = OTHERS[0]) -> None: ...

    with pytest.raises(ForeignObjectError) as caught:
        ferrapi.FastAPI().get("/")(endpoint)
    text = str(caught.value)
    assert f"parameter 'user' of {__name__}.test_the_error_says_where_what_and_whence.<locals>.endpoint" in text
    assert f"OtherDepends of the module {__name__}" in text
    assert isinstance(caught.value, FastAPIError)


class Settings(BaseModel):
    """A model with a field of that name."""

    dependency: str | None = None


class Holder:
    """A class with a member of that name."""

    dependency = staticmethod(guard)


@pytest.mark.parametrize("value", [Settings(), Holder, MagicMock(), inspect, 5, None, "dependency"], ids=steady_name)
def test_values_that_only_have_such_a_name_are_values(value: Any) -> None:
    shapes = [with_default] if isinstance(value, Settings) else [with_default, annotated]
    for shape in shapes:
        route = ferrapi.routing.APIRoute("/", shape(value))
        assert route.dependant.query_params[0].name == "x"

"""A dependency that needs itself is a mistake that is reported, with its way, where FastAPI runs out of stack."""

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from ferrapi import exceptions
from support.asgi import Ask
from support.compare import answers
from support.frameworks import BOTH, FERRAPI, Framework
from support.naming import steady_name


def cycle(fw: Framework, length: int, last: Callable[[Callable[..., Any]], Any] = lambda call: call) -> Any:
    """The first of `length` functions of which each depends on the next and the last, as `last`, on the first."""
    functions = []
    for position in range(length):

        def function(below: Any = None) -> None: ...

        function.__name__ = function.__qualname__ = f"f{position}"
        functions.append(function)
    for function, below in itertools.pairwise(functions):
        function.__defaults__ = (fw.Depends(below),)
    functions[-1].__defaults__ = (fw.Depends(last(functions[0])),)
    return functions[0]


def of_class(fw: Framework) -> Any:
    class Needy:
        def __init__(self, below: Any = None) -> None: ...

    Needy.__init__.__defaults__ = (fw.Depends(Needy),)  # it is a function
    return Needy


def of_class_by_annotation(fw: Framework) -> Any:
    class Needy:
        def __init__(self, below: Any) -> None: ...

    Needy.__init__.__annotations__["below"] = Annotated[Needy, fw.Depends()]
    return Needy


def of_method(fw: Framework) -> Any:
    class Holder:
        def method(self, below: Any = None) -> None: ...

    holder = Holder()
    Holder.method.__defaults__ = (fw.Depends(holder.method),)
    return holder.method


def of_instance(fw: Framework) -> Any:
    class Called:
        def __call__(self, below: Any = None) -> None: ...

    called = Called()
    Called.__call__.__defaults__ = (fw.Depends(called),)  # it is a function
    return called


def made_anew(fw: Framework) -> Any:
    """Each reading of the signature makes another dependency, so that none ever comes again."""

    class Endless:
        @property
        def __signature__(self) -> inspect.Signature:
            kind = inspect.Parameter.KEYWORD_ONLY
            return inspect.Signature([inspect.Parameter("below", kind, default=fw.Depends(Endless()))])

        def __call__(self, below: Any) -> None: ...

    return Endless()


CYCLES: dict[str, Callable[[Framework], Any]] = {
    "itself": lambda fw: cycle(fw, 1),
    "two": lambda fw: cycle(fw, 2),
    "thirty": lambda fw: cycle(fw, 30),
    "partial": lambda fw: cycle(fw, 2, functools.partial),
    "wrapped": lambda fw: functools.wraps(cycle(fw, 2))(lambda *args: None),
    "class": of_class,
    "class by annotation": of_class_by_annotation,
    "method": of_method,
    "instance": of_instance,
    "made anew": made_anew,
}


def on_parameter(fw: Framework, call: Any) -> Any:
    fw.FastAPI().get("/")(lambda value=fw.Depends(call): value)


def on_endpoint(fw: Framework, call: Any) -> Any:
    fw.FastAPI().get("/")(call)


def on_security(fw: Framework, call: Any) -> Any:
    fw.FastAPI().get("/")(lambda value=fw.Security(call, scopes=["a"]): value)


def on_route(fw: Framework, call: Any) -> Any:
    fw.FastAPI().get("/", dependencies=[fw.Depends(call)])(lambda: 1)


def on_router(fw: Framework, call: Any) -> Any:
    fw.APIRouter(dependencies=[fw.Depends(call)]).get("/")(lambda: 1)


def on_application(fw: Framework, call: Any) -> Any:
    fw.FastAPI(dependencies=[fw.Depends(call)]).get("/")(lambda: 1)


def on_include(fw: Framework, call: Any) -> Any:
    app, router = fw.FastAPI(), fw.APIRouter()
    router.get("/")(lambda: 1)
    app.include_router(router, dependencies=[fw.Depends(call)])
    app.openapi()


def on_websocket(fw: Framework, call: Any) -> Any:
    fw.FastAPI().websocket("/")(lambda value=fw.Depends(call): value)


PLACES = [on_parameter, on_endpoint, on_security, on_route, on_router, on_application, on_include, on_websocket]


@pytest.mark.parametrize("framework", BOTH, ids=steady_name)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("kind", CYCLES)
def test_a_cycle_is_an_error_of_the_same_kind(framework: Framework, kind: str, place: Callable[..., Any]) -> None:
    with pytest.raises(RecursionError) as caught:
        place(framework, CYCLES[kind](framework))
    if framework is FERRAPI:
        assert isinstance(caught.value, exceptions.CircularDependencyError)


def test_the_error_names_the_cycle_and_nothing_beside_it() -> None:
    first = cycle(FERRAPI, 3)

    def above(value: None = FERRAPI.Depends(first)) -> None: ...

    with pytest.raises(exceptions.CircularDependencyError) as caught:
        on_parameter(FERRAPI, above)
    way = " -> ".join(f"{__name__}.f{position}" for position in (0, 1, 2, 0))
    assert f"Circular dependencies: {way}. " in str(caught.value)


@pytest.mark.parametrize("framework", BOTH, ids=steady_name)
def test_a_partial_that_fills_the_parameter_ends_the_cycle(framework: Framework) -> None:
    call = cycle(framework, 2, lambda first: functools.partial(first, None))
    for place in PLACES:
        place(framework, call)


@pytest.mark.parametrize("framework", BOTH, ids=steady_name)
def test_a_dependency_that_is_used_twice_is_no_cycle(framework: Framework) -> None:
    def shared() -> int:
        return 1

    def one(value: int = framework.Depends(shared)) -> int:
        return value

    def two(value: int = framework.Depends(shared), other: int = framework.Depends(one)) -> int:
        return value + other

    for place in PLACES:
        place(framework, two)


@pytest.mark.parametrize("framework", BOTH, ids=steady_name)
@pytest.mark.parametrize("place", ["parameter", "route", "websocket"])
def test_a_cycle_that_an_override_brings_in_is_a_500(framework: Framework, place: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def replaced() -> None: ...

        if place == "parameter":
            app.get("/")(lambda value=fw.Depends(replaced): 1)
        elif place == "route":
            app.get("/", dependencies=[fw.Depends(replaced)])(lambda: 1)
        else:
            app.websocket("/")(lambda value=fw.Depends(replaced): 1)
        app.dependency_overrides[replaced] = cycle(fw, 2)
        return app

    (answer,) = answers(framework, make, [Ask(kind="websocket" if place == "websocket" else "http")])
    assert isinstance(answer.exception, RecursionError)


@pytest.mark.parametrize("value", [None, 5, "text"], ids=steady_name)
def test_an_override_that_cannot_be_called_does_not_leave_the_dependency_in_place(value: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def replaced() -> None:
            log.append("ran")

        app.get("/", dependencies=[fw.Depends(replaced)])(lambda: 1)
        app.dependency_overrides[replaced] = value
        return app

    for framework in BOTH:
        (answer,) = answers(framework, make, [Ask()])
        assert (answer.status, answer.log, type(answer.exception)) == (500, [], TypeError)


class Unknown:
    """A type that pydantic has no schema for."""


def mistakes(fw: Framework) -> dict[str, Any]:
    """Dependencies with one mistake each, of kinds that differ."""

    def bad_type(x: Unknown) -> None: ...

    def bad_source(x: dict[str, int] = fw.Query()) -> None: ...

    def bad_default(x: Annotated[int, fw.Query(default_factory=int)] = 3) -> None: ...

    def short() -> Any:
        yield

    def bad_scope(x: None = fw.Depends(short, scope="function")) -> Any:
        yield

    found = [bad_type, bad_source, bad_default, bad_scope]
    return {"cycle": cycle(fw, 2), **{call.__name__: call for call in found}}


def two_parameters(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI().get("/")(lambda x=fw.Depends(one), y=fw.Depends(two): 1)


def two_below(fw: Framework, one: Any, two: Any) -> None:
    on_parameter(fw, lambda x=fw.Depends(one), y=fw.Depends(two): 1)


def dependency_and_own_parameters(fw: Framework, one: Any, two: Any) -> None:
    def call(**values: Any) -> None: ...

    kind = inspect.Parameter.KEYWORD_ONLY
    own = [one.replace(name="own", kind=kind) for one in inspect.signature(two).parameters.values()]
    first = inspect.Parameter("first", kind, default=fw.Depends(one))
    call.__signature__ = inspect.Signature([first, *own])  # type: ignore[attr-defined]  # read by inspect
    fw.FastAPI().get("/")(call)


def two_of_the_route(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI().get("/", dependencies=[fw.Depends(one), fw.Depends(two)])(lambda: 1)


def of_route_and_endpoint(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI().get("/", dependencies=[fw.Depends(one)])(lambda y=fw.Depends(two): 1)


def of_application_and_route(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI(dependencies=[fw.Depends(one)]).get("/", dependencies=[fw.Depends(two)])(lambda: 1)


def of_websocket(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI().websocket("/", dependencies=[fw.Depends(one)])(lambda y=fw.Depends(two): 1)


def beside_a_response_model(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI().get("/", dependencies=[fw.Depends(one)], response_model=Unknown)(lambda: 1)


def beside_a_status_without_body(fw: Framework, one: Any, two: Any) -> None:
    fw.FastAPI().get("/", status_code=204, response_model=int)(lambda x=fw.Depends(one): 1)


PAIRS = [
    two_parameters,
    two_below,
    dependency_and_own_parameters,
    two_of_the_route,
    of_route_and_endpoint,
    of_application_and_route,
    of_websocket,
    beside_a_response_model,
    beside_a_status_without_body,
]
KINDS = (RecursionError, AssertionError, TypeError)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.__name__)
def test_of_two_mistakes_the_same_one_is_reported(pair: Callable[..., None]) -> None:
    for one, two in itertools.permutations(mistakes(FERRAPI), 2):
        ends = []
        for fw in BOTH:
            calls = mistakes(fw)
            with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is the question
                pair(fw, calls[one], calls[two])
            named = type(caught.value).__name__
            kinds = [kind for kind in KINDS if isinstance(caught.value, kind)]
            ends.append(kinds or named)
        assert ends[0] == ends[1], (one, two)

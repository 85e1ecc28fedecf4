"""Annotations that are text mean what they mean in the module that defines the callable."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from support.asgi import Ask
from support.compare import compare, compare_documents
from support.frameworks import Framework

from . import elsewhere

Value = str  # `elsewhere.Value` is int


class InitialisedBelow(elsewhere.Initialised):
    """Nothing of its own."""


class TwiceBelow(InitialisedBelow):
    """Nothing of its own, either."""


class InitialisedHere(elsewhere.Initialised):
    def __init__(self, value: "Value") -> None:
        self.seen = value  # type: ignore[assignment]  # another `Value`


class MadeBelow(elsewhere.Made):
    """Nothing of its own."""


class MadeElsewhereInitialisedHere(elsewhere.Made):
    def __init__(self, value: "Value") -> None:
        self.seen = value


class InitialisedElsewhereMadeHere(elsewhere.Initialised):
    def __new__(cls, value: "Value") -> Any:
        return object.__new__(cls)


class BothBelow(elsewhere.Both):
    """Nothing of its own."""


class Mixed(elsewhere.Called, elsewhere.Initialised):
    """Two bases of which the second is initialised."""


class CalledBelow(elsewhere.Called):
    """Nothing of its own."""


class CalledHere(elsewhere.Called):
    def __call__(self, value: "Value") -> Any:  # type: ignore[override]  # another `Value`
        return value

    def method(self, value: "Value") -> Any:  # type: ignore[override]
        return value


class OfMetaBelow(elsewhere.OfMeta):
    def __init__(self, value: "Value" = "") -> None: ...


class DataBelow(elsewhere.Data):
    """Nothing of its own."""


@dataclass
class DataHere(elsewhere.Data):
    more: int = 2


class WrappedInitBelow(elsewhere.WrappedInit):
    """Nothing of its own."""


class ModelBelow(elsewhere.Model):
    """A field of its own."""

    own: "Value" = ""


class GenericBelow(elsewhere.Generic):
    """Nothing of its own."""


@elsewhere.passing_on
def wrapped_here(value: "Value") -> Any:
    return value


CALLABLES: dict[str, Callable[..., Any]] = {
    "inherited __init__": InitialisedBelow,
    "inherited twice": TwiceBelow,
    "own __init__": InitialisedHere,
    "inherited __new__": MadeBelow,
    "own __init__, inherited __new__": MadeElsewhereInitialisedHere,
    "own __new__, inherited __init__": InitialisedElsewhereMadeHere,
    "inherited __new__ and __init__": BothBelow,
    "second base": Mixed,
    "inherited __call__": CalledBelow(),
    "own __call__": CalledHere(),
    "inherited method": CalledBelow().method,
    "own method": CalledHere().method,
    "inherited class method": CalledBelow.of_class,
    "inherited static method": CalledBelow.static,
    "metaclass": elsewhere.OfMeta,
    "metaclass and own __init__": OfMetaBelow,
    "dataclass": elsewhere.Data,
    "inherited dataclass": DataBelow,
    "own dataclass": DataHere,
    "model": elsewhere.Model,
    "inherited model": ModelBelow,
    "wrapped": elsewhere.wrapped,
    "wrapped here": wrapped_here,
    "inherited wrapped __init__": WrappedInitBelow,
    "inherited generator": GenericBelow().generator,
    "inherited coroutine": GenericBelow().coroutine,
    "partial": elsewhere.plain_partial,
    "partial of a class": functools.partial(InitialisedBelow),
    "partial of a partial": functools.partial(functools.partial(InitialisedBelow)),
    "partial of an object": functools.partial(CalledBelow()),
    "partial of a method": functools.partial(CalledBelow().method),
    "wrapped class": elsewhere.passing_on(InitialisedBelow),
    "wrapped partial": elsewhere.passing_on(functools.partial(InitialisedBelow)),
}


@pytest.mark.parametrize("name", CALLABLES)
def test_a_callable_is_read_in_its_own_module(name: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.post("/")
        def endpoint(made: Any = fw.Depends(CALLABLES[name])) -> str:
            return repr(getattr(made, "seen", made))

        return app

    compare_documents(make)
    compare(make, [Ask("POST", query=b"value=7&seen=7"), Ask("POST", query=b"value=seven&seen=seven")])


@pytest.mark.parametrize("name", CALLABLES)
def test_an_endpoint_is_read_in_its_own_module(name: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.add_api_route("/", CALLABLES[name], response_model=None, name="endpoint", operation_id="it")
        return app

    compare_documents(make)


NOTHING = type(None)


@pytest.mark.parametrize("annotation", [None, NOTHING, "None", " None", "(None)", "NOTHING", "type(None)"])
def test_a_return_annotation_of_none_is_read_alike_however_it_is_written(annotation: Any) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def endpoint() -> Any: ...

        endpoint.__annotations__ = {"return": annotation}
        app, router = fw.FastAPI(), fw.APIRouter()
        app.get("/direct")(endpoint)
        router.get("/included")(endpoint)
        app.include_router(router)
        return app

    compare_documents(make)
    compare(make, [Ask(path="/direct"), Ask(path="/included")])

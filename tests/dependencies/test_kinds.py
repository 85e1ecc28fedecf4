"""A callable is synchronous, asynchronous or a generator as FastAPI sees it, through partials and wrappers."""

import functools
import gc
import inspect
import itertools
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


def sync(q: int = 1) -> Any:
    return ["sync", q]


async def coroutine(q: int = 1) -> Any:
    return ["coroutine", q]


def generator(q: int = 1) -> Iterator[Any]:
    yield ["generator", q]


async def async_generator(q: int = 1) -> AsyncIterator[Any]:
    yield ["async generator", q]


class Holder:
    """The same as methods."""

    def sync(self, q: int = 1) -> Any:
        return sync(q)

    async def coroutine(self, q: int = 1) -> Any:
        return await coroutine(q)

    def generator(self, q: int = 1) -> Iterator[Any]:
        yield from generator(q)

    async def async_generator(self, q: int = 1) -> AsyncIterator[Any]:
        async for item in async_generator(q):
            yield item


def called(function: Callable[..., Any]) -> Any:
    """An object whose class has such a `__call__`."""
    return type("Called", (), {"__call__": getattr(Holder, function.__name__)})()


def method(function: Callable[..., Any]) -> Any:
    """A bound method."""
    return getattr(Holder(), function.__name__)


def wrapped(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def wrapped_async(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return wrapper


def wrapped_by_object(function: Callable[..., Any]) -> Any:
    class Wrapper:
        def __init__(self) -> None:
            functools.update_wrapper(self, function)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    return Wrapper()


def partial(function: Callable[..., Any]) -> Any:
    return functools.partial(function, q=4)


def shown(found: Any) -> Any:
    """What an endpoint got: a value, or something that nobody has run."""
    if inspect.iscoroutine(found):
        found.close()
    return found if isinstance(found, list) else type(found).__name__


FUNCTIONS: list[Callable[..., Any]] = [sync, coroutine, generator, async_generator]
FACES: list[Callable[[Any], Any]] = [lambda function: function, called, method]
LAYERS: list[Callable[[Any], Any]] = [wrapped, wrapped_async, wrapped_by_object, partial]


def application(fw: Framework, call: Any) -> Any:
    app = fw.FastAPI()
    app.get("/")(lambda found=fw.Depends(call): shown(found))
    return app


def compare_layers(function: Callable[..., Any], depth: int) -> None:
    """Ask both frameworks about each arrangement of `depth` layers around a function."""
    for face, *layers in itertools.product(FACES, *([LAYERS] * depth)):
        if function in (generator, async_generator) and wrapped_async in layers:
            continue  # neither framework awaits what comes of it
        call = face(function)
        for layer in layers:
            call = layer(call)
        asks = [Ask(), Ask(query=b"q=3"), Ask(query=b"q=x")]
        compare(lambda fw, log, call=call: application(fw, call), asks, "asgi")  # type: ignore[misc]  # its default


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_layers(function: Callable[..., Any], depth: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of coroutines that nobody awaits, in either framework
        compare_layers(function, depth)
        gc.collect()

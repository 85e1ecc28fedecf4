"""Which annotations that are strings are resolved, behind wrappers of all kinds."""

import functools
import inspect
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from support.frameworks import BOTH

from . import postponed


class Part(functools.partial[Any]):
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


class Forwarding(Part):
    def __getattr__(self, name: str) -> Any:
        return getattr(self.func, name)


class LikeFunction:
    """What `inspect.signature` takes for a function."""

    def __init__(self, function: Any) -> None:
        self.function = function
        for name in ("__name__", "__code__", "__defaults__", "__kwdefaults__", "__annotations__", "__globals__"):
            setattr(self, name, getattr(function, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


class Proxy:
    """An object that passes for another one."""

    def __init__(self, target: Any) -> None:
        self.target = target

    @property  # type: ignore[misc]  # the point of it
    def __class__(self) -> type:
        return type(self.target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.target(*args, **kwargs)


class Wrapping:
    def __init__(self, target: Any) -> None:
        functools.update_wrapper(self, target)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]  # `update_wrapper` sets it


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def with_signature(function: Any) -> Any:
    wrapper = wrapped(function)
    wrapper.__signature__ = inspect.signature(function)
    return wrapper


CALLABLES: dict[str, Any] = {
    name: getattr(postponed, name)
    for name in (
        "plain", "missing", "mixed", "mixed_quoted", "mixed_nested", "nested", "optional", "annotated", "quoted",
        "coroutine", "Made", "MadeOfMissing", "Data", "OfMeta",
    )
} | {
    "object": postponed.Called(), "method": postponed.Called().method, "quoted method": postponed.Called().quoted,
}  # fmt: skip
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda call: call,
    "partial": functools.partial,
    "partial subclass": Part,
    "forwarding partial": Forwarding,
    "like a function": LikeFunction,
    "proxy": Proxy,
    "proxy of partial": lambda call: Proxy(functools.partial(call)),
    "wrapping object": Wrapping,
    "wrapper": wrapped,
    "partial of wrapper": lambda call: functools.partial(wrapped(call)),
    "wrapper of partial": lambda call: wrapped(functools.partial(call)),
    "partial of partial": lambda call: functools.partial(Part(call)),
    "partial of like a function": lambda call: functools.partial(LikeFunction(call)),
    "signature": with_signature,
}


def seen(package: str, call: Any) -> str:
    """What the package makes of the annotations."""
    utils = import_module(f"{package}.dependencies.utils")
    try:
        parameters = utils.get_typed_signature(call).parameters.values()
        returned = utils.get_typed_return_annotation(call)
    except Exception as error:
        return type(error).__name__
    return re.sub(r" at 0x\w+", "", repr([[(one.name, one.annotation) for one in parameters], returned]))


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", CALLABLES)
def test_annotations_are_resolved_alike(name: str, wrapper: str) -> None:
    try:
        call = WRAPPERS[wrapper](CALLABLES[name])
    except AttributeError:
        pytest.skip("no such object: what is no function has no code")
    theirs, ours = (seen(fw.package, call) for fw in BOTH)
    assert ours == theirs

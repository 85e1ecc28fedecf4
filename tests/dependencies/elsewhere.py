"""Callables whose annotations are text, in a module of its own: `Value` means something else to who uses them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

Value = int


class Settings(BaseModel):
    """A model that only this module knows by its name."""

    size: int = 1


class Model(BaseModel):
    """A model whose fields name what comes later."""

    value: Value
    later: Later | None = None


class Later(BaseModel):
    """What comes later."""

    size: int = 1


class Initialised:
    def __init__(self, value: Value, settings: Settings | None = None) -> None:
        self.seen = value


class Made:
    seen: Any

    def __new__(cls, value: Value) -> Any:
        made = object.__new__(cls)
        made.seen = value
        return made


class Both:
    def __new__(cls, value: Value) -> Any:
        return object.__new__(cls)

    def __init__(self, value: Value) -> None:
        self.seen = value


class Called:
    def __call__(self, value: Value) -> Any:
        return value

    def method(self, value: Value) -> Any:
        return value

    @classmethod
    def of_class(cls, value: Value) -> Any:
        return value

    @staticmethod
    def static(value: Value) -> Any:
        return value


class Meta(type):
    def __call__(cls, value: Value = 5) -> Any:
        made = super().__call__()
        made.seen = value
        return made


class OfMeta(metaclass=Meta):
    seen: Any


@dataclass
class Data:
    seen: Value


class Generic:
    """What a generator and a coroutine function take."""

    def generator(self, value: Value) -> Any:
        yield value

    async def coroutine(self, value: Value) -> Any:
        return value


def passing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@passing_on
def wrapped(value: Value) -> Any:
    return value


class WrappedInit:
    @passing_on
    def __init__(self, value: Value) -> None:
        self.seen = value


plain_partial = functools.partial(Called.static)

"""Asking FastAPI and ferrapi the same question.

A question is a function of a `Framework`; its answer is a value, or the error that it ended with. The names of the
two packages are the only thing that may differ between the answers.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Framework:
    """A package's modules as attributes: `framework.params` is `fastapi.params` or `ferrapi.params`."""

    def __init__(self, package: str) -> None:
        self.package = package

    def __getattr__(self, name: str) -> Any:
        return import_module(f"{self.package}.{name}")


FASTAPI = Framework("fastapi")
FERRAPI = Framework("ferrapi")

Question = Callable[[Framework], Any]


def answer(question: Question, framework: Framework) -> tuple[str, ...]:
    """The outcome as text, in which the two packages and all addresses look the same."""
    try:
        value = question(framework)
    except Exception as error:
        return ("error", _neutral(type(error).__qualname__), _neutral(str(error)))
    return ("value", _neutral(type(value).__qualname__), _neutral(repr(value)))


def same(question: Question) -> tuple[str, ...]:
    """Assert that both packages answer the same, and give the answer."""
    expected = answer(question, FASTAPI)
    actual = answer(question, FERRAPI)
    assert actual == expected, f"\nfastapi: {expected}\nferrapi: {actual}"
    return expected


def _neutral(text: str) -> str:
    return _ADDRESS.sub("", text).replace("fastapi", "ferrapi")

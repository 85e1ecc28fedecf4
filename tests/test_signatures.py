"""Shared options: shown one by one, checked by name, and passed on only if they were given."""

import inspect
from typing import Any, TypedDict, Unpack

import pytest
from ferrapi._signatures import spell_out
from ferrapi.datastructures import DefaultPlaceholder


class Small(TypedDict, total=False):
    size: int
    later: "list[Undefined]"  # type: ignore[name-defined]  # noqa: F821  # need not be resolvable


class Large(Small, total=False):
    colour: str | None


@spell_out(Large, {"size": 3})
def make(first: int, second: int = 2, *, third: bool = False, **options: Unpack[Large]) -> dict[str, Any]:
    """Make something."""
    return {"first": first, "second": second, "third": third, **options}


def test_the_signature_shows_every_option() -> None:
    parameters = inspect.signature(make).parameters
    assert list(parameters) == ["first", "second", "third", "size", "later", "colour"]
    assert parameters["size"].default == 3
    assert isinstance(parameters["colour"].default, DefaultPlaceholder)
    assert parameters["colour"].annotation == str | None
    assert parameters["later"].annotation == "list[Undefined]"
    assert inspect.signature(make).return_annotation == dict[str, Any]
    assert (make.__name__, make.__doc__) == ("make", "Make something.")


def test_only_given_options_arrive() -> None:
    assert make(1) == {"first": 1, "second": 2, "third": False}
    assert make(1, 5, colour=None) == {"first": 1, "second": 5, "third": False, "colour": None}


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(TypeError, match=r"make\(\) got an unexpected keyword argument 'sise'"):
        make(1, sise=3)  # type: ignore[call-arg]  # that is the test
    with pytest.raises(TypeError, match="positional"):
        make(1, 2, 3)  # type: ignore[misc]  # that is the test


def test_methods_show_no_self_on_their_class() -> None:
    class Thing:
        @spell_out(Small, {})
        def __init__(self, name: str, **options: Unpack[Small]) -> None:
            self.held = (name, options)

    assert list(inspect.signature(Thing).parameters) == ["name", "size", "later"]
    assert Thing("a", size=1).held == ("a", {"size": 1})

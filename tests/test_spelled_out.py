"""Shared options: shown one by one, checked by name, and passed on only if they were given."""

import inspect
import re
from typing import Any, TypedDict, Unpack

import fastapi
import ferrapi
import pytest
from ferrapi.datastructures import DefaultPlaceholder
from ferrapi.declare.spelled_out import spell_out


class Small(TypedDict, total=False):
    size: int
    later: "list[Undefined]"  # noqa: F821  # need not be resolvable


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
        make(1, 2, 3)  # type: ignore[call-arg, arg-type]  # that is the test


def test_methods_show_no_self_on_their_class() -> None:
    class Thing:
        @spell_out(Small, {})
        def __init__(self, name: str, **options: Unpack[Small]) -> None:
            self.held = (name, options)

    assert list(inspect.signature(Thing).parameters) == ["name", "size", "later"]
    assert Thing("a", size=1).held == ("a", {"size": 1})


class Described(TypedDict, total=False):
    """Things.

    size: how large it is,
        in metres.
    colour, shape: what it looks like.
    other: not one of the options.
    """

    size: int
    colour: str
    shape: str


def test_what_options_mean_stands_in_each_function() -> None:
    @spell_out(Described, {})
    def draw(where: str, **options: Unpack[Described]) -> None:
        """Draw.

        Parameters:
            where: the place.
            options: see there,
                and there.

        Raises:
            ValueError: for none.
        """

    assert inspect.getdoc(draw) == (
        "Draw.\n\nParameters:\n    where: the place.\n    size: how large it is,\n        in metres.\n"
        "    colour, shape: what it looks like.\n\nRaises:\n    ValueError: for none."
    )


_REGISTERING = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
_REGISTERING += ["api_route", "add_api_route", "include_router"]


@pytest.mark.parametrize("owner", ["FastAPI", "APIRouter"])
@pytest.mark.parametrize("name", _REGISTERING)
def test_each_option_of_registering_is_described(owner: str, name: str) -> None:
    method = getattr(getattr(ferrapi, owner), name)
    described = inspect.getdoc(method) or ""
    parameters = [one for one in inspect.signature(method).parameters if one != "self"]
    assert [
        one for one in parameters if not re.search(rf"^    (\w+, )*{one}(, \w+)*: \S", described, re.MULTILINE)
    ] == []
    assert "options:" not in described


@pytest.mark.parametrize("name", ["Body", "Cookie", "File", "Form", "Header", "Path", "Query"])
def test_each_option_of_parameters_is_described(name: str) -> None:
    function = getattr(ferrapi, name)
    described = inspect.getdoc(function) or ""
    for one in inspect.signature(function).parameters:
        assert re.search(rf"^    (\w+, )*{one}(, \w+)*: \S", described, re.MULTILINE), one


@pytest.mark.parametrize("owner", ["FastAPI", "APIRouter"])
@pytest.mark.parametrize("name", _REGISTERING)
def test_a_wrong_call_is_refused_in_fastapis_words(owner: str, name: str) -> None:
    said = []
    for package in (fastapi, ferrapi):
        made = type("Mine", (getattr(package, owner),), {})()
        assert getattr(getattr(package, owner), name).__qualname__ == f"{owner}.{name}"
        for arguments, options in (((), {}), ((1,) * 9, {}), (("/", len)[:1], {"nope": 1})):
            with pytest.raises(TypeError) as refused:
                getattr(made, name)(*arguments, **options)
            said.append(str(refused.value).partition(" but ")[0])
    assert said[:3] == said[3:]

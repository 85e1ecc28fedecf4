"""Form parameters that get their values as a dictionary, as from `solve_dependencies` or a validator of the model."""

import asyncio
import copy
from importlib import import_module
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, Json
from starlette.datastructures import FormData
from support.frameworks import BOTH, Framework


class Pot(BaseModel):
    v: Any = None
    tags: list[Any] = []
    kinds: set[str] = set()


class Pan(BaseModel):
    model_config = ConfigDict(extra="allow")

    w: str


class Lid(BaseModel):
    v: str = Field(validation_alias=AliasChoices("v", "w"))
    tags: list[str] = Field([], validation_alias=AliasChoices("w", "tags"))


class Deep(BaseModel):
    v: str = Field("x", validation_alias=AliasPath("p", 0))
    tags: tuple[str, ...] = ()


TYPES: list[Any] = [
    Pot,
    Pan | None,
    Pot | Pan,
    Pan | Lid | None,
    Annotated[Pot | Pan, BeforeValidator(lambda value: value)],
    Annotated[Pot, BeforeValidator(lambda value: value)] | Pan,
    Json[Pan],
    Json[list[int]],
    str,
    list[str],
]

scalars = st.sampled_from([None, "", "x", 0, 1, ("a", "b"), frozenset({"z"})])
values = scalars | st.lists(scalars, max_size=3) | st.just({"q": 1})
dictionaries = st.dictionaries(st.sampled_from(["v", "w", "tags", "kinds", "p", "other"]), values, max_size=4)
bodies = st.sampled_from([None, "text", [1]]) | dictionaries | st.fixed_dictionaries({"body": dictionaries | values})


def utils_of(fw: Framework) -> Any:
    return import_module(f"{fw.package}.dependencies.utils")


def told(fw: Framework, type_: Any, body: Any, embed: bool) -> Any:
    """The arguments and the errors that a form parameter of this type gets."""
    utils = utils_of(fw)

    async def endpoint(body: Annotated[type_, fw.Form()]) -> None: ...  # a type to ask about

    fields = utils.get_dependant(path="/", call=endpoint).body_params
    try:
        found, errors = asyncio.run(utils.request_body_to_args(fields, body, embed))
    except Exception as exc:
        return repr(exc)
    return found, [(error["type"], error["loc"], error["input"]) for error in errors]


@settings(deadline=None)
@given(st.sampled_from(TYPES), bodies, st.booleans())
def test_a_form_parameter_is_a_key_of_a_dictionary_and_unions_read_that_as_a_form(
    type_: Any, body: Any, embed: bool
) -> None:
    theirs, ours = (told(fw, type_, copy.deepcopy(body), embed) for fw in BOTH)
    assert ours == theirs


@settings(deadline=None)
@given(st.sampled_from([Pot, Pan, Lid, Deep]), dictionaries)
def test_a_dictionary_is_normalised_as_the_form_that_it_describes(model: type[BaseModel], value: Any) -> None:
    theirs, ours = (utils_of(fw)._normalize_form_model(value, model=model) for fw in BOTH)
    assert ours == theirs


@pytest.mark.parametrize("value", [FormData([("v", "1"), ("v", "2")]), "text", None, Pot(v=1)])
def test_what_is_no_dictionary_is_not_normalised(value: Any) -> None:
    theirs, ours = (utils_of(fw)._normalize_form_model(value, model=Pot) for fw in BOTH)
    assert ours == theirs == value


@pytest.mark.parametrize("parts", [{"v": "1", "tags": ["a", "b"]}, {"kinds": ["a"]}, {"w": "1", "tags": "x"}])
@pytest.mark.parametrize("change", [{}, {"tags": "x"}, {"tags": ("a", "b")}, {"v": [None]}, {"w": ["one"]}])
def test_what_a_validator_makes_of_a_form_is_read_by_the_members_of_a_union(
    parts: dict[str, Any], change: dict[str, Any]
) -> None:
    lists = {key: found if isinstance(found, list) else [found] for key, found in parts.items()}
    form = FormData([(key, part) for key, found in lists.items() for part in found])
    types: list[Any] = [
        Annotated[Pot | Pan, BeforeValidator(lambda value: {**value, **change})],
        Annotated[Pot, BeforeValidator(lambda value: {**value, **change})] | Pan,
    ]
    for type_ in types:
        theirs, ours = (told(fw, type_, form, False) for fw in BOTH)
        assert ours == theirs

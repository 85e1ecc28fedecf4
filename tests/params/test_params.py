"""Every option of every declaration ends up in the same place of the pydantic field as in FastAPI."""

import asyncio
import copy
import dataclasses
import inspect
import pickle
import re
import warnings
from typing import Annotated, Any

import anyio
import pytest
from _oracle import FASTAPI, FERRAPI, Framework, same
from ferrapi import params
from ferrapi.concurrency import _DependencyConcurrency
from ferrapi.datastructures import DefaultPlaceholder
from ferrapi.exceptions import FastAPIDeprecationWarning, ParameterError
from pydantic import AliasChoices, AliasPath, BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from support.naming import steady_name

CLASSES = ["Param", "Path", "Query", "Header", "Cookie", "Body", "Form", "File"]

OPTIONS: dict[str, list[Any]] = {
    "annotation": [int, None],
    "default_factory": [list, None],
    "alias": ["q", "", None, 3],
    "alias_priority": [1, None],
    "validation_alias": ["v", "", AliasChoices("a", AliasPath("b", 1)), None],
    "serialization_alias": ["s", "", None],
    "title": ["T", None],
    "description": ["D", None],
    "gt": [1, None],
    "ge": [1.5, None],
    "lt": [3, None],
    "le": [4, None],
    "min_length": [0, None],
    "max_length": [9, None],
    "pattern": ["a+", "", re.compile("b"), None],
    "regex": ["c", "", None],
    "discriminator": ["kind", None],
    "strict": [True, False, None],
    "validate_default": [True, None],
    "union_mode": ["left_to_right", None],
    "fail_fast": [True, False, None],
    "multiple_of": [2, None],
    "allow_inf_nan": [False, None],
    "max_digits": [5, None],
    "decimal_places": [2, None],
    "examples": [[1], [], None],
    "example": [5, None],
    "openapi_examples": [{"one": {"value": 1}}, None],
    "deprecated": [True, False, "soon", None],
    "include_in_schema": [False, True],
    "json_schema_extra": [{"x": 1}, len, None],
}

ROWS: list[dict[str, Any]] = [
    {},
    *({name: value} for name, values in OPTIONS.items() for value in values),
    {"alias": "a", "validation_alias": "b"},
    {"alias": "a", "serialization_alias": "b"},
    {"alias": "a", "validation_alias": "", "serialization_alias": ""},
    {"alias": None, "serialization_alias": None},
    {"pattern": "x", "regex": "y"},
    {"pattern": "", "regex": "y"},
    {"example": 1, "examples": [2], "regex": "z"},
    {name: values[0] for name, values in OPTIONS.items()},
]


def contents(field: FieldInfo) -> dict[str, Any]:
    """All that a declaration holds: pydantic's attributes, and its own."""
    held = {name: getattr(field, name) for name in FieldInfo.__slots__ if hasattr(field, name)}
    held |= {name: value for name, value in vars(field).items() if name != "in_"}
    held["in"] = str(getattr(field, "in_", None))
    if "_attributes_set" in held:  # of which pydantic's order depends on its release
        held["_attributes_set"] = dict(sorted(held["_attributes_set"].items()))
    return {
        name: ("unset", value.value) if type(value).__name__ == "DefaultPlaceholder" else value
        for name, value in held.items()
    }


def declared(name: str, *args: Any, **options: Any) -> Any:
    """What making a declaration gives: its contents and the warnings that it caused."""

    def question(framework: Framework) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            field = getattr(framework.params, name)(*args, **options)
        texts = [(warning.category.__name__, str(warning.message)) for warning in caught]
        return repr(field), contents(field), texts

    return question


@pytest.mark.parametrize("options", ROWS, ids=steady_name)
@pytest.mark.parametrize("name", CLASSES)
def test_options_reach_the_same_attributes(name: str, options: dict[str, Any]) -> None:
    assert same(declared(name, **options))[0] == "value"


@pytest.mark.parametrize("default", [3, None, ..., PydanticUndefined, "", [], int], ids=steady_name)
@pytest.mark.parametrize("name", [name for name in CLASSES if name != "Path"])
def test_defaults(name: str, default: Any) -> None:
    same(declared(name, default))


def test_a_default_and_a_factory_exclude_each_other() -> None:
    assert same(declared("Query", 3, default_factory=list))[:2] == ("error", "TypeError")


@pytest.mark.parametrize("default", [3, None, PydanticUndefined])
def test_a_path_parameter_has_no_default(default: Any) -> None:
    with pytest.raises(ParameterError, match="cannot have a default") as caught:
        params.Path(default)
    assert isinstance(caught.value, AssertionError)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Header", {"convert_underscores": False}),
        ("Body", {"embed": True, "media_type": "a/b"}),
        ("Body", {"embed": False}),
        ("Form", {"media_type": "a/b"}),
        ("File", {"media_type": "a/b"}),
    ],
)
def test_options_of_one_class(name: str, options: dict[str, Any]) -> None:
    same(declared(name, **options))


@pytest.mark.parametrize("name", CLASSES)
def test_a_misspelt_option_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'titel'"):
        getattr(params, name)(titel="x")


@pytest.mark.parametrize("name", [*CLASSES, "Depends", "Security"])
def test_signatures_show_the_same_parameters(name: str) -> None:
    def shape(framework: Framework) -> list[tuple[str, str, str]]:
        parameters = inspect.signature(getattr(framework.params, name)).parameters.values()
        return sorted((p.name, p.kind.name, type(p.default).__name__) for p in parameters)

    same(shape)


def test_options_without_a_default_show_the_unset_marker() -> None:
    shown = inspect.signature(params.Query).parameters
    assert isinstance(shown["title"].default, DefaultPlaceholder)
    assert shown["gt"].default is None
    assert shown["include_in_schema"].default is True


@pytest.mark.parametrize("make", [lambda: params.Query(regex="a"), lambda: params.Body(example=1)])
def test_deprecation_warnings_point_at_the_application(make: Any) -> None:
    with pytest.warns(FastAPIDeprecationWarning) as caught:
        make()
    assert [warning.filename for warning in caught] == [__file__]


def test_copies_keep_what_pydantic_does_not_know() -> None:
    header = params.Header(3, convert_underscores=False, openapi_examples={"a": {"value": 1}})
    for copied in (copy.copy(header), copy.deepcopy(header)):
        assert type(copied) is params.Header
        assert copied.convert_underscores is False
        assert copied.openapi_examples == {"a": {"value": 1}}


@pytest.mark.parametrize("number", range(4))
def test_pydantic_merges_declarations_as_it_does_fastapis(number: int) -> None:
    def question(framework: Framework) -> Any:
        query, header = framework.params.Query, framework.params.Header
        annotations: list[Any] = [
            Annotated[int, query(gt=3), query(title="x")],
            Annotated[Annotated[int, Field(lt=9)], header(convert_underscores=False)],
            Annotated[int, Field(description="d"), query(alias="q")],
            Annotated[list[int], query(min_length=1), Field(max_length=5)],
        ]
        merged = FieldInfo.from_annotation(annotations[number])
        with_default = FieldInfo.from_annotated_attribute(annotations[number], 5)
        return type(merged).__name__, merged.metadata, merged.title, type(with_default).__name__, with_default.default

    same(question)


def test_declarations_can_be_fields_of_a_model() -> None:
    def question(framework: Framework) -> Any:
        class Filters(BaseModel):
            limit: int = framework.params.Query(3, alias="n", le=9)
            token: Annotated[str, framework.params.Header(min_length=2)]

        return repr(Filters.model_fields), Filters.model_json_schema()

    same(question)


def dependency() -> None: ...


DEPENDENCIES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Depends", (), {}),
    ("Depends", (dependency,), {}),
    ("Depends", (dependency, False), {}),
    ("Depends", (dependency, True, "function"), {}),
    ("Depends", (dependency,), {"max_concurrency": 3}),
    ("Security", (dependency,), {}),
    ("Security", (dependency, True, None, ["a"]), {}),
    ("Security", (dependency,), {"scopes": ("a", "b"), "max_concurrency": 1}),
    *(("Depends", (dependency,), {"max_concurrency": n}) for n in (0, -1, 1.5, 2.0, "2", True, False, [], 10**9)),  # type: ignore[var-annotated]
]


@pytest.mark.parametrize(("name", "args", "options"), DEPENDENCIES)
def test_dependencies_look_the_same(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    same(lambda framework: getattr(framework.params, name)(*args, **options))


def test_equality_and_hash_of_dependencies() -> None:
    def question(framework: Framework) -> Any:
        depends, security = framework.params.Depends, framework.params.Security
        limited = depends(dependency, max_concurrency=2)
        return (
            depends(dependency) == depends(dependency),
            hash(depends(dependency)) == hash(depends(dependency)),
            depends(dependency) == security(dependency),
            security(dependency, scopes=["a"]) == security(dependency, scopes=["a"]),
            security(dependency, scopes=["a"]) == security(dependency, scopes=("a",)),
            limited == depends(dependency, max_concurrency=2),
            copy.copy(limited) == limited,
            copy.deepcopy(limited) == limited,
            dataclasses.replace(limited) == limited,
            dataclasses.replace(limited, max_concurrency=None) == depends(dependency),
        )

    same(question)


def test_a_limit_follows_the_number_it_is_for() -> None:
    limited = params.Depends(dependency, max_concurrency=2)
    assert limited._concurrency is not None
    assert dataclasses.replace(limited, use_cache=False)._concurrency is limited._concurrency
    changed = dataclasses.replace(limited, max_concurrency=5)._concurrency
    assert changed is not None
    assert changed.max_concurrency == 5
    assert params.Depends(dependency, _concurrency=_DependencyConcurrency(2))._concurrency is None


def test_dependencies_are_frozen_and_can_be_pickled() -> None:
    limited = params.Depends(int, max_concurrency=2)
    assert repr(pickle.loads(pickle.dumps(limited))) == repr(limited)
    with pytest.raises(dataclasses.FrozenInstanceError):
        limited.use_cache = False  # type: ignore[misc]  # that is the test


def test_each_event_loop_has_its_own_semaphore() -> None:
    concurrency = params.Depends(dependency, max_concurrency=2)._concurrency
    assert concurrency is not None

    async def twice() -> anyio.Semaphore:
        semaphore = concurrency.get_semaphore()
        assert concurrency.get_semaphore() is semaphore
        assert semaphore.value == 2
        return semaphore

    assert asyncio.run(twice()) is not asyncio.run(twice())
    assert isinstance(anyio.run(twice, backend="trio"), anyio.Semaphore)
    with pytest.raises(Exception, match=r"[Aa]sync|event loop"):  # the class depends on the release of anyio
        concurrency.get_semaphore()


def test_two_dependencies_with_the_same_limit_do_not_share_it() -> None:
    first, second = (params.Depends(dependency, max_concurrency=2)._concurrency for _ in range(2))
    assert first is not None
    assert second is not None

    async def semaphores() -> bool:
        return first.get_semaphore() is second.get_semaphore()

    assert not asyncio.run(semaphores())


def test_both_packages_were_asked() -> None:
    assert FASTAPI.params.Query is not FERRAPI.params.Query

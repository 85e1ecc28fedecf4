"""The functions make what the classes make, and show the same parameters as FastAPI's."""

import inspect
from typing import Any

import pytest
from _oracle import Framework, same
from ferrapi import param_functions, params
from ferrapi.exceptions import FastAPIDeprecationWarning, ParameterError

FUNCTIONS = ["Path", "Query", "Header", "Cookie", "Body", "Form", "File"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_makes_an_instance_of_its_class(name: str) -> None:
    made = getattr(param_functions, name)(title="T", gt=3, alias="a")
    expected = getattr(params, name)(title="T", gt=3, alias="a")
    assert type(made) is type(expected)
    assert made._attributes_set == expected._attributes_set
    assert made.metadata == expected.metadata


@pytest.mark.parametrize("name", [*FUNCTIONS, "Depends", "Security"])
def test_signatures_show_the_same_parameters(name: str) -> None:
    def shape(framework: Framework) -> list[tuple[str, str, str]]:
        parameters = inspect.signature(getattr(framework.param_functions, name)).parameters.values()
        return sorted((p.name, p.kind.name, type(p.default).__name__) for p in parameters)

    same(shape)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_positional_and_unknown_arguments_are_refused(name: str) -> None:
    function = getattr(param_functions, name)
    with pytest.raises(TypeError):
        function(..., ...)
    with pytest.raises(TypeError, match="unexpected keyword argument 'titel'"):
        function(titel="x")


def test_only_the_classes_take_an_annotation() -> None:
    assert params.Query(annotation=int).annotation is int
    with pytest.raises(TypeError, match="annotation"):
        param_functions.Query(annotation=int)  # type: ignore[call-arg]  # that is the test


def test_a_path_parameter_has_no_default() -> None:
    with pytest.raises(ParameterError):
        param_functions.Path(1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Header", {"convert_underscores": False}),
        ("Body", {"embed": True, "media_type": "a/b"}),
        ("Form", {"media_type": "a/b"}),
        ("File", {"media_type": "a/b"}),
    ],
)
def test_options_of_one_function(name: str, options: dict[str, Any]) -> None:
    made = getattr(param_functions, name)(**options)
    assert {option: getattr(made, option) for option in options} == options


def test_deprecation_warnings_point_at_the_application() -> None:
    with pytest.warns(FastAPIDeprecationWarning) as caught:
        param_functions.Query(regex="a")
    assert caught[0].filename == __file__


def dependency() -> None: ...


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Depends", {}),
        ("Depends", {"use_cache": False, "scope": "function", "max_concurrency": 2}),
        ("Depends", {"max_concurrency": 0}),
        ("Security", {}),
        ("Security", {"scopes": ["a"], "use_cache": False}),
    ],
)
def test_dependencies(name: str, options: dict[str, Any]) -> None:
    same(lambda framework: getattr(framework.param_functions, name)(dependency, **options))

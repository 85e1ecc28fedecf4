"""Texts of warnings and errors that applications filter by and that tests of users match."""

import inspect
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import MappingProxyType
from typing import Annotated, Any

import pytest
from _oracle import Framework, same
from pydantic import Field

WARNED: dict[str, Callable[[Framework], Any]] = {
    "on_event of a router": lambda fw: fw.routing.APIRouter().on_event("startup")(print),
    "on_event of an application": lambda fw: fw.applications.FastAPI().on_event("shutdown")(print),
    "ORJSONResponse": lambda fw: fw.responses.ORJSONResponse([1]),
    "UJSONResponse": lambda fw: fw.responses.UJSONResponse([1]),
    "a class of one's own": lambda fw: type("Quick", (fw.responses.ORJSONResponse,), {}),
    "an operation id": lambda fw: fw.utils.generate_operation_id_for_path(name="n", path="/p", method="PUT"),
    "regex": lambda fw: fw.param_functions.Query(regex="a+"),
    "example": lambda fw: fw.param_functions.Body(example={"a": 1}),
}


@pytest.mark.parametrize("case", WARNED)
def test_deprecations(case: str) -> None:
    def question(fw: Framework) -> Any:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            WARNED[case](fw)
        return sorted({(one.category.__name__, str(one.message)) for one in seen})

    outcome = same(question)
    assert outcome[0] == "value"
    assert "deprecated" in outcome[2]


def test_under_the_alias_warnings_point_at_the_application_too() -> None:
    code = (
        "import ferrapi.as_fastapi, fastapi, warnings\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    fastapi.Query(regex='a')\n"
        "    fastapi.FastAPI().on_event('startup')\n"
        "print({one.filename for one in seen})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{'<string>'}\n"


LIMITS: list[Any] = [
    *({}, 3, [], "files", MappingProxyType({"max_files": 3}), {1: 2}, {"most": 3}, {"max_files": True}),
    *({"max_files": -1, "max_fields": "9"}, {"max_part_size": 0}, {"max_files": 1.0}, {"max_fields": None}),
]


@pytest.mark.parametrize("limits", LIMITS, ids=repr)
def test_form_limits(limits: Any) -> None:
    same(lambda fw: fw.routing.APIRouter(form_limits=limits).form_limits)
    same(lambda fw: fw.routing.APIRouter().post("/", form_limits=limits)(lambda: 1))


@pytest.mark.parametrize("name", ["Query", "Cookie", "Header", "Param", "Path", "Body", "Form", "File"])
@pytest.mark.parametrize("option", ["min_items", "embeded", "const"])
def test_options_that_do_not_exist(name: str, option: str) -> None:
    same(lambda fw: getattr(fw.params, name)(**{option: 1}))


@pytest.mark.parametrize("given", [((), {}), (([], 1), {}), (([],), {"body": 1})], ids=repr)
def test_arguments_of_validation_errors(given: Any) -> None:
    for name in ("RequestValidationError", "ResponseValidationError", "WebSocketRequestValidationError"):
        same(lambda fw, name=name: getattr(fw.exceptions, name)(*given[0], **given[1]))  # type: ignore[misc]  # mypy knows no defaults here


SITES = [
    {"path": "/site", "directory": "nowhere-at-all"},
    {"path": "/site", "directory": ".", "fallback": "404.html"},
]


@pytest.mark.parametrize("site", SITES, ids=repr)
def test_front_ends_that_are_not_there(site: Any) -> None:
    outcome = same(lambda fw: _as_value_error(lambda: fw.applications.FastAPI().frontend(check_dir=True, **site)))
    assert outcome[0] == "error"


def test_an_event_with_data_of_two_kinds() -> None:
    same(lambda fw: fw.sse.ServerSentEvent(data=1, raw_data="x"))


MARKERS = ["Path", "Query", "Header", "Body", "Form", "Depends"]
_EMPTY = inspect.Parameter.empty


@pytest.mark.parametrize("beside", [*MARKERS, "Field", "nothing"])
@pytest.mark.parametrize("default", [*MARKERS, "Field", "value", "nothing"])
@pytest.mark.parametrize("path", ["/{size}", "/"])
def test_markers_beside_the_type_and_as_default(path: str, beside: str, default: str) -> None:
    def made(fw: Framework, name: str) -> Any:
        if name in MARKERS:
            marker = getattr(fw.param_functions, name)
            return marker(lambda: 1) if name == "Depends" else marker()
        return {"Field": Field(), "value": 3, "nothing": _EMPTY}[name]

    def question(fw: Framework) -> Any:
        def endpoint(size: Any) -> None: ...

        marker, value = made(fw, beside), made(fw, default)
        endpoint.__annotations__["size"] = int if marker is _EMPTY else Annotated[int, marker]
        endpoint.__defaults__ = None if value is _EMPTY else (value,)
        return _as_value_error(lambda: fw.applications.FastAPI().post(path)(endpoint)) and None

    same(question)


def test_a_router_without_a_prefix() -> None:
    same(lambda fw: fw.routing.APIRouter(prefix=None).prefix)


def _as_value_error(declare: Callable[[], Any]) -> Any:
    """Declare it; the text of an error is that of a `ValueError`, because ours are of more classes than FastAPI's."""
    try:
        return declare()
    except (AssertionError, RuntimeError) as error:
        raise ValueError(str(error)) from None
